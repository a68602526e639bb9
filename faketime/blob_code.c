/* What a redirected process runs in place of the vDSO's functions.
 *
 * It is linked at 0 into a flat image (blob.ld) and runs wherever that is put: without libc, without
 * relocations, without a stack protector, and in signal handlers and between any two instructions
 * of a program.  The arithmetic is page.c's.
 */
#include "faketime/blob.h"

#include <stddef.h>
#include <sys/time.h>

#include "faketime/page.h"

/* Hidden, or a compiler may go by a table of addresses that nobody fills. */
#define INSIDE __attribute__((visibility("hidden")))

/* blob.ld puts it behind the code. */
extern const struct clock_page blob_clock INSIDE;
extern struct blob blob_header INSIDE;
extern const struct blob_libc blob_libc INSIDE;

int blob_clock_gettime(clockid_t id, struct timespec *now);
int blob_gettimeofday(struct timeval *now, struct timezone *zone);
time_t blob_time(time_t *now);

/* The originals are written by whoever puts the image into a process. */
struct blob blob_header __attribute__((section(".head"))) = {
    .magic = BLOB_MAGIC,
    .entries =
        {
                  [BLOB_CLOCK_GETTIME] = (uint64_t)blob_clock_gettime,
                  [BLOB_GETTIMEOFDAY] = (uint64_t)blob_gettimeofday,
                  [BLOB_TIME] = (uint64_t)blob_time,
                  },
    .libc = (uint64_t)&blob_libc,
};

int blob_clock_gettime(clockid_t id, struct timespec *now)
{
    return page_clock_gettime(&blob_clock, (real_clock_fn)blob_header.originals[BLOB_CLOCK_GETTIME],
                              id, now);
}

/* The kernel's function also for the time zone, which it alone knows. */
int blob_gettimeofday(struct timeval *now, struct timezone *zone)
{
    int (*original)(struct timeval *, struct timezone *) =
        (int (*)(struct timeval *, struct timezone *))blob_header.originals[BLOB_GETTIMEOFDAY];
    struct timespec precise;
    int result;

    if (zone != NULL || now == NULL) {
        result = original(now, zone);
        if (result != 0 || now == NULL)
            return result;
    }
    result = blob_clock_gettime(CLOCK_REALTIME, &precise);
    *now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = (uint32_t)precise.tv_nsec / 1000};
    return result;
}

/* The coarse clock, as the kernel's own does. */
time_t blob_time(time_t *now)
{
    struct timespec coarse;

    blob_clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
    if (now != NULL)
        *now = coarse.tv_sec;
    return coarse.tv_sec;
}
