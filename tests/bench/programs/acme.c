#include "tests/bench/programs/acme.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 20L /* seconds, for one answer */

char acme_account[ACME_TEXT];

/* What clients have for accounts: lego and Caddy the first kind, certbot the second. */
struct account_kind {
    const char *name, *algorithm;
    EVP_PKEY *(*make)(void);
    char *(*jwk)(void);
    char *(*signature)(const unsigned char *der, size_t length);
};

static struct {
    const struct account_kind *kind;
    EVP_PKEY *account, *leaf;
    char thumbprint[64];
} keys;

void die(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    fputs("orders: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    _exit(1); /* other threads go on while exit() takes libcrypto down */
}

/* --- JOSE --------------------------------------------------------------------------------------- */

static char *base64url(const void *bytes, size_t length)
{
    char *out = malloc(length / 3 * 4 + 8), *to = out;
    int count = EVP_EncodeBlock((unsigned char *)out, bytes, (int)length);

    for (int i = 0; i < count; i++)
        if (out[i] != '=')
            *to++ = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
    *to = '\0';
    return out;
}

char *text(const char *format, ...)
{
    char *out = NULL;
    va_list list;

    va_start(list, format);
    must(vasprintf(&out, format, list) >= 0, "out of memory");
    va_end(list);
    return out;
}

/* A number that is part of the account's key, of so many octets; 0: of as many as it needs. */
static char *number(const char *name, int octets)
{
    unsigned char bytes[512];
    BIGNUM *value = NULL;

    EVP_PKEY_get_bn_param(keys.account, name, &value);
    octets = octets == 0 ? BN_num_bytes(value) : octets;
    BN_bn2binpad(value, bytes, octets);
    BN_free(value);
    return base64url(bytes, (size_t)octets);
}

/* The members in the order in which RFC 7638 has them. */
static char *jwk_of(const char *format, char *one, char *other)
{
    char *out = text(format, one, other);

    free(one);
    free(other);
    return out;
}

static EVP_PKEY *make_ec(void)
{
    return EVP_EC_gen("P-256");
}

static char *jwk_ec(void)
{
    return jwk_of("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                  number(OSSL_PKEY_PARAM_EC_PUB_X, 32), number(OSSL_PKEY_PARAM_EC_PUB_Y, 32));
}

static char *signature_ec(const unsigned char *der, size_t length)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)length);
    unsigned char pair[64];

    BN_bn2binpad(ECDSA_SIG_get0_r(signature), pair, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), pair + 32, 32);
    ECDSA_SIG_free(signature);
    return base64url(pair, sizeof pair);
}

static EVP_PKEY *make_rsa(void)
{
    return EVP_RSA_gen(2048);
}

static char *jwk_rsa(void)
{
    return jwk_of("{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", number(OSSL_PKEY_PARAM_RSA_E, 0),
                  number(OSSL_PKEY_PARAM_RSA_N, 0));
}

static char *signature_rsa(const unsigned char *bytes, size_t length)
{
    return base64url(bytes, length);
}

static const struct account_kind account_kinds[] = {
    {"p256",    "ES256", make_ec,  jwk_ec,  signature_ec },
    {"rsa2048", "RS256", make_rsa, jwk_rsa, signature_rsa},
};
#define ACCOUNT_KINDS (sizeof account_kinds / sizeof account_kinds[0])

static char *sign(const char *input)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[512];
    size_t length = sizeof signature;

    must(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, keys.account) == 1 &&
             EVP_DigestSign(context, signature, &length, (const void *)input, strlen(input)) == 1,
         "cannot sign");
    EVP_MD_CTX_free(context);
    return keys.kind->signature(signature, length);
}

static char *envelope(const struct acme *acme, const char *url, const char *payload)
{
    char *who =
        *acme_account == '\0' ? keys.kind->jwk() : text("\"%s%s\"", acme->base, acme_account);
    char *header =
        text("{\"alg\":\"%s\",\"nonce\":\"%s\",\"url\":\"%s\",\"%s\":%s}", keys.kind->algorithm,
             acme->nonce, url, *acme_account == '\0' ? "jwk" : "kid", who);
    char *head = base64url(header, strlen(header)), *body = base64url(payload, strlen(payload));
    char *input = text("%s.%s", head, body), *signature = sign(input);
    char *out = text("{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", head, body,
                     signature);

    free(who);
    free(header);
    free(head);
    free(body);
    free(input);
    free(signature);
    return out;
}

/* --- HTTP --------------------------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct acme *acme = context;

    acme->body = realloc(acme->body, acme->length + count + 1);
    must(acme->body != NULL, "out of memory");
    memcpy(acme->body + acme->length, bytes, count);
    acme->length += count;
    acme->body[acme->length] = '\0';
    return size * count;
}

static void take_field(const char *line, size_t length, const char *name, char out[ACME_TEXT])
{
    size_t skip = strlen(name);

    if (length <= skip + 2 || length - skip >= ACME_TEXT || strncasecmp(line, name, skip) != 0)
        return;
    memcpy(out, line + skip, length - skip - 2); /* without CR and LF */
    out[length - skip - 2] = '\0';
}

