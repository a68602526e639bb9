/* fakeca -- a CA for rehearsals: good chains, and broken ones on purpose. */
#include <stdio.h>
#include <string.h>

#include "fakeca/verbs.h"

static const struct verb verbs[] = {
    {"init",                               "--state DIR", "make a root and its intermediates", init_options, verb_init},
    {"issue", "--state DIR --out BUNDLE --name NAME", "issue a leaf, as a bundle", issue_options,
     verb_issue},
    {"break",                           "--state DIR --in BUNDLE --out BUNDLE --fault NAME", "break a bundle in one way",
     break_options, verb_break},
    {"faults",                              "", "list the ways to break one", faults_options, verb_faults},
    {"show",         "FILE|BUNDLE...", "tell what is in certificates, CRLs, staples", show_options,
     verb_show},
    {"rotate",                           "--state DIR", "make a new intermediate to issue from", rotate_options, verb_rotate},
    {"cross-sign",                              "--state DIR --from DIR", "let another root sign this one", cross_sign_options,
     verb_cross_sign},
    {"revoke",         "--state DIR --in BUNDLE", "revoke its leaf", revoke_options, verb_revoke},
    {"staple",                          "--state DIR --in BUNDLE", "sign an OCSP response about its leaf", staple_options,
     verb_staple},
    {"crl",                             "--state DIR --in BUNDLE | --out FILE", "sign CRLs", crl_options, verb_crl},
    {0       },
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
