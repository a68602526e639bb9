/* dns_answer.h -- an authoritative DNS server's brain (RFC 1034, 1035, 6891): packet in, packet
 * out.
 *
 * No socket and no clock: a delay is a number given back to the caller.  Packets are untrusted;
 * what is no query gets no answer at all, and a query that does not parse gets FORMERR.
 *
 * The server is authoritative for every name.  CNAMEs are followed within the zone.  Over UDP an
 * answer that does not fit into 512 octets, or what the query's EDNS says (at most
 * DNS_UDP_MOST), comes back empty and with TC set; over TCP there is room for 65,535.
 *
 * With a signer, queries that ask for DNSSEC (EDNS with DO, RFC 4035 section 3) get it: a signature for each set of
 * records, and where there are none the proof (dns_deny.h).  What a misbehaviour has the server say is signed as the
 * truth is; SERVFAIL and REFUSED are never.
 */
#ifndef FAKECA_DNS_ANSWER_H
#define FAKECA_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fakeca/dns_signer.h"

#define DNS_PACKET_MOST 65535
#define DNS_UDP_MOST    1232 /* what passes everywhere unfragmented, DNS flag day 2020 */
#define DNS_NAME_TEXT   1025 /* room for a name as text: 255 octets, each perhaps \DDD */

enum dns_transport { DNS_UDP, DNS_TCP };

/* How to misbehave in one answer; zero everywhere is good behaviour.  A caller may copy a row of
 * the table and change its parameters. */
enum dns_wrong {
    DNS_RIGHT,
    DNS_RCODE,     /* `rcode` and no records */
    DNS_NO_NAME,   /* NXDOMAIN */
    DNS_NO_TYPE,   /* NOERROR and no records */
    DNS_INSTEAD,   /* `data` */
    DNS_BESIDE,    /* `data` with -1, -2 ... behind it, so many `times`, and then the truth */
    DNS_TRUNCATED, /* TC over UDP, whatever the size */
    DNS_WRONG_ID,  /* the truth under another number */
    DNS_CUT,       /* the first half of the truth */
    DNS_SILENT,    /* no answer */
};
struct dns_misbehaviour {
    const char *name;    /* kebab-case */
    const char *what;    /* one line */
    const char *replays; /* the outage or issue it is known from */
    enum dns_wrong wrong;
    int rcode;        /* RFC 1035 section 4.1.1 */
    const char *type; /* "CAA": no other query is meant; NULL: all are */
    const char *data; /* as in a master file: "0 issue \";\"" */
    int times;
    unsigned delay_ms; /* the caller sends the answer that much later */
    bool swallows;     /* what it tells of is DNS_HOLE, which the caller has to make one */
    bool needs_signer; /* the next two are all there is to it */
    enum dns_flaw flaw;
    int64_t off; /* signatures are those of so many seconds later, or earlier */
};

#define DNS_HOLE "127.100.0.1" /* where packets vanish: serve_hole.h */

extern const struct dns_misbehaviour dns_misbehaviours[];
extern const size_t dns_misbehaviour_count;
/* NULL with the nearest right name in *e. */
const struct dns_misbehaviour *dns_misbehaviour_named(const char *name, struct error *e);

/* What a packet asks, for callers who misbehave towards one name only. */
struct dns_question {
    char name[DNS_NAME_TEXT]; /* lower case, without the last dot; "" is the root */
    char type[16];            /* "TXT", "TYPE65534" */
    bool secured;             /* it asks for DNSSEC */
};
/* false where it is no query with one question. */
bool dns_asked(const unsigned char *packet, size_t length, struct dns_question *out);

struct dns_reply {
    unsigned char *bytes; /* to be freed with free(); NULL: send nothing */
    size_t length;
    unsigned delay_ms;
};

/* Who signs, and when: Unix seconds. */
struct dns_signing {
    struct dns_signer *signer; /* NULL: nobody */
    int64_t at;
};

/* Answers `packet` (over TCP without its two octets of length).  `misbehaviour` NULL: good.
 * -1 with *e only for want of memory, and for `data` that is no record of its `type`. */
int dns_answer(const struct dns_zone *zone, const unsigned char *packet, size_t length,
               enum dns_transport transport, struct dns_signing signing,
               const struct dns_misbehaviour *misbehaviour, struct dns_reply *out, struct error *e);

#endif
