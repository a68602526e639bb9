#include "fakeca/dns_trust.h"

#include <stdio.h>
#include <stdlib.h>

#define CNAMES_MOST 16
/* Of one set, and of NSEC records in one answer: each takes time to verify. */
#define SIGNATURES_MOST 4
#define PROOFS_MOST     4

/* One answer, while it is being looked at. */
struct checking {
    const struct dns_trust *trust;
    const ldns_rr_list *answer, *authority;
    ldns_rr_list *keys;
    ldns_rr_type type;
    time_t now;
    const char *wrong; /* a word of RFC 8914 section 4; NULL: nothing yet */
};

static int is_wrong(struct checking *c, const char *wrong)
{
    c->wrong = wrong;
    return -1;
}

/* --- sets of records ---------------------------------------------------------------------------- */

static bool covers(const ldns_rr *signature, ldns_rr_type type)
{
    return ldns_rr_rd_count(signature) > 0 &&
           ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(signature)) == type;
}

/* The records of a name and type, or the signatures over them, borrowed; the list is to be freed. */
static ldns_rr_list *pick(const ldns_rr_list *from, const ldns_rdf *name, ldns_rr_type type,
                          bool signatures)
{
    ldns_rr_list *picked = ldns_rr_list_new();

    for (size_t i = 0; picked != NULL && i < ldns_rr_list_rr_count(from); i++) {
        ldns_rr *record = ldns_rr_list_rr(from, i);
        bool signature = ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG;

        if (signature == signatures && ldns_dname_compare(ldns_rr_owner(record), name) == 0 &&
            (signature ? covers(record, type) : ldns_rr_get_type(record) == type))
            ldns_rr_list_push_rr(picked, record);
    }
    return picked;
}

static const char *wrong_by(ldns_status status)
{
    return status == LDNS_STATUS_CRYPTO_SIG_EXPIRED        ? "Signature Expired"
           : status == LDNS_STATUS_CRYPTO_SIG_NOT_INCEPTED ? "Signature Not Yet Valid"
                                                           : "Bogus";
}

/* How many records of that name and type there are, all well signed; -1: they are not. */
static int check_set(struct checking *c, const ldns_rr_list *from, const ldns_rdf *name,
                     ldns_rr_type type)
{
    ldns_rr_list *set = pick(from, name, type, false), *signatures = pick(from, name, type, true);
    int count = set == NULL || signatures == NULL ? -1 : (int)ldns_rr_list_rr_count(set);
    ldns_status status = LDNS_STATUS_OK;

    if (count > 0 && ldns_rr_list_rr_count(signatures) == 0)
        count = is_wrong(c, "RRSIGs Missing");
    else if (count > 0 && ldns_rr_list_rr_count(signatures) > SIGNATURES_MOST)
        count = is_wrong(c, "Bogus");
    else if (count > 0)
        status = ldns_verify_time(set, signatures, c->keys, c->now, NULL);
    if (status != LDNS_STATUS_OK)
        count = is_wrong(c, wrong_by(status));
    ldns_rr_list_free(set);
    ldns_rr_list_free(signatures);
    return count;
}

/* --- nothing ------------------------------------------------------------------------------------ */

static bool denies(const ldns_rdf *name, ldns_rr_type type, ldns_rr_list *proofs,
                   ldns_rr_list *signatures)
{
    ldns_rr *asked = ldns_rr_new();
    ldns_rdf *owner = ldns_rdf_clone(name);
    bool denied = false;

    if (asked != NULL && owner != NULL) {
        ldns_dname2canonical(owner);
        ldns_rr_set_owner(asked, owner);
        ldns_rr_set_type(asked, type);
        denied = ldns_dnssec_verify_denial(asked, proofs, signatures) == LDNS_STATUS_OK;
    } else
        ldns_rdf_deep_free(owner);
    ldns_rr_free(asked);
    return denied;
}

/* The NSEC records of an answer, each well signed, and in lower case; NULL: they are not. */
static ldns_rr_list *proofs_of(struct checking *c)
{
    ldns_rr_list *proofs = ldns_rr_list_new();

    for (size_t i = 0; proofs != NULL && i < ldns_rr_list_rr_count(c->authority); i++) {
        ldns_rr *record = ldns_rr_list_rr(c->authority, i);

        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_NSEC)
            continue;
        if (ldns_rr_list_rr_count(proofs) == PROOFS_MOST ||
            check_set(c, c->authority, ldns_rr_owner(record), LDNS_RR_TYPE_NSEC) < 0) {
            ldns_rr_list_free(proofs);
            return NULL;
        }
        ldns_rr_list_push_rr(proofs, record);
    }
    for (size_t i = 0; proofs != NULL && i < ldns_rr_list_rr_count(proofs); i++)
        ldns_rr2canonical(ldns_rr_list_rr(proofs, i));
    return proofs;
}

