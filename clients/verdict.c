#include "clients/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/wire/moment.h"

#define DER_INTEGER  0x02
#define DER_UTC_TIME 0x17
#define DER_TIME     0x18 /* GeneralizedTime */
#define DER_SEQUENCE 0x30
#define DER_EXPLICIT 0xa0 /* [0], the version */

void verdict_begin(struct verdict *verdict)
{
    *verdict = (struct verdict){
        .outcome = OUTCOME_OTHER,
        .depth = DEPTH_UNKNOWN,
        .alert_sent = ALERT_NONE,
        .alert_received = ALERT_NONE,
        .staple = "none",
        .until = UNTIL_UNKNOWN,
    };
}

void verdict_free(struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->chain_count; i++)
        free(verdict->chain[i]);
    free(verdict->chain);
    verdict->chain = NULL;
    verdict->chain_count = 0;
}

void verdict_copy(char *field, size_t size, const char *text)
{
    snprintf(field, size, "%s", text == NULL ? "" : text);
}

void verdict_set(struct verdict *verdict, enum outcome outcome, int depth, const char *code,
                 const char *words)
{
    verdict->outcome = outcome;
    verdict->depth = depth;
    verdict_text(verdict->code, code);
    verdict_text(verdict->words, words);
}

struct der {
    const unsigned char *at;
    size_t left;
};

/* Steps into the next element if it has this tag.  An indefinite length (BER) is taken as
 * "the rest", which is enough to find a serial in what a lenient library accepts. */
static bool enter(struct der *der, unsigned char tag, struct der *inside)
{
    size_t length, octets, header = 2;

    if (der->left < 2 || der->at[0] != tag)
        return false;
    length = der->at[1];
    if (length == 0x80) {
        length = der->left - header;
    } else if (length > 0x80) {
        octets = length - 0x80;
        if (octets > sizeof(uint32_t) || der->left < header + octets)
            return false;
        length = 0;
        for (size_t i = 0; i < octets; i++)
            length = length << 8 | der->at[header + i];
        header += octets;
    }
    if (length > der->left - header)
        return false;
    *inside = (struct der){der->at + header, length};
    *der = (struct der){der->at + header + length, der->left - header - length};
    return true;
}

/* Two's complement to a sign and a magnitude, in place. */
static void negate(unsigned char *bytes, size_t length)
{
    unsigned carry = 1;

    for (size_t i = length; i-- > 0;) {
        carry += (unsigned char)~bytes[i];
        bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
}

static char *serial_text(struct der serial)
{
    unsigned char *bytes = malloc(serial.left);
    char *text = malloc(serial.left * 2 + sizeof "-...");
    size_t skip = 0, used = 0;

    if (bytes == NULL || text == NULL) {
        free(bytes);
        free(text);
        return NULL;
    }
    memcpy(bytes, serial.at, serial.left);
    if (bytes[0] & 0x80) {
        negate(bytes, serial.left);
        text[used++] = '-';
    }
    while (skip + 1 < serial.left && bytes[skip] == 0)
        skip++;
    for (size_t i = skip; i < serial.left && i < skip + SERIAL_MAX; i++)
        used += (size_t)sprintf(text + used, "%02x", bytes[i]);
    if (serial.left - skip > SERIAL_MAX)
        strcpy(text + used, "...");
    free(bytes);
    return text;
}

/* Leaves *tbs behind the serial number. */
static bool find_serial(const unsigned char *bytes, size_t length, struct der *tbs,
                        struct der *serial)
{
    struct der der = {bytes, length}, certificate, version;

    if (!enter(&der, DER_SEQUENCE, &certificate) || !enter(&certificate, DER_SEQUENCE, tbs))
        return false;
    (void)enter(tbs, DER_EXPLICIT, &version); /* absent in version 1 */
    return enter(tbs, DER_INTEGER, serial) && serial->left > 0;
}

/* "YYMMDDHHMMSSZ" or "YYYYMMDDHHMMSSZ", as RFC 5280 section 4.1.2.5 allows. */
static int64_t time_of(const char *text, size_t length)
{
    const char *century = length > 0 && text[0] < '5' ? "20" : "19";
    char full[sizeof "YYYYMMDDHHMMSSZ"], moment[MOMENT_TEXT];
    struct error e;
    int64_t seconds;

    if (length != strlen("YYMMDDHHMMSSZ") && length != strlen("YYYYMMDDHHMMSSZ"))
        return UNTIL_UNKNOWN;
    snprintf(full, sizeof full, "%s%.*s", length == strlen("YYMMDDHHMMSSZ") ? century : "",
             (int)length, text);
    snprintf(moment, sizeof moment, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", full, full + 4, full + 6,
             full + 8, full + 10, full + 12);
    return moment_parse(moment, 0, &seconds, &e) == 0 ? seconds : UNTIL_UNKNOWN;
}

/* `tbs` stands behind the serial number. */
static int64_t until_of(struct der tbs)
{
    struct der skipped, validity, end = {0};

    if (!enter(&tbs, DER_SEQUENCE, &skipped)) /* the signature's algorithm */
        return UNTIL_UNKNOWN;
    if (!enter(&tbs, DER_SEQUENCE, &skipped)) /* the issuer */
        return UNTIL_UNKNOWN;
    if (!enter(&tbs, DER_SEQUENCE, &validity))
        return UNTIL_UNKNOWN;
    for (int i = 0; i < 2; i++)
        if (!enter(&validity, DER_UTC_TIME, &end) && !enter(&validity, DER_TIME, &end))
            return UNTIL_UNKNOWN;
    return time_of((const char *)end.at, end.left);
}

void verdict_add_certificate(struct verdict *verdict, const unsigned char *der, size_t length)
{
    struct der tbs = {0}, serial = {0};
    bool readable = find_serial(der, length, &tbs, &serial);
    char **grown, *text;

    if (verdict->chain_count == CHAIN_MAX)
        return;
    grown = realloc(verdict->chain, (verdict->chain_count + 1) * sizeof *grown);
    if (grown == NULL)
        return;
    verdict->chain = grown;
    if (verdict->chain_count == 0)
        verdict->until = readable ? until_of(tbs) : UNTIL_UNKNOWN;
    text = readable ? serial_text(serial) : strdup("?");
    if (text != NULL)
        verdict->chain[verdict->chain_count++] = text;
}
