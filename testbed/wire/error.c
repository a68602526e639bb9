#include "testbed/wire/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failed(struct error *e, const char *format, ...)
{
    int saved = errno;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(e->text, sizeof e->text, format, arguments);
    va_end(arguments);
    errno = saved;
    return -1;
}

int failed_in(struct error *e, const char *where)
{
    struct error inner = *e;

    return failed(e, "%s: %.900s", where, inner.text);
}
