#include "testbed/wire/verbs.h"

#include <string.h>

#include "testbed/wire/nearest.h"
#include "testbed/wire/streams.h"
#include "testbed/wire/version.h"

#define NAMES_MAX 128

const struct verb *verb_find(const struct verb *verbs, const char *name, struct error *e)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    const char *near;

    for (const struct verb *verb = verbs; verb->name != NULL && count < NAMES_MAX; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
        names[count++] = verb->name;
    }
    near = nearest(name, names, count);
    if (near == NULL)
        return failed(e, "unknown verb '%s'; --help lists them", name), NULL;
    return failed(e, "unknown verb '%s'; did you mean '%s'?", name, near), NULL;
}

void verbs_print(const char *program, const struct verb *verbs, FILE *out)
{
    for (; verbs->name != NULL; verbs++) {
        char left[80];

        snprintf(left, sizeof left, "%s %s %s", program, verbs->name, verbs->arguments);
        fprintf(out, "  %-36s %s\n", left, verbs->help);
    }
}

void verb_print(const char *program, const struct verb *verb, FILE *out)
{
    fprintf(out, "usage: %s %s%s%s%s\n%s\n", program, verb->name,
            verb->options == NULL ? "" : " [options]", *verb->arguments == '\0' ? "" : " ",
            verb->arguments, verb->help);
    if (verb->options != NULL)
        options_print(verb->options, out);
}

static int usage(const struct tool *tool, FILE *out, int status)
{
    fprintf(out, "%s: %s\n\n", tool->name, tool->summary);
    verbs_print(tool->name, tool->verbs, out);
    tool->more(out);
    status_print(tool->statuses, out);
    return status;
}

static int perform(const struct tool *tool, int argc, char **argv)
{
    const struct verb *verb;
    struct error e;

    if (argc < 2)
        return usage(tool, stderr, STATUS_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(tool, stdout, STATUS_DONE);
    if (strcmp(argv[1], "--version") == 0)
        return printf("%s %s\n", tool->name, VERSION), STATUS_DONE;
    verb = verb_find(tool->verbs, argv[1], &e);
    if (verb == NULL) {
        fprintf(stderr, "%s: %s\n", tool->name, e.text);
        return STATUS_USAGE;
    }
    if (argc > 2 && strcmp(argv[2], "--help") == 0) {
        verb_print(tool->name, verb, stdout);
        return STATUS_DONE;
    }
    return verb->run(argc - 1, argv + 1);
}

int verbs_main(const struct tool *tool, int argc, char **argv)
{
    streams_fill();
    return streams_end(tool->name, perform(tool, argc, argv));
}
