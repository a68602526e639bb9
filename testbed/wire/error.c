#include "testbed/wire/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a user gave may hold anything; a message stays one line and leaves the terminal alone. */
static void make_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            *text = '?';
}

int failed(struct error *e, const char *format, ...)
{
    int saved = errno;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(e->text, sizeof e->text, format, arguments);
    va_end(arguments);
    make_one_line(e->text);
    errno = saved;
    return -1;
}

int failed_in(struct error *e, const char *where)
{
    struct error inner = *e;

    return failed(e, "%s: %.900s", where, inner.text);
}
