/* base64url.h -- bytes as base64url without padding (RFC 4648 section 5, RFC 7515 section 2).
 *
 * Decoding is strict: no padding, no line breaks, no other alphabet, no stray bits in the last
 * character.  So every byte string has exactly one spelling.
 */
#ifndef FAKECA_BASE64URL_H
#define FAKECA_BASE64URL_H

#include <stddef.h>
#include <sys/types.h>

/* Room for the text of `length` bytes, with its NUL. */
#define BASE64URL_TEXT(length) (((length)*4 + 2) / 3 + 1)

/* Writes BASE64URL_TEXT(length) bytes at most; returns `out`. */
char *base64url(const void *bytes, size_t length, char *out);

/* How many bytes were written to `out`; -1 where the text is none or needs more than `room`. */
ssize_t base64url_decode(const char *text, size_t length, unsigned char *out, size_t room);

#endif
