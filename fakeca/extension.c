#include "fakeca/extension.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "fakeca/openssl_error.h"
#include "testbed/wire/nearest.h"

static int put(X509 *certificate, int nid, void *value, bool critical, struct error *e)
{
    if (value != NULL &&
        X509_add1_ext_i2d(certificate, nid, value, critical, X509V3_ADD_REPLACE) == 1)
        return 0;
    return openssl_failed(e, OBJ_nid2ln(nid));
}

/* --- names ------------------------------------------------------------------------------------ */

bool name_is_address(const char *name)
{
    unsigned char octets[16];

    return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

int name_check(const char *name, struct error *e)
{
    size_t length = strlen(name), label = 0;

    if (name_is_address(name))
        return 0;
    for (size_t i = 0; i < length; i++) {
        bool dot = name[i] == '.';

        if ((dot && label == 0) ||
            (!dot && !isalnum((unsigned char)name[i]) && strchr("-_*", name[i]) == NULL))
            length = 0; /* an empty label, or no letter of a host name */
        label = dot ? 0 : label + 1;
        if (label > 63)
            length = 0;
    }
    if (length == 0 || length > 253)
        return failed(e, "'%.80s' is not a name; expected a DNS name or an IP address", name);
    return 0;
}

static GENERAL_NAME *general_name(int type, const void *bytes, int length)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = ASN1_STRING_type_new(
        type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING); /* RFC 5280 section 4.2.1.6 */

    if (name == NULL || value == NULL || ASN1_STRING_set(value, bytes, length) != 1) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return name;
}

static GENERAL_NAME *named(const char *text)
{
    unsigned char octets[16];

    if (inet_pton(AF_INET, text, octets) == 1)
        return general_name(GEN_IPADD, octets, 4);
    if (inet_pton(AF_INET6, text, octets) == 1)
        return general_name(GEN_IPADD, octets, 16);
    return general_name(GEN_DNS, text, (int)strlen(text));
}

static int push(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    if (names != NULL && name != NULL && sk_GENERAL_NAME_push(names, name) > 0)
        return 0;
    GENERAL_NAME_free(name);
    return -1;
}

static GENERAL_NAMES *one_uri(const char *url)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    if (push(names, general_name(GEN_URI, url, (int)strlen(url))) == 0)
        return names;
    GENERAL_NAMES_free(names);
    return NULL;
}

int extension_names(X509 *certificate, struct words names, struct error *e)
{
    bool nameless = X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;
    GENERAL_NAMES *all = GENERAL_NAMES_new();
    int status = 0;

    for (size_t i = 0; i < names.count && status == 0; i++)
        status = push(all, named(names.items[i]));
    status = put(certificate, NID_subject_alt_name, status == 0 ? all : NULL, nameless, e);
    GENERAL_NAMES_free(all);
    return status;
}

/* --- what the key may do ---------------------------------------------------------------------- */

int extension_basic(X509 *certificate, bool ca, int path_length, struct error *e)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    int status;

    if (basic == NULL)
        return openssl_failed(e, "make basicConstraints");
    basic->ca = ca ? 0xff : 0;
    if (path_length >= 0) {
        basic->pathlen = ASN1_INTEGER_new();
        ASN1_INTEGER_set(basic->pathlen, path_length);
    }
    status = put(certificate, NID_basic_constraints, basic, true, e);
    BASIC_CONSTRAINTS_free(basic);
    return status;
}

/* In the order of the bits, RFC 5280 section 4.2.1.3. */
static const struct usage {
    const char *word;
    unsigned bit;
} usages[] = {
    {"digitalSignature", KU_DIGITAL_SIGNATURE},
    {"nonRepudiation",   KU_NON_REPUDIATION  },
    {"keyEncipherment",  KU_KEY_ENCIPHERMENT },
    {"dataEncipherment", KU_DATA_ENCIPHERMENT},
    {"keyAgreement",     KU_KEY_AGREEMENT    },
    {"keyCertSign",      KU_KEY_CERT_SIGN    },
    {"cRLSign",          KU_CRL_SIGN         },
    {"encipherOnly",     KU_ENCIPHER_ONLY    },
    {"decipherOnly",     KU_DECIPHER_ONLY    },
};
#define USAGES (sizeof usages / sizeof usages[0])

