#include "fakeca/jws.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/base64url.h"

/* Jansson's own limit on depth is 2048, fixed when it was built. */
static bool too_deep(const char *bytes, size_t length)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if (quoted) {
            if (bytes[i] == '\\')
                i++;
            else if (bytes[i] == '"')
                quoted = false;
        } else if (bytes[i] == '"')
            quoted = true;
        else if (bytes[i] == '{' || bytes[i] == '[') {
            if (++depth > JSON_MOST_DEPTH)
                return true;
        } else if ((bytes[i] == '}' || bytes[i] == ']') && depth > 0)
            depth--;
    }
    return false;
}

json_t *json_of(const char *bytes, size_t length, struct error *e)
{
    json_error_t why;
    json_t *value;

    if (too_deep(bytes, length))
        return failed(e, "JSON nested deeper than %d", JSON_MOST_DEPTH), NULL;
    value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &why);
    return value != NULL ? value : (failed(e, "not JSON: %s", why.text), NULL);
}

static const char *text_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* --- the three strings of it -------------------------------------------------------------------- */

enum part { PROTECTED, PAYLOAD, SIGNATURE, PARTS };

static const char *const part_names[PARTS] = {
    [PROTECTED] = "protected", [PAYLOAD] = "payload", [SIGNATURE] = "signature"};

/* Where each stands in the text of a request, or in an object. */
struct parts {
    const char *at[PARTS]; /* NULL: it is missing */
    size_t length[PARTS];
};

static int parts_of_object(const json_t *object, struct parts *parts, struct error *e)
{
    *parts = (struct parts){0};
    if (!json_is_object(object))
        return failed(e, "expected a JWS, as a JSON object");
    if (json_object_get(object, "signatures") != NULL || json_object_get(object, "header") != NULL)
        return failed(e, "expected a flattened JWS with one signature and no unprotected header");
    for (int i = 0; i < PARTS; i++) {
        parts->at[i] = text_at(object, part_names[i]);
        parts->length[i] = json_string_length(json_object_get(object, part_names[i]));
    }
    return 0;
}

static size_t spaces(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return (size_t)(at - from);
}

/* Moves `*at` past a character and the spaces around it; false where it is not there. */
static bool skip(const char **at, const char *end, char character)
{
    *at += spaces(*at, end);
    if (*at == end || **at != character)
        return false;
    (*at)++;
    *at += spaces(*at, end);
    return true;
}

/* A string in which nothing is escaped, without its quotes; moves `*at` past it.  NULL where there is none. */
static const char *plain_string(const char **at, const char *end, size_t *length)
{
    const char *from = *at + 1;
    const char *quote = *at == end || **at != '"' ? NULL : memchr(from, '"', (size_t)(end - from));

    if (quote == NULL || memchr(from, '\\', (size_t)(quote - from)) != NULL)
        return NULL;
    *at = quote + 1;
    *length = (size_t)(quote - from);
    return from;
}

/* One of the three members, not seen before. */
static bool plain_member(const char **at, const char *end, struct parts *parts)
{
    size_t length;
    const char *name = plain_string(at, end, &length);

    for (int i = 0; name != NULL && i < PARTS; i++)
        if (strlen(part_names[i]) == length && memcmp(part_names[i], name, length) == 0)
            return parts->at[i] == NULL && skip(at, end, ':') &&
                   (parts->at[i] = plain_string(at, end, &parts->length[i])) != NULL;
    return false;
}

/* A JWS as every client writes it: the three members in whatever order, and nothing besides.  A parser of JSON would
 * look at each of their thousand characters three times, which base64url has no need of. */
static bool parts_of_plain(const char *bytes, size_t length, struct parts *parts)
{
    const char *end = bytes + length;
    int count = 1;

    *parts = (struct parts){0};
    if (!skip(&bytes, end, '{') || !plain_member(&bytes, end, parts))
        return false;
    for (; count < PARTS && skip(&bytes, end, ','); count++)
        if (!plain_member(&bytes, end, parts))
            return false;
    return count == PARTS && skip(&bytes, end, '}') && bytes == end;
}

/* Decodes one of them; the result is to be freed. */
static unsigned char *part(const struct parts *parts, enum part which, size_t *length,
                           struct error *e)
{
    const char *text = parts->at[which];
    unsigned char *bytes = text == NULL ? NULL : malloc(parts->length[which] + 1);
    ssize_t count = bytes == NULL
                        ? -1
                        : base64url_decode(text, parts->length[which], bytes, parts->length[which]);

    if (count < 0) {
        free(bytes);
        return failed(e, "the request's \"%s\" is not base64url", part_names[which]), NULL;
    }
    bytes[count] = '\0';
    *length = (size_t)count;
    return bytes;
}

/* --- what it holds ------------------------------------------------------------------------------ */

static const struct mac {
    const char *name;
    const EVP_MD *(*digest)(void);
} macs[] = {
    {"HS256", EVP_sha256},
    {"HS384", EVP_sha384},
    {"HS512", EVP_sha512},
};

static const struct mac *mac_named(const char *name)
{
    for (size_t i = 0; i < sizeof macs / sizeof macs[0]; i++)
        if (strcmp(macs[i].name, name) == 0)
            return &macs[i];
    return NULL;
}

static bool mac_known(const char *name)
{
    return mac_named(name) != NULL;
}

