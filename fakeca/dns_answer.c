#include "fakeca/dns_answer.h"

#include <stdlib.h>
#include <string.h>

#include "fakeca/dns_deny.h"
#include "testbed/wire/nearest.h"

#define CNAMES_MOST 8   /* followed for one query */
#define UDP_LEAST   512 /* RFC 1035 section 4.2.1 */
#define BADVERS     16  /* RFC 6891 section 9 */
/* Unbound takes signatures that are a day too old, or too young. */
#define UNFORGIVEN (2 * INT64_C(86400))

/* clang-format off */
const struct dns_misbehaviour dns_misbehaviours[] = {
    {.name = "dns-servfail", .what = "SERVFAIL",
     .replays = "Baseline Requirements 2.2.6: that is no permission to issue",
     .wrong = DNS_RCODE, .rcode = LDNS_RCODE_SERVFAIL},
    {.name = "dns-nxdomain", .what = "the name does not exist",
     .replays = "Bazel, 2025-12-26: one of several names could not be validated",
     .wrong = DNS_NO_NAME},
    {.name = "dns-refused", .what = "REFUSED",
     .replays = "a name server that has lost the zone", .wrong = DNS_RCODE, .rcode = LDNS_RCODE_REFUSED},
    {.name = "dns-empty", .what = "no error and no records",
     .replays = "a TXT record that has not reached this server yet", .wrong = DNS_NO_TYPE},
    {.name = "dns-slow", .what = "the answer comes after 5 seconds",
     .replays = "NetworkSolutions, 2020-03: name servers that throttle", .delay_ms = 5000},
    {.name = "dns-silent", .what = "no answer",
     .replays = "NetworkSolutions, 2020-03: name servers that throttle", .wrong = DNS_SILENT},
    {.name = "dns-truncated", .what = "every answer over UDP is truncated",
     .replays = "TXT records of old challenges that nobody took away", .wrong = DNS_TRUNCATED},
    {.name = "dns-cut", .what = "the first half of the answer",
     .replays = "middleboxes that damage packets", .wrong = DNS_CUT},
    {.name = "dns-wrong-id", .what = "an answer to another query",
     .replays = "RFC 5452 section 9.1: such an answer is not one", .wrong = DNS_WRONG_ID},
    {.name = "caa-servfail", .what = "SERVFAIL for CAA, and the truth about all else",
     .replays = "Baseline Requirements 2.2.6: a look at CAA that failed is no permission to issue",
     .wrong = DNS_RCODE, .rcode = LDNS_RCODE_SERVFAIL, .type = "CAA"},
    {.name = "caa-forbids", .what = "CAA lets nobody issue",
     .replays = "Let's Encrypt, 2020-02-29: CAA is to be checked again at issuance",
     .wrong = DNS_INSTEAD, .type = "CAA", .data = "0 issue \";\""},
    {.name = "dns-wrong-address", .what = "an IPv4 address that swallows packets, of a machine that is not there",
     .replays = "perspectives that disagree; Baseline Requirements 3.2.2.9",
     .wrong = DNS_INSTEAD, .type = "A", .data = DNS_HOLE, .swallows = true},
    {.name = "dns-silent-ipv6", .what = "an IPv6 address that swallows packets, beside the right IPv4 one",
     .replays = "a web server whose AAAA was forgotten when it moved; Boulder tries IPv4 next",
     .wrong = DNS_INSTEAD, .type = "AAAA", .data = "::ffff:" DNS_HOLE, .swallows = true},
    {.name = "dns-wrong-text", .what = "the TXT record of another challenge",
     .replays = "TXT records of old challenges that nobody took away",
     .wrong = DNS_INSTEAD, .type = "TXT", .data = "\"not-this-challenge\""},
    {.name = "dns-stale-texts", .what = "thirty TXT records of other challenges, with the right one: too many for UDP",
     .replays = "Let's Encrypt's challenge types: an answer that is too large is a challenge that fails",
     .wrong = DNS_BESIDE, .type = "TXT", .data = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAj", .times = 30},
    {.name = "dnssec-bogus", .what = "signatures do not fit what they sign",
     .replays = ".ru, 2024-01-30: after a change of keys, signatures that nobody could verify", .needs_signer = true,
     .flaw = DNS_FORGED},
    {.name = "dnssec-expired", .what = "signatures ran out two days ago, as those of a signer that stopped 16 days ago",
     .replays = "ballot SC-085, from 2026-03-15: DNSSEC is to be validated for challenges and for CAA",
     .needs_signer = true, .off = -(DNS_SIGNED_SECONDS + UNFORGIVEN)},
    {.name = "dnssec-not-yet-valid", .what = "signatures hold only from two days later on",
     .replays = "a signer whose clock is wrong", .needs_signer = true, .off = UNFORGIVEN},
    {.name = "dnssec-missing", .what = "no signatures",
     .replays = "Slack, 2021-09-30: DNSSEC was turned off, and resolvers still remembered that it was on",
     .needs_signer = true, .flaw = DNS_UNSIGNED},
};
/* clang-format on */
const size_t dns_misbehaviour_count = sizeof dns_misbehaviours / sizeof dns_misbehaviours[0];

const struct dns_misbehaviour *dns_misbehaviour_named(const char *name, struct error *e)
{
    return table_find(name, dns_misbehaviours, dns_misbehaviour_count, sizeof dns_misbehaviours[0],
                      "DNS misbehaviour", "fakeca faults --serve", e);
}

/* --- queries ------------------------------------------------------------------------------------ */

/* A query, while it is being answered. */
struct answering {
    const struct dns_zone *zone;
    const struct dns_misbehaviour *m;
    struct dns_signing signing;
    ldns_pkt *query, *answer;
    const ldns_rr *question; /* borrowed from `query` */
    enum dns_transport transport;
};

/* Past a name, which may end in a pointer; 0 where the packet ends first. */
static size_t skip_name(const unsigned char *packet, size_t length, size_t at)
{
    while (at < length && packet[at] != 0 && packet[at] < 64)
        at += 1u + packet[at];
    if (at < length && packet[at] >= 0xc0)
        at++;
    return at < length ? at + 1 : 0;
}

/* Whether a query has no records but additional ones, and among them no more than one OPT (RFC
 * 6891 section 6.1.1) and one TSIG.  libldns loses the memory of all but the last. */
static bool is_plain(const unsigned char *packet, size_t length)
{
    size_t at = skip_name(packet, length, LDNS_HEADER_SIZE), opts = 0, tsigs = 0;

    if (at == 0 || LDNS_QDCOUNT(packet) != 1 || LDNS_ANCOUNT(packet) != 0 ||
        LDNS_NSCOUNT(packet) != 0)
        return false;
    at += 4; /* type and class */
    for (size_t i = 0; i < LDNS_ARCOUNT(packet); i++) {
        unsigned type;

        at = skip_name(packet, length, at);
        if (at == 0 || at + 10 > length)
            return false;
        type = ldns_read_uint16(packet + at);
        opts += type == LDNS_RR_TYPE_OPT;
        tsigs += type == LDNS_RR_TYPE_TSIG;
        at += 10u + ldns_read_uint16(packet + at + 8);
    }
    return at <= length && opts <= 1 && tsigs <= 1;
}

/* The whole query; NULL where it is malformed. */
static ldns_pkt *parse(const unsigned char *packet, size_t length)
{
    ldns_pkt *query = NULL;

    if (!is_plain(packet, length) || ldns_wire2pkt(&query, packet, length) != LDNS_STATUS_OK)
        return NULL;
    return query;
}

static bool is_query(const unsigned char *packet, size_t length)
{
    return length >= LDNS_HEADER_SIZE && !LDNS_QR_WIRE(packet);
}

bool dns_asked(const unsigned char *packet, size_t length, struct dns_question *out)
{
    ldns_pkt *query = is_query(packet, length) && LDNS_OPCODE_WIRE(packet) == LDNS_PACKET_QUERY
                          ? parse(packet, length)
                          : NULL;
    const ldns_rr *question = query == NULL ? NULL : ldns_rr_list_rr(ldns_pkt_question(query), 0);
    char *name = NULL, *type = NULL;
    size_t end;

    if (question != NULL) {
        ldns_dname2canonical(ldns_rr_owner(question));
        name = ldns_rdf2str(ldns_rr_owner(question));
        type = ldns_rr_type2str(ldns_rr_get_type(question));
    }
    if (name != NULL && type != NULL) {
        snprintf(out->name, sizeof out->name, "%s", name);
        snprintf(out->type, sizeof out->type, "%s", type);
        out->secured = ldns_pkt_edns_do(query);
        end = strlen(out->name);
        if (end > 0 && out->name[end - 1] == '.')
            out->name[end - 1] = '\0';
    }
    question = name == NULL || type == NULL ? NULL : question;
    free(name);
    free(type);
    ldns_pkt_free(query);
    return question != NULL;
}

/* --- records ------------------------------------------------------------------------------------ */

/* Puts a copy of `record` into a section, under the name that was asked for, letter by letter. */
static int put(struct answering *a, ldns_pkt_section section, const ldns_rr *record,
               const ldns_rdf *name)
{
    ldns_rr *copy = ldns_rr_clone(record);
    ldns_rdf *owner = ldns_rdf_clone(name);

    if (copy == NULL || owner == NULL || !ldns_pkt_push_rr(a->answer, section, copy)) {
        ldns_rr_free(copy);
        ldns_rdf_deep_free(owner);
        return -1;
    }
    ldns_rdf_deep_free(ldns_rr_owner(copy));
    ldns_rr_set_owner(copy, owner);
    return 0;
}

static int put_text(struct answering *a, ldns_pkt_section section, const char *line,
                    const ldns_rdf *name, struct error *e)
{
    ldns_rr *record = NULL;
    ldns_status status = ldns_rr_new_frm_str(&record, line, DNS_TTL, NULL, NULL);
    int result;

    if (status != LDNS_STATUS_OK)
        return failed(e, "'%s' is not a record as in a master file: %s", line,
                      ldns_get_errorstr_by_id(status));
    result = put(a, section, record, name == NULL ? ldns_rr_owner(record) : name);
    ldns_rr_free(record);
    return result < 0 ? failed(e, "out of memory") : 0;
}

static int put_fallback(struct answering *a, const ldns_rdf *name, ldns_rr_type type)
{
    const ldns_rdf *address = dns_zone_fallback_of(a->zone, name, type);
    ldns_rr *record = ldns_rr_new_frm_type(type);
    int status = -1;

    if (record != NULL && address != NULL) {
        ldns_rdf_deep_free(ldns_rr_set_rdf(record, ldns_rdf_clone(address), 0));
        ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
        ldns_rr_set_ttl(record, DNS_TTL);
        status = put(a, LDNS_SECTION_ANSWER, record, name);
    }
    ldns_rr_free(record);
    return status;
}

static const ldns_rr *first_of(const ldns_rr_list *records, ldns_rr_type type)
{
    for (size_t i = 0; records != NULL && i < ldns_rr_list_rr_count(records); i++)
        if (ldns_rr_get_type(ldns_rr_list_rr(records, i)) == type)
            return ldns_rr_list_rr(records, i);
    return NULL;
}

/* Follows CNAMEs from *name, and puts them; *name is where they end. */
static int follow(struct answering *a, const ldns_rdf **name, ldns_rr_type type)
{
    const ldns_rr *cname;

    if (type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_ANY)
        return 0;
    for (size_t n = 0; n < CNAMES_MOST; n++) {
        cname = first_of(dns_zone_find(a->zone, *name), LDNS_RR_TYPE_CNAME);
        if (cname == NULL)
            return 0;
        if (put(a, LDNS_SECTION_ANSWER, cname, *name) < 0)
            return -1;
        *name = ldns_rr_rdf(cname, 0);
    }
    return 0;
}

/* How many records of a name were put; -1 without memory. */
static int put_matching(struct answering *a, const ldns_rdf *name, ldns_rr_type type)
{
    const ldns_rr_list *records = dns_zone_find(a->zone, name);
    int count = 0;

    for (size_t i = 0; records != NULL && i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(records, i);

        if (type != LDNS_RR_TYPE_ANY && ldns_rr_get_type(record) != type)
            continue;
        if (put(a, LDNS_SECTION_ANSWER, record, name) < 0)
            return -1;
        count++;
    }
    if (dns_zone_fallback_of(a->zone, name, type) == NULL)
        return count;
    return put_fallback(a, name, type) < 0 ? -1 : 1;
}

static bool is_secured(const struct answering *a)
{
    return a->signing.signer != NULL && ldns_pkt_edns_do(a->query);
}

/* Nothing, and that there is nothing: no such name, or none with such records. */
static int put_nothing(struct answering *a, const ldns_rdf *name, bool exists, struct error *e)
{
    ldns_rr_type type = ldns_rr_get_type(a->question);

    if (!exists)
        ldns_pkt_set_rcode(a->answer, LDNS_RCODE_NXDOMAIN);
    if (is_secured(a) && (exists ? dns_deny_type(a->zone, name, type, a->answer)
                                 : dns_deny_name(a->zone, name, a->answer)) < 0)
        return failed(e, "out of memory");
    /* without it nobody may remember that there is nothing: RFC 2308 */
    return put_text(a, LDNS_SECTION_AUTHORITY, DNS_SOA, NULL, e);
}

static int put_truth(struct answering *a, struct error *e)
{
    const ldns_rdf *name = ldns_rr_owner(a->question);
    ldns_rr_type type = ldns_rr_get_type(a->question);
    int count = follow(a, &name, type) < 0 ? -1 : put_matching(a, name, type);

    if (count < 0)
        return failed(e, "out of memory");
    return count > 0 ? 0 : put_nothing(a, name, dns_zone_exists(a->zone, name), e);
}

static int put_instead(struct answering *a, struct error *e)
{
    char line[512];

    snprintf(line, sizeof line, ". %s %s", a->m->type, a->m->data);
    return put_text(a, LDNS_SECTION_ANSWER, line, ldns_rr_owner(a->question), e);
}

/* Where there are these the name exists, whatever the truth is. */
static int put_beside(struct answering *a, struct error *e)
{
    char line[512];

    for (int i = 1; i <= a->m->times; i++) {
        snprintf(line, sizeof line, ". %s %s-%d", a->m->type, a->m->data, i);
        if (put_text(a, LDNS_SECTION_ANSWER, line, ldns_rr_owner(a->question), e) < 0)
            return -1;
    }
    if (put_truth(a, e) < 0)
        return -1;
    ldns_pkt_set_rcode(a->answer, LDNS_RCODE_NOERROR);
    return 0;
}

static bool is_meant(const struct answering *a)
{
    return a->m->type == NULL ||
           ldns_rr_get_type(a->question) == ldns_get_rr_type_by_name(a->m->type);
}

/* What is asked for that this server does not do. */
static int refusal_of(const struct answering *a)
{
    ldns_rr_type type = ldns_rr_get_type(a->question);

    if (ldns_pkt_edns_version(a->query) != 0)
        return BADVERS;
    if (ldns_rr_get_class(a->question) != LDNS_RR_CLASS_IN || type == LDNS_RR_TYPE_AXFR ||
        type == LDNS_RR_TYPE_IXFR)
        return LDNS_RCODE_REFUSED;
    /* RFC 6895 section 3.1: what is between is about queries, and no data */
    return type == LDNS_RR_TYPE_OPT || (type >= 128 && type < LDNS_RR_TYPE_ANY)
               ? LDNS_RCODE_NOTIMPL
               : LDNS_RCODE_NOERROR;
}

static int fill(struct answering *a, struct error *e)
{
    enum dns_wrong wrong = is_meant(a) ? a->m->wrong : DNS_RIGHT;
    int refusal = refusal_of(a);

    if (refusal == BADVERS)
        ldns_pkt_set_edns_extended_rcode(a->answer, BADVERS >> 4);
    if (refusal != LDNS_RCODE_NOERROR)
        ldns_pkt_set_rcode(a->answer, refusal & 0xf);
    else if (wrong == DNS_RCODE)
        ldns_pkt_set_rcode(a->answer, (uint8_t)a->m->rcode);
    else if (wrong == DNS_INSTEAD)
        return put_instead(a, e);
    else if (wrong == DNS_BESIDE)
        return put_beside(a, e);
    else if (wrong == DNS_NO_NAME || wrong == DNS_NO_TYPE)
        return put_nothing(a, ldns_rr_owner(a->question), wrong == DNS_NO_TYPE, e);
    else
        return put_truth(a, e);
    return 0;
}

static int sign(struct answering *a, struct error *e)
{
    if (!is_secured(a) ||
        dns_signer_sign(a->signing.signer, a->signing.at + a->m->off, a->m->flaw, a->answer) == 0)
        return 0;
    return failed(e, "out of memory");
}

/* --- packets ------------------------------------------------------------------------------------ */

/* The head of an answer, with nothing but the question. */
static int begin(struct answering *a)
{
    ldns_rr *question = ldns_rr_clone(a->question);

    ldns_pkt_free(a->answer);
    a->answer = ldns_pkt_new();
    if (a->answer == NULL || question == NULL ||
        !ldns_pkt_push_rr(a->answer, LDNS_SECTION_QUESTION, question)) {
        ldns_rr_free(question);
        return -1;
    }
    ldns_pkt_set_id(a->answer, ldns_pkt_id(a->query));
    ldns_pkt_set_qr(a->answer, true);
    ldns_pkt_set_aa(a->answer, true);
    ldns_pkt_set_rd(a->answer, ldns_pkt_rd(a->query));
    ldns_pkt_set_cd(a->answer, ldns_pkt_cd(a->query));
    if (ldns_pkt_edns(a->query)) {
        ldns_pkt_set_edns_udp_size(a->answer, DNS_UDP_MOST);
        ldns_pkt_set_edns_do(a->answer, ldns_pkt_edns_do(a->query));
    }
    return 0;
}

static size_t room_for(const struct answering *a)
{
    size_t offered = ldns_pkt_edns_udp_size(a->query);

    if (a->transport == DNS_TCP)
        return DNS_PACKET_MOST;
    return offered < UDP_LEAST ? UDP_LEAST : offered > DNS_UDP_MOST ? DNS_UDP_MOST : offered;
}

/* -1 where there is no memory. */
static int write_answer(const struct answering *a, struct dns_reply *out)
{
    free(out->bytes);
    out->bytes = NULL;
    return ldns_pkt2wire(&out->bytes, a->answer, &out->length) == LDNS_STATUS_OK ? 0 : -1;
}

static int finish(struct answering *a, struct dns_reply *out)
{
    bool cut = a->m->wrong == DNS_TRUNCATED && a->transport == DNS_UDP;

    if (!cut && write_answer(a, out) < 0)
        return -1;
    if (!cut && out->length <= room_for(a))
        return 0;
    if (begin(a) < 0)
        return -1;
    ldns_pkt_set_tc(a->answer, true);
    return write_answer(a, out);
}

/* Twelve octets: the query's number, and what is wrong with it. */
static int only_header(const unsigned char *packet, int rcode, struct dns_reply *out)
{
    out->bytes = calloc(1, LDNS_HEADER_SIZE);
    if (out->bytes == NULL)
        return -1;
    out->length = LDNS_HEADER_SIZE;
    memcpy(out->bytes, packet, 2);
    out->bytes[2] = (packet[2] & 0x79) | 0x80; /* its opcode and RD; an answer */
    out->bytes[3] = (unsigned char)rcode;
    return 0;
}

static void spoil(const struct dns_misbehaviour *m, struct dns_reply *out)
{
    out->delay_ms = m->delay_ms;
    if (m->wrong == DNS_WRONG_ID)
        out->bytes[1] ^= 1;
    if (m->wrong == DNS_CUT)
        out->length /= 2;
}

static int answer(struct answering *a, const unsigned char *packet, size_t length,
                  struct dns_reply *out, struct error *e)
{
    if (LDNS_OPCODE_WIRE(packet) != LDNS_PACKET_QUERY)
        return only_header(packet, LDNS_RCODE_NOTIMPL, out) < 0 ? failed(e, "out of memory") : 0;
    a->query = parse(packet, length);
    if (a->query == NULL)
        return only_header(packet, LDNS_RCODE_FORMERR, out) < 0 ? failed(e, "out of memory") : 0;
    a->question = ldns_rr_list_rr(ldns_pkt_question(a->query), 0);
    if (begin(a) < 0)
        return failed(e, "out of memory");
    if (fill(a, e) < 0 || sign(a, e) < 0)
        return -1;
    return finish(a, out) < 0 ? failed(e, "out of memory") : 0;
}

int dns_answer(const struct dns_zone *zone, const unsigned char *packet, size_t length,
               enum dns_transport transport, struct dns_signing signing,
               const struct dns_misbehaviour *misbehaviour, struct dns_reply *out, struct error *e)
{
    static const struct dns_misbehaviour good = {0};
    struct answering a = {.zone = zone,
                          .m = misbehaviour == NULL ? &good : misbehaviour,
                          .signing = signing,
                          .transport = transport};
    int status;

    *out = (struct dns_reply){0};
    /* an answer to what is no query could be answered in turn, for ever */
    if (a.m->wrong == DNS_SILENT || length > DNS_PACKET_MOST || !is_query(packet, length))
        return 0;
    status = answer(&a, packet, length, out, e);
    ldns_pkt_free(a.query);
    ldns_pkt_free(a.answer);
    if (status == 0)
        spoil(a.m, out);
    return status;
}
