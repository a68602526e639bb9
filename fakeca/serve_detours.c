#include "fakeca/serve_detours.h"

static void redirect_to_itself(void *context, const struct http_request *request,
                               struct http_answer *answer)
{
    (void)context;
    answer->status = 302;
    http_answer_field(answer, "Location", "%s", request->target);
}

int detours_open(struct detours *detours, const struct dns_server *like, struct error *e)
{
    static const struct address anywhere = {.host = "127.0.0.1", .port = "0"};

    detours->nothing = dns_zone_new(e);
    if (detours->nothing == NULL ||
        (like->signer != NULL && dns_signer_enter(like->signer, detours->nothing, e) < 0))
        return -1;
    detours->stranger = *like;
    detours->stranger.zone = detours->nothing;
    detours->stranger.misbehaviour = NULL;
    if (dns_server_open(&detours->stranger, &anywhere, e) < 0)
        return -1;
    detours->strange = true;
    detours->circle = (struct http_server){.loop = like->loop, .answer = redirect_to_itself};
    if (http_server_open(&detours->circle, &anywhere, e) < 0)
        return -1;
    detours->circular = true;
    return address_parse(detours->stranger.address, &detours->stranger_address, e) < 0 ||
                   address_parse(detours->circle.address, &detours->circle_address, e) < 0
               ? -1
               : 0;
}

void detours_close(struct detours *detours)
{
    if (detours->circular)
        http_server_close(&detours->circle);
    if (detours->strange)
        dns_server_close(&detours->stranger);
    dns_zone_free(detours->nothing);
}
