#include "fakeca/request.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/extension.h"
#include "fakeca/openssl_error.h"

#define NAMES_MOST 101 /* one more than an order may have, so that too many are seen */

/* --- PKCS#10 ------------------------------------------------------------------------------------ */

/* clang-format off */
/* RFC 2986 section 4.  The parser is libcrypto's; its own X509_REQ would hand the key to a decoder at once, which
 * key_decode knows to avoid. */
struct information {
    ASN1_ENCODING enc; /* its octets, which are what is signed */
    ASN1_INTEGER *version;
    X509_NAME *subject;
    ASN1_STRING *key; /* whole, as it came */
    STACK_OF(X509_ATTRIBUTE) *attributes;
};

struct pkcs10 {
    struct information *information;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
};

typedef struct information INFORMATION;
typedef struct pkcs10 PKCS10;
ASN1_SEQUENCE_enc(INFORMATION, enc, 0) = {
    ASN1_SIMPLE(INFORMATION, version, ASN1_INTEGER),
    ASN1_SIMPLE(INFORMATION, subject, X509_NAME),
    ASN1_SIMPLE(INFORMATION, key, ASN1_SEQUENCE),
    ASN1_IMP_SET_OF_OPT(INFORMATION, attributes, X509_ATTRIBUTE, 0), /* required, and often left out */
} static_ASN1_SEQUENCE_END_ref(INFORMATION, INFORMATION)
ASN1_SEQUENCE(PKCS10) = {
    ASN1_SIMPLE(PKCS10, information, INFORMATION),
    ASN1_SIMPLE(PKCS10, algorithm, X509_ALGOR),
    ASN1_SIMPLE(PKCS10, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(PKCS10)

/* What the attribute that is there for it asks for (RFC 2985 section 5.4.2; Microsoft has one of its own). */
static STACK_OF(X509_EXTENSION) *extensions_of(const struct pkcs10 *parsed)
{
    const STACK_OF(X509_ATTRIBUTE) *attributes = parsed->information->attributes;
    int standard = X509at_get_attr_by_NID(attributes, NID_ext_req, -1);
    int at = standard >= 0 ? standard : X509at_get_attr_by_NID(attributes, NID_ms_ext_req, -1);
    X509_ATTRIBUTE *attribute = at < 0 ? NULL : X509at_get_attr(attributes, at);
    const ASN1_STRING *value = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_SEQUENCE, NULL);
    const unsigned char *der = value == NULL ? NULL : ASN1_STRING_get0_data(value);

    return der == NULL ? NULL : d2i_X509_EXTENSIONS(NULL, &der, ASN1_STRING_length(value));
}
/* clang-format on */

/* --- its names ---------------------------------------------------------------------------------- */

static int add_name(struct request *request, const char *name, size_t length, struct error *e)
{
    char text[256];
    json_t *one;
    size_t i;

    if (length == 0 || length >= sizeof text || memchr(name, '\0', length) != NULL)
        return failed(e, "the request has a name that is none");
    for (i = 0; i < length; i++)
        text[i] = (char)tolower((unsigned char)name[i]);
    text[length] = '\0';
    json_array_foreach (request->names, i, one)
        if (strcmp(json_string_value(one), text) == 0)
            return 0;
    if (json_array_size(request->names) == NAMES_MOST)
        return failed(e, "the request has more than %d names", NAMES_MOST - 1);
    return json_array_append_new(request->names, json_string(text)) == 0
               ? 0
               : failed(e, "the request has a name that is none");
}

static int add_address(struct request *request, const ASN1_OCTET_STRING *octets, struct error *e)
{
    int length = ASN1_STRING_length(octets);
    char text[INET6_ADDRSTRLEN];

    if ((length != 4 && length != 16) ||
        inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text,
                  sizeof text) == NULL)
        return failed(e, "the request has an address that is none");
    return add_name(request, text, strlen(text), e);
}

