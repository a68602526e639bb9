/* answer.h -- a result as JSON, for programs, and as a few aligned lines, for people. */
#ifndef CLIENTS_ANSWER_H
#define CLIENTS_ANSWER_H

#include <jansson.h>
#include <stdio.h>

#include "clients/connection.h"

/* The answer to a probe (docs/worker-protocol.md) without its id.  A new reference; NULL
 * where memory ran out. */
json_t *answer_json(const struct result *result);
void answer_print(const struct plan *plan, const struct result *result, FILE *out);

/* The table of outcomes, as `client-LIBRARY --outcomes` shows it. */
enum outcome_style { OUTCOMES_PLAIN, OUTCOMES_JSON, OUTCOMES_MARKDOWN };
void outcomes_print(enum outcome_style style, FILE *out);

#endif
