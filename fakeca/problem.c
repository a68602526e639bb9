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

int problem_named(const char *name)
{
    for (int i = 0; i < PROBLEMS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return i;
    return -1;
}

void problem_answer(struct http_answer *answer, enum problem problem, const char *detail)
{
    json_t *document = problem_describe(problem, detail);
    char *text = json_dumps(document, JSON_COMPACT);

    json_decref(document);
    answer->status = rows[problem].status;
    http_answer_body(answer, "application/problem+json", text, text == NULL ? 0 : strlen(text));
}
