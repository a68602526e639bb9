/* image.h -- what is put into a process: bytes.
 *
 * blob_code.c's first are a struct blob (blob.h), trap_code.c's a struct trap (trap.h).
 */
#ifndef FAKETIME_IMAGE_H
#define FAKETIME_IMAGE_H

/* A multiple of 8 bytes, at most BLOB_CODE. */
extern const unsigned char image_start[], image_end[];
/* At most TRAP_CODE. */
extern const unsigned char trap_image_start[], trap_image_end[];

#endif
