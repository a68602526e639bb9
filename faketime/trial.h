/* trial.h -- what time a program would read on a clock, found out without letting it run.
 *
 * It is started, redirected before its first instruction, as `fakeclock run` does, made to read the clock
 * where its vDSO leads, and killed.
 */
#ifndef FAKETIME_TRIAL_H
#define FAKETIME_TRIAL_H

#include <stdint.h>

#include "testbed/wire/error.h"

/* `path` is a program, `clock` an absolute path.  -1 with one line where it cannot be put there. */
int trial(const char *path, const char *clock, int64_t *now, struct error *e);

#endif
