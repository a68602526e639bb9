#include "fakeca/dns_signer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/files.h"
#include "fakeca/key.h"

#define KEY_FILE      "dns-key.pem"
#define KIND          "p256"
#define SIGNED_BEFORE 3600 /* seconds: a clock that is slow by less does no harm */

struct dns_signer {
    ldns_key_list *keys; /* one */
    ldns_rr *record;     /* its DNSKEY */
};

/* --- the key ------------------------------------------------------------------------------------ */

void dns_signer_free(struct dns_signer *signer)
{
    if (signer == NULL)
        return;
    ldns_key_list_free(signer->keys); /* and the key with it */
    ldns_rr_free(signer->record);
    free(signer);
}

/* Takes the key over. */
static ldns_key *signing_key(EVP_PKEY *evp)
{
    ldns_key *key = ldns_key_new();
    ldns_rdf *owner = ldns_dname_new_frm_str(".");

    if (key == NULL || owner == NULL) {
        EVP_PKEY_free(evp);
        ldns_rdf_deep_free(owner);
        ldns_key_free(key);
        return NULL;
    }
    ldns_key_set_algorithm(key, LDNS_SIGN_ECDSAP256SHA256);
    ldns_key_set_evp_key(key, evp);
    ldns_key_set_pubkey_owner(key, owner);
    ldns_key_set_flags(key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
    return key;
}

struct dns_signer *dns_signer_new(EVP_PKEY *evp, struct error *e)
{
    struct dns_signer *signer = calloc(1, sizeof *signer);
    ldns_key *key = signing_key(evp);

    if (signer != NULL)
        signer->keys = ldns_key_list_new();
    if (signer == NULL || signer->keys == NULL || key == NULL ||
        !ldns_key_list_push_key(signer->keys, key)) {
        ldns_key_deep_free(key);
        dns_signer_free(signer);
        return failed(e, "out of memory"), NULL;
    }
    signer->record = ldns_key2rr(key);
    if (signer->record == NULL) {
        dns_signer_free(signer);
        return failed(e, "the key does not sign DNS: expected one on P-256"), NULL;
    }
    ldns_rr_set_ttl(signer->record, DNS_TTL);
    ldns_key_set_keytag(key, ldns_calc_keytag(signer->record));
    return signer;
}

static EVP_PKEY *key_needed(int directory, struct error *e)
{
    EVP_PKEY *key;

    if (file_exists(directory, KEY_FILE))
        return key_read(directory, KEY_FILE, e);
    key = key_make(key_kind_named(KIND, e), e);
    if (key == NULL || key_write(directory, KEY_FILE, key, e) == 0)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static int write_anchor(const struct dns_signer *signer, int directory, struct error *e)
{
    char *line = ldns_rr2str(signer->record);
    int status = line == NULL ? failed(e, "out of memory")
                              : file_write(directory, DNS_ANCHOR_FILE, 0644, line, strlen(line), e);

    free(line);
    return status;
}

struct dns_signer *dns_signer_open(const char *path, struct error *e)
{
    int directory = directory_open(path, e);
    EVP_PKEY *key = directory < 0 ? NULL : key_needed(directory, e);
    struct dns_signer *signer = key == NULL ? NULL : dns_signer_new(key, e);

    if (signer != NULL && write_anchor(signer, directory, e) < 0) {
        dns_signer_free(signer);
        signer = NULL;
    }
    if (directory >= 0)
        close(directory);
    return signer;
}

const ldns_rr *dns_signer_key(const struct dns_signer *signer)
{
    return signer->record;
}

int dns_signer_enter(const struct dns_signer *signer, struct dns_zone *zone, struct error *e)
{
    char *line = ldns_rr2str(signer->record);
    int status = line == NULL                         ? failed(e, "out of memory")
                 : dns_zone_add(zone, line, e) < 0    ? -1
                 : dns_zone_add(zone, DNS_SOA, e) < 0 ? -1
                                                      : 0;

    free(line);
    return status;
}

/* --- signatures --------------------------------------------------------------------------------- */

static void forge(const ldns_rr *signature)
{
    ldns_rdf *octets = ldns_rr_rrsig_sig(signature);

    ldns_rdf_data(octets)[ldns_rdf_size(octets) - 1] ^= 1;
}

/* Takes over the signatures of one set; NULL stands for memory that ran out. */
static int put_signatures(ldns_rr_list *signatures, enum dns_flaw flaw, ldns_pkt_section section,
                          ldns_pkt *packet)
{
    ldns_rr *signature = signatures == NULL ? NULL : ldns_rr_list_pop_rr(signatures);
    bool put = signature != NULL;

    if (put && flaw == DNS_FORGED)
        forge(signature);
    if (put && !ldns_pkt_push_rr(packet, section, signature)) {
        ldns_rr_free(signature);
        put = false;
    }
    ldns_rr_list_deep_free(signatures);
    return put ? 0 : -1;
}

static int sign_section(const struct dns_signer *signer, enum dns_flaw flaw,
                        ldns_pkt_section section, ldns_pkt *packet)
{
    ldns_rr_list *left = ldns_pkt_get_section_clone(packet, section), *set;
    int status = left == NULL ? -1 : 0;

    if (left != NULL)
        ldns_rr_list_sort(left);
    while (status == 0 && (set = ldns_rr_list_pop_rrset(left)) != NULL) {
        status = put_signatures(ldns_sign_public(set, signer->keys), flaw, section, packet);
        ldns_rr_list_deep_free(set);
    }
    ldns_rr_list_deep_free(left);
    return status;
}

int dns_signer_sign(struct dns_signer *signer, int64_t at, enum dns_flaw flaw, ldns_pkt *packet)
{
    ldns_key *key = ldns_key_list_key(signer->keys, 0);

    if (flaw == DNS_UNSIGNED)
        return 0;
    ldns_key_set_inception(key, (uint32_t)(at - SIGNED_BEFORE));
    ldns_key_set_expiration(key, (uint32_t)(at + DNS_SIGNED_SECONDS));
    return sign_section(signer, flaw, LDNS_SECTION_ANSWER, packet) < 0 ||
                   sign_section(signer, flaw, LDNS_SECTION_AUTHORITY, packet) < 0
               ? -1
               : 0;
}
