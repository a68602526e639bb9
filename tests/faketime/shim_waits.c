/* Every way to wait for a time on the calendar, under everything that can happen to the calendar. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>

#include "tests/faketime/subject.h"

/* --- the kinds of wait; each returns ETIMEDOUT where the time came, else what went wrong ------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *hold_everything(void *held)
{
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&rwlock);
    sem_post(held);
    for (;;)
        pause();
    return NULL;
}

/* A thread that holds the locks and never ends. */
static pthread_t holder(void)
{
    pthread_t thread;
    sem_t held;

    sem_init(&held, 0, 0);
    pthread_create(&thread, NULL, hold_everything, &held);
    sem_wait(&held);
    return thread;
}

static int by_sleep(const struct timespec *until)
{
    int error = clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, until, NULL);

    return error == 0 ? ETIMEDOUT : error;
}

static int by_cond_timedwait(const struct timespec *until)
{
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    int error = 0;

    pthread_mutex_lock(&own);
    while (error == 0)
        error = pthread_cond_timedwait(&condition, &own, until);
    return error;
}

static int by_cond_clockwait(const struct timespec *until)
{
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    int error = 0;

    pthread_mutex_lock(&own);
    while (error == 0)
        error = pthread_cond_clockwait(&condition, &own, CLOCK_REALTIME, until);
    return error;
}

static int by_cnd_timedwait(const struct timespec *until)
{
    int result = thrd_success;
    cnd_t condition;
    mtx_t own;

    cnd_init(&condition);
    mtx_init(&own, mtx_plain);
    mtx_lock(&own);
    while (result == thrd_success)
        result = cnd_timedwait(&condition, &own, until);
    return result == thrd_timedout ? ETIMEDOUT : EIO;
}

static int by_mutex_timedlock(const struct timespec *until)
{
    holder();
    return pthread_mutex_timedlock(&mutex, until);
}

static int by_mutex_clocklock(const struct timespec *until)
{
    holder();
    return pthread_mutex_clocklock(&mutex, CLOCK_REALTIME, until);
}

static int by_mtx_timedlock(const struct timespec *until)
{
    mtx_t own;

    mtx_init(&own, mtx_timed);
    mtx_lock(&own);
    return mtx_timedlock(&own, until) == thrd_timedout ? ETIMEDOUT : EIO;
}

static int by_timedrdlock(const struct timespec *until)
{
    holder();
    return pthread_rwlock_timedrdlock(&rwlock, until);
}

static int by_clockrdlock(const struct timespec *until)
{
    holder();
    return pthread_rwlock_clockrdlock(&rwlock, CLOCK_REALTIME, until);
}

static int by_timedwrlock(const struct timespec *until)
{
    holder();
    return pthread_rwlock_timedwrlock(&rwlock, until);
}

static int by_clockwrlock(const struct timespec *until)
{
    holder();
    return pthread_rwlock_clockwrlock(&rwlock, CLOCK_REALTIME, until);
}

static int by_sem_timedwait(const struct timespec *until)
{
    sem_t semaphore;

    sem_init(&semaphore, 0, 0);
    return sem_timedwait(&semaphore, until) == 0 ? 0 : errno;
}

static int by_sem_clockwait(const struct timespec *until)
{
    sem_t semaphore;

    sem_init(&semaphore, 0, 0);
    return sem_clockwait(&semaphore, CLOCK_REALTIME, until) == 0 ? 0 : errno;
}

static int by_timedjoin(const struct timespec *until)
{
    return pthread_timedjoin_np(holder(), NULL, until);
}

static int by_clockjoin(const struct timespec *until)
{
    return pthread_clockjoin_np(holder(), NULL, CLOCK_REALTIME, until);
}

/* A queue with room for one message that nobody else can open. */
static mqd_t queue(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
    char name[40];
    mqd_t made;

    snprintf(name, sizeof name, "/faketime.%d", (int)getpid());
    made = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    mq_unlink(name);
    return made;
}

static int by_mq_timedreceive(const struct timespec *until)
{
    char message[8];

    return mq_timedreceive(queue(), message, sizeof message, NULL, until) >= 0 ? 0 : errno;
}

static int by_mq_timedsend(const struct timespec *until)
{
    mqd_t full = queue();

    if (mq_send(full, "1", 1, 0) < 0)
        return errno;
    return mq_timedsend(full, "2", 1, 0, until) == 0 ? 0 : errno;
}

