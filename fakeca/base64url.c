#include "fakeca/base64url.h"

#include <stdint.h>
#include <stdlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *base64url(const void *bytes, size_t length, char *out)
{
    const unsigned char *in = bytes;
    uint32_t bits = 0;
    int held = 0;
    char *at = out;

    for (size_t i = 0; i < length; i++) {
        bits = (bits << 8) | in[i];
        for (held += 8; held >= 6; held -= 6)
            *at++ = alphabet[(bits >> (held - 6)) & 63];
    }
    if (held > 0)
        *at++ = alphabet[(bits << (6 - held)) & 63];
    *at = '\0';
    return out;
}

char *base64url_new(const void *bytes, size_t length)
{
    char *out = malloc(BASE64URL_TEXT(length));

    return out == NULL ? NULL : base64url(bytes, length, out);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ssize_t base64url_decode(const char *text, size_t length, unsigned char *out, size_t room)
{
    uint32_t bits = 0;
    int held = 0;
    size_t count = 0;

    if (length % 4 == 1)
        return -1;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);

        if (value < 0)
            return -1;
        bits = (bits << 6) | (uint32_t)value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (count == room)
            return -1;
        out[count++] = (unsigned char)(bits >> held);
    }
    return (bits & ((1u << held) - 1)) == 0 ? (ssize_t)count : -1;
}