/* Neither records of that type, nor a CNAME that would lead to some. */
static int check_nothing(struct checking *c, const ldns_rdf *name)
{
    ldns_rr_list *proofs = proofs_of(c);
    ldns_rr_list *signatures = ldns_rr_list_new();
    int status = 0;

    for (size_t i = 0; signatures != NULL && i < ldns_rr_list_rr_count(c->authority); i++)
        if (ldns_rr_get_type(ldns_rr_list_rr(c->authority, i)) == LDNS_RR_TYPE_RRSIG)
            ldns_rr_list_push_rr(signatures, ldns_rr_list_rr(c->authority, i));
    if (proofs == NULL || signatures == NULL)
        status = -1;
    else if (ldns_rr_list_rr_count(proofs) == 0)
        status = is_wrong(c, "NSEC Missing");
    else if (!denies(name, c->type, proofs, signatures) ||
             !denies(name, LDNS_RR_TYPE_CNAME, proofs, signatures))
        status = is_wrong(c, "Bogus");
    ldns_rr_list_free(proofs);
    ldns_rr_list_free(signatures);
    return status;
}

/* --- an answer ---------------------------------------------------------------------------------- */

/* How many records are no signatures. */
static size_t count_data(const ldns_rr_list *records)
{
    size_t count = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++)
        count += ldns_rr_get_type(ldns_rr_list_rr(records, i)) != LDNS_RR_TYPE_RRSIG;
    return count;
}

/* Where the CNAME of a name leads, borrowed; NULL where it has none. */
static const ldns_rdf *target_of(const struct checking *c, const ldns_rdf *name)
{
    ldns_rr_list *cnames = pick(c->answer, name, LDNS_RR_TYPE_CNAME, false);
    const ldns_rdf *target = cnames == NULL || ldns_rr_list_rr_count(cnames) == 0
                                 ? NULL
                                 : ldns_rr_rdf(ldns_rr_list_rr(cnames, 0), 0);

    ldns_rr_list_free(cnames);
    return target;
}

static int check_answer(struct checking *c, const ldns_rdf *name)
{
    size_t checked = 0;
    const ldns_rdf *target;
    int count;

    for (int i = 0; (target = target_of(c, name)) != NULL; i++) {
        count = check_set(c, c->answer, name, LDNS_RR_TYPE_CNAME);
        if (count < 0)
            return -1;
        if (i == CNAMES_MOST)
            return is_wrong(c, "Bogus");
        checked += (size_t)count;
        name = target;
    }
    count = check_set(c, c->answer, name, c->type);
    if (count < 0)
        return -1;
    if (checked + (size_t)count != count_data(c->answer))
        return is_wrong(c, "Bogus"); /* and be it signed: it was not asked for */
    return count > 0 ? 0 : check_nothing(c, name);
}

static bool says_nothing(const ldns_pkt *packet)
{
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);

    return rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN;
}

static int check_packet(struct checking *c, const ldns_pkt *packet, const char *name)
{
    ldns_rdf *asked = ldns_dname_new_frm_str(name);
    int status = -1;

    c->answer = ldns_pkt_answer(packet);
    c->authority = ldns_pkt_authority(packet);
    c->keys = ldns_rr_list_new();
    if (asked != NULL && c->keys != NULL &&
        ldns_rr_list_push_rr(c->keys, (ldns_rr *)c->trust->key)) /* it is only read */
        status = check_answer(c, asked);
    ldns_rdf_deep_free(asked);
    ldns_rr_list_free(c->keys);
    return status;
}

int dns_trust_check(const struct dns_trust *trust, const unsigned char *octets, size_t length,
                    const char *name, unsigned type, char why[DNS_TRUST_TEXT])
{
    struct checking c = {
        .trust = trust, .type = (ldns_rr_type)type, .now = (time_t)trust->now(trust->context)};
    char *type_text = ldns_rr_type2str(c.type);
    ldns_pkt *packet = NULL;
    int status = -1;

    /* of more than one additional record libldns may lose the memory */
    if (length < LDNS_HEADER_SIZE || LDNS_ARCOUNT(octets) > 1 ||
        ldns_wire2pkt(&packet, octets, length) != LDNS_STATUS_OK)
        snprintf(why, DNS_TRUST_TEXT, "an answer cut short");
    else if (says_nothing(packet) || check_packet(&c, packet, name) == 0)
        status = 0;
    else
        snprintf(why, DNS_TRUST_TEXT, "DNSSEC: %s: validation failure <%.64s. %s IN>",
                 c.wrong == NULL ? "Bogus" : c.wrong, name, type_text == NULL ? "" : type_text);
    ldns_pkt_free(packet);
    free(type_text);
    return status;
}
