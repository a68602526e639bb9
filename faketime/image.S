/* The flat image of blob_code.c, and where it ends (image.h). */
    .section .rodata
    .globl image_start, image_end
    .balign 8
image_start:
    .incbin IMAGE
    .balign 8
image_end:
    .section .note.GNU-stack, "", @progbits
