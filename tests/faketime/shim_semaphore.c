/* A semaphore is waited for on the calendar beside libc, which posts it, counts it and waits for it otherwise. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/faketime/subject.h"

#define THREADS 4
#define TIMES   5000

static struct timespec in(int64_t length)
{
    int64_t then = read_clock(CLOCK_REALTIME) + length;

    return (struct timespec){.tv_sec = then / NANOSECONDS, .tv_nsec = then % NANOSECONDS};
}

/* --- the subject's parts: each says in one number what it has found ------------------------------------ */

static sem_t shared_out, all_taken;

static void *post_many(void *unused)
{
    for (int i = 0; i < TIMES; i++)
        sem_post(&shared_out);
    return unused;
}

/* Some wait by the calendar, for so short that it is often over, and some as libc does. */
static void *take_many(void *by_calendar)
{
    for (int taken = 0; taken < TIMES;) {
        struct timespec soon = in(10000);

        taken += by_calendar != NULL ? sem_timedwait(&shared_out, &soon) == 0
                                     : sem_wait(&shared_out) == 0;
    }
    sem_post(&all_taken);
    return NULL;
}

/* How many are left of as many as are taken. */
static int64_t many(void)
{
    pthread_t thread;
    int left = -1;

    sem_init(&shared_out, 0, 0);
    sem_init(&all_taken, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&thread, NULL, take_many, i % 2 == 0 ? &shared_out : NULL);
        pthread_create(&thread, NULL, post_many, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        sem_wait(&all_taken);
    sem_getvalue(&shared_out, &left);
    return left;
}

/* Two play to and fro: who waits is asleep at some time, and the other wakes him.  How often that went wrong. */
static int64_t play(sem_t semaphores[2], int me)
{
    struct timespec later = in(HOUR);
    int64_t wrong = 0;

    for (int i = 0; i < TIMES; i++) {
        sem_post(&semaphores[!me]);
        wrong += sem_timedwait(&semaphores[me], &later) != 0;
    }
    return wrong;
}

static void *play_there(void *semaphores)
{
    play(semaphores, 1);
    return NULL;
}

static int64_t between_threads(void)
{
    sem_t semaphores[2];
    pthread_t thread;
    int64_t wrong;

    sem_init(&semaphores[0], 0, 0);
    sem_init(&semaphores[1], 0, 0);
    pthread_create(&thread, NULL, play_there, semaphores);
    wrong = play(semaphores, 0);
    pthread_join(thread, NULL);
    return wrong;
}

static int64_t between_processes(void)
{
    sem_t *semaphores =
        mmap(NULL, 2 * sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    sem_init(&semaphores[0], 1, 0);
    sem_init(&semaphores[1], 1, 0);
    if (fork() == 0) {
        play(semaphores, 1);
        _exit(0);
    }
    return play(semaphores, 0);
}

static void *wait_for_ever(void *semaphore)
{
    struct timespec later = in(HOUR);

    sem_post(&all_taken);
    sem_timedwait(semaphore, &later);
    return NULL;
}

/* Whether a thread that waits can be cancelled, and leaves the semaphore to the next. */
static int64_t cancelled(void)
{
    struct timespec later = in(HOUR);
    pthread_t thread;
    void *result;

    sem_init(&shared_out, 0, 0);
    sem_init(&all_taken, 0, 0);
    pthread_create(&thread, NULL, wait_for_ever, &shared_out);
    sem_wait(&all_taken);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    sem_post(&shared_out);
    return result == PTHREAD_CANCELED && sem_timedwait(&shared_out, &later) == 0;
}

static const struct {
    const char *name;
    int64_t (*run)(void);
} parts[] = {
    {"many",              many             },
    {"between threads",   between_threads  },
    {"between processes", between_processes},
    {"cancelled",         cancelled        },
};

static int subject(const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, name) == 0) {
            int64_t said = parts[i].run();

            subject_say(&said, sizeof said);
            return 0;
        }
    return 1;
}

/* --- the tests ------------------------------------------------------------------------------------------- */

static void test_each_is_taken_once(void **state)
{
    struct stage *stage = *state;
    struct subject subject;
    int64_t left;

    subject = subject_start(stage->path, "many", NULL, NULL);
    while (!subject_speaks(&subject, 1)) /* whoever waits is woken by each move */
        stage_move(stage, read_clock(CLOCK_MONOTONIC) % 1000 * HOUR);
    subject_hear(&subject, &left, sizeof left);
    assert_int_equal(subject_end(&subject), 0);
    assert_int_equal(left, 0);
}

static void test_who_sleeps_is_woken(void **state)
{
    stage_move(*state, 100 * DAY);
    assert_int_equal(subject_number(*state, "between threads"), 0);
    assert_int_equal(subject_number(*state, "between processes"), 0);
}

static void test_a_waiter_can_be_cancelled(void **state)
{
    stage_move(*state, 100 * DAY);
    assert_int_equal(subject_number(*state, "cancelled"), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_is_taken_once, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(test_who_sleeps_is_woken, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(test_a_waiter_can_be_cancelled, stage_setup,
                                        stage_teardown),
    };

    return argc > 1 ? subject(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
