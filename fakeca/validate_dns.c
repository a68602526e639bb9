/* dns-01: RFC 8555 section 8.4. */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "fakeca/base64url.h"
#include "fakeca/validate_parts.h"

static void on_texts(void *context, const struct found *found)
{
    struct attempt *attempt = context;
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char expected[BASE64URL_TEXT(SHA256_DIGEST_LENGTH)];

    attempt->lookup = NULL;
    SHA256((const unsigned char *)attempt->key_authorization, strlen(attempt->key_authorization),
           hash);
    base64url(hash, sizeof hash, expected);
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->texts[i], expected) == 0) {
            attempt_end(attempt, VALIDATION_GOOD, "good");
            return;
        }
    if (found->count == 0)
        attempt_end(attempt, DNS_FAILED, "TXT of %s: %s", attempt->at.host, found->why);
    else
        attempt_end(attempt, UNAUTHORIZED, "TXT of %s is '%.80s', expected '%s'", attempt->at.host,
                    found->texts[0], expected);
}

void dns_01_begin(struct attempt *attempt)
{
    struct validator *validator = attempt->validator;
    struct error e;

    if (snprintf(attempt->at.host, sizeof attempt->at.host, "_acme-challenge.%s",
                 attempt->identifier) >= (int)sizeof attempt->at.host) {
        attempt_end(attempt, DNS_FAILED, "the name is too long");
        return;
    }
    if (attempt_resolver(attempt) == NULL) {
        attempt_end(attempt, DNS_FAILED, "no resolver to ask; --resolver names one");
        return;
    }
    attempt->lookup = lookup_start(validator->loop, attempt_resolver(attempt), attempt->at.host,
                                   LOOKUP_TEXTS, on_texts, attempt, &e);
    if (attempt->lookup == NULL)
        attempt_end(attempt, DNS_FAILED, "%s", e.text);
}
