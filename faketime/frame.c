#include "faketime/frame.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>

/* arch/x86/include/uapi/asm/sigcontext.h and ucontext.h; glibc has no names for these. */
#define FP_XSTATE_MAGIC1     0x46505853U
#define FP_XSTATE_MAGIC2     0x46505845U
#define UC_FP_XSTATE         1UL
#define UC_SIGCONTEXT_SS     2UL
#define UC_STRICT_RESTORE_SS 4UL
#define XSAVE_HEADER_END     576
#define XSAVE_SOFTWARE       464 /* where the frame says how large it is; ptrace(2), the features */
#define XFEATURES_AMX        (UINT64_C(3) << 17)

struct software_bytes {
    uint32_t magic1, extended_size;
    uint64_t features;
    uint32_t size, padding[7];
};

/* What a system call that we interrupted returns to tell the kernel how to go on (linux/errno.h). */
enum { RESTARTSYS = 512, RESTARTNOINTR = 513, RESTARTNOHAND = 514, RESTART_BLOCK = 516 };

/* As the kernel does on the way to user space.  The system call is two bytes. */
static void begin_again(struct user_regs_struct *home)
{
    if ((int64_t)home->orig_rax < 0)
        return;
    switch (-(int64_t)home->rax) {
    case RESTARTSYS:
    case RESTARTNOINTR:
    case RESTARTNOHAND:
        home->rax = home->orig_rax;
        home->rip -= 2;
        break;
    case RESTART_BLOCK: /* forgotten by sigreturn */
        home->rax = (uint64_t)-EINTR;
        break;
    default:
        break;
    }
}

static void fill_registers(greg_t *to, struct user_regs_struct from)
{
    begin_again(&from);
    to[REG_R8] = (greg_t)from.r8;
    to[REG_R9] = (greg_t)from.r9;
    to[REG_R10] = (greg_t)from.r10;
    to[REG_R11] = (greg_t)from.r11;
    to[REG_R12] = (greg_t)from.r12;
    to[REG_R13] = (greg_t)from.r13;
    to[REG_R14] = (greg_t)from.r14;
    to[REG_R15] = (greg_t)from.r15;
    to[REG_RDI] = (greg_t)from.rdi;
    to[REG_RSI] = (greg_t)from.rsi;
    to[REG_RBP] = (greg_t)from.rbp;
    to[REG_RBX] = (greg_t)from.rbx;
    to[REG_RDX] = (greg_t)from.rdx;
    to[REG_RAX] = (greg_t)from.rax;
    to[REG_RCX] = (greg_t)from.rcx;
    to[REG_RSP] = (greg_t)from.rsp;
    to[REG_RIP] = (greg_t)from.rip;
    to[REG_EFL] = (greg_t)from.eflags;
    to[REG_CSGSFS] = (greg_t)(from.cs | from.ss << 48);
}

/* Where the last of the features ends (CPUID, leaf 13, which a virtual machine is slow to answer). */
static uint32_t features_end(uint64_t features)
{
    uint32_t end = XSAVE_HEADER_END;

    for (unsigned bit = 2; bit < 63; bit++) {
        unsigned size, offset, ecx, edx;

        if ((features >> bit & 1) == 0)
            continue;
        __cpuid_count(13, bit, size, offset, ecx, edx);
        if (offset + size > end)
            end = offset + size;
    }
    return end;
}

/* The AMX tiles, which are the last, are left out: a frame with room for them is refused to a thread that has
 * not asked for them. */
static uint32_t state_size(uint64_t features, size_t all)
{
    return features & XFEATURES_AMX ? features_end(features & ~XFEATURES_AMX) : (uint32_t)all;
}

/* Returns the size of what is to be put into the frame, 0 where the kernel does not tell. */
static size_t read_state(pid_t thread, unsigned char *state, size_t room)
{
    struct iovec into = {state, room};
    struct software_bytes software = {.magic1 = FP_XSTATE_MAGIC1};
    uint32_t magic2 = FP_XSTATE_MAGIC2;

    if (ptrace(PTRACE_GETREGSET, thread, NT_X86_XSTATE, &into) < 0 ||
        into.iov_len < XSAVE_HEADER_END)
        return 0;
    memcpy(&software.features, state + XSAVE_SOFTWARE, sizeof software.features);
    software.size = state_size(software.features, into.iov_len);
    software.features &= ~XFEATURES_AMX;
    software.extended_size = software.size + (uint32_t)sizeof magic2;
    if (software.extended_size > room)
        return 0;
    memcpy(state + XSAVE_SOFTWARE, &software, sizeof software);
    memcpy(state + software.size, &magic2, sizeof magic2);
    return software.extended_size;
}

int frame_make(pid_t thread, const struct user_regs_struct *home, uint64_t mask, uint64_t end,
               struct frame *frame, struct error *e)
{
    unsigned char state[FRAME_MAX - 2 * sizeof(ucontext_t)] __attribute__((aligned(64)));
    size_t size = read_state(thread, state, sizeof state);
    uint64_t state_at = (end - size) & ~UINT64_C(63);
    ucontext_t context = {.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS};

    if (size == 0)
        return failed(e, "cannot read the floating point state: %s", strerror(errno));
    frame->stack = (state_at - sizeof context) & ~UINT64_C(15);
    frame->start = frame->stack - sizeof(uint64_t);
    frame->size = end - frame->start;
    fill_registers(context.uc_mcontext.gregs, *home);
    context.uc_mcontext.fpregs = (fpregset_t)(uintptr_t)state_at;
    context.uc_stack.ss_flags = -1; /* refused, and so the alternate stack stays as it is */
    memcpy(&context.uc_sigmask, &mask, sizeof mask);
    memset(frame->bytes, 0, sizeof frame->bytes);
    memcpy(frame->bytes + sizeof(uint64_t), &context, sizeof context);
    memcpy(frame->bytes + (state_at - frame->start), state, size);
    return 0;
}
