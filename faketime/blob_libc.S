/* The table of libc's functions (blob.h), and the way to those of them that are called by their names. */
#include "faketime/blob_libc.h"

#define OURS(name, version)   .weak name; .quad name;
#define NOT_OURS(name, version) .quad 0;
#define THEIRS(name, version) .Ltheir_##name: .quad 0;
#define WAY(name, version)    .globl name; name: jmp *.Ltheir_##name(%rip);

    .section .head.libc, "aw"
    .balign 8
    .globl blob_libc
blob_libc:
    SHIM_REAL_CALLS(OURS)
    BLOB_SHORT_CALLS(OURS)
    BLOB_OTHER_CALLS(NOT_OURS)
    BLOB_LIBC_CALLS(THEIRS)

    .text
    BLOB_OTHER_CALLS(WAY)

    .section .note.GNU-stack, "", @progbits
