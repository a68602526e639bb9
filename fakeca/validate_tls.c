/* tls-alpn-01: RFC 8737; for addresses RFC 8738 section 6. */
#include <arpa/inet.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fakeca/extension.h"
#include "fakeca/validate_parts.h"

#define OID_ACME_IDENTIFIER "1.3.6.1.5.5.7.1.31"

static const unsigned char protocol[] = {10, 'a', 'c', 'm', 'e', '-', 't', 'l', 's', '/', '1'};

/* The name under which an address is asked for: its reverse mapping. */
static void server_name(const char *identifier, char out[256])
{
    unsigned char address[16];
    size_t length = 0;

    if (inet_pton(AF_INET, identifier, address) == 1) {
        snprintf(out, 256, "%u.%u.%u.%u.in-addr.arpa", address[3], address[2], address[1],
                 address[0]);
        return;
    }
    if (inet_pton(AF_INET6, identifier, address) != 1) {
        snprintf(out, 256, "%s", identifier);
        return;
    }
    for (int i = 15; i >= 0; i--)
        length += (size_t)snprintf(out + length, 256 - length, "%x.%x.", address[i] & 15,
                                   address[i] >> 4);
    snprintf(out + length, 256 - length, "ip6.arpa");
}

int tls_alpn_01_prepare(struct attempt *attempt)
{
    char name[256];

    server_name(attempt->identifier, name);
    return SSL_set_alpn_protos(attempt->ssl, protocol, sizeof protocol) == 0 &&
                   SSL_set_tlsext_host_name(attempt->ssl, name) == 1
               ? 0
               : -1;
}

/* Exactly one name, and that the one asked for. */
static bool is_for(X509 *certificate, const char *identifier)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const GENERAL_NAME *name =
        sk_GENERAL_NAME_num(names) == 1 ? sk_GENERAL_NAME_value(names, 0) : NULL;
    unsigned char address[16];
    int length = inet_pton(AF_INET, identifier, address) == 1    ? 4
                 : inet_pton(AF_INET6, identifier, address) == 1 ? 16
                                                                 : 0;
    const ASN1_STRING *text = name == NULL ? NULL : name->d.ia5;
    bool good = false;

    if (text != NULL && length == 0 && name->type == GEN_DNS)
        good = (size_t)ASN1_STRING_length(text) == strlen(identifier) &&
               strncasecmp((const char *)ASN1_STRING_get0_data(text), identifier,
                           strlen(identifier)) == 0;
    else if (text != NULL && length != 0 && name->type == GEN_IPADD)
        good = ASN1_STRING_length(text) == length &&
               memcmp(ASN1_STRING_get0_data(text), address, (size_t)length) == 0;
    GENERAL_NAMES_free(names);
    return good;
}

/* The critical extension with the digest, as an OCTET STRING in its OCTET STRING. */
static bool holds_digest(X509 *certificate, const char *key_authorization)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(OID_ACME_IDENTIFIER, 1);
    int at = oid == NULL ? -1 : X509_get_ext_by_OBJ(certificate, oid, -1);
    X509_EXTENSION *extension = at < 0 ? NULL : X509_get_ext(certificate, at);
    unsigned char expected[2 + SHA256_DIGEST_LENGTH] = {V_ASN1_OCTET_STRING, SHA256_DIGEST_LENGTH};
    const ASN1_OCTET_STRING *value;

    ASN1_OBJECT_free(oid);
    if (extension == NULL || X509_EXTENSION_get_critical(extension) != 1)
        return false;
    SHA256((const unsigned char *)key_authorization, strlen(key_authorization), expected + 2);
    value = X509_EXTENSION_get_data(extension);
    return ASN1_STRING_length(value) == (int)sizeof expected &&
           memcmp(ASN1_STRING_get0_data(value), expected, sizeof expected) == 0;
}

void tls_alpn_01_judge(struct attempt *attempt)
{
    X509 *certificate = SSL_get1_peer_certificate(attempt->ssl);
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    const char *why = NULL;

    SSL_get0_alpn_selected(attempt->ssl, &chosen, &length);
    if (length != sizeof protocol - 1 || memcmp(chosen, protocol + 1, length) != 0)
        why = "acme-tls/1 was not negotiated";
    else if (certificate == NULL)
        why = "no certificate was shown";
    else if (!is_for(certificate, attempt->identifier))
        why = "the certificate shown is not for this name alone";
    else if (!holds_digest(certificate, attempt->key_authorization))
        why = "the certificate shown does not hold the right digest";
    X509_free(certificate);
    if (why == NULL)
        attempt_end(attempt, VALIDATION_GOOD, "good");
    else
        attempt_end(attempt, UNAUTHORIZED, "%s, port %u: %s", attempt->at.host, attempt->at.port,
                    why);
}
