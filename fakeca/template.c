#include "fakeca/template.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakeca/der.h"
#include "fakeca/openssl_error.h"

#define SIGNATURE_MOST 1100 /* of an RSA key of 8192 bits, and its wrapping */
#define PURPOSES_MOST  8
#define RUNS           3 /* of extensions: before the key's identifier, before the names, after them */

struct piece {
    const unsigned char *at; /* in `sample` */
    size_t length;
};

struct template
{
    /* what it is for */
    struct certificate_spec spec; /* its texts are ours */
    char *purposes[PURPOSES_MOST];
    X509 *issuer;
    /* what it is made of */
    unsigned char *sample;   /* a whole certificate, made by certificate_make */
    struct piece version;    /* [0], as it is */
    struct piece algorithm;  /* of the signature */
    struct piece middle;     /* the same and the issuer's name */
    struct piece runs[RUNS]; /* of extensions */
    EVP_PKEY_CTX *signing;
    EVP_MD *digest, *identifying; /* fetched once: that takes longer than to use them */
    EVP_MD_CTX *digesting;
};

/* The element at `*at`, header and all; moves past it, or into it where `inside`. */
static struct piece element(const unsigned char **at, const unsigned char *end, bool inside)
{
    const unsigned char *start = *at;
    long length;
    int tag, class;

    ASN1_get_object(at, &length, &tag, &class, end - start);
    if (!inside)
        *at += length;
    return (struct piece){start, (size_t)(*at - start)};
}

static void put_piece(struct der *w, struct piece piece)
{
    der_put(w, piece.at, piece.length);
}

/* --- the five that differ ----------------------------------------------------------------------- */

