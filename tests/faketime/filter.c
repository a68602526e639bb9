/* Which system calls are trapped: they are made, with arguments that do no harm, by a child that has the filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "faketime/filter.h"

#define TRAPPED 4242 /* what a call returns that was */

static const struct filter_range everywhere = {0, UINT64_MAX};
static const struct filter_range nowhere = {UINT64_C(0x123456789000), UINT64_C(0x123456789001)};

static void answer(int number, siginfo_t *info, void *context)
{
    ucontext_t *thread = context;

    (void)number;
    thread->uc_mcontext.gregs[REG_RAX] = info->si_errno == FILTER_MARK ? TRAPPED : 0;
}

static bool install(const struct filter_range *range)
{
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sock_filter filter[FILTER_MAX];
    struct sock_fprog program = {.len = (unsigned short)filter_make(range, filter),
                                 .filter = filter};

    return sigaction(SIGSYS, &action, NULL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* Runs `part` in a child that has a filter; whether it returns true. */
static bool filtered(const struct filter_range *range, bool (*part)(const void *), const void *with)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(install(range) && part(with) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

/* Where a pointer is expected. */
static struct timespec past[2];
static uint64_t words[4];
#define TIME ((long)past)
#define HERE ((long)words)

struct sample {
    const char *name;
    long number;
    long a[6];
};

static const struct sample trapped[] = {
    {"futex until",           SYS_futex,           {HERE, FUTEX_WAIT_BITSET, 1, TIME, 0, -1}                       },
    {"futex until, calendar",
     SYS_futex,                                    {HERE, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, TIME, 0, -1}},
    {"a lock",                SYS_futex,           {HERE, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, TIME}             },
    {"sleep until",           SYS_clock_nanosleep, {CLOCK_REALTIME, TIMER_ABSTIME, TIME}                           },
    {"timerfd until",         SYS_timerfd_settime, {-1, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, TIME}         },
    {"timer until",           SYS_timer_settime,   {-1, TIMER_ABSTIME, TIME}                                       },
    {"send until",            SYS_mq_timedsend,    {-1, HERE, 0, 0, TIME}                                          },
    {"receive until",         SYS_mq_timedreceive, {-1, HERE, 0, 0, TIME}                                          },
    {"exec",                  SYS_execve,          {0}                                                             },
    {"exec at",               SYS_execveat,        {-1}                                                            },
    {"an action",             SYS_rt_sigaction,    {SIGUSR1, HERE, 0, 8}                                           },
    {"block",                 SYS_rt_sigprocmask,  {SIG_BLOCK, HERE, 0, 8}                                         },
    {"set the mask",          SYS_rt_sigprocmask,  {SIG_SETMASK, HERE, 0, 8}                                       },
    {"suspend",               SYS_rt_sigsuspend,   {HERE, 8}                                                       },
    {"poll with a mask",      SYS_ppoll,           {0, 0, TIME, HERE, 8}                                           },
    {"select with a mask",    SYS_pselect6,        {0, 0, 0, 0, TIME, HERE}                                        },
    {"epoll with a mask",     SYS_epoll_pwait,     {-1, HERE, 1, 0, HERE, 8}                                       },
    {"clone3",                SYS_clone3,          {0}                                                             },
};

static const struct sample passed[] = {
    {"futex for ever",      SYS_futex,           {HERE, FUTEX_WAIT_BITSET, 1, 0, 0, -1}},
    {"futex for a while",   SYS_futex,           {HERE, FUTEX_WAIT, 1, TIME}           },
    {"wake",                SYS_futex,           {HERE, FUTEX_WAKE, 1}                 },
    {"sleep for a while",   SYS_clock_nanosleep, {CLOCK_REALTIME, 0, TIME}             },
    {"timerfd for a while", SYS_timerfd_settime, {-1, 0, TIME}                         },
    {"timer for a while",   SYS_timer_settime,   {-1, 0, TIME}                         },
    {"send for ever",       SYS_mq_timedsend,    {-1}                                  },
    {"ask for an action",   SYS_rt_sigaction,    {SIGUSR1, 0, HERE, 8}                 },
    {"unblock",             SYS_rt_sigprocmask,  {SIG_UNBLOCK, HERE, 0, 8}             },
    {"ask for the mask",    SYS_rt_sigprocmask,  {SIG_SETMASK, 0, HERE, 8}             },
    {"poll",                SYS_ppoll,           {0, 0, TIME}                          },
    {"select",              SYS_pselect6,        {0, 0, 0, 0, TIME}                    },
    {"epoll",               SYS_epoll_pwait,     {-1, HERE, 1}                         },
    {"getpid",              SYS_getpid,          {0}                                   },
    {"another prctl",       SYS_prctl,           {PR_GET_DUMPABLE}                     },
};
#define COUNT(samples) (sizeof(samples) / sizeof(samples)[0])

static bool is_trapped(const void *with)
{
    const struct sample *sample = with;
    const long *a = sample->a;

    return syscall(sample->number, a[0], a[1], a[2], a[3], a[4], a[5]) == TRAPPED;
}

static bool is_passed(const void *with)
{
    return !is_trapped(with);
}

static void the_calls_it_names_are_trapped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trapped); i++)
        if (!filtered(&everywhere, is_trapped, &trapped[i]))
            fail_msg("%s is not trapped", trapped[i].name);
}

