/* The handler: what stands in place of the kernel where a system call was trapped. */
#include "faketime/trapped.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "faketime/filter.h"

#define BY_FILTER 1 /* SYS_SECCOMP (asm-generic/siginfo.h), for which glibc has no name */

void trap_handler(int number, siginfo_t *info, void *context);
void trap_restorer(void);

/* Where things are in the process is written by whoever puts the image there. */
struct trap trap_header __attribute__((section(".head"))) = {
    .magic = TRAP_MAGIC,
    .handler = (uint64_t)trap_handler,
    .restorer = (uint64_t)trap_restorer,
};

/* In just these bytes, by which unwinders know a signal's frame. */
__asm__(".text\n"
        ".globl trap_restorer\n"
        ".hidden trap_restorer\n"
        "trap_restorer:\n"
        "    mov $15, %rax\n"
        "    syscall\n");

/* The functions are counted from the start, too. */
static struct row {
    long number;
    uint64_t answer;
} rows[] __attribute__((section(".head.rows"))) = {
    {SYS_futex,           (uint64_t)wait_futex   },
    {SYS_clock_nanosleep, (uint64_t)wait_sleep   },
    {SYS_timerfd_settime, (uint64_t)set_timer    },
    {SYS_timer_settime,   (uint64_t)set_timer    },
    {SYS_mq_timedsend,    (uint64_t)wait_queue   },
    {SYS_mq_timedreceive, (uint64_t)wait_queue   },
    {SYS_execve,          (uint64_t)become       },
    {SYS_execveat,        (uint64_t)become_at    },
    {SYS_rt_sigaction,    (uint64_t)set_action   },
    {SYS_rt_sigprocmask,  (uint64_t)set_mask     },
    {SYS_rt_sigsuspend,   (uint64_t)suspend      },
    {SYS_ppoll,           (uint64_t)poll_masked  },
    {SYS_epoll_pwait,     (uint64_t)epoll_masked },
    {SYS_epoll_pwait2,    (uint64_t)epoll_masked },
    {SYS_pselect6,        (uint64_t)select_masked},
    {SYS_clone3,          (uint64_t)refuse_clone },
};

static long answer(struct call *call)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == call->number)
            return ((answer_fn *)((uint64_t)&trap_header + rows[i].answer))(call);
    return enter_call(call);
}

/* Of another filter, which the program has set itself, nobody knows what it wants. */
void trap_handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *thread = context;
    greg_t *registers = thread->uc_mcontext.gregs;
    struct call call = {
        .number = info->si_syscall,
        .arguments = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                      registers[REG_R10], registers[REG_R8], registers[REG_R9]},
        .mask = &thread->uc_sigmask,
    };

    (void)number;
    if (info->si_code != BY_FILTER)
        return;
    registers[REG_RAX] = info->si_errno == FILTER_MARK ? answer(&call) : -ENOSYS;
}