static int digit_of(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static void put_serial(struct der *w, const char *hex)
{
    const unsigned char *end = w->at;
    size_t length;

    hex += strspn(hex, "0");
    length = strlen(hex);
    if (length == 0)
        der_octet(w, 0);
    for (; length > 1; length -= 2)
        der_octet(w, (unsigned)(digit_of(hex[length - 2]) << 4 | digit_of(hex[length - 1])));
    if (length == 1)
        der_octet(w, (unsigned)digit_of(*hex));
    if (*w->at & 0x80) /* or it would be a negative one */
        der_octet(w, 0);
    der_wrap(w, TAG_INTEGER, end);
}

/* RFC 5280 section 4.1.2.5: two digits of a year from 1950 to 2049, else four. */
static void put_time(struct der *w, int64_t when)
{
    time_t seconds = (time_t)when;
    char text[32];
    struct tm tm;
    bool two;

    gmtime_r(&seconds, &tm);
    two = tm.tm_year >= 50 && tm.tm_year < 150;
    snprintf(text, sizeof text, two ? "%02d" : "%04d", two ? tm.tm_year % 100 : tm.tm_year + 1900);
    strftime(text + strlen(text), 16, "%m%d%H%M%SZ", &tm);
    der_put(w, text, strlen(text));
    der_header(w, two ? TAG_UTC_TIME : TAG_GENERALIZED_TIME, strlen(text));
}

static bool is_nameless(const struct certificate_spec *spec)
{
    return spec->common_name == NULL || strlen(spec->common_name) > COMMON_NAME_MOST;
}

static void put_subject(struct der *w, const struct certificate_spec *spec)
{
    static const unsigned char type[] = {0x06, 0x03, 0x55, 0x04, 0x03};
    const unsigned char *end = w->at;

    if (!is_nameless(spec)) {
        der_put(w, spec->common_name, strlen(spec->common_name));
        der_wrap(w, TAG_UTF8_STRING, end);
        der_put(w, type, sizeof type);
        der_wrap(w, TAG_SEQUENCE, end);
        der_wrap(w, TAG_SET, end);
    }
    der_wrap(w, TAG_SEQUENCE, end);
}

static void put_name(struct der *w, const char *name)
{
    unsigned char octets[16];
    size_t length = strlen(name);

    if (inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1) {
        length = strchr(name, ':') == NULL ? 4 : 16;
        der_put(w, octets, length);
        der_header(w, TAG_IP_ADDRESS, length);
    } else {
        der_put(w, name, length);
        der_header(w, TAG_DNS_NAME, length);
    }
}

/* Critical where the subject is empty, as extension_names has it. */
static void put_names(struct der *w, const struct certificate_spec *spec)
{
    static const unsigned char type[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    const unsigned char *end = w->at;

    for (size_t i = spec->names.count; i-- > 0;)
        put_name(w, spec->names.items[i]);
    der_wrap(w, TAG_SEQUENCE, end);
    der_wrap(w, TAG_OCTET_STRING, end);
    if (is_nameless(spec)) {
        der_octet(w, 0xff);
        der_header(w, TAG_BOOLEAN, 1);
    }
    der_put(w, type, sizeof type);
    der_wrap(w, TAG_SEQUENCE, end);
}

/* The subject's. */
struct key {
    struct piece encoded; /* subjectPublicKeyInfo */
    unsigned char identifier[EVP_MAX_MD_SIZE];
    unsigned identifier_length;
};

static int digest_with(const struct template *template, const EVP_MD *how, struct piece of,
                       unsigned char out[EVP_MAX_MD_SIZE], unsigned *length)
{
    return EVP_DigestInit_ex2(template->digesting, how, NULL) == 1 &&
                   EVP_DigestUpdate(template->digesting, of.at, of.length) == 1 &&
                   EVP_DigestFinal_ex(template->digesting, out, length) == 1
               ? 0
               : -1;
}

static void put_key_identifier(struct der *w, const struct key *key)
{
    static const unsigned char type[] = {0x06, 0x03, 0x55, 0x1d, 0x0e};
    const unsigned char *end = w->at;

    der_put(w, key->identifier, key->identifier_length);
    der_wrap(w, TAG_OCTET_STRING, end);
    der_wrap(w, TAG_OCTET_STRING, end);
    der_put(w, type, sizeof type);
    der_wrap(w, TAG_SEQUENCE, end);
}

/* --- minting ------------------------------------------------------------------------------------ */

/* The part that is signed; all that is in it goes backwards. */
static void put_signed_part(const struct template *template, const struct certificate_spec *spec,
                            const struct key *key, struct der *w)
{
    const unsigned char *end = w->at, *stop;

    put_piece(w, template->runs[2]);
    put_names(w, spec);
    put_piece(w, template->runs[1]);
    put_key_identifier(w, key);
    put_piece(w, template->runs[0]);
    der_wrap(w, TAG_SEQUENCE, end);
    der_wrap(w, TAG_EXTENSIONS, end);
    put_piece(w, key->encoded);
    put_subject(w, spec);
    stop = w->at;
    put_time(w, spec->not_after);
    put_time(w, spec->not_before);
    der_wrap(w, TAG_SEQUENCE, stop);
    put_piece(w, template->middle);
    put_serial(w, spec->serial);
    put_piece(w, template->version);
    der_wrap(w, TAG_SEQUENCE, end);
}

static int sign(struct template *template, struct piece part, unsigned char *signature,
                size_t *length, struct error *e)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned octets = 0;

    if (digest_with(template, template->digest, part, digest, &octets) == 0 &&
        EVP_PKEY_sign(template->signing, signature, length, digest, octets) == 1)
        return 0;
    return openssl_failed(e, "sign a certificate");
}

static ssize_t whole(struct template *template, struct piece part, unsigned char **der,
                     struct error *e)
{
    unsigned char signature[SIGNATURE_MOST];
    size_t length = sizeof signature, room;
    struct der w;

    if (sign(template, part, signature, &length, e) < 0)
        return -1;
    room = part.length + template->algorithm.length + length + 32;
    *der = malloc(room);
    if (*der == NULL)
        return failed(e, "out of memory");
    w.at = *der + room;
    der_put(&w, signature, length);
    der_octet(&w, 0); /* bits that are left over in the last octet */
    der_wrap(&w, TAG_BIT_STRING, *der + room);
    put_piece(&w, template->algorithm);
    put_piece(&w, part);
    der_wrap(&w, TAG_SEQUENCE, *der + room);
    length = (size_t)(*der + room - w.at);
    memmove(*der, w.at, length);
    return (ssize_t)length;
}

static int check_spec(const struct certificate_spec *spec, struct error *e)
{
    size_t digits = strspn(spec->serial, "0123456789abcdefABCDEF");

    for (size_t i = 0; i < spec->names.count; i++)
        if (name_check(spec->names.items[i], e) < 0)
            return -1;
    if (spec->common_name != NULL && name_check(spec->common_name, e) < 0)
        return -1;
    if (digits == 0 || spec->serial[digits] != '\0' || digits > 64)
        return failed(e, "'%.80s' is no serial number", spec->serial);
    if (spec->not_before < FIRST_MOMENT || spec->not_before > LAST_MOMENT ||
        spec->not_after < FIRST_MOMENT || spec->not_after > LAST_MOMENT)
        return failed(e, "a certificate cannot hold dates outside the years 0000 to 9999");
    return 0;
}

/* Enough for all that is put into the signed part, and for the headers around it. */
static size_t room_for(const struct template *template, const struct certificate_spec *spec,
                       size_t key)
{
    size_t room = 512 + template->version.length + template->middle.length + key;

    for (size_t i = 0; i < RUNS; i++)
        room += template->runs[i].length;
    for (size_t i = 0; i < spec->names.count; i++)
        room += strlen(spec->names.items[i]) + 16;
    return room;
}

/* SHA-1 as a name, not as a proof: RFC 5280 section 4.2.1.2, method (1), of the key's bit string without the
 * octet that counts unused bits */
static int identify(const struct template *template, struct key *key)
{
    const unsigned char *at = key->encoded.at, *end = at + key->encoded.length;

    element(&at, end, true);
    element(&at, end, false); /* the algorithm */
    element(&at, end, true);
    return at < end ? digest_with(template, template->identifying,
                                  (struct piece){at + 1, (size_t)(end - at) - 1}, key->identifier,
                                  &key->identifier_length)
                    : -1;
}

static ssize_t mint(struct template *template, const struct certificate_spec *spec,
                    const struct key *key, unsigned char **der, struct error *e)
{
    size_t room = room_for(template, spec, key->encoded.length);
    unsigned char *part = malloc(room);
    struct der w = {.at = part + room};
    ssize_t length;

    if (part == NULL)
        return failed(e, "out of memory");
    put_signed_part(template, spec, key, &w);
    length = whole(template, (struct piece){w.at, (size_t)(part + room - w.at)}, der, e);
    free(part);
    return length;
}

ssize_t template_mint(struct template *template, const struct certificate_spec *spec,
                      struct key_der encoded, unsigned char **der, struct error *e)
{
    struct key key = {
        .encoded = {encoded.octets, encoded.length}
    };

    if (check_spec(spec, e) < 0)
        return -1;
    if (identify(template, &key) < 0)
        return openssl_failed(e, "encode a key");
    return mint(template, spec, &key, der, e);
}

/* --- taking the sample apart -------------------------------------------------------------------- */

static bool is_of_type(struct piece extension, unsigned char last)
{
    const unsigned char type[] = {0x06, 0x03, 0x55, 0x1d, last}, *at = extension.at;

    element(&at, extension.at + extension.length, true);
    return memcmp(at, type, sizeof type) == 0;
}

/* The runs of extensions between the two that differ; -1 where those are not there. */
static int take_runs(struct template *template, const unsigned char *at, const unsigned char *end)
{
    static const unsigned char differ[RUNS - 1] = {0x0e, 0x11}; /* identifier of the key, names */
    size_t run = 0;

    template->runs[0].at = at;
    while (at < end) {
        struct piece one = element(&at, end, false);

        if (run < RUNS - 1 && is_of_type(one, differ[run]))
            template->runs[++run].at = at;
        else
            template->runs[run].length += one.length;
    }
    return run == RUNS - 1 ? 0 : -1;
}

static int take_apart(struct template *template, size_t length)
{
    const unsigned char *at = template->sample, *end = at + length;
    struct piece issuer;

    element(&at, end, true); /* the certificate */
    element(&at, end, true); /* what is signed of it */
    template->version = element(&at, end, false);
    element(&at, end, false); /* the serial number */
    template->algorithm = element(&at, end, false);
    issuer = element(&at, end, false);
    template->middle =
        (struct piece){template->algorithm.at, template->algorithm.length + issuer.length};
    element(&at, end, false); /* the dates */
    element(&at, end, false); /* the subject */
    element(&at, end, false); /* its key */
    end = at;
    element(&end, template->sample + length, false);
    element(&at, end, true); /* [3] */
    element(&at, end, true);
    return take_runs(template, at, end);
}

/* --- beginning and ending ----------------------------------------------------------------------- */

static bool same(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool same_words(struct words one, struct words other)
{
    if (one.count != other.count)
        return false;
    for (size_t i = 0; i < one.count; i++)
        if (strcmp(one.items[i], other.items[i]) != 0)
            return false;
    return true;
}

/* What no template is for. */
static bool is_plain(const struct certificate_spec *spec)
{
    return !spec->ca && !spec->rehearsal && spec->organization == NULL && spec->names.count > 0 &&
           spec->permitted.count + spec->excluded.count == 0 &&
           spec->purposes.count <= PURPOSES_MOST;
}

bool template_fits(const struct template *template, const struct certificate_spec *spec,
                   const struct signer *issuer)
{
    const struct certificate_spec *mine = &template->spec;

    return is_plain(spec) && X509_cmp(template->issuer, issuer->certificate) == 0 &&
           spec->key_usage == mine->key_usage && spec->must_staple == mine->must_staple &&
           same_words(spec->purposes, mine->purposes) && same(spec->ca_issuers, mine->ca_issuers) &&
           same(spec->ocsp, mine->ocsp) && same(spec->crl, mine->crl);
}

static char *copy_of(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static void remember(struct template *template, const struct certificate_spec *spec,
                     const struct signer *issuer)
{
    template->spec = (struct certificate_spec){
        .key_usage = spec->key_usage,
        .must_staple = spec->must_staple,
        .purposes = {(const char *const *)template->purposes, spec->purposes.count},
        .ca_issuers = copy_of(spec->ca_issuers),
        .ocsp = copy_of(spec->ocsp),
        .crl = copy_of(spec->crl),
    };
    for (size_t i = 0; i < spec->purposes.count; i++)
        template->purposes[i] = copy_of(spec->purposes.items[i]);
    X509_up_ref(issuer->certificate);
    template->issuer = issuer->certificate;
}

static int prepare_signing(struct template *template, EVP_PKEY *key, struct error *e)
{
    template->digest = EVP_MD_fetch(NULL, EVP_MD_get0_name(signing_digest(key)), NULL);
    template->identifying = EVP_MD_fetch(NULL, "SHA1", NULL);
    template->digesting = EVP_MD_CTX_new();
    template->signing = EVP_PKEY_CTX_new(key, NULL);
    if (template->digest == NULL || template->identifying == NULL || template->digesting == NULL ||
        template->signing == NULL || EVP_PKEY_sign_init(template->signing) != 1 ||
        EVP_PKEY_CTX_set_signature_md(template->signing, template->digest) != 1)
        return openssl_failed(e, "sign with a template");
    return 0;
}

static int fill(struct template *template, const struct certificate_spec *spec,
                const struct signer *issuer, struct error *e)
{
    X509 *sample = certificate_make(spec, issuer->key, issuer, e);
    int length = sample == NULL ? -1 : i2d_X509(sample, &template->sample);

    X509_free(sample);
    if (length < 0)
        return -1;
    if (take_apart(template, (size_t)length) < 0)
        return failed(e, "a sample without names or key identifier");
    remember(template, spec, issuer);
    return prepare_signing(template, issuer->key, e);
}

struct template *template_new(const struct certificate_spec *spec, const struct signer *issuer,
                              struct error *e)
{
    struct template *template = calloc(1, sizeof *template);

    if (template == NULL)
        return failed(e, "out of memory"), NULL;
    if (!is_plain(spec) || signing_digest(issuer->key) == NULL)
        failed(e, "there is no template for such certificates");
    else if (fill(template, spec, issuer, e) == 0)
        return template;
    template_free(template);
    return NULL;
}

void template_free(struct template *template)
{
    if (template == NULL)
        return;
    for (size_t i = 0; i < PURPOSES_MOST; i++)
        free(template->purposes[i]);
    free((char *)template->spec.ca_issuers);
    free((char *)template->spec.ocsp);
    free((char *)template->spec.crl);
    EVP_PKEY_CTX_free(template->signing);
    EVP_MD_CTX_free(template->digesting);
    EVP_MD_free(template->identifying);
    EVP_MD_free(template->digest);
    X509_free(template->issuer);
    OPENSSL_free(template->sample);
    free(template);
}
