#include "fakeca/show.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakeca/certificate.h"
#include "fakeca/files.h"
#include "fakeca/key.h"
#include "testbed/wire/moment.h"

/* --- pieces ------------------------------------------------------------------------------------- */

/* jansson takes UTF-8 only; what a certificate holds may be anything. */
static json_t *text_json(const char *bytes, size_t length)
{
    json_t *text = json_stringn(bytes, length);

    return text != NULL ? text : json_string("(not UTF-8)");
}

static json_t *name_json(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    json_t *text = NULL;
    char *bytes;

    /* RFC 2253 escapes everything that is not printable ASCII */
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        long length = BIO_get_mem_data(bio, &bytes);

        text = text_json(length > 0 ? bytes : "", (size_t)length);
    }
    BIO_free(bio);
    return text == NULL ? json_null() : text;
}

static json_t *hex_json(const unsigned char *bytes, size_t length)
{
    char hex[2 * 64 + 1] = "";

    for (size_t i = 0; i < length && i < 64; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return json_string(hex);
}

static json_t *octets_json(const ASN1_OCTET_STRING *octets)
{
    if (octets == NULL)
        return json_null();
    return hex_json(ASN1_STRING_get0_data(octets), (size_t)ASN1_STRING_length(octets));
}

static json_t *address_json(const ASN1_OCTET_STRING *octets)
{
    int family = ASN1_STRING_length(octets) == 4 ? AF_INET : AF_INET6;
    char text[INET6_ADDRSTRLEN];

    if ((family == AF_INET6 && ASN1_STRING_length(octets) != 16) ||
        inet_ntop(family, ASN1_STRING_get0_data(octets), text, sizeof text) == NULL)
        return octets_json(octets);
    return json_string(text);
}

static json_t *names_json(X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    json_t *all = json_array();

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        if (type == GEN_DNS || type == GEN_URI || type == GEN_EMAIL)
            json_array_append_new(all, text_json((const char *)ASN1_STRING_get0_data(value),
                                                 (size_t)ASN1_STRING_length(value)));
        else if (type == GEN_IPADD)
            json_array_append_new(all, address_json(value));
    }
    GENERAL_NAMES_free(names);
    return all;
}

static json_t *purposes_json(X509 *certificate)
{
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    json_t *all = json_array();

    for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
        char text[128];
        const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(purposes, i);
        int nid = OBJ_obj2nid(object);

        OBJ_obj2txt(text, sizeof text, object, 1);
        json_array_append_new(all, json_string(nid == NID_undef ? text : OBJ_nid2sn(nid)));
    }
    EXTENDED_KEY_USAGE_free(purposes);
    return all;
}

static json_t *key_json(X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const struct key_kind *kind = key == NULL ? NULL : key_kind_of(key);
    char text[64];

    if (key == NULL)
        return json_null();
    if (kind != NULL)
        return json_string(kind->name);
    snprintf(text, sizeof text, "%.40s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
    return json_string(text);
}

static json_t *time_json(const ASN1_TIME *time)
{
    int64_t seconds = time == NULL ? INT64_MIN : time_of(time);

    return seconds == INT64_MIN ? json_null() : json_integer((json_int_t)seconds);
}

/* --- things ------------------------------------------------------------------------------------- */

static json_t *show_certificate(X509 *certificate)
{
    char serial[SERIAL_TEXT];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    /* looked up first, for this is what makes libcrypto read the extensions */
    bool ca = X509_check_ca(certificate) == 1;
    long path_length = X509_get_pathlen(certificate);

    certificate_serial(certificate, serial);
    X509_digest(certificate, EVP_sha256(), digest, &length);
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "kind",
        "certificate", "subject", name_json(X509_get_subject_name(certificate)), "issuer",
        name_json(X509_get_issuer_name(certificate)), "serial", serial, "not_before",
        time_json(X509_get0_notBefore(certificate)), "not_after",
        time_json(X509_get0_notAfter(certificate)), "key", key_json(certificate), "signature",
        OBJ_nid2ln(X509_get_signature_nid(certificate)), "names", names_json(certificate), "ca", ca,
        "path_length", ca && path_length >= 0 ? json_integer(path_length) : json_null(), "purposes",
        purposes_json(certificate), "subject_key",
        octets_json(X509_get0_subject_key_id(certificate)), "authority_key",
        octets_json(X509_get0_authority_key_id(certificate)), "sha256", hex_json(digest, length));
}

static json_t *show_crl(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    json_t *serials = json_array();

    for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
        char serial[SERIAL_TEXT];

        serial_text(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)), serial);
        json_array_append_new(serials, json_string(serial));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", "crl", "issuer",
                     name_json(X509_CRL_get_issuer(crl)), "this_update",
                     time_json(X509_CRL_get0_lastUpdate(crl)), "next_update",
                     time_json(X509_CRL_get0_nextUpdate(crl)), "revoked", serials);
}

static json_t *show_answer(OCSP_BASICRESP *basic, int i)
{
    OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL, *at = NULL;
    int reason, status = OCSP_single_get0_status(single, &reason, &at, &from, &until);
    ASN1_INTEGER *number = NULL;
    char serial[SERIAL_TEXT] = "";

    OCSP_id_get0_info(NULL, NULL, NULL, &number, (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single));
    if (number != NULL)
        serial_text(number, serial);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "kind", "ocsp", "serial", serial, "status",
                     OCSP_cert_status_str(status), "this_update", time_json(from), "next_update",
                     time_json(until), "revoked_at", time_json(at));
}

