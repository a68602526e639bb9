#include "testbed/targets/pem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/wire/file.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "

/* 0 to 63, or -1 for what is not of the base64 alphabet (RFC 4648 section 4). */
static int base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);

    return at == NULL ? -1 : (int)(at - alphabet);
}

/* Decodes what can be decoded: a last group that was cut gives the bytes it still determines. */
static const char *decode(const char *text, const char *end, unsigned char *out, size_t *length)
{
    const char *flaw = NULL;
    uint32_t bits = 0;
    unsigned held = 0, digits = 0, padding = 0;

    *length = 0;
    for (; text < end; text++) {
        int value = base64_value(*text);

        if (strchr(" \t\r\n", *text) != NULL && *text != '\0')
            continue;
        if (*text == '=') {
            padding++;
        } else if (value < 0 || padding > 0) {
            flaw = "is not base64";
        } else {
            digits++;
            bits = bits << 6 | (uint32_t)value;
            held += 6;
        }
        if (held >= 8) {
            held -= 8;
            out[(*length)++] = (unsigned char)(bits >> held);
        }
    }
    if (flaw == NULL && (digits + padding) % 4 != 0)
        flaw = "ends within a base64 group";
    return flaw;
}

/* The next line that starts with `marker`, at or after `from`; or NULL. */
static const char *find_line(const char *from, const char *marker)
{
    const char *at = from;

    while ((at = strstr(at, marker)) != NULL && at != from && at[-1] != '\n')
        at++;
    return at;
}

static int add_block(struct pem_list *list, const char *body, const char *end, const char *flaw)
{
    struct pem_block *grown = realloc(list->blocks, (list->count + 1) * sizeof *grown);
    struct pem_block *block;

    if (grown == NULL)
        return -1;
    list->blocks = grown;
    block = &grown[list->count];
    block->bytes = malloc((size_t)(end - body) + 1);
    if (block->bytes == NULL)
        return -1;
    list->count++;
    block->flaw = decode(body, end, block->bytes, &block->length);
    if (flaw != NULL)
        block->flaw = flaw;
    return 0;
}

/* True where `line` says BEGIN or END (`marker`) of `label`. */
static bool is_labelled(const char *line, const char *marker, const char *label)
{
    size_t before = strlen(marker), length = strlen(label);

    return strncmp(line, marker, before) == 0 && strncmp(line + before, label, length) == 0 &&
           strncmp(line + before + length, "-----", 5) == 0;
}

/* One block, from its BEGIN line on; returns where to look for the next, or NULL where memory ran
 * out.  A file that ends inside a BEGIN line has lost its label too, so it counts as ours. */
static const char *take_block(const char *begin, const char *label, struct pem_list *list)
{
    const char *body = begin + strcspn(begin, "\n");
    const char *end = find_line(body, END);
    const char *next = find_line(body, BEGIN);
    bool ended = end != NULL && (next == NULL || end < next) && is_labelled(end, END, label);

    if (!ended)
        end = next;
    if (end == NULL)
        end = body + strlen(body);
    if (!is_labelled(begin, BEGIN, label) && *body != '\0')
        return end;
    return add_block(list, body, end, ended ? NULL : "has no END line") < 0 ? NULL : end;
}

int pem_read(const char *path, const char *label, struct pem_list *list, struct error *e)
{
    size_t length;
    char *text = (char *)file_whole(path, &length, e);
    const char *at = text;

    *list = (struct pem_list){0};
    if (text == NULL)
        return -1;
    while (at != NULL && (at = find_line(at, BEGIN)) != NULL) {
        at = take_block(at, label, list);
        if (at == NULL) {
            pem_free(list);
            free(text);
            return failed(e, "%s: out of memory", path);
        }
    }
    free(text);
    return 0;
}

void pem_free(struct pem_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->blocks[i].bytes);
    free(list->blocks);
    *list = (struct pem_list){0};
}
