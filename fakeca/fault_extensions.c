/* Faults of extensions and serial numbers. */
#include <stdio.h>
#include <string.h>

#include "fakeca/fault_parts.h"
#include "fakeca/openssl_error.h"

EDIT(edit_no_aki)
{
    (void)b;
    (void)e;
    extension_remove(certificate, NID_authority_key_identifier);
    return 0;
}

EDIT(edit_wrong_aki)
{
    static const unsigned char nobody[20] = "nobody has this key";
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    int status;

    (void)b;
    if (octets == NULL || ASN1_OCTET_STRING_set(octets, nobody, sizeof nobody) != 1)
        status = openssl_failed(e, "make a key identifier");
    else
        status = extension_authority_key(certificate, octets, e);
    ASN1_OCTET_STRING_free(octets);
    return status;
}

EDIT(edit_not_ca)
{
    (void)b;
    return extension_basic(certificate, false, -1, e);
}

EDIT(edit_no_keycertsign)
{
    (void)b;
    return extension_key_usage(certificate, KU_DIGITAL_SIGNATURE | KU_CRL_SIGN, e);
}

EDIT(edit_no_digital_signature)
{
    (void)b;
    return extension_key_usage(certificate, KU_KEY_AGREEMENT, e);
}

EDIT(edit_client_only)
{
    static const char *const client[] = {"clientAuth"};

    (void)b;
    return extension_purposes(certificate, (struct words){client, 1}, e);
}

EDIT(edit_unknown_critical)
{
    (void)b;
    return extension_private(certificate, OID_UNKNOWN, true, "nobody knows this", e);
}

EDIT(edit_must_staple)
{
    (void)b;
    return extension_must_staple(certificate, e);
}

EDIT(edit_negative_serial)
{
    char magnitude[SERIAL_TEXT], serial[SERIAL_TEXT + 1];

    derived_serial(b, "negative", magnitude);
    snprintf(serial, sizeof serial, "-%s", magnitude);
    return certificate_set_serial(certificate, serial, e);
}

EDIT(edit_zero_serial)
{
    (void)b;
    return certificate_set_serial(certificate, "00", e);
}

EDIT(edit_long_serial)
{
    char serial[SERIAL_TEXT];

    derived_serial(b, "long", serial); /* 8 octets; RFC 5280 allows 20 */
    strcat(serial, "00112233445566778899aabbcc");
    return certificate_set_serial(certificate, serial, e);
}
