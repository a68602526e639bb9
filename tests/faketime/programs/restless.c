/* restless TIMES: becomes itself again and again, with a second thread to be rid of each time, and then answers
 * each line on stdin with the time. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void *wait_for_ever(void *unused)
{
    pause();
    return unused;
}

int main(int argc, char **argv)
{
    int times = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
    char left[16], line[64];
    pthread_t thread;

    if (times > 0) {
        pthread_create(&thread, NULL, wait_for_ever, NULL);
        snprintf(left, sizeof left, "%d", times - 1);
        execl(argv[0], argv[0], left, (char *)NULL);
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        printf("%lld\n", (long long)time(NULL));
        fflush(stdout);
    }
    return 0;
}
