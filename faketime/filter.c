#include "faketime/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* A prctl(2) that no kernel knows, and every filter of ours answers with 0. */
#define ASK 0x46434c4b /* "FCLK" */

enum test { ALWAYS, BITS, GIVEN, OTHER }; /* any of these bits, not NULL, not this value */

struct condition {
    enum test test;
    unsigned argument;
    uint32_t value;
};

/* Of the futex operations those that take a time are among those from 4 on. */
#define FUTEX_LATER 0x0c

static const struct row {
    uint32_t number;
    struct condition conditions[2]; /* both must hold */
} rows[] = {
    {SYS_futex,           {{BITS, 1, FUTEX_LATER}, {GIVEN, 3, 0}}      },
    {SYS_clock_nanosleep, {{BITS, 1, TIMER_ABSTIME}, {GIVEN, 2, 0}}    },
    {SYS_timerfd_settime, {{BITS, 1, TFD_TIMER_ABSTIME}, {GIVEN, 2, 0}}},
    {SYS_timer_settime,   {{BITS, 1, TIMER_ABSTIME}, {GIVEN, 2, 0}}    },
    {SYS_mq_timedsend,    {{GIVEN, 4, 0}}                              },
    {SYS_mq_timedreceive, {{GIVEN, 4, 0}}                              },
    {SYS_execve,          {{ALWAYS, 0, 0}}                             },
    {SYS_execveat,        {{ALWAYS, 0, 0}}                             },
    {SYS_rt_sigaction,    {{GIVEN, 1, 0}}                              },
    {SYS_rt_sigprocmask,  {{GIVEN, 1, 0}, {OTHER, 0, SIG_UNBLOCK}}     },
    {SYS_rt_sigsuspend,   {{GIVEN, 0, 0}}                              },
    {SYS_ppoll,           {{GIVEN, 3, 0}}                              },
    {SYS_pselect6,        {{GIVEN, 5, 0}}                              },
    {SYS_epoll_pwait,     {{GIVEN, 4, 0}}                              },
    {SYS_epoll_pwait2,    {{GIVEN, 4, 0}}                              },
    {SYS_clone3,          {{ALWAYS, 0, 0}}                             },
};

/* --- instructions --------------------------------------------------------------------------------- */

#define FAILS 255 /* a jump's distance that is not known yet: to where the call passes */

#define NUMBER_AT     offsetof(struct seccomp_data, nr)
#define MACHINE_AT    offsetof(struct seccomp_data, arch)
#define CALLER_AT     offsetof(struct seccomp_data, instruction_pointer)
#define LOW(argument) (offsetof(struct seccomp_data, args) + 8 * (argument))
#define HIGH(at)      ((at) + 4)

struct program {
    struct sock_filter *instructions;
    size_t count;
};

static void emit(struct program *program, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
    program->instructions[program->count++] =
        (struct sock_filter){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
}

static void load(struct program *program, size_t at)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

/* Goes on where the value loaded is `how` beside `k`, or is not, as `wanted` has it. */
static void check(struct program *program, unsigned how, uint32_t k, bool wanted)
{
    emit(program, BPF_JMP | how | BPF_K, k, wanted ? 0 : FAILS, wanted ? FAILS : 0);
}

static void verdict(struct program *program, uint32_t what)
{
    emit(program, BPF_RET | BPF_K, what, 0, 0);
}

/* What failed since `from` goes on here. */
static void land(struct program *program, size_t from)
{
    for (size_t i = from; i < program->count; i++) {
        struct sock_filter *jump = &program->instructions[i];

        if (jump->jt == FAILS)
            jump->jt = (uint8_t)(program->count - i - 1);
        if (jump->jf == FAILS)
            jump->jf = (uint8_t)(program->count - i - 1);
    }
}

/* What failed since `from` passes. */
static void pass(struct program *program, size_t from)
{
    land(program, from);
    verdict(program, SECCOMP_RET_ALLOW);
}

/* --- rows ----------------------------------------------------------------------------------------- */

static void add_condition(struct program *program, const struct condition *condition)
{
    size_t at = LOW(condition->argument);

    if (condition->test == ALWAYS)
        return;
    load(program, at);
    if (condition->test == BITS)
        check(program, BPF_JSET, condition->value, true);
    else if (condition->test == OTHER)
        check(program, BPF_JEQ, condition->value, false);
    else { /* either half is not 0 */
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
        load(program, HIGH(at));
        check(program, BPF_JEQ, 0, false);
    }
}

/* Ends with a jump, still of no length, to where the caller is looked at. */
static void add_row(struct program *program, const struct row *row)
{
    size_t from = program->count;

    emit(program, BPF_JMP | BPF_JEQ | BPF_K, row->number, 0, 0);
    for (size_t i = 0; i < 2; i++)
        add_condition(program, &row->conditions[i]);
    emit(program, BPF_JMP | BPF_JA, 0, 0, 0);
    pass(program, from);
    program->instructions[from].jf = (uint8_t)(program->count - from - 1);
}

static void land_jumps(struct program *program)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->instructions[i].code == (BPF_JMP | BPF_JA))
            program->instructions[i].k = (uint32_t)(program->count - i - 1);
}

static void check_range(struct program *program, const struct filter_range *range)
{
    uint32_t start = (uint32_t)(range->start >> 32), end = (uint32_t)(range->end >> 32);
    size_t from = program->count;

    load(program, HIGH(CALLER_AT));
    check(program, BPF_JGE, start, true);
    check(program, BPF_JGT, end, false);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, start, 0, 3);
    load(program, CALLER_AT);
    check(program, BPF_JGE, (uint32_t)range->start, true);
    load(program, HIGH(CALLER_AT));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, end, 0, 2);
    load(program, CALLER_AT);
    check(program, BPF_JGE, (uint32_t)range->end, false);
    verdict(program, SECCOMP_RET_TRAP | FILTER_MARK);
    pass(program, from);
}

/* --- who asks ------------------------------------------------------------------------------------- */

static void check_argument(struct program *program, unsigned argument, uint64_t value)
{
    load(program, LOW(argument));
    check(program, BPF_JEQ, (uint32_t)value, true);
    load(program, HIGH(LOW(argument)));
    check(program, BPF_JEQ, (uint32_t)(value >> 32), true);
}

static void add_answer(struct program *program, const struct filter_range *range)
{
    size_t from = program->count;

    load(program, NUMBER_AT);
    check(program, BPF_JEQ, SYS_prctl, true);
    check_argument(program, 0, ASK);
    check_argument(program, 1, range->start);
    check_argument(program, 2, range->end);
    verdict(program, SECCOMP_RET_ERRNO);
    land(program, from);
}

static const struct filter_range any = {0, 0};

bool filter_inherited(const struct filter_range *range)
{
    if (range == NULL)
        range = &any;
    return prctl(ASK, range->start, range->end, 0, 0) == 0;
}

/* --------------------------------------------------------------------------------------------------- */

/* What a kernel allows whatever its arguments it allows without running this: so the number comes first. */
size_t filter_make(const struct filter_range *range, struct sock_filter filter[FILTER_MAX])
{
    struct program program = {.instructions = filter};

    load(&program, MACHINE_AT);
    emit(&program, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    verdict(&program, SECCOMP_RET_ALLOW);
    add_answer(&program, &any);
    add_answer(&program, range);
    load(&program, NUMBER_AT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add_row(&program, &rows[i]);
    verdict(&program, SECCOMP_RET_ALLOW);
    land_jumps(&program);
    check_range(&program, range);
    return program.count;
}
