/* fakeca bench: how many leaves a second, in memory. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fakeca/certificate.h"
#include "fakeca/key.h"
#include "fakeca/template.h"
#include "fakeca/verbs.h"
#include "testbed/wire/moment.h"

#define SHORTEST (10 * NANOSECONDS / 1000)
#define LONGEST  (60 * NANOSECONDS)

#define CLOCK_EVERY 32 /* leaves from a template: to read the clock takes a hundredth of one */

struct arguments {
    const char *key;
    int64_t duration; /* nanoseconds, for each figure */
    bool json;
};

#define AT(field) offsetof(struct arguments, field)
/* clang-format off */
const struct option_row bench_options[] = {
    {"for",  "T",    "measure each figure for T [1s]", OPTION_DURATION, AT(duration)},
    {"key",  "KIND", "of the issuer and the leaves [p256]", OPTION_TEXT, AT(key)},
    {"json", NULL,   "answer with one JSON object", OPTION_FLAG, AT(json)},
    {0},
};
/* clang-format on */
#undef AT

/* The processor's time and not the clock on the wall: other programs run beside us. */
static int64_t cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

static const char *const names[] = {"shop.test"}, *const purposes[] = {"serverAuth"};
static const struct certificate_spec leaf = {
    .common_name = "shop.test",
    .serial = "40000001",
    .not_before = 0,
    .not_after = 90 * INT64_C(86400),
    .names = {names,    1},
    .key_usage = KU_DIGITAL_SIGNATURE,
    .purposes = {purposes, 1},
};

/* A leaf such as `fakeca issue` makes, down to the PEM. */
static int mint(const struct signer *issuer, EVP_PKEY *key, struct error *e)
{
    X509 *certificate = certificate_make(&leaf, key, issuer, e);
    BIO *bio = certificate == NULL ? NULL : BIO_new(BIO_s_mem());
    int status = bio != NULL && PEM_write_bio_X509(bio, certificate) == 1 ? 0 : -1;

    BIO_free(bio);
    X509_free(certificate);
    return status;
}

/* Leaves in a second of the processor's time; with `same`, all of them for that key. */
static int measure(const struct signer *issuer, const struct key_kind *kind, EVP_PKEY *same,
                   int64_t duration, double *rate, struct error *e)
{
    int64_t began = cpu_now(), now = began;
    long made = 0;

    for (; now - began < duration; made++, now = cpu_now()) {
        EVP_PKEY *key = same == NULL ? key_make(kind, e) : same;
        int status = key == NULL ? -1 : mint(issuer, key, e);

        if (same == NULL)
            EVP_PKEY_free(key);
        if (status < 0)
            return -1;
    }
    *rate = (double)made * (double)NANOSECONDS / (double)(now - began);
    return 0;
}

/* The same from a template, in DER, for a key that came encoded, as in a request: what `fakeca serve`
 * does for each order. */
static int mint_many(struct template *template, struct key_der key, int64_t duration, double *rate,
                     struct error *e)
{
    int64_t began = cpu_now(), now = began;
    struct certificate_spec spec = leaf;
    char serial[SERIAL_TEXT];
    unsigned char *der;
    unsigned made = 0;

    spec.serial = serial;
    for (; now - began < duration; made++) {
        snprintf(serial, sizeof serial, "40000000%08x", made);
        if (template_mint(template, &spec, key, &der, e) < 0)
            return -1;
        free(der);
        if (made % CLOCK_EVERY == 0)
            now = cpu_now();
    }
    *rate = (double)made * (double)NANOSECONDS / (double)(now - began);
    return 0;
}

/* 0 where the issuer's key is one that there are no templates for. */
static int measure_template(const struct signer *issuer, int64_t duration, double *rate,
                            struct error *e)
{
    struct template *template = template_new(&leaf, issuer, e);
    unsigned char *key = NULL;
    int length = template == NULL ? 0 : i2d_PUBKEY(issuer->key, &key);
    int status = 0;

    *rate = 0;
    if (length > 0)
        status = mint_many(template, (struct key_der){key, (size_t)length}, duration, rate, e);
    OPENSSL_free(key);
    template_free(template);
    return status;
}

static int make_issuer(const struct key_kind *kind, struct signer *issuer, struct error *e)
{
    const struct certificate_spec root = {
        .common_name = "Rehearsal Root of a bench - NOT FOR PRODUCTION",
        .serial = "40000000",
        .not_after = 90 * INT64_C(86400),
        .ca = true,
        .path_length = -1,
        .key_usage = KU_KEY_CERT_SIGN,
        .rehearsal = true,
    };

    issuer->key = key_make(kind, e);
    issuer->certificate =
        issuer->key == NULL ? NULL : certificate_make(&root, issuer->key, NULL, e);
    return issuer->certificate == NULL ? -1 : 0;
}

static int bench(const struct arguments *arguments, double rates[3], struct error *e)
{
    const struct key_kind *kind = key_kind_named(arguments->key, e);
    struct signer issuer = {0};
    int status = -1;

    if (kind == NULL)
        return failed_in(e, "--key");
    if (arguments->duration < SHORTEST || arguments->duration > LONGEST)
        return failed(e, "--for: expected 10ms to 60s");
    if (make_issuer(kind, &issuer, e) == 0 &&
        measure(&issuer, kind, NULL, arguments->duration, &rates[0], e) == 0)
        status = measure(&issuer, kind, issuer.key, arguments->duration, &rates[1], e);
    if (status == 0)
        status = measure_template(&issuer, arguments->duration, &rates[2], e);
    X509_free(issuer.certificate);
    EVP_PKEY_free(issuer.key);
    return status;
}

int verb_bench(int argc, char **argv)
{
    struct arguments arguments = {.key = "p256", .duration = NANOSECONDS};
    struct error e;
    double rates[3] = {0};

    if (options_for(bench_options, argc, argv, &arguments, NULL, 0, &e) < 0 ||
        bench(&arguments, rates, &e) < 0)
        return complain(&e);
    if (arguments.json)
        tell_json(json_pack("{s:s, s:f, s:f, s:f}", "key", arguments.key, "leaves_per_second",
                            rates[0], "same_key_per_second", rates[1], "template_per_second",
                            rates[2]));
    else
        printf("%s: %.0f leaves a CPU-second, each with a new key; %.0f with one key for all; %.0f "
               "from a template\n",
               arguments.key, rates[0], rates[1], rates[2]);
    return STATUS_DONE;
}
