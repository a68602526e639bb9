#include "fakeca/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fakeca/certificate.h"
#include "testbed/wire/moment.h"

int complain(const struct error *e)
{
    int saved = errno;

    fprintf(stderr, "fakeca: %s\n", e->text);
    return status_of_errno(saved);
}

int options_for(const struct option_row *options, int argc, char **argv, void *into,
                struct option_list *rest, size_t most, struct error *e)
{
    struct option_list none = {0};

    if (rest == NULL)
        rest = &none;
    errno = 0;
    if (options_parse(options, argc, argv, into, rest, e) < 0)
        return failed_in(e, argv[0]);
    if (rest->count > most)
        return failed(e, "%s: unexpected '%s'; every value follows its --option", argv[0],
                      rest->items[most]);
    return 0;
}

struct words words_of(const struct option_list *list)
{
    return (struct words){list->items, list->count};
}

int require(const struct option_row *options, const char *name, const char *value, struct error *e)
{
    if (value != NULL && *value != '\0')
        return 0;
    while (strcmp(options->name, name) != 0)
        options++;
    return failed(e, "--%s is needed: %s, %s", name, options->value, options->help);
}

int moment_of(const char *option, const char *text, int64_t now, int64_t fallback, int64_t *out,
              struct error *e)
{
    if (text == NULL) {
        *out = fallback;
        return 0;
    }
    if (moment_parse(text, now, out, e) == 0)
        return 0;
    failed_in(e, option);
    return -1;
}

int at_of(const char *text, int64_t *at, struct error *e)
{
    int64_t now = time(NULL);

    return moment_of("--at", text, now, now, at, e);
}

void tell_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

void tell(const struct chain *chain, const char *bundle, bool json)
{
    X509 *leaf = sk_X509_value(chain->sent, 0);
    char serial[SERIAL_TEXT], from[MOMENT_TEXT], until[MOMENT_TEXT];

    if (json) {
        tell_json(chain_describe(chain));
        return;
    }
    certificate_serial(leaf, serial);
    moment_format(certificate_not_before(leaf), from);
    moment_format(certificate_not_after(leaf), until);
    printf("%s: %s, serial %s, %s to %s%s%s\n", bundle, chain->name, serial, from, until,
           chain->fault == NULL ? "" : ", ", chain->fault == NULL ? "" : chain->fault);
}