static int add_dns_name(struct request *request, const ASN1_IA5STRING *name, struct error *e)
{
    const char *text = (const char *)ASN1_STRING_get0_data(name);

    if (name_is_address(text))
        return failed(e, "the request has the address %s as a DNS name", text);
    return add_name(request, text, (size_t)ASN1_STRING_length(name), e);
}

static int add_alternatives(struct request *request, const GENERAL_NAMES *names, struct error *e)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        int status = -1;

        if (name->type == GEN_DNS)
            status = add_dns_name(request, name->d.dNSName, e);
        else if (name->type == GEN_IPADD)
            status = add_address(request, name->d.iPAddress, e);
        else
            failed(e, "the request has a name that is neither a DNS name nor an address");
        if (status < 0)
            return -1;
    }
    return 0;
}

static int add_common_name(struct request *request, struct error *e)
{
    X509_NAME *subject = request->parsed->information->subject;
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    int length, status;

    if (at < 0)
        return 0;
    length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length < 0)
        return openssl_failed(e, "read the request's common name");
    /* an empty one is what `openssl req -subj /CN=` and its like make */
    status = length == 0 ? 0 : add_name(request, (char *)text, (size_t)length, e);
    OPENSSL_free(text);
    return status;
}

static int read_extensions(struct request *request, struct error *e)
{
    STACK_OF(X509_EXTENSION) *extensions = extensions_of(request->parsed);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    int status = add_alternatives(request, names, e);

    request->must_staple = X509v3_get_ext_by_NID(extensions, NID_tlsfeature, -1) >= 0;
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ERR_clear_error();
    return status;
}

/* --- the whole ---------------------------------------------------------------------------------- */

static int check_key(struct request *request, struct error *e)
{
    const struct pkcs10 *parsed = request->parsed;
    const ASN1_STRING *key = parsed->information->key;
    struct error unused;

    request->encoded =
        (struct key_der){ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key)};
    request->key = key_decode(request->encoded, &unused);
    request->kind = request->key == NULL ? NULL : key_kind_of(request->key);
    if (request->kind == NULL || request->kind->weak)
        return failed(e, "the request's key is none of %s", key_kinds());
    if (ASN1_item_verify(ASN1_ITEM_rptr(INFORMATION), parsed->algorithm, parsed->signature,
                         parsed->information, request->key) != 1)
        return failed(e, "the request's signature does not fit");
    return 0;
}

int request_read(const unsigned char *der, size_t length, struct request *request, struct error *e)
{
    const unsigned char *at = der;

    *request = (struct request){
        .names = json_array(),
        .parsed = (struct pkcs10 *)ASN1_item_d2i(NULL, &at, (long)length, ASN1_ITEM_rptr(PKCS10)),
    };
    if (request->parsed == NULL || at != der + length)
        return ERR_clear_error(), failed(e, "the request is not PKCS#10 in DER");
    if (check_key(request, e) < 0)
        return ERR_clear_error(), -1;
    return add_common_name(request, e) < 0 ? -1 : read_extensions(request, e);
}

int request_matches(const struct request *request, const json_t *identifiers, struct error *e)
{
    json_t *identifier, *name;
    size_t i, k;

    json_array_foreach (identifiers, i, identifier) {
        const char *value = json_string_value(json_object_get(identifier, "value"));
        bool found = false;

        json_array_foreach (request->names, k, name)
            found = found || strcmp(json_string_value(name), value) == 0;
        if (!found)
            return failed(e, "the request lacks %s, which was ordered", value);
    }
    if (json_array_size(request->names) != json_array_size(identifiers))
        return failed(e, "the request has %zu names, %zu were ordered",
                      json_array_size(request->names), json_array_size(identifiers));
    return 0;
}

void request_free(struct request *request)
{
    ASN1_item_free((ASN1_VALUE *)request->parsed, ASN1_ITEM_rptr(PKCS10));
    key_done(request->key);
    json_decref(request->names);
}
