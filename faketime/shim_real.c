/* libc's own functions, from below the ones that this library defines. */
#include "faketime/shim.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    const char *version;
    size_t offset;
} rows[] = {
#define SHIM_ROW(name, version) {#name, version, offsetof(struct shim_real, name)},
    SHIM_REAL_CALLS(SHIM_ROW) SHIM_LATER_CALLS(SHIM_ROW)
#undef SHIM_ROW
};

/* Two threads may both do it: they write the same. */
static void find_all(struct shim_real *calls)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *found = rows[i].version == NULL ? dlsym(RTLD_NEXT, rows[i].name)
                                              : dlvsym(RTLD_NEXT, rows[i].name, rows[i].version);

        memcpy((char *)calls + rows[i].offset, &found, sizeof found);
    }
}

const struct shim_real *shim_real(void)
{
    static struct shim_real calls;
    static int done;

    if (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        find_all(&calls);
        __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    }
    return &calls;
}

__typeof__(epoll_pwait2) *shim_epoll_pwait2(void)
{
    return shim_real()->epoll_pwait2;
}
