/* command.h -- what the verbs of fakeclock have in common.
 *
 * Each gets its name as argv[0] and returns the exit status.
 */
#ifndef FAKETIME_COMMAND_H
#define FAKETIME_COMMAND_H

#include <sys/types.h>

#include "testbed/wire/error.h"
#include "testbed/wire/options.h"
#include "testbed/wire/status.h"

/* One line on stderr; returns `status`. */
int complain(enum status status, const struct error *e);

int parse_pid(const char *text, pid_t *pid, struct error *e);

/* command_run.c */
int verb_run(int argc, char **argv);
int verb_follow(int argc, char **argv);

/* command_step.c */
extern const struct option_row poke_options[], step_options[];
int verb_poke(int argc, char **argv);
int verb_step(int argc, char **argv);

#endif
