/* verbs.h -- what `fakeca` can be told to do; each verb is a table of options and a
 * function that returns the exit status. */
#ifndef FAKECA_VERBS_H
#define FAKECA_VERBS_H

#include <jansson.h>

#include "fakeca/chain.h"
#include "fakeca/extension.h"
#include "testbed/wire/options.h"
#include "testbed/wire/status.h"

/* One line on stderr.  Returns STATUS_ENVIRONMENT where errno says that the machine refused (no
 * permission, no space, a port in use), STATUS_USAGE otherwise. */
int complain(const struct error *e);

/* Reads the options into *into, and at most `most` other words into
 * *rest (NULL: none). */
int options_for(const struct option_row *options, int argc, char **argv, void *into,
                struct option_list *rest, size_t most, struct error *e);

struct words words_of(const struct option_list *list);
/* "--state is needed: DIR, the authority that serves" */
int require(const struct option_row *options, const char *name, const char *value, struct error *e);
/* The time an option names; `fallback` where it was not given. */
int moment_of(const char *option, const char *text, int64_t now, int64_t fallback, int64_t *out,
              struct error *e);
/* What --at says; the real now where it says nothing. */
int at_of(const char *text, int64_t *at, struct error *e);
/* Tells what a bundle holds now: as JSON, or in a line. */
void tell(const struct chain *chain, const char *bundle, bool json);
void tell_json(json_t *object); /* takes the reference */

extern const struct option_row init_options[], rotate_options[], cross_sign_options[];
int verb_init(int argc, char **argv);
int verb_rotate(int argc, char **argv);
int verb_cross_sign(int argc, char **argv);

extern const struct option_row issue_options[], break_options[];
int verb_issue(int argc, char **argv);
int verb_break(int argc, char **argv);

extern const struct option_row revoke_options[], staple_options[], crl_options[];
int verb_revoke(int argc, char **argv);
int verb_staple(int argc, char **argv);
int verb_crl(int argc, char **argv);

extern const struct option_row faults_options[], show_options[];
int verb_faults(int argc, char **argv);
int verb_show(int argc, char **argv);

extern const struct option_row serve_options[];
int verb_serve(int argc, char **argv);

extern const struct option_row eab_options[], unpause_options[], profile_options[];
extern const struct option_row arm_options[], disarm_options[], dns_options[], set_options[],
    state_options[];
int verb_arm(int argc, char **argv);
int verb_disarm(int argc, char **argv);
int verb_dns(int argc, char **argv);
int verb_set(int argc, char **argv);
int verb_settings(int argc, char **argv);
int verb_eab(int argc, char **argv);
int verb_unpause(int argc, char **argv);
int verb_profile(int argc, char **argv);
int verb_list(int argc, char **argv); /* armed, accounts, orders, certificates, forget-accounts */

extern const struct option_row answer_options[];
int verb_answer(int argc, char **argv);

extern const struct option_row bench_options[];
int verb_bench(int argc, char **argv);

#endif
