/* Whatever a resolver answers: addresses and texts that fit, or a word on why there are none. */
#include <string.h>

#include "fakeca/lookup.h"
#include "tests/fuzz/must.h"

#define ID 0x1234

static void check(const struct found *found, unsigned type)
{
    bool texts = type == 16 || type == 257;

    must(found->count <= (texts ? TEXTS_MOST : FOUND_MOST), "more than there is room for");
    for (size_t i = 0; i < found->count; i++)
        if (texts)
            must(memchr(found->texts[i], '\0', sizeof found->texts[i]) != NULL,
                 "a text without end");
        else
            must(found->addresses[i].ss_family != 0, "an address of no family");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const unsigned types[] = {1, 16, 28, 257};
    struct found found;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        unsigned char *packet =
            malloc(size == 0 ? 1 : size); /* of its own: a byte beyond is noticed */

        memset(&found, 0, sizeof found);
        memcpy(packet, data, size);
        if (reply_read(packet, size, types[i], ID, &found) < 0)
            must(*found.why != '\0', "a refusal without a word");
        check(&found, types[i]);
        free(packet);
    }
    return 0;
}
