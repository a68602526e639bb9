/* Whatever a packet holds: no answer, or a whole one, to that query and of a size that fits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/dns_answer.h"
#include "fakeca/key.h"
#include "tests/fuzz/must.h"

#define AT 1795000000

static struct dns_zone *zone, *bare; /* bare: where names may be missing */
static struct dns_signer *signer;

static void fill(struct dns_zone *into)
{
    static const char *const lines[] = {
        "shop.test. A 127.0.0.1",
        "shop.test. AAAA ::1",
        "shop.test. CAA 0 issue \"rehearsal.test\"",
        "www.shop.test. CNAME shop.test.",
        "loop.test. CNAME loop.test.",
        "far.test. CNAME www.shop.test.",
        "shop.test. MX 10 mail.shop.test.",
        "test. SOA ns.test. host.test. 1 2 3 4 5",
        "a.b.c.d.test. TXT \"one\" \"two\"",
    };
    char long_one[2200] = "long.test. TXT";
    struct error e;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        must(dns_zone_add(into, lines[i], &e) == 0, e.text);
    for (int i = 0; i < 8; i++) {
        size_t length = strlen(long_one);

        snprintf(long_one + length, sizeof long_one - length, " \"%0250d\"", i);
    }
    must(dns_zone_add(into, long_one, &e) == 0, e.text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error e;

    (void)argc;
    (void)argv;
    zone = dns_zone_new(&e);
    bare = dns_zone_new(&e);
    must(zone != NULL && bare != NULL, "no zone");
    signer = dns_signer_new(key_make(key_kind_named("p256", &e), &e), &e);
    must(signer != NULL, "no signer");
    must(dns_signer_enter(signer, zone, &e) == 0 && dns_signer_enter(signer, bare, &e) == 0,
         e.text);
    fill(zone);
    fill(bare);
    must(dns_zone_fallback(zone, "127.0.0.1", &e) == 0, e.text);
    return 0;
}

static void check(const unsigned char *query, const struct dns_reply *reply, size_t most)
{
    ldns_pkt *packet = NULL;

    must(reply->length >= 12 && reply->length <= most, "an answer of a wrong size");
    must(memcmp(query, reply->bytes, 2) == 0, "an answer to another query");
    must(LDNS_QR_WIRE(reply->bytes) != 0, "an answer that is none");
    must(ldns_wire2pkt(&packet, reply->bytes, reply->length) == LDNS_STATUS_OK,
         "an answer that does not parse");
    ldns_pkt_free(packet);
}

static void ask(const struct dns_zone *of, const unsigned char *data, size_t size,
                enum dns_transport transport, const struct dns_misbehaviour *m)
{
    struct dns_reply reply;
    struct error e;

    must(dns_answer(of, data, size, transport, (struct dns_signing){signer, AT}, m, &reply, &e) ==
             0,
         e.text);
    if (reply.bytes != NULL && m == NULL)
        check(data, &reply, transport == DNS_UDP ? DNS_UDP_MOST : DNS_PACKET_MOST);
    free(reply.bytes);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct dns_question question;

    dns_asked(data, size, &question);
    ask(zone, data, size, DNS_UDP, NULL);
    ask(bare, data, size, DNS_TCP, NULL);
    ask(zone, data, size, DNS_UDP, &dns_misbehaviours[size % dns_misbehaviour_count]);
    return 0;
}
