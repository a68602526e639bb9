/* until futex|sleep SECONDS: says "ready", waits until so many seconds later on the calendar, and says "over". */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec until;
    sem_t never;

    if (argc != 3)
        return 1;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += strtol(argv[2], NULL, 10);
    sem_init(&never, 0, 0);
    puts("ready");
    fflush(stdout);
    if (strcmp(argv[1], "futex") == 0)
        sem_timedwait(&never, &until);
    else
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
    puts("over");
    return 0;
}
