/* error.h -- the one way in which a call of ours fails.
 *
 * A call that can fail takes a `struct error *` as its last argument, returns
 * -1 (or NULL, where it makes something), and has then filled the error with one
 * line fit for the user: what, where, and what was expected.  No newline, no
 * program name; main() adds those.  A call that succeeds leaves it untouched.
 * The pointer is never NULL.
 *
 *     return failed(e, "%s: cannot open: %s", path, strerror(errno));
 *     return failed(e, "..."), NULL;
 */
#ifndef WIRE_ERROR_H
#define WIRE_ERROR_H

struct error {
    char text[1024]; /* one line, NUL-terminated; cut, never overrun; control characters are '?' */
};

/* Fills *e and returns -1.  errno is left as it was. */
int failed(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts `where: ` before what *e already says, and returns -1: for callers who
 * know the file or the actor that a lower layer could not know. */
int failed_in(struct error *e, const char *where);

#endif