static size_t take_header(char *line, size_t size, size_t count, void *context)
{
    struct acme *acme = context;

    take_field(line, count, "Replay-Nonce: ", acme->nonce);
    take_field(line, count, "Location: ", acme->location);
    return size * count;
}

/* One request; false where the connection failed. */
static bool perform(struct acme *acme, const char *url)
{
    CURLcode why;

    acme->length = 0;
    acme->location[0] = '\0';
    curl_easy_setopt(acme->curl, CURLOPT_URL, url);
    why = curl_easy_perform(acme->curl);
    if (why == CURLE_OPERATION_TIMEDOUT)
        die("%s: no answer in %ld s", url, PATIENCE);
    if (why != CURLE_OK)
        return false;
    curl_easy_getinfo(acme->curl, CURLINFO_RESPONSE_CODE, &acme->status);
    if (acme->length == 0)
        take_body("", 1, 0, acme);
    return true;
}

void acme_open(struct acme *acme, const char *root_file)
{
    struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/jose+json");

    acme->curl = curl_easy_init();
    must(acme->curl != NULL, "no curl");
    curl_easy_setopt(acme->curl, CURLOPT_CAINFO, root_file);
    curl_easy_setopt(acme->curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(acme->curl, CURLOPT_USERAGENT, "orders");
    curl_easy_setopt(acme->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(acme->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(acme->curl, CURLOPT_TIMEOUT, PATIENCE);
    curl_easy_setopt(acme->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(acme->curl, CURLOPT_WRITEDATA, acme);
    curl_easy_setopt(acme->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(acme->curl, CURLOPT_HEADERDATA, acme);
}

const char *acme_path(const char *url)
{
    const char *host = strstr(url, "://"), *path = host == NULL ? NULL : strchr(host + 3, '/');

    must(path != NULL, "a URL without a path");
    return path;
}

static bool get(struct acme *acme, const char *url)
{
    curl_easy_setopt(acme->curl, CURLOPT_HTTPGET, 1L);
    return perform(acme, url);
}

bool acme_post(struct acme *acme, const char *path, const char *payload)
{
    char *url = text("%s%s", acme->base, path);
    bool done;

    do {
        char *body = envelope(acme, url, payload);

        curl_easy_setopt(acme->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        curl_easy_setopt(acme->curl, CURLOPT_POSTFIELDS, body);
        done = perform(acme, url);
        free(body);
    } while (done && acme->status == 400 && strstr(acme->body, ":badNonce") != NULL);
    free(url);
    return done;
}

json_t *acme_json(const struct acme *acme, const char *what)
{
    json_t *value = json_loadb(acme->body, acme->length, 0, NULL);

    if (value == NULL)
        die("%s: not JSON: %.300s", what, acme->body);
    return value;
}

const char *acme_member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    if (value == NULL)
        die("there is no %s", name);
    return value;
}

/* --- servers ------------------------------------------------------------------------------------ */

bool acme_find(struct acme *acme, const char *file_name)
{
    FILE *file = fopen(file_name, "r");
    char url[ACME_TEXT] = "";

    if (file == NULL || fgets(url, sizeof url, file) == NULL || strchr(url, '\n') == NULL) {
        if (file != NULL)
            fclose(file);
        return false;
    }
    fclose(file);
    *strchr(url, '\n') = '\0';
    if (!get(acme, url) || acme->status != 200)
        return false;
    snprintf(acme->base, sizeof acme->base, "%.*s", (int)(acme_path(url) - url), url);
    json_decref(acme->directory);
    acme->directory = acme_json(acme, "the directory");
    return get(acme, acme_member(acme->directory, "newNonce"));
}

const char *acme_endpoint(const struct acme *acme, const char *name)
{
    return acme_path(acme_member(acme->directory, name));
}

/* --- keys --------------------------------------------------------------------------------------- */

void acme_keys(const char *kind)
{
    unsigned char digest[32];
    char *key, *words;

    curl_global_init(CURL_GLOBAL_ALL);
    for (size_t i = 0; i < ACCOUNT_KINDS; i++)
        if (strcmp(account_kinds[i].name, kind) == 0)
            keys.kind = &account_kinds[i];
    must(keys.kind != NULL, "accounts have a key of p256 or rsa2048");
    keys.account = keys.kind->make();
    keys.leaf = EVP_EC_gen("P-256");
    must(keys.account != NULL && keys.leaf != NULL, "cannot make keys");
    key = keys.kind->jwk();
    EVP_Digest(key, strlen(key), digest, NULL, EVP_sha256(), NULL);
    words = base64url(digest, sizeof digest);
    snprintf(keys.thumbprint, sizeof keys.thumbprint, "%s", words);
    free(words);
    free(key);
}

const char *acme_thumbprint(void)
{
    return keys.thumbprint;
}

char *acme_request(const char *name)
{
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    char *names = text("DNS:%s", name), *out;
    unsigned char *der = NULL;
    int length;

    sk_X509_EXTENSION_push(extensions,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names));
    X509_REQ_add_extensions(request, extensions);
    X509_REQ_set_pubkey(request, keys.leaf);
    must(X509_REQ_sign(request, keys.leaf, EVP_sha256()) > 0, "cannot sign a request");
    length = i2d_X509_REQ(request, &der);
    out = base64url(der, (size_t)length);
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(request);
    free(names);
    return out;
}
