#include "fakeca/dns_views.h"

#include <stdio.h>

static int open_view(struct dns_view *view, const struct dns_server *like,
                     const struct address *address, const char *fallback, struct error *e)
{
    view->server = *like;
    view->server.fd = -1;
    view->zone = view->server.zone = dns_zone_new(e);
    if (view->zone == NULL)
        return -1;
    if (like->signer != NULL && dns_signer_enter(like->signer, view->zone, e) < 0)
        return -1;
    if (fallback != NULL && dns_zone_fallback(view->zone, fallback, e) < 0)
        return failed_in(e, "--names-address");
    if (dns_server_open(&view->server, address, e) < 0)
        return failed_in(e, "--dns");
    return address_parse(view->server.address, &view->address, e);
}

int dns_views_open(struct dns_views *views, size_t count, const struct dns_server *like,
                   const struct address *address, const char *fallback, struct error *e)
{
    struct address beside = *address;

    snprintf(beside.port, sizeof beside.port, "0");
    while (views->count < count) {
        struct dns_view *view = &views->views[views->count++];

        if (open_view(view, like, view == views->views ? address : &beside, fallback, e) < 0)
            return -1;
    }
    return 0;
}

void dns_views_close(struct dns_views *views)
{
    for (size_t i = 0; i < views->count; i++) {
        if (views->views[i].server.fd >= 0)
            dns_server_close(&views->views[i].server);
        dns_zone_free(views->views[i].zone);
    }
    views->count = 0;
}

static int check(const struct dns_views *views, int64_t number, struct error *e)
{
    return number >= 0 && number <= (int64_t)views->count
               ? 0
               : failed(e, "there is no perspective %lld, expected 1 to %zu", (long long)number,
                        views->count);
}

static bool is_meant(size_t i, int64_t number)
{
    return number == 0 || (int64_t)i + 1 == number;
}

int dns_views_add(struct dns_views *views, int64_t number, const char *record, struct error *e)
{
    if (check(views, number, e) < 0)
        return -1;
    for (size_t i = 0; i < views->count; i++)
        if (is_meant(i, number) && dns_zone_add(views->views[i].zone, record, e) < 0)
            return -1;
    return 0;
}

int dns_views_remove(struct dns_views *views, int64_t number, const char *name, const char *type,
                     struct error *e)
{
    int count = 0;

    if (check(views, number, e) < 0)
        return -1;
    for (size_t i = 0; i < views->count; i++) {
        int removed =
            is_meant(i, number) ? dns_zone_remove(views->views[i].zone, name, type, e) : 0;

        if (removed < 0)
            return -1;
        count = removed > count ? removed : count;
    }
    return count;
}
