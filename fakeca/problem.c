#include "fakeca/problem.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name; /* after urn:ietf:params:acme:error: */
    int status;
} rows[PROBLEMS] = {
    [ACCOUNT_DOES_NOT_EXIST] = {"accountDoesNotExist",     400},
    [ALREADY_REPLACED] = {"alreadyReplaced",         409},
    [ALREADY_REVOKED] = {"alreadyRevoked",          400},
    [BAD_CSR] = {"badCSR",                  400},
    [BAD_NONCE] = {"badNonce",                400},
    [BAD_PUBLIC_KEY] = {"badPublicKey",            400},
    [BAD_REVOCATION_REASON] = {"badRevocationReason",     400},
    [BAD_SIGNATURE_ALGORITHM] = {"badSignatureAlgorithm",   400},
    [CAA_FORBIDS] = {"caa",                     403},
    [CONNECTION_FAILED] = {"connection",              400},
    [DNS_FAILED] = {"dns",                     400},
    [EXTERNAL_ACCOUNT_REQUIRED] = {"externalAccountRequired", 403},
    [INCORRECT_RESPONSE] = {"incorrectResponse",       403},
    [INVALID_CONTACT] = {"invalidContact",          400},
    [INVALID_PROFILE] = {"invalidProfile",          400},
    [MALFORMED] = {"malformed",               400},
    [METHOD_NOT_ALLOWED] = {"malformed",               405},
    [NO_SUCH_THING] = {"malformed",               404},
    [ORDER_NOT_READY] = {"orderNotReady",           403},
    [RATE_LIMITED] = {"rateLimited",             429},
    [REJECTED_IDENTIFIER] = {"rejectedIdentifier",      400},
    [SERVER_INTERNAL] = {"serverInternal",          500},
    [TLS_FAILED] = {"tls",                     400},
    [UNAUTHORIZED] = {"unauthorized",            403},
    [UNSUPPORTED_CONTACT] = {"unsupportedContact",      400},
    [UNSUPPORTED_IDENTIFIER] = {"unsupportedIdentifier",   400},
    [UNSUPPORTED_MEDIA_TYPE] = {"malformed",               415},
    [USER_ACTION_REQUIRED] = {"userActionRequired",      403},
};

json_t *problem_describe(enum problem problem, const char *detail)
{
    json_t *text = json_string(detail); /* NULL where it is not UTF-8 */
    char type[128];

    snprintf(type, sizeof type, "urn:ietf:params:acme:error:%s", rows[problem].name);
    return json_pack("{s:s, s:o, s:i}", "type", type, "detail",
                     text == NULL ? json_string("(not fit to print)") : text, "status",
                     rows[problem].status);
}

json_t *problem_of_several(const json_t *problems, const char *what)
{
    const json_t *first = json_array_get(problems, 0);
    size_t more = json_array_size(problems) - 1;
    json_t *problem = json_copy((json_t *)first);
    char detail[1024];

    if (more == 0)
        snprintf(detail, sizeof detail, "%s: %s", what,
                 json_string_value(json_object_get(first, "detail")));
    else
        snprintf(detail, sizeof detail,
                 "%s for \"%s\" and %zu more identifiers failed. Refer to sub-problems for more "
                 "information",
                 what,
                 json_string_value(json_object_get(json_object_get(first, "identifier"), "value")),
                 more);
    json_object_set_new(problem, "detail", json_string(detail));
    if (more > 0) {
        json_object_del(problem, "identifier");
        json_object_set(problem, "subproblems", (json_t *)problems);
    }
    return problem;
}

void problem_answer_with(struct http_answer *answer, json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);

    answer->status = (int)json_integer_value(json_object_get(document, "status"));
    json_decref(document);
    http_answer_body(answer, "application/problem+json", text, text == NULL ? 0 : strlen(text));
}

void problem_answer(struct http_answer *answer, enum problem problem, const char *detail)
{
    problem_answer_with(answer, problem_describe(problem, detail));
}

void problem_answer_as(struct http_answer *answer, enum problem problem, int status,
                       const char *detail)
{
    json_t *document = problem_describe(problem, detail);

    json_object_set_new(document, "status", json_integer(status));
    problem_answer_with(answer, document);
}