static int check_header(struct jws *jws, bool (*known)(const char *name), enum jws_fault *fault,
                        struct error *e)
{
    const json_t *header = jws->protected_header;

    jws->algorithm = text_at(header, "alg");
    jws->nonce = text_at(header, "nonce");
    jws->url = text_at(header, "url");
    jws->kid = text_at(header, "kid");
    jws->jwk = json_object_get(header, "jwk");
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL)
        return failed(e, "the protected header asks for an extension that is not spoken here");
    if (jws->algorithm == NULL || !known(jws->algorithm)) {
        *fault = JWS_ALGORITHM;
        return failed(e, "the algorithm '%s' is not accepted here",
                      jws->algorithm == NULL ? "" : jws->algorithm);
    }
    if ((jws->kid == NULL) == (jws->jwk == NULL))
        return failed(e, "expected exactly one of \"jwk\" and \"kid\" in the protected header");
    if (jws->jwk != NULL && !json_is_object(jws->jwk))
        return failed(e, "the \"jwk\" is not an object");
    return 0;
}

static int take_signing_input(const struct parts *parts, struct jws *jws, struct error *e)
{
    char *to = malloc(parts->length[PROTECTED] + 1 + parts->length[PAYLOAD]);

    jws->signing_input = to;
    if (to == NULL)
        return failed(e, "out of memory");
    to = mempcpy(to, parts->at[PROTECTED], parts->length[PROTECTED]);
    *to++ = '.';
    to = mempcpy(to, parts->at[PAYLOAD], parts->length[PAYLOAD]);
    jws->signing_length = (size_t)(to - jws->signing_input);
    return 0;
}

static int read_parts(const struct parts *parts, struct jws *jws, bool (*known)(const char *name),
                      enum jws_fault *fault, struct error *e)
{
    size_t length = 0;
    unsigned char *header = part(parts, PROTECTED, &length, e);

    if (header == NULL)
        return -1;
    jws->protected_header = json_of((char *)header, length, e);
    free(header);
    if (jws->protected_header == NULL)
        return failed_in(e, "protected header");
    jws->payload_text = (char *)part(parts, PAYLOAD, &jws->payload_length, e);
    if (jws->payload_text == NULL ||
        (jws->signature = part(parts, SIGNATURE, &jws->signature_length, e)) == NULL)
        return -1;
    if (check_header(jws, known, fault, e) < 0)
        return -1;
    if (jws->payload_length > 0 &&
        (jws->payload = json_of(jws->payload_text, jws->payload_length, e)) == NULL)
        return failed_in(e, "payload");
    if (jws->payload != NULL && !json_is_object(jws->payload))
        return failed(e, "the payload is not a JSON object");
    return take_signing_input(parts, jws, e);
}

static int read_object(const json_t *object, struct jws *jws, bool (*known)(const char *name),
                       enum jws_fault *fault, struct error *e)
{
    struct parts parts;

    *jws = (struct jws){0};
    *fault = JWS_MALFORMED;
    return parts_of_object(object, &parts, e) < 0 ? -1 : read_parts(&parts, jws, known, fault, e);
}

int jws_of_object(const json_t *object, struct jws *jws, enum jws_fault *fault, struct error *e)
{
    return read_object(object, jws, algorithm_known, fault, e);
}

int jws_of_secret(const json_t *object, struct jws *jws, enum jws_fault *fault, struct error *e)
{
    if (read_object(object, jws, mac_known, fault, e) < 0)
        return -1;
    return jws->kid != NULL ? 0 : failed(e, "expected a \"kid\" in the protected header");
}

int jws_parse(const char *bytes, size_t length, struct jws *jws, enum jws_fault *fault,
              struct error *e)
{
    struct parts parts;
    json_t *object;
    int status;

    *jws = (struct jws){0};
    *fault = JWS_MALFORMED;
    if (length > JWS_MOST_BYTES)
        return failed(e, "a request has at most %d bytes", JWS_MOST_BYTES);
    if (parts_of_plain(bytes, length, &parts))
        return read_parts(&parts, jws, algorithm_known, fault, e);
    object = json_of(bytes, length, e);
    if (object == NULL)
        return -1;
    status = jws_of_object(object, jws, fault, e);
    json_decref(object);
    return status;
}

int jws_verify(const struct jws *jws, struct verifier *signer, struct error *e)
{
    return verifier_check(signer, jws->algorithm, jws->signing_input, jws->signing_length,
                          jws->signature, jws->signature_length, e);
}

int jws_verify_secret(const struct jws *jws, const unsigned char *secret, size_t length,
                      struct error *e)
{
    const EVP_MD *digest = mac_named(jws->algorithm)->digest();
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (HMAC(digest, secret, (int)length, (const unsigned char *)jws->signing_input,
             jws->signing_length, mac, &size) == NULL)
        return failed(e, "the MAC cannot be made");
    return size == jws->signature_length && CRYPTO_memcmp(mac, jws->signature, size) == 0
               ? 0
               : failed(e, "the MAC does not fit");
}

void jws_free(struct jws *jws)
{
    json_decref(jws->protected_header);
    json_decref(jws->payload);
    free(jws->payload_text);
    free(jws->signing_input);
    free(jws->signature);
    *jws = (struct jws){0};
}