static json_t *show_damaged(const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    json_t *thing = json_pack("{s:s, s:s, s:s}", "kind", "damaged", "what", what, "why",
                              reason == NULL ? "unreadable" : reason);

    ERR_clear_error();
    return thing;
}

/* --- files -------------------------------------------------------------------------------------- */

static json_t *show_ocsp(const unsigned char *bytes, size_t length)
{
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, (long)length);
    OCSP_BASICRESP *basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
    json_t *things = json_array();

    for (int i = 0; basic != NULL && i < OCSP_resp_count(basic); i++)
        json_array_append_new(things, show_answer(basic, i));
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return things;
}

static json_t *show_block(const char *label, const unsigned char *bytes, long length)
{
    const unsigned char *at = bytes;
    json_t *thing = NULL;

    if (strcmp(label, PEM_STRING_X509) == 0) {
        X509 *certificate = d2i_X509(NULL, &at, length);

        thing = certificate == NULL ? show_damaged(label) : show_certificate(certificate);
        X509_free(certificate);
        if (at != bytes + length &&
            strcmp(json_string_value(json_object_get(thing, "kind")), "certificate") == 0)
            json_object_set_new(thing, "trailing_bytes", json_integer(bytes + length - at));
    } else if (strcmp(label, PEM_STRING_X509_CRL) == 0) {
        X509_CRL *crl = d2i_X509_CRL(NULL, &at, length);

        thing = crl == NULL ? show_damaged(label) : show_crl(crl);
        X509_CRL_free(crl);
    }
    return thing; /* keys and whatever else: not shown */
}

static json_t *show_pem(const char *text, size_t length)
{
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    json_t *things = json_array();
    char *label, *header;
    unsigned char *bytes;
    long size;

    while (bio != NULL && PEM_read_bio(bio, &label, &header, &bytes, &size) == 1) {
        json_t *thing = show_block(label, bytes, size);

        if (thing != NULL)
            json_array_append_new(things, thing);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(bytes);
    }
    BIO_free(bio);
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        json_array_append_new(things, show_damaged("PEM"));
    ERR_clear_error();
    return things;
}

static json_t *show_der(const unsigned char *bytes, size_t length)
{
    json_t *things = show_ocsp(bytes, length);

    if (json_array_size(things) == 0) {
        json_t *thing = show_block(PEM_STRING_X509, bytes, (long)length);

        if (strcmp(json_string_value(json_object_get(thing, "kind")), "damaged") == 0)
            json_decref(thing);
        else
            json_array_append_new(things, thing);
    }
    ERR_clear_error();
    return things;
}

static char *read_path(const char *path, size_t *length, struct error *e)
{
    struct stat about;
    int directory;
    char *bytes;

    if (stat(path, &about) < 0 || !S_ISDIR(about.st_mode))
        return file_read(AT_FDCWD, path, length, e);
    directory = directory_open(path, e);
    bytes = directory < 0 ? NULL : file_read(directory, "chain.pem", length, e);
    if (directory >= 0)
        close(directory);
    if (bytes == NULL)
        failed_in(e, path);
    return bytes;
}

json_t *show_file(const char *path, struct error *e)
{
    size_t length;
    char *bytes = read_path(path, &length, e);
    json_t *things;

    if (bytes == NULL)
        return NULL;
    things = strstr(bytes, "-----BEGIN ") != NULL ? show_pem(bytes, length)
                                                  : show_der((unsigned char *)bytes, length);
    free(bytes);
    if (json_array_size(things) > 0)
        return things;
    json_decref(things);
    return failed(e, "%s: neither a certificate, a CRL nor an OCSP response in it", path), NULL;
}

/* --- for people --------------------------------------------------------------------------------- */

static void print_value(const char *field, const json_t *value, FILE *out)
{
    static const char *const times[] = {"not_before", "not_after", "this_update", "next_update",
                                        "revoked_at"};
    char moment[MOMENT_TEXT];

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (strcmp(times[i], field) == 0) {
            moment_format(json_integer_value(value), moment);
            fputs(moment, out);
            return;
        }
    if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "yes" : "no", out);
    else
        fputs(json_string_value(value), out);
}

static void print_field(const char *field, const json_t *value, FILE *out)
{
    size_t i;
    json_t *item;

    if (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
        return;
    fprintf(out, "  %-15s ", field);
    if (!json_is_array(value))
        print_value(field, value, out);
    json_array_foreach (value, i, item) {
        fputs(i == 0 ? "" : ", ", out);
        print_value("", item, out);
    }
    fputc('\n', out);
}

void show_print(const json_t *things, FILE *out)
{
    size_t i;
    json_t *thing, *value;
    const char *field;

    json_array_foreach (things, i, thing) {
        fprintf(out, "%zu: %s\n", i, json_string_value(json_object_get(thing, "kind")));
        json_object_foreach (thing, field, value)
            if (strcmp(field, "kind") != 0)
                print_field(field, value, out);
    }
}
