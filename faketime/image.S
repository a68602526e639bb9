/* A flat image, and where it ends (image.h). */
    .section .rodata
    .globl START, END
    .balign 8
START:
    .incbin IMAGE
    .balign 8
END:
    .section .note.GNU-stack, "", @progbits