static int key_usage_word(const char *word, unsigned *bits, struct error *e)
{
    const char *words[USAGES];
    const char *near;

    for (size_t i = 0; i < USAGES; i++) {
        words[i] = usages[i].word;
        if (strcmp(words[i], word) == 0) {
            *bits |= usages[i].bit;
            return 0;
        }
    }
    near = nearest(word, words, USAGES);
    return failed(e, "'%s' is not a key usage; expected %s", word,
                  near != NULL ? near : "a word of RFC 5280, such as digitalSignature");
}

int key_usage_parse(struct words given, unsigned *bits, struct error *e)
{
    *bits = 0;
    for (size_t i = 0; i < given.count; i++)
        if (key_usage_word(given.items[i], bits, e) < 0)
            return -1;
    return 0;
}

int extension_key_usage(X509 *certificate, unsigned bits, struct error *e)
{
    ASN1_BIT_STRING *string = ASN1_BIT_STRING_new();
    int status;

    for (size_t i = 0; i < USAGES && string != NULL; i++)
        if (bits & usages[i].bit)
            ASN1_BIT_STRING_set_bit(string, (int)i, 1);
    status = put(certificate, NID_key_usage, string, true, e);
    ASN1_BIT_STRING_free(string);
    return status;
}

int purposes_check(struct words purposes, struct error *e)
{
    for (size_t i = 0; i < purposes.count; i++)
        if (OBJ_txt2nid(purposes.items[i]) == NID_undef)
            return failed(e,
                          "'%s' is not a purpose; expected serverAuth, clientAuth, codeSigning, "
                          "emailProtection, OCSPSigning or anyExtendedKeyUsage",
                          purposes.items[i]);
    return 0;
}

int extension_purposes(X509 *certificate, struct words purposes, struct error *e)
{
    EXTENDED_KEY_USAGE *all = EXTENDED_KEY_USAGE_new();
    int status;

    for (size_t i = 0; i < purposes.count && all != NULL; i++)
        sk_ASN1_OBJECT_push(all, OBJ_txt2obj(purposes.items[i], 0));
    status = put(certificate, NID_ext_key_usage, all, false, e);
    EXTENDED_KEY_USAGE_free(all);
    return status;
}

/* --- whose key ---------------------------------------------------------------------------------- */

int extension_subject_key(X509 *certificate, struct error *e)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    int status;

    /* SHA-1 as a name, not as a proof: RFC 5280 section 4.2.1.2, method (1) */
    if (octets == NULL || X509_pubkey_digest(certificate, EVP_sha1(), digest, &length) != 1 ||
        ASN1_OCTET_STRING_set(octets, digest, (int)length) != 1) {
        ASN1_OCTET_STRING_free(octets);
        return openssl_failed(e, "make a subject key identifier");
    }
    status = put(certificate, NID_subject_key_identifier, octets, false, e);
    ASN1_OCTET_STRING_free(octets);
    return status;
}

int extension_authority_key(X509 *certificate, const ASN1_OCTET_STRING *octets, struct error *e)
{
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    int status;

    if (id == NULL || (id->keyid = ASN1_OCTET_STRING_dup(octets)) == NULL) {
        AUTHORITY_KEYID_free(id);
        return openssl_failed(e, "make an authority key identifier");
    }
    status = put(certificate, NID_authority_key_identifier, id, false, e);
    AUTHORITY_KEYID_free(id);
    return status;
}

/* --- where to ask ------------------------------------------------------------------------------- */

static int push_location(AUTHORITY_INFO_ACCESS *all, int method, const char *url)
{
    ACCESS_DESCRIPTION *one = ACCESS_DESCRIPTION_new();
    GENERAL_NAME *location = general_name(GEN_URI, url, (int)strlen(url));

    if (one == NULL || location == NULL || sk_ACCESS_DESCRIPTION_push(all, one) <= 0) {
        ACCESS_DESCRIPTION_free(one);
        GENERAL_NAME_free(location);
        return -1;
    }
    one->method = OBJ_nid2obj(method);
    GENERAL_NAME_free(one->location);
    one->location = location;
    return 0;
}

int extension_locations(X509 *certificate, const char *ca_issuers, const char *ocsp,
                        struct error *e)
{
    AUTHORITY_INFO_ACCESS *all = AUTHORITY_INFO_ACCESS_new();
    int status = all == NULL ? -1 : 0;

