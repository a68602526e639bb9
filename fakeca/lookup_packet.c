#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "fakeca/lookup.h"

#define HEADER   12
#define NXDOMAIN 3
#define UDP_MOST 1232 /* DNS flag day 2020 */

enum { TYPE_A = 1, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_OPT = 41, TYPE_CAA = 257, CLASS_IN = 1 };

static unsigned char *put16(unsigned char *at, unsigned value)
{
    *at++ = (unsigned char)(value >> 8);
    *at++ = (unsigned char)value;
    return at;
}

static unsigned get16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* EDNS (RFC 6891) with DO (RFC 3225): as an additional record. */
static unsigned char *put_do(unsigned char *at)
{
    *at++ = 0; /* the root */
    at = put16(at, TYPE_OPT);
    at = put16(at, UDP_MOST);
    at = put16(at, 0);
    at = put16(at, 0x8000);
    return put16(at, 0);
}

ssize_t question_write(const char *name, unsigned type, unsigned id, bool secured,
                       unsigned char out[512])
{
    unsigned char *at = out;

    if (strlen(name) > 253)
        return -1;
    at = put16(at, id);
    at = put16(at, 0x0100); /* recursion desired */
    at = put16(at, 1);
    memset(at, 0, 4);
    at = put16(at + 4, secured);
    for (const char *label = name; *label != '\0';) {
        size_t length = strcspn(label, ".");

        if (length == 0 || length > 63)
            return -1;
        *at++ = (unsigned char)length;
        memcpy(at, label, length);
        at += length;
        label += length + (label[length] == '.');
    }
    *at++ = 0;
    at = put16(at, type);
    at = put16(at, CLASS_IN);
    at = secured ? put_do(at) : at;
    return at - out;
}

/* Past a name, compressed or not; 0 where the packet ends in it. */
static size_t skip_name(const unsigned char *packet, size_t length, size_t at)
{
    while (at < length) {
        if (packet[at] >= 0xc0)
            return at + 2 <= length ? at + 2 : 0;
        if (packet[at] > 63)
            return 0;
        if (packet[at] == 0)
            return at + 1;
        at += 1u + packet[at];
    }
    return 0;
}

static void add_address(const unsigned char *data, size_t length, struct found *found)
{
    struct sockaddr_storage *out = &found->addresses[found->count++];

    memset(out, 0, sizeof *out);
    if (length == 4) {
        out->ss_family = AF_INET;
        memcpy(&((struct sockaddr_in *)out)->sin_addr, data, 4);
    } else {
        out->ss_family = AF_INET6;
        memcpy(&((struct sockaddr_in6 *)out)->sin6_addr, data, 16);
    }
}

static void add_text(const unsigned char *data, size_t length, struct found *found)
{
    char *out = found->texts[found->count++];
    size_t room = sizeof found->texts[0] - 1, used = 0;

    for (size_t at = 0; at < length; at += 1u + data[at]) {
        size_t part = data[at];

        if (part > length - at - 1)
            break;
        if (part > room - used)
            part = room - used;
        memcpy(out + used, data + at + 1, part);
        used += part;
    }
    out[used] = '\0';
}

/* RFC 8659 section 4.1: flags, the length of the tag, the tag, the value. */
static void add_caa(const unsigned char *data, size_t length, struct found *found)
{
    size_t tag = length < 2 ? 0 : data[1];

    if (tag == 0 || tag > length - 2)
        return;
    snprintf(found->texts[found->count++], sizeof found->texts[0], "%u %.*s %.*s", data[0],
             (int)tag, (const char *)data + 2, (int)(length - 2 - tag),
             (const char *)data + 2 + tag);
}

static void add(unsigned type, const unsigned char *data, size_t length, struct found *found)
{
    if (found->count == (type == TYPE_A || type == TYPE_AAAA ? FOUND_MOST : TEXTS_MOST))
        return;
    if (type == TYPE_TXT)
        add_text(data, length, found);
    else if (type == TYPE_CAA)
        add_caa(data, length, found);
    else if (length == (type == TYPE_A ? 4u : 16u))
        add_address(data, length, found);
}

static int not_an_answer(struct found *found, const char *why)
{
    snprintf(found->why, sizeof found->why, "%s", why);
    found->failed = true;
    return -1;
}

int reply_read(const unsigned char *packet, size_t length, unsigned type, unsigned id,
               struct found *found)
{
    static const char *const codes[] = {"", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    size_t at = HEADER;
    unsigned code;

    if (length < HEADER || get16(packet) != id || (packet[2] & 0x80) == 0 || get16(packet + 4) != 1)
        return not_an_answer(found, "an answer to another question");
    code = packet[3] & 15;
    if (code == NXDOMAIN) {
        snprintf(found->why, sizeof found->why, "NXDOMAIN");
        return 0;
    }
    if (code != 0)
        return not_an_answer(found,
                             code < sizeof codes / sizeof codes[0] ? codes[code] : "an error");
    at = skip_name(packet, length, at);
    if (at == 0 || at + 4 > length)
        return not_an_answer(found, "an answer cut short");
    at += 4;
    for (unsigned left = get16(packet + 6); left > 0; left--) {
        size_t size;

        at = skip_name(packet, length, at);
        if (at == 0 || at + 10 > length || (size = get16(packet + at + 8)) > length - at - 10)
            return not_an_answer(found, "an answer cut short");
        if (get16(packet + at) == type && get16(packet + at + 2) == CLASS_IN)
            add(type, packet + at + 10, size, found);
        at += 10 + size;
    }
    return 0;
}
