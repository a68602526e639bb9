/* problem.h -- the refusals of ACME (RFC 8555 section 6.7, RFC 9773, draft-ietf-acme-profiles), as
 * problem documents (RFC 9457). */
#ifndef FAKECA_PROBLEM_H
#define FAKECA_PROBLEM_H

#include <jansson.h>

#include "fakeca/http_answer.h"

enum problem {
    ACCOUNT_DOES_NOT_EXIST,
    ALREADY_REPLACED,
    ALREADY_REVOKED,
    BAD_CSR,
    BAD_NONCE,
    BAD_PUBLIC_KEY,
    BAD_REVOCATION_REASON,
    BAD_SIGNATURE_ALGORITHM,
    CAA_FORBIDS,
    CONNECTION_FAILED,
    DNS_FAILED,
    EXTERNAL_ACCOUNT_REQUIRED,
    INCORRECT_RESPONSE,
    INVALID_CONTACT,
    INVALID_PROFILE,
    MALFORMED,
    METHOD_NOT_ALLOWED,
    NO_SUCH_THING,
    ORDER_NOT_READY,
    RATE_LIMITED,
    REJECTED_IDENTIFIER,
    SERVER_INTERNAL,
    TLS_FAILED,
    UNAUTHORIZED,
    UNSUPPORTED_CONTACT,
    UNSUPPORTED_IDENTIFIER,
    UNSUPPORTED_MEDIA_TYPE,
    USER_ACTION_REQUIRED,
    PROBLEMS
};

/* {"type", "detail", "status"}, to be decref'd. */
json_t *problem_describe(enum problem problem, const char *detail);
/* What is wrong with several identifiers, each told by one of `problems`, which have an "identifier": RFC 8555 section
 * 6.7.1.  Of one alone it is that; `what` failed.  To be decref'd. */
json_t *problem_of_several(const json_t *problems, const char *what);
/* Makes it the answer; the second has a status of its own, and the third takes the reference. */
void problem_answer(struct http_answer *answer, enum problem problem, const char *detail);
void problem_answer_as(struct http_answer *answer, enum problem problem, int status,
                       const char *detail);
void problem_answer_with(struct http_answer *answer, json_t *document);

#endif
