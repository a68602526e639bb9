/* misbehaviour_parts.h -- the hooks that rows of the table in misbehaviour_table.c are made of.  What
 * `argument` is to each of them stands beside it. */
#ifndef FAKECA_MISBEHAVIOUR_PARTS_H
#define FAKECA_MISBEHAVIOUR_PARTS_H

#include "fakeca/misbehaviour.h"

/* --- answers of their own --- */

#define NEW_TERMS "/terms/2"

void answer_page(const struct chosen *chosen, struct http_answer *answer); /* its text, as HTML */
void answer_as_json(const struct chosen *chosen,
                    struct http_answer *answer); /* its text, JSON or not */
void answer_problem(const struct chosen *chosen, struct http_answer *answer); /* its detail */
void answer_new_terms(const struct chosen *chosen,
                      struct http_answer *answer); /* its detail, and NEW_TERMS */

/* --- answers, deformed --- */

void drop_field(const struct chosen *chosen, struct http_answer *answer); /* the field's name */
void drop_alternates(const struct chosen *chosen, struct http_answer *answer);
void repeat_nonce(const struct chosen *chosen, struct http_answer *answer); /* the nonce */
void call_it_html(const struct chosen *chosen, struct http_answer *answer);
void gzip_body(const struct chosen *chosen, struct http_answer *answer);
void empty_body(const struct chosen *chosen, struct http_answer *answer);
void begin_with(const struct chosen *chosen,
                struct http_answer *answer); /* octets before the body */
void end_lines_twice(const struct chosen *chosen, struct http_answer *answer);
void lengthen_chain(const struct chosen *chosen, struct http_answer *answer);

/* --- what is told, retold --- */

void tell_status(const struct chosen *chosen, json_t *told); /* the status */
void tell_identifiers_reversed(const struct chosen *chosen, json_t *told);
void tell_identifiers_upper(const struct chosen *chosen, json_t *told);
void tell_identifier_dropped(const struct chosen *chosen, json_t *told);
void tell_expired(const struct chosen *chosen, json_t *told);
void tell_without(const struct chosen *chosen, json_t *told);      /* the armed key is left out */
void tell_meta_null(const struct chosen *chosen, json_t *told);    /* of every key in "meta" */
void tell_meta_without(const struct chosen *chosen, json_t *told); /* the key of "meta" */
void tell_no_challenges(const struct chosen *chosen, json_t *told);
void tell_unknown_challenges(const struct chosen *chosen, json_t *told);
void tell_without_challenge(const struct chosen *chosen,
                            json_t *told);                  /* of the armed key's type */
void tell_token(const struct chosen *chosen, json_t *told); /* the token */
void tell_window(const struct chosen *chosen, json_t *told);

/* --- what is issued --- */

void plan_by_clock(const struct chosen *chosen, struct leaf_plan *plan); /* off by the armed skew */
void plan_no_lifetime(const struct chosen *chosen, struct leaf_plan *plan);
void plan_no_ocsp(const struct chosen *chosen, struct leaf_plan *plan);
void plan_no_urls(const struct chosen *chosen, struct leaf_plan *plan);
void plan_another_key(const struct chosen *chosen, struct leaf_plan *plan);
void plan_dead_ocsp(const struct chosen *chosen, struct leaf_plan *plan);
void plan_dead_issuers(const struct chosen *chosen, struct leaf_plan *plan);
void plan_dead_crls(const struct chosen *chosen, struct leaf_plan *plan);

#endif