static void all_others_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(passed); i++)
        if (!filtered(&everywhere, is_passed, &passed[i]))
            fail_msg("%s does not pass", passed[i].name);
}

static void calls_from_elsewhere_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trapped); i++)
        if (trapped[i].number != SYS_rt_sigsuspend && !filtered(&nowhere, is_passed, &trapped[i]))
            fail_msg("%s does not pass", trapped[i].name);
}

/* --- the range: of the one call that follows, the kernel knows where it returns to ------------------- */

extern const char call_returns_here[];

static __attribute__((noinline)) long call_here(void)
{
    long result;

    __asm__ volatile("syscall\n"
                     ".globl call_returns_here\n"
                     "call_returns_here:"
                     : "=a"(result)
                     : "0"((long)SYS_execve), "D"(0L), "S"(0L), "d"(0L)
                     : "rcx", "r11", "memory");
    return result;
}

static bool traps_here(const void *unused)
{
    (void)unused;
    return call_here() == TRAPPED;
}

static void a_range_ends_where_it_says(void **state)
{
    uint64_t here = (uint64_t)call_returns_here, far = UINT64_C(1) << 32;
    const struct {
        struct filter_range range;
        bool trapped;
    } samples[] = {
        {{here, here + 1},             true },
        {{here + 1, here + 2},         false},
        {{here - 1, here},             false},
        {{0, here + 1},                true },
        {{0, here},                    false},
        {{here, UINT64_MAX},           true },
        {{here + 1, UINT64_MAX},       false},
        {{here - far, here + far},     true },
        {{here - far, here - far + 1}, false},
        {{here + far, here + 2 * far}, false},
        {{0, far},                     false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++)
        if (filtered(&samples[i].range, traps_here, NULL) != samples[i].trapped)
            fail_msg("sample %zu", i);
}

static bool is_inherited(const void *range)
{
    return filter_inherited(range);
}

static void who_has_inherited_one_can_tell(void **state)
{
    (void)state;
    assert_false(filter_inherited(NULL));
    assert_false(filter_inherited(&everywhere));
    assert_true(filtered(&everywhere, is_inherited, NULL));
    assert_true(filtered(&everywhere, is_inherited, &everywhere));
    assert_false(filtered(&everywhere, is_inherited, &nowhere));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calls_it_names_are_trapped),
        cmocka_unit_test(all_others_pass),
        cmocka_unit_test(calls_from_elsewhere_pass),
        cmocka_unit_test(a_range_ends_where_it_says),
        cmocka_unit_test(who_has_inherited_one_can_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
