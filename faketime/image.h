/* image.h -- blob_code.c as it is put into a process: bytes, whose first are a struct blob. */
#ifndef FAKETIME_IMAGE_H
#define FAKETIME_IMAGE_H

/* A multiple of 8 bytes, at most BLOB_CODE. */
extern const unsigned char image_start[], image_end[];

#endif
