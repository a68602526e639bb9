/* trapped YEAR: whatever could go wrong where a wait until a time is turned into a signal, a line for each.
 *
 * YEAR is a program that prints a line and ends with status 3.  Waits are for 200 ms by the calendar, on which
 * that may be any time. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L

static char *year;

static struct timespec in_ms(clockid_t id, long ms)
{
    struct timespec then;

    clock_gettime(id, &then);
    then.tv_nsec += ms * 1000000;
    then.tv_sec += then.tv_nsec / SECOND;
    then.tv_nsec %= SECOND;
    return then;
}

/* --- waits ----------------------------------------------------------------------------------------- */

static int wait_for_nobody(long ms)
{
    struct timespec until = in_ms(CLOCK_REALTIME, ms);
    sem_t never;

    sem_init(&never, 0, 0);
    return sem_timedwait(&never, &until) < 0 ? errno : 0;
}

static void *block_all_and_wait(void *unused)
{
    sigset_t all;

    (void)unused;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return (void *)(long)wait_for_nobody(200);
}

static const char *all_signals_blocked(void)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, block_all_and_wait, NULL);
    pthread_join(thread, &result);
    return strerror((int)(long)result);
}

static const char *all_actions_reset(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    return strerror(wait_for_nobody(200));
}

static void interrupt(int number)
{
    (void)number;
}

static void ring_soon(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct itimerspec soon = {.it_value = {.tv_nsec = SECOND / 10}};
    static timer_t timer;

    sigfillset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    if (timer == NULL)
        timer_create(CLOCK_MONOTONIC, NULL, &timer);
    timer_settime(timer, 0, &soon, NULL);
}

static const char *interrupted(void)
{
    ring_soon(interrupt, SA_RESTART);
    return strerror(wait_for_nobody(20000));
}

static const char *sleep_interrupted(void)
{
    struct timespec until = in_ms(CLOCK_REALTIME, 20000);

    ring_soon(interrupt, SA_RESTART);
    return strerror(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
}

static void *wait_long(void *unused)
{
    (void)unused;
    wait_for_nobody(20000);
    return NULL;
}

static const char *cancelled(void)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, wait_long, NULL);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED ? "ended" : "went on";
}

static const char *malformed(void)
{
    struct timespec until = {.tv_nsec = -1};

    return strerror(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
}

static const char *queue(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
    struct timespec until = in_ms(CLOCK_REALTIME, 200);
    char name[32], message;
    int result;
    mqd_t mq;

    snprintf(name, sizeof name, "/trapped.%d", (int)getpid());
    mq = mq_open(name, O_CREAT | O_RDONLY, 0600, &attributes);
    mq_unlink(name);
    result = mq < 0 || mq_timedreceive(mq, &message, 1, NULL, &until) < 0 ? errno : 0;
    mq_close(mq);
    return strerror(result);
}

static sem_t gone_off;

static void post(union sigval unused)
{
    (void)unused;
    sem_post(&gone_off);
}

static const char *timer_on(clockid_t id)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = post};
    struct itimerspec until = {.it_value = in_ms(id, 200)};
    timer_t timer;

    sem_init(&gone_off, 0, 0);
    timer_create(id, &event, &timer);
    timer_settime(timer, TIMER_ABSTIME, &until, NULL);
    sem_wait(&gone_off);
    timer_delete(timer);
    return "gone off";
}

static const char *real_timer(void)
{
    return timer_on(CLOCK_REALTIME);
}

static const char *monotonic_timer(void)
{
    return timer_on(CLOCK_MONOTONIC);
}

/* --- jumping out of a handler that runs with another mask ------------------------------------------- */

static sigjmp_buf home;

static void jump(int number)
{
    (void)number;
    siglongjmp(home, 1);
}

static void suspend(const sigset_t *mask)
{
    sigsuspend(mask);
}

static void poll_with(const sigset_t *mask)
{
    ppoll(NULL, 0, NULL, mask);
}

static void select_with(const sigset_t *mask)
{
    pselect(0, NULL, NULL, NULL, NULL, mask);
}

static const char *jump_out_of(void (*wait_with)(const sigset_t *mask))
{
    sigset_t mask;

    sigfillset(&mask);
    sigdelset(&mask, SIGALRM);
    ring_soon(jump, 0);
    if (sigsetjmp(home, 1) == 0)
        wait_with(&mask);
    return strerror(wait_for_nobody(200));
}

static const char *out_of_suspend(void)
{
    return jump_out_of(suspend);
}

static const char *out_of_poll(void)
{
    return jump_out_of(poll_with);
}

static const char *out_of_select(void)
{
    return jump_out_of(select_with);
}

/* --- other programs -------------------------------------------------------------------------------- */

static const char *status_text(int status)
{
    static char text[32];

    snprintf(text, sizeof text, WIFSIGNALED(status) ? "signal %d" : "status %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return text;
}

static const char *await(pid_t pid)
{
    int status = 0;

    return waitpid(pid, &status, 0) < 0 ? strerror(errno) : status_text(status);
}

static const char *spawned_with(const char *path, const posix_spawnattr_t *attributes)
{
    char *arguments[] = {year, "spawned", NULL};
    pid_t pid;
    int result = posix_spawn(&pid, path, NULL, attributes, arguments, environ);

    return result != 0 ? strerror(result) : await(pid);
}

static const char *spawned(void)
{
    return spawned_with(year, NULL);
}

static const char *spawned_blocked(void)
{
    posix_spawnattr_t attributes;
    sigset_t all;

    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    return spawned_with(year, &attributes);
}

static const char *spawned_nothing(void)
{
    return spawned_with("/no/such/program", NULL);
}

static const char *by_shell(void)
{
    char command[4096];

    snprintf(command, sizeof command, "%s by a shell; exit 4", year);
    return status_text(system(command)); /* NOLINT(cert-env33-c): a shell is what is meant */
}

static const char *vforked(void)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

    if (pid == 0) {
        execl(year, "vforked", (char *)NULL);
        _exit(9);
    }
    return await(pid);
}

static const char *without_path(void)
{
    char *arguments[] = {"fexecve", NULL};
    pid_t pid = fork();

    if (pid == 0) {
        fexecve(open(year, O_RDONLY | O_CLOEXEC), arguments, environ);
        _exit(9);
    }
    return await(pid);
}

static const char *self(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl("/proc/self/exe", "trapped", (char *)NULL);
        _exit(9);
    }
    return await(pid);
}

/* ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *(*what)(void);
} tries[] = {
    {"all signals blocked",         all_signals_blocked},
    {"all actions reset",           all_actions_reset  },
    {"interrupted",                 interrupted        },
    {"a sleep interrupted",         sleep_interrupted  },
    {"cancelled",                   cancelled          },
    {"malformed",                   malformed          },
    {"a queue",                     queue              },
    {"a timer",                     real_timer         },
    {"a monotonic timer",           monotonic_timer    },
    {"out of sigsuspend",           out_of_suspend     },
    {"out of ppoll",                out_of_poll        },
    {"out of pselect",              out_of_select      },
    {"spawned",                     spawned            },
    {"spawned with all blocked",    spawned_blocked    },
    {"spawned what does not exist", spawned_nothing    },
    {"by a shell",                  by_shell           },
    {"vforked",                     vforked            },
    {"by descriptor",               without_path       },
    {"itself",                      self               },
};

int main(int argc, char **argv)
{
    if (argc < 2)
        return 5;
    year = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        printf("%s: %s\n", tries[i].name, tries[i].what());
    return 0;
}
