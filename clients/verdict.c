#include "clients/verdict.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DER_INTEGER  0x02
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
    };
}

void verdict_forget_chain(struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->chain_count; i++)
        free(verdict->chain[i]);
    free(verdict->chain);
    verdict->chain = NULL;
    verdict->chain_count = 0;
}

void verdict_free(struct verdict *verdict)
{
    verdict_forget_chain(verdict);
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

static char *serial_of(const unsigned char *bytes, size_t length)
{
    struct der der = {bytes, length}, certificate, tbs, version, serial;

    if (!enter(&der, DER_SEQUENCE, &certificate) || !enter(&certificate, DER_SEQUENCE, &tbs))
        return strdup("?");
    (void)enter(&tbs, DER_EXPLICIT, &version); /* absent in version 1 */
    if (!enter(&tbs, DER_INTEGER, &serial) || serial.left == 0)
        return strdup("?");
    return serial_text(serial);
}

void verdict_add_certificate(struct verdict *verdict, const unsigned char *der, size_t length)
{
    char **grown;
    char *serial;

    if (verdict->chain_count == CHAIN_MAX)
        return;
    grown = realloc(verdict->chain, (verdict->chain_count + 1) * sizeof *grown);
    if (grown == NULL)
        return;
    verdict->chain = grown;
    serial = serial_of(der, length);
    if (serial != NULL)
        verdict->chain[verdict->chain_count++] = serial;
}
