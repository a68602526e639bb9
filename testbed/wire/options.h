/* options.h -- command lines from tables, so that usage, docs and parsing are one.
 *
 * A program describes its options in a table that ends with an all-zero row and
 * points into a struct of its own:
 *
 *     static const struct option_row rows[] = {
 *         {"trust",   "FILE", "the roots to trust", OPTION_TEXT, offsetof(struct args, trust)},
 *         {"crl",     "FILE", "a CRL (may repeat)", OPTION_LIST, offsetof(struct args, crls)},
 *         {"timeout", "T",    "give up after [5s]", OPTION_DURATION, offsetof(struct args, timeout)},
 *         {"json",    NULL,   "one JSON object",    OPTION_FLAG, offsetof(struct args, json)},
 *         {0},
 *     };
 *
 * `--name value` and `--name=value` are the same, and so are `-j 4` and `-j4` where a row's name
 * is one letter; `--` ends the options.  Texts are borrowed from argv.
 */
#ifndef WIRE_OPTIONS_H
#define WIRE_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "testbed/wire/error.h"

#define OPTION_LIST_MAX 64

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char * */
    OPTION_LIST,     /* struct option_list: every value given, in order */
    OPTION_NUMBER,   /* long, not negative */
    OPTION_DURATION, /* int64_t nanoseconds, moment.h */
};

struct option_list {
    const char *items[OPTION_LIST_MAX]; /* borrowed from argv */
    size_t count;
};

struct option_row {
    const char *name;  /* without dashes; NULL ends the table */
    const char *value; /* what the value is called in usage; NULL for a flag */
    const char *help;  /* one line; the default in [] */
    enum option_kind kind;
    size_t offset; /* into the caller's struct */
};

/* Parses argv[1..argc-1] into *into.  What is not an option stays, in order, in
 * `rest`, which has room for OPTION_LIST_MAX.  Unknown options, missing and malformed values are
 * errors; an unknown option names the nearest known, or else --help where the rows have one. */
int options_parse(const struct option_row *rows, int argc, char **argv, void *into,
                  struct option_list *rest, struct error *e);

/* One aligned line an option. */
void options_print(const struct option_row *rows, FILE *out);

#endif
