#include "fakeca/ocsp_request.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* --- the request -------------------------------------------------------------------------------- */

/* Nonce ::= OCTET STRING(SIZE(1..128)), inside the OCTET STRING of every extension. */
static bool is_nonce(X509_EXTENSION *extension)
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    const unsigned char *at = ASN1_STRING_get0_data(value), *end = at + ASN1_STRING_length(value);
    ASN1_OCTET_STRING *inner = d2i_ASN1_OCTET_STRING(NULL, &at, ASN1_STRING_length(value));
    int length = inner == NULL || at != end ? 0 : ASN1_STRING_length(inner);

    ASN1_OCTET_STRING_free(inner);
    return length >= 1 && length <= OCSP_NONCE_MOST;
}

/* Extensions that we do not know may be passed over, unless they are critical. */
static bool read_extensions(struct ocsp_request *request)
{
    for (int i = 0; i < OCSP_REQUEST_get_ext_count(request->parsed); i++) {
        X509_EXTENSION *extension = OCSP_REQUEST_get_ext(request->parsed, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (nid == NID_id_pkix_OCSP_Nonce) {
            if (request->nonce != NULL || !is_nonce(extension))
                return false;
            request->nonce = extension;
        } else if (X509_EXTENSION_get_critical(extension) &&
                   nid != NID_id_pkix_OCSP_acceptableResponses)
            return false;
    }
    return true;
}

/* Libcrypto reads digest parameters of tag 0, and writes what it cannot read: none of that can go
 * into an answer. */
static bool can_be_answered(const struct ocsp_request *request)
{
    for (int i = 0; i < request->count; i++) {
        OCSP_CERTID *copy = OCSP_CERTID_dup(ocsp_request_id(request, i)); /* writes and reads */

        if (copy == NULL)
            return false;
        OCSP_CERTID_free(copy);
    }
    return true;
}

OCSP_REQUEST *ocsp_request_parse(const unsigned char *bytes, size_t length,
                                 struct ocsp_request *out)
{
    const unsigned char *at = bytes;

    *out = (struct ocsp_request){0};
    if (length <= OCSP_REQUEST_MOST)
        out->parsed = d2i_OCSP_REQUEST(NULL, &at, (long)length);
    if (out->parsed != NULL)
        out->count = OCSP_request_onereq_count(out->parsed);
    if (at != bytes + length || out->count < 1 || out->count > OCSP_IDS_MOST ||
        !read_extensions(out) || !can_be_answered(out)) {
        OCSP_REQUEST_free(out->parsed);
        *out = (struct ocsp_request){0};
    }
    ERR_clear_error();
    return out->parsed;
}

OCSP_CERTID *ocsp_request_id(const struct ocsp_request *request, int i)
{
    return OCSP_onereq_get0_id(OCSP_request_onereq_get0(request->parsed, i));
}

/* --- the path of a GET -------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Undoes percent-encoding in place; the new length, or -1. */
static int decode_percent(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; to++) {
        bool encoded = *from == '%';
        int high = encoded ? hex_digit(from[1]) : 0;
        int low = encoded && high >= 0 ? hex_digit(from[2]) : 0;

        if (high < 0 || low < 0)
            return -1;
        *(unsigned char *)to = (unsigned char)(encoded ? high << 4 | low : *from);
        from += encoded ? 3 : 1;
    }
    *to = '\0';
    return (int)(to - text);
}

/* How many '=' end a text that is base64 of something; -1 where it is not. */
static int padding_of(const char *text, size_t length)
{
    size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789+/");
    size_t padding = length - letters;

    if (length == 0 || length % 4 != 0 || padding > 2 || strspn(text + letters, "=") != padding)
        return -1;
    return (int)padding;
}

static int decode_base64(const char *text, size_t length, struct blob *out, struct error *e)
{
    int padding = padding_of(text, length);

    *out = (struct blob){0};
    if (padding < 0)
        return failed(e, "the path of an OCSP request: not base64 (RFC 6960 appendix A.1)");
    out->bytes = malloc(length / 4 * 3);
    if (out->bytes == NULL)
        return failed(e, "out of memory");
    EVP_DecodeBlock(out->bytes, (const unsigned char *)text, (int)length);
    out->length = length / 4 * 3 - (size_t)padding;
    return 0;
}

int ocsp_request_of_path(const char *path, struct blob *out, struct error *e)
{
    char *text;
    int length, status;

    *out = (struct blob){0};
    if (*path == '/')
        path++;
    /* three characters for each of four that stand for three octets, at the very most */
    if (strnlen(path, OCSP_REQUEST_MOST * 4 + 1) > OCSP_REQUEST_MOST * 4)
        return failed(e, "the path of an OCSP request: longer than %u octets", OCSP_REQUEST_MOST);
    text = strdup(path);
    if (text == NULL)
        return failed(e, "out of memory");
    length = decode_percent(text);
    if (length < 0)
        status = failed(e, "the path of an OCSP request: '%%' without two hexadecimal digits");
    else
        status = decode_base64(text, (size_t)length, out, e);
    free(text);
    return status;
}
