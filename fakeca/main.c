/* fakeca -- a CA for rehearsals: good chains, and broken ones on purpose. */
#include <stdio.h>
#include <string.h>

#include "fakeca/verbs.h"

static const struct verb verbs[] = {
    {"init",                                "--state DIR", "makes a root and its intermediates", init_options, verb_init},
    {"issue", "--state DIR --out BUNDLE --name NAME", "issues a leaf, as a bundle", issue_options,
     verb_issue},
    {"break",                            "--state DIR --in BUNDLE --out BUNDLE --fault NAME", "breaks a bundle in one way",
     break_options, verb_break},
    {"faults",                               "", "lists the ways to break one", faults_options, verb_faults},
    {0        },
};

static int usage(FILE *out)
{
    fprintf(out, "fakeca: a CA for rehearsals: good chains, and broken ones on purpose\n\n");
    verbs_print("fakeca", verbs, out);
    fprintf(out, "\n`fakeca VERB --help` lists a verb's options.  A TIME is 2027-03-01T00:00:00Z, "
                 "@1793836800\nor +90d; a duration is 90d or 1h30m.\n");
    return out == stdout ? DONE : BAD_INPUT;
}

int main(int argc, char **argv)
{
    const struct verb *verb;
    struct error e;

    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout);
    verb = verb_find(verbs, argv[1], &e);
    if (verb == NULL)
        return complain(&e);
    if (argc > 2 && strcmp(argv[2], "--help") == 0) {
        verb_print("fakeca", verb, stdout);
        return DONE;
    }
    return verb->run(argc - 1, argv + 1);
}
