/* What a validator believes: answers as the signer made them, and such as somebody has altered on their way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakeca/dns_answer.h"
#include "fakeca/dns_trust.h"
#include "fakeca/lookup.h"

#define NOW  INT64_C(1936000000) /* 2031-05-08 */
#define A    1
#define AAAA 28

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s", e.text);                                                                \
    } while (0)

struct stage {
    struct dns_zone *zone;
    struct dns_signer *signer;
};

static int open_stage(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct error e;

    stage->zone = dns_zone_new(&e);
    stage->signer = dns_signer_new(EVP_EC_gen("P-256"), &e);
    MUST(dns_signer_enter(stage->signer, stage->zone, &e));
    MUST(dns_zone_add(stage->zone, "shop.test. A 127.0.0.1", &e));
    MUST(dns_zone_add(stage->zone, "other.test. A 127.0.0.2", &e));
    MUST(dns_zone_add(stage->zone, "www.test. CNAME shop.test.", &e));
    *state = stage;
    return 0;
}

static int close_stage(void **state)
{
    struct stage *stage = *state;

    dns_zone_free(stage->zone);
    dns_signer_free(stage->signer);
    free(stage);
    return 0;
}

/* The signed answer; to be freed with ldns_pkt_free. */
static ldns_pkt *answer(struct stage *stage, const char *name, unsigned type, const char *fault)
{
    struct dns_signing signing = {stage->signer, NOW};
    unsigned char question[512];
    ssize_t length = question_write(name, type, 7, true, question);
    struct dns_reply reply;
    struct error e;
    ldns_pkt *packet;

    MUST(dns_answer(stage->zone, question, (size_t)length, DNS_TCP, signing,
                    fault == NULL ? NULL : dns_misbehaviour_named(fault, &e), &reply, &e));
    assert_int_equal(ldns_wire2pkt(&packet, reply.bytes, reply.length), LDNS_STATUS_OK);
    free(reply.bytes);
    return packet;
}

static int64_t now(void *context)
{
    (void)context;
    return NOW;
}

/* What the validator says of it: "" where it believes it.  Frees the packet. */
static const char *said(struct stage *stage, ldns_pkt *packet, const char *name, unsigned type)
{
    static char why[DNS_TRUST_TEXT];
    struct dns_trust trust = {.key = dns_signer_key(stage->signer), .now = now};
    uint8_t *octets;
    size_t length;

    assert_int_equal(ldns_pkt2wire(&octets, packet, &length), LDNS_STATUS_OK);
    why[0] = '\0';
    if (dns_trust_check(&trust, octets, length, name, type, why) == 0)
        why[0] = '\0';
    free(octets);
    ldns_pkt_free(packet);
    return why;
}

/* Leaves a section empty. */
static void drop(ldns_pkt *packet, ldns_rr_list *section,
                 void (*set_count)(ldns_pkt *packet, uint16_t count))
{
    while (ldns_rr_list_rr_count(section) > 0)
        ldns_rr_free(ldns_rr_list_pop_rr(section));
    set_count(packet, 0);
}

static void what_is_signed_is_believed(void **state)
{
    struct stage *stage = *state;

    assert_string_equal(said(stage, answer(stage, "shop.test", A, NULL), "shop.test", A), "");
    assert_string_equal(said(stage, answer(stage, "www.test", A, NULL), "www.test", A), "");
    assert_string_equal(said(stage, answer(stage, "shop.test", AAAA, NULL), "shop.test", AAAA), "");
    assert_string_equal(said(stage, answer(stage, "none.test", A, NULL), "none.test", A), "");
}

/* Records of another name are signed as well as any, and have no place in that answer. */
static void nobody_adds_what_was_not_asked_for(void **state)
{
    struct stage *stage = *state;
    ldns_pkt *packet = answer(stage, "shop.test", A, NULL);
    ldns_pkt *other = answer(stage, "other.test", A, NULL);
    ldns_rr_list *more = ldns_pkt_get_section_clone(other, LDNS_SECTION_ANSWER);

    ldns_pkt_push_rr_list(packet, LDNS_SECTION_ANSWER, more);
    ldns_rr_list_free(more);
    ldns_pkt_free(other);
    assert_string_equal(said(stage, packet, "shop.test", A),
                        "DNSSEC: Bogus: validation failure <shop.test. A IN>");
}

static void nothing_is_to_be_proven(void **state)
{
    struct stage *stage = *state;
    ldns_pkt *packet = answer(stage, "shop.test", AAAA, NULL);

    drop(packet, ldns_pkt_authority(packet), ldns_pkt_set_nscount);
    assert_string_equal(said(stage, packet, "shop.test", AAAA),
                        "DNSSEC: NSEC Missing: validation failure <shop.test. AAAA IN>");
    packet = answer(stage, "shop.test", A, NULL);
    drop(packet, ldns_pkt_answer(packet), ldns_pkt_set_ancount);
    assert_string_equal(said(stage, packet, "shop.test", A),
                        "DNSSEC: NSEC Missing: validation failure <shop.test. A IN>");
}

/* The proof that a name has no address says that it has a CNAME: that is what was withheld. */
static void a_cname_is_not_withheld(void **state)
{
    struct stage *stage = *state;
    ldns_pkt *packet = answer(stage, "www.test", AAAA, "dns-empty");

    assert_string_equal(said(stage, packet, "www.test", AAAA),
                        "DNSSEC: Bogus: validation failure <www.test. AAAA IN>");
}

/* Above the root there is no name that could have a wildcard. */
static void even_the_root_can_be_denied(void **state)
{
    ldns_pkt *packet = answer(*state, "", A, "dns-nxdomain");

    assert_int_equal(ldns_pkt_get_rcode(packet), LDNS_RCODE_NXDOMAIN);
    ldns_pkt_free(packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_signed_is_believed, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(nobody_adds_what_was_not_asked_for, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(nothing_is_to_be_proven, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(a_cname_is_not_withheld, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(even_the_root_can_be_denied, open_stage, close_stage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
