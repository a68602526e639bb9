/* fakeca -- a CA for rehearsals: good chains, and broken ones on purpose. */
#include <stdio.h>

#include "fakeca/verbs.h"
#include "testbed/wire/verbs.h"

/* clang-format off */
static const struct verb verbs[] = {
    {"init",       "", "make a root and its intermediates",           init_options,       verb_init},
    {"issue",      "", "issue a leaf, as a bundle",                   issue_options,      verb_issue},
    {"break",      "", "break a bundle in one way",                   break_options,      verb_break},
    {"faults",     "", "list the ways to break one",                  faults_options,     verb_faults},
    {"show",       "FILE|BUNDLE...", "tell what is in a file",        show_options,       verb_show},
    {"rotate",     "", "make a new intermediate to issue from",       rotate_options,     verb_rotate},
    {"cross-sign", "", "let another authority's root sign this one",  cross_sign_options, verb_cross_sign},
    {"revoke",     "", "revoke the leaf of a bundle, or its issuer",  revoke_options,     verb_revoke},
    {"staple",     "", "sign an OCSP response about a bundle's leaf", staple_options,     verb_staple},
    {"crl",        "", "sign CRLs",                                   crl_options,        verb_crl},
    {"serve",      "", "be an authority: ACME, OCSP, CRLs",           serve_options,      verb_serve},
    {"answer",     "", "answer one OCSP request, DNS query, ... from a file", answer_options, verb_answer},
    {"arm",        "FAULT", "make an authority that serves misbehave", arm_options,         verb_arm},
    {"disarm",     "FAULT", "make the authority behave again",                   disarm_options,     verb_disarm},
    {"armed",      "", "list what is armed, and how often it fired",  state_options,      verb_list},
    {"accounts",   "", "list the authority's accounts",                    state_options,      verb_list},
    {"orders",     "", "list the orders the authority was given",                state_options,      verb_list},
    {"certificates", "", "list what the authority issued",                       state_options,      verb_list},
    {"forget-accounts", "", "forget all accounts, as after a wipe", state_options,      verb_list},
    {"profile",    "NAME=T", "change how long what it issues lasts, or make a profile", profile_options, verb_profile},
    {"rotate-issuer", "", "make a new intermediate, to issue from while it serves", state_options, verb_list},
    {"settings",   "", "list the authority's settings; without --state those of a new one", state_options, verb_settings},
    {"set",        "NAME=VALUE...", "change the authority's settings",            set_options,        verb_set},
    {"eab",        "", "make a key for external account binding",     eab_options,        verb_eab},
    {"unpause",    "", "let an account order names again that failed too often", unpause_options, verb_unpause},
    {"dns",        "", "change what the authority's DNS says",                    dns_options,        verb_dns},
    {"bench",      "", "measure how many leaves a second it makes",   bench_options,      verb_bench},
    {0},
};
/* clang-format on */

static void more(FILE *out)
{
    fputs("\n"
          "`fakeca VERB --help` lists a verb's options.  A TIME is 2027-03-01T00:00:00Z, "
          "@1793836800\n"
          "or +90d; T is a duration such as 90d or 1h30m.  For example:\n"
          "\n"
          "  fakeca init  --state ca\n"
          "  fakeca issue --state ca --out good --name shop.test\n"
          "  fakeca break --state ca --in good --out bad --fault expired-leaf\n",
          out);
}

static const struct status_row statuses[] = {
    {STATUS_DONE,        "done"                                                           },
    {STATUS_USAGE,       "wrong usage or input"                                           },
    {STATUS_ENVIRONMENT, "this machine refused it: no permission, no space, a port in use"},
    {0,                  NULL                                                             },
};

int main(int argc, char **argv)
{
    static const struct tool tool = {"fakeca",
                                     "a CA for rehearsals: good chains, and broken ones on purpose",
                                     verbs, more, statuses};

    return verbs_main(&tool, argc, argv);
}
