#include "fakeca/base64url.h"

#include <stdint.h>

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

/* What a character stands for, and one more; 0: it is none of the alphabet. */
/* clang-format off */
static const unsigned char values[256] = {
    ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
    ['-'] = 63,
    ['_'] = 64,
};
/* clang-format on */

/* Three octets of each four characters; how many characters that were.  It ends early at one that is none. */
static size_t decode_fours(const char *text, size_t length, unsigned char *out)
{
    size_t i = 0;

    for (; length - i >= 4; i += 4, out += 3) {
        unsigned a = values[(unsigned char)text[i]], b = values[(unsigned char)text[i + 1]],
                 c = values[(unsigned char)text[i + 2]], d = values[(unsigned char)text[i + 3]];
        uint32_t bits = ((a - 1) << 18) | ((b - 1) << 12) | ((c - 1) << 6) | (d - 1);

        if (a == 0 || b == 0 || c == 0 || d == 0)
            break;
        out[0] = (unsigned char)(bits >> 16);
        out[1] = (unsigned char)(bits >> 8);
        out[2] = (unsigned char)bits;
    }
    return i;
}

ssize_t base64url_decode(const char *text, size_t length, unsigned char *out, size_t room)
{
    uint32_t bits = 0;
    int held = 0;
    size_t i, count;

    if (length % 4 == 1 || length / 4 * 3 + length % 4 * 3 / 4 > room)
        return -1;
    i = decode_fours(text, length, out);
    for (count = i / 4 * 3; i < length; i++) {
        unsigned value = values[(unsigned char)text[i]];

        if (value == 0)
            return -1;
        bits = (bits << 6) | (value - 1);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        out[count++] = (unsigned char)(bits >> held);
    }
    return (bits & ((1u << held) - 1)) == 0 ? (ssize_t)count : -1;
}