    if (status == 0 && ocsp != NULL)
        status = push_location(all, NID_ad_OCSP, ocsp);
    if (status == 0 && ca_issuers != NULL)
        status = push_location(all, NID_ad_ca_issuers, ca_issuers);
    status = put(certificate, NID_info_access, status == 0 ? all : NULL, false, e);
    AUTHORITY_INFO_ACCESS_free(all);
    return status;
}

int extension_crl(X509 *certificate, const char *url, struct error *e)
{
    CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *point = DIST_POINT_new();
    int status;

    if (points == NULL || point == NULL || sk_DIST_POINT_push(points, point) <= 0) {
        CRL_DIST_POINTS_free(points);
        DIST_POINT_free(point);
        return openssl_failed(e, "make a CRL distribution point");
    }
    point->distpoint = DIST_POINT_NAME_new();
    if (point->distpoint != NULL) {
        point->distpoint->type = 0; /* fullName */
        point->distpoint->name.fullname = one_uri(url);
    }
    status = put(certificate, NID_crl_distribution_points, points, false, e);
    CRL_DIST_POINTS_free(points);
    return status;
}

/* --- the rest ------------------------------------------------------------------------------------- */

static int put_der(X509 *certificate, ASN1_OBJECT *object, bool critical, const unsigned char *der,
                   int length, struct error *e)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    int status = 0;

    if (value == NULL || ASN1_OCTET_STRING_set(value, der, length) != 1 ||
        X509_EXTENSION_create_by_OBJ(&extension, object, critical, value) == NULL ||
        X509_add_ext(certificate, extension, -1) != 1)
        status = openssl_failed(e, "add an extension");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    return status;
}

int extension_must_staple(X509 *certificate, struct error *e)
{
    /* SEQUENCE OF { INTEGER 5 }: status_request */
    static const unsigned char features[] = {0x30, 0x03, 0x02, 0x01, 0x05};

    extension_remove(certificate, NID_tlsfeature);
    return put_der(certificate, OBJ_nid2obj(NID_tlsfeature), false, features, sizeof features, e);
}

int extension_no_ocsp_check(X509 *certificate, struct error *e)
{
    static const unsigned char null[] = {0x05, 0x00};

    extension_remove(certificate, NID_id_pkix_OCSP_noCheck);
    return put_der(certificate, OBJ_nid2obj(NID_id_pkix_OCSP_noCheck), false, null, sizeof null, e);
}

static int push_subtrees(STACK_OF(GENERAL_SUBTREE) * *trees, struct words names)
{
    if (names.count > 0 && (*trees = sk_GENERAL_SUBTREE_new_null()) == NULL)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();

        if (tree == NULL || sk_GENERAL_SUBTREE_push(*trees, tree) <= 0)
            return -1;
        GENERAL_NAME_free(tree->base);
        tree->base = general_name(GEN_DNS, names.items[i], (int)strlen(names.items[i]));
        if (tree->base == NULL)
            return -1;
    }
    return 0;
}

int extension_name_constraints(X509 *certificate, struct words permitted, struct words excluded,
                               struct error *e)
{
    NAME_CONSTRAINTS *constraints = NAME_CONSTRAINTS_new();
    int status = -1;

    if (constraints != NULL && push_subtrees(&constraints->permittedSubtrees, permitted) == 0 &&
        push_subtrees(&constraints->excludedSubtrees, excluded) == 0)
        status = put(certificate, NID_name_constraints, constraints, true, e);
    else
        openssl_failed(e, "make name constraints");
    NAME_CONSTRAINTS_free(constraints);
    return status;
}

int extension_private(X509 *certificate, const char *oid, bool critical, const char *text,
                      struct error *e)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_UTF8STRING *string = ASN1_UTF8STRING_new();
    unsigned char *der = NULL;
    int length, status;

    if (object == NULL || string == NULL || ASN1_STRING_set(string, text, (int)strlen(text)) != 1 ||
        (length = i2d_ASN1_UTF8STRING(string, &der)) < 0)
        status = openssl_failed(e, "make an extension");
    else
        status = put_der(certificate, object, critical, der, length, e);
    OPENSSL_free(der);
    ASN1_UTF8STRING_free(string);
    ASN1_OBJECT_free(object);
    return status;
}

void extension_remove(X509 *certificate, int nid)
{
    int at;

    while ((at = X509_get_ext_by_NID(certificate, nid, -1)) >= 0)
        X509_EXTENSION_free(X509_delete_ext(certificate, at));
}