static int by_timerfd(const struct timespec *until)
{
    int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
    struct itimerspec at = {.it_value = *until};
    uint64_t count = 0;

    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0)
        return errno;
    if (read(timer, &count, sizeof count) < 0)
        return errno;
    return count == 1 ? ETIMEDOUT : EIO;
}

static int by_timer(const struct timespec *until)
{
    struct itimerspec at = {.it_value = *until};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    sigset_t set;
    timer_t timer;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (timer_create(CLOCK_REALTIME, &event, &timer) < 0 ||
        timer_settime(timer, TIMER_ABSTIME, &at, NULL) < 0)
        return errno;
    return sigwaitinfo(&set, NULL) == SIGUSR1 ? ETIMEDOUT : errno;
}

static int by_futex(const struct timespec *until)
{
    uint32_t word = 0;

    while (syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, until, NULL,
                   FUTEX_BITSET_MATCH_ANY) == 0)
        ; /* a spurious wakeup (futex(2)) */
    return errno;
}

static const struct kind {
    const char *name;
    int (*wait)(const struct timespec *until);
} kinds[] = {
    {"clock_nanosleep",            by_sleep          },
    {"pthread_cond_timedwait",     by_cond_timedwait },
    {"pthread_cond_clockwait",     by_cond_clockwait },
    {"cnd_timedwait",              by_cnd_timedwait  },
    {"pthread_mutex_timedlock",    by_mutex_timedlock},
    {"pthread_mutex_clocklock",    by_mutex_clocklock},
    {"mtx_timedlock",              by_mtx_timedlock  },
    {"pthread_rwlock_timedrdlock", by_timedrdlock    },
    {"pthread_rwlock_clockrdlock", by_clockrdlock    },
    {"pthread_rwlock_timedwrlock", by_timedwrlock    },
    {"pthread_rwlock_clockwrlock", by_clockwrlock    },
    {"sem_timedwait",              by_sem_timedwait  },
    {"sem_clockwait",              by_sem_clockwait  },
    {"pthread_timedjoin_np",       by_timedjoin      },
    {"pthread_clockjoin_np",       by_clockjoin      },
    {"mq_timedreceive",            by_mq_timedreceive},
    {"mq_timedsend",               by_mq_timedsend   },
    {"timerfd_settime",            by_timerfd        },
    {"timer_settime",              by_timer          },
    {"syscall(SYS_futex)",         by_futex          },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* --- the subject ----------------------------------------------------------------------------- */

struct report {
    int result;
    int64_t until, woke; /* on the calendar */
    int64_t slept;       /* really */
};

static int subject(const char *kind, const char *duration)
{
    int64_t began = read_clock(CLOCK_MONOTONIC);
    struct report report = {.until = read_clock(CLOCK_REALTIME) + strtoll(duration, NULL, 10)};
    struct timespec until = {.tv_sec = report.until / NANOSECONDS,
                             .tv_nsec = report.until % NANOSECONDS};

    subject_say("r", 1);
    report.result = kinds[strtol(kind, NULL, 10)].wait(&until);
    report.woke = read_clock(CLOCK_REALTIME);
    report.slept = read_clock(CLOCK_MONOTONIC) - began;
    subject_say(&report, sizeof report);
    return 0;
}

/* --- the scenarios --------------------------------------------------------------------------- */

static int go_ahead(struct clock *clock, struct error *e)
{
    return clock_set_offset(clock, 100 * DAY, e);
}

static int go_far_ahead(struct clock *clock, struct error *e)
{
    return clock_set_offset(clock, 200 * DAY, e);
}

static int go_back(struct clock *clock, struct error *e)
{
    return clock_advance(clock, -HOUR, e);
}

static int go_on(struct clock *clock, struct error *e)
{
    return clock_advance(clock, 2 * HOUR, e);
}

static int freeze(struct clock *clock, struct error *e)
{
    return clock_rate(clock, 0, e);
}

static int let_go(struct clock *clock, struct error *e)
{
    return clock_rate(clock, 1, e);
}

static int hurry(struct clock *clock, struct error *e)
{
    return clock_rate(clock, 1000, e);
}

static int dawdle(struct clock *clock, struct error *e)
{
    return clock_rate(clock, 0.5, e);
}

typedef int (*move)(struct clock *clock, struct error *e);

static struct scenario {
    const char *name;
    move before;    /* before they wait */
    int64_t wait;   /* on the calendar */
    move during;    /* when all are asleep */
    move after;     /* and later, when none has woken */
    int64_t really; /* the least that it takes */
} scenarios[] = {
    {"on a clock that shows real time",      NULL,     300 * MS,          NULL,         NULL,   300 * MS       },
    {"on a calendar 100 days ahead",         go_ahead, 300 * MS,          NULL,         NULL,   300 * MS       },
    {"a jump over the deadline",             NULL,     100 * DAY,         go_far_ahead, NULL,   0              },
    {"a jump back, and later on",            go_ahead, 3 * NANOSECONDS,   go_back,      go_on,  3 * NANOSECONDS},
    {"at a thousand times real speed",       hurry,    300 * NANOSECONDS, NULL,         NULL,   300 * MS       },
    {"at half of real speed",                dawdle,   200 * MS,          NULL,         NULL,   400 * MS       },
    {"a thousand times faster while asleep", NULL,     500 * NANOSECONDS, hurry,        NULL,   0              },
    {"frozen, then moved over the deadline", freeze,   300 * MS,          NULL,         go_on,  300 * MS       },
    {"frozen, then let go",                  freeze,   300 * MS,          NULL,         let_go, 300 * MS       },
    {"frozen while asleep, then let go",     NULL,     3 * NANOSECONDS,   freeze,       let_go, 3 * NANOSECONDS},
};
#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

/* Until the kernel says that it sleeps. */
static void await_sleep(pid_t pid)
{
    char path[40], text[256];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (int tries = 0; tries < PATIENCE; tries++) {
        FILE *file = fopen(path, "re");
        const char *state;

        assert_non_null(file);
        assert_non_null(fgets(text, sizeof text, file));
        fclose(file);
        state = strrchr(text, ')');
        if (state != NULL && state[2] == 'S')
            return;
        poll(NULL, 0, 1);
    }
    fail_msg("process %d never went to sleep", (int)pid);
}

static void start_all(const struct scenario *scenario, const struct stage *stage,
                      struct subject subjects[KINDS])
{
    char duration[32], kind[16], ready;

    snprintf(duration, sizeof duration, "%lld", (long long)scenario->wait);
    for (size_t i = 0; i < KINDS; i++) {
        snprintf(kind, sizeof kind, "%zu", i);
        subjects[i] = subject_start(stage->path, kind, duration, NULL);
    }
    for (size_t i = 0; i < KINDS; i++) {
        subject_hear(&subjects[i], &ready, 1);
        if (scenario->during != NULL || scenario->after != NULL)
            await_sleep(subjects[i].pid);
    }
}

static void expect_silence(const struct subject subjects[KINDS], int ms)
{
    int early = subject_that_speaks(subjects, KINDS, ms);

    if (early >= 0)
        fail_msg("%s woke before its time", kinds[early].name);
}

static void expect_wake(const struct scenario *scenario, const struct kind *kind,
                        const struct subject *subject)
{
    struct report report;

    if (!subject_speaks(subject, PATIENCE))
        fail_msg("%s hangs", kind->name);
    subject_hear(subject, &report, sizeof report);
    if (report.result != ETIMEDOUT)
        fail_msg("%s: %s", kind->name, strerror(report.result));
    if (report.woke < report.until)
        fail_msg("%s woke %lld ns early", kind->name, (long long)(report.until - report.woke));
    if (report.slept < scenario->really)
        fail_msg("%s slept only %lld ns", kind->name, (long long)report.slept);
}

static void test_waits(void **state)
{
    const struct scenario *scenario = *state;
    struct subject subjects[KINDS];
    struct stage stage;
    struct error e;

    stage_open(&stage);
    if (scenario->before != NULL)
        assert_int_equal(scenario->before(&stage.clock, &e), 0);
    start_all(scenario, &stage, subjects);
    if (scenario->during != NULL)
        assert_int_equal(scenario->during(&stage.clock, &e), 0);
    if (scenario->after != NULL) {
        /* past what would have been their time, had the calendar not been touched */
        expect_silence(subjects, (int)(scenario->wait / MS) + 500);
        assert_int_equal(scenario->after(&stage.clock, &e), 0);
    }
    for (size_t i = 0; i < KINDS; i++)
        expect_wake(scenario, &kinds[i], &subjects[i]);
    for (size_t i = 0; i < KINDS; i++)
        assert_int_equal(subject_end(&subjects[i]), 0);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[SCENARIOS];

    if (argc > 2)
        return subject(argv[1], argv[2]);
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){.name = scenarios[i].name,
                                       .test_func = test_waits,
                                       .initial_state = (void *)&scenarios[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
