/* Whatever a web server answers to a validator: a reply that lies inside its bytes, or a refusal; and a redirect
 * that leads to a request of one line, or nowhere. */
#include "fakeca/http_reply.h"

#include <string.h>

#include "tests/fuzz/must.h"

#define REPLY_MOST 65536

static bool is_inside(const char *text, const char *bytes, size_t length)
{
    return text == NULL || (text >= bytes && text + strlen(text) <= bytes + length);
}

static void follow(const char *location)
{
    struct http_place place = {.port = 53, .host = "shop.test", .path = "/"}, before = place;

    if (http_place_follow(&place, location) < 0) {
        must(place.secure == before.secure && place.port == before.port &&
                 strcmp(place.host, before.host) == 0 && strcmp(place.path, before.path) == 0,
             "a redirect that is refused leads somewhere");
        return;
    }
    must(*place.path == '/' && *place.host != '\0', "a place without a path or a host");
    must(place.port <= 99999, "a port of more than five digits");
    for (const char *at = place.path; *at != '\0'; at++)
        must((unsigned char)*at > ' ', "a path that would break a request");
    for (const char *at = place.host; *at != '\0'; at++)
        must((unsigned char)*at > ' ', "a host that would break a request");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct http_reply reply;
    struct error e;
    char *bytes;

    if (size > REPLY_MOST)
        return 0;
    bytes = malloc(size + 1); /* of its own, so that a byte beyond is noticed */
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    http_reply_whole(bytes, size);
    if (http_reply_read(bytes, size, &reply, &e) == 0) {
        must(reply.status >= 100 && reply.status <= 999, "a status of other than three digits");
        must(reply.body != NULL && is_inside(reply.body, bytes, size), "a body outside its reply");
        must(is_inside(reply.location, bytes, size), "a Location outside its reply");
        if (reply.location != NULL)
            follow(reply.location);
    }
    free(bytes);
    return 0;
}
