#include "fakeca/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakeca/files.h"
#include "fakeca/openssl_error.h"

#define RECORD "authority.json"

/* --- the record --------------------------------------------------------------------------------- */

/* From now on the record may say more than its file, until that is read again. */
static void depart(struct authority *authority)
{
    if (authority->record_file >= 0)
        close(authority->record_file);
    authority->record_file = -1;
}

static int save(struct authority *authority, struct error *e)
{
    char *text = json_dumps(authority->record, JSON_COMPACT);
    int status;

    depart(authority);
    if (text == NULL)
        return failed(e, "out of memory");
    status = file_write(authority->directory, RECORD, 0600, text, strlen(text), e);
    free(text);
    return status;
}

static const char *id_of(const struct authority *authority)
{
    return json_string_value(json_object_get(authority->record, "id"));
}

static const char *organization_of(const struct authority *authority)
{
    return json_string_value(json_object_get(authority->record, "name"));
}

/* The signers between root and leaf, topmost first, by number. */
static json_t *path_of(const struct authority *authority)
{
    return json_object_get(authority->record, "path");
}

static size_t path_step(const struct authority *authority, size_t i)
{
    return (size_t)json_integer_value(json_array_get(path_of(authority), i));
}

int authority_serial(struct authority *authority, char out[SERIAL_TEXT], struct error *e)
{
    if (authority->last_serial == authority->reserved) {
        json_int_t last = json_integer_value(json_object_get(authority->record, "serial"));

        authority->last_serial = last;
        authority->reserved = last + 1 + authority->ahead;
        json_object_set_new(authority->record, "serial", json_integer(authority->reserved));
        if (save(authority, e) < 0)
            return -1;
    }
    authority->last_serial++;
    snprintf(out, SERIAL_TEXT, "%s%08" PRIx32, id_of(authority), (uint32_t)authority->last_serial);
    return 0;
}

/* --- signers ------------------------------------------------------------------------------------ */

static const char *signer_name(size_t i, const char *suffix, char out[64])
{
    if (i == 0)
        snprintf(out, 64, "root.%s", suffix);
    else
        snprintf(out, 64, "intermediate-%zu.%s", i, suffix);
    return out;
}

const struct signer *authority_signer(struct authority *authority, size_t i, struct error *e)
{
    struct signer *signer = &authority->signers[i];
    char name[64];

    if (signer->certificate == NULL)
        signer->certificate =
            certificate_read(authority->directory, signer_name(i, "pem", name), e);
    if (signer->certificate != NULL && signer->key == NULL)
        signer->key = key_read(authority->directory, signer_name(i, "key", name), e);
    if (signer->key == NULL)
        return failed_in(e, authority->path), NULL;
    return signer;
}

size_t authority_number(const struct authority *authority, const struct signer *signer)
{
    return (size_t)(signer - authority->signers);
}

const struct signer *authority_signer_of(struct authority *authority, X509 *certificate,
                                         struct error *e)
{
    /* from the newest on, which is nearly always the one */
    for (size_t i = authority->count; i-- > 0;) {
        const struct signer *signer = authority_signer(authority, i, e);

        if (signer == NULL)
            return NULL;
        if (X509_check_issued(signer->certificate, certificate) == X509_V_OK)
            return signer;
    }
    return failed(e, "%s: this authority has not issued that certificate", authority->path), NULL;
}

/* What is held of those from number `first` on. */
static void forget_signers(struct authority *authority, size_t first)
{
    for (size_t i = first; i < SIGNERS_MOST; i++) {
        X509_free(authority->signers[i].certificate);
        EVP_PKEY_free(authority->signers[i].key);
        authority->signers[i] = (struct signer){0};
    }
}

/* Takes over `signer`, gives it the next number and writes it down. */
static int add_signer(struct authority *authority, struct signer signer, struct error *e)
{
    size_t i = authority->count;
    char name[64];

    if (signer.certificate == NULL || i == SIGNERS_MOST) {
        X509_free(signer.certificate);
        EVP_PKEY_free(signer.key);
        return i == SIGNERS_MOST ? failed(e, "%s: holds %d signers already, which is the most",
                                          authority->path, SIGNERS_MOST)
                                 : -1;
    }
    depart(authority);
    authority->signers[authority->count++] = signer;
    json_object_set_new(authority->record, "signers", json_integer((json_int_t)authority->count));
    if (key_write(authority->directory, signer_name(i, "key", name), signer.key, e) < 0)
        return -1;
    return certificate_write(authority->directory, signer_name(i, "pem", name), signer.certificate,
                             e);
}

/* --- making CAs --------------------------------------------------------------------------------- */

static int add_root(struct authority *authority, const struct authority_plan *plan, struct error *e)
{
    char common_name[65], serial[SERIAL_TEXT];
    struct certificate_spec spec = {
        .common_name = common_name,
        .organization = organization_of(authority),
        .serial = serial,
        .not_before = plan->at - AUTHORITY_BACKDATE,
        .not_after = plan->root_until,
        .ca = true,
        .path_length = -1,
        .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
        .rehearsal = true,
    };
    struct signer root = {.key = key_make(plan->kind, e)};

    snprintf(common_name, sizeof common_name, "Rehearsal Root %s - NOT FOR PRODUCTION",
             id_of(authority));
    if (root.key == NULL || authority_serial(authority, serial, e) < 0) {
        EVP_PKEY_free(root.key);
        return -1;
    }
    root.certificate = certificate_make(&spec, root.key, NULL, e);
    return add_signer(authority, root, e);
}

/* `spec` has dates and constraints; names, serial and usage are filled in here. */
static int add_intermediate(struct authority *authority, struct certificate_spec spec,
                            size_t issuer, const struct key_kind *kind, struct error *e)
{
    char common_name[65], serial[SERIAL_TEXT];
    const struct signer *above = authority_signer(authority, issuer, e);
    struct signer below = {.key = above == NULL ? NULL : key_make(kind, e)};

    snprintf(common_name, sizeof common_name, "Rehearsal Intermediate %zu %s", authority->count,
             id_of(authority));
    spec.common_name = common_name;
    spec.organization = organization_of(authority);
    spec.serial = serial;
    spec.ca = true;
    spec.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    if (below.key == NULL || authority_serial(authority, serial, e) < 0) {
        EVP_PKEY_free(below.key);
        return -1;
    }
    below.certificate = certificate_make(&spec, below.key, above, e);
    return add_signer(authority, below, e);
}

static int add_intermediates(struct authority *authority, const struct authority_plan *plan,
                             struct error *e)
{
    for (size_t i = 0; i < plan->intermediates; i++) {
        struct certificate_spec spec = {
            .not_before = plan->at - AUTHORITY_BACKDATE,
            .not_after = plan->intermediate_until,
            .path_length = (int)(plan->intermediates - i) - 1,
            .permitted = plan->permitted,
            .excluded = plan->excluded,
        };

        if (i == 0 && plan->path_length >= 0)
            spec.path_length = plan->path_length;
        if (add_intermediate(authority, spec, i, plan->kind, e) < 0)
            return -1;
        json_array_append_new(path_of(authority), json_integer((json_int_t)i + 1));
    }
    return save(authority, e);
}

static json_t *new_record(const struct authority_plan *plan)
{
    unsigned char random[4];
    char id[9];

    if (RAND_bytes(random, sizeof random) != 1)
        return NULL;
    /* 40..7f: positive, and never shorter, wherever the serial numbers begin with it */
    snprintf(id, sizeof id, "%02x%02x%02x%02x", (random[0] & 0x3f) | 0x40, random[1], random[2],
             random[3]);
    return json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:[]}", "version", 1, "id", id, "name",
                     plan->name == NULL ? "Rehearsal" : plan->name, "key", plan->kind->name,
                     "serial", 0, "signers", 0, "path");
}

int authority_create(const char *path, const struct authority_plan *plan, struct error *e)
{
    struct authority authority = {.path = path, .record_file = -1};
    struct draft draft;
    int status = -1;

    if (directory_draft(path, 0700, &draft, e) < 0)
        return -1;
    authority.directory = dup(draft.directory);
    authority.record = new_record(plan);
    if (authority.record == NULL)
        failed(e, "out of memory or of random numbers");
    else if (add_root(&authority, plan, e) == 0)
        status = add_intermediates(&authority, plan, e);
    authority_close(&authority);
    if (status == 0)
        return directory_publish(&draft, path, e);
    directory_discard(&draft);
    return failed_in(e, path);
}

int authority_rotate(struct authority *authority, int64_t at, int64_t until, struct error *e)
{
    size_t depth = json_array_size(path_of(authority));
    struct certificate_spec spec = {
        .not_before = at - AUTHORITY_BACKDATE, .not_after = until, .path_length = 0};
    const char *kind = json_string_value(json_object_get(authority->record, "key"));
    const struct key_kind *same = key_kind_named(kind == NULL ? "" : kind, e);
    json_t *number = json_integer((json_int_t)authority->count);

    if (depth == 0 || same == NULL) {
        json_decref(number);
        return failed(e, "%s: has no intermediate to rotate", authority->path);
    }
    if (add_intermediate(authority, spec, depth == 1 ? 0 : path_step(authority, depth - 2), same,
                         e) < 0) {
        json_decref(number);
        return failed_in(e, authority->path);
    }
    json_array_set_new(path_of(authority), depth - 1, number);
    return save(authority, e) < 0 ? failed_in(e, authority->path) : 0;
}

/* --- opening ------------------------------------------------------------------------------------ */

/* Nobody writes into that file; who changes it puts another in its place. */
static bool unchanged(const struct authority *authority)
{
    struct stat mine, now;

    return authority->record_file >= 0 && fstat(authority->record_file, &mine) == 0 &&
           fstatat(authority->directory, RECORD, &now, 0) == 0 && now.st_ino == mine.st_ino &&
           now.st_dev == mine.st_dev;
}

static int load(struct authority *authority, struct error *e)
{
    char *text;
    json_int_t count, serial;

    if (unchanged(authority))
        return 0;
    text = file_read(authority->directory, RECORD, NULL, e);
    if (text == NULL)
        return -1;
    depart(authority);
    json_decref(authority->record);
    authority->record = json_loads(text, 0, NULL);
    free(text);
    count = json_integer_value(json_object_get(authority->record, "signers"));
    serial = json_integer_value(json_object_get(authority->record, "serial"));
    if (count < 1 || count > SIGNERS_MOST || serial < 1 || id_of(authority) == NULL ||
        organization_of(authority) == NULL || !json_is_array(path_of(authority)))
        return failed(e, "authority.json: damaged; expected what `fakeca init` wrote");
    authority->count = (size_t)count;
    forget_signers(authority, authority->count); /* one that was never put on record */
    for (size_t i = 0; i < json_array_size(path_of(authority)); i++)
        if (path_step(authority, i) >= authority->count)
            return failed(e, "authority.json: damaged; its path names a signer that is not there");
    authority->record_file =
        openat(authority->directory, RECORD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return 0;
}

void authority_pause(struct authority *authority)
{
    flock(authority->directory, LOCK_UN);
}

int authority_resume(struct authority *authority, struct error *e)
{
    while (flock(authority->directory, LOCK_EX) < 0)
        if (errno != EINTR)
            return failed(e, "%s: cannot lock: %s", authority->path, strerror(errno));
    return load(authority, e) == 0 ? 0 : failed_in(e, authority->path);
}

int authority_open(const char *path, struct authority *authority, struct error *e)
{
    *authority =
        (struct authority){.path = path, .directory = directory_open(path, e), .record_file = -1};
    if (authority->directory < 0)
        return -1;
    if (authority_resume(authority, e) == 0)
        return 0;
    authority_close(authority);
    return -1;
}

void authority_close(struct authority *authority)
{
    forget_signers(authority, 0);
    json_decref(authority->record);
    depart(authority);
    if (authority->directory >= 0)
        close(authority->directory); /* and the lock with it */
}

/* --- issuing ------------------------------------------------------------------------------------ */

size_t authority_issuer(const struct authority *authority)
{
    size_t depth = json_array_size(path_of(authority));

    return depth == 0 ? 0 : path_step(authority, depth - 1);
}

static unsigned usual_key_usage(const struct key_kind *kind)
{
    /* RSA key exchange in TLS 1.2 encrypts with the leaf's key */
    return kind->bits == 0 ? KU_DIGITAL_SIGNATURE : KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
}

struct certificate_spec authority_leaf(const struct leaf_plan *plan, const char *serial)
{
    return (struct certificate_spec){
        .common_name = plan->no_common_name ? NULL : plan->names.items[0],
        .serial = serial,
        .not_before = plan->not_before,
        .not_after = plan->not_after,
        .names = plan->names,
        .key_usage = plan->key_usage != 0 ? plan->key_usage : usual_key_usage(plan->kind),
        .purposes = plan->purposes,
        .ca_issuers = plan->ca_issuers,
        .ocsp = plan->ocsp,
        .crl = plan->crl,
        .must_staple = plan->must_staple,
    };
}

static X509 *make_leaf(struct authority *authority, const struct leaf_plan *plan, EVP_PKEY *key,
                       const char *serial, struct error *e)
{
    const struct signer *issuer = authority_signer(authority, authority_issuer(authority), e);
    struct certificate_spec spec = authority_leaf(plan, serial);

    return issuer == NULL ? NULL : certificate_make(&spec, key, issuer, e);
}

int authority_push_path(struct authority *authority, STACK_OF(X509) * certificates, struct error *e)
{
    for (size_t i = json_array_size(path_of(authority)); i-- > 0;) {
        char name[64];
        X509 *one = certificate_read(authority->directory,
                                     signer_name(path_step(authority, i), "pem", name), e);

        if (chain_push(certificates, one, e) < 0)
            return -1;
    }
    return 0;
}

static int push_path(struct authority *authority, struct chain *chain, struct error *e)
{
    if (authority_push_path(authority, chain->sent, e) < 0)
        return -1;
    return chain_push(chain->trust, certificate_read(authority->directory, "root.pem", e), e);
}

int authority_note(struct authority *authority, const struct leaf_plan *plan, const char *serial,
                   struct error *e)
{
    json_t *line =
        json_pack("{s:s, s:s, s:I, s:I, s:I}", "serial", serial, "name", plan->names.items[0],
                  "issuer", (json_int_t)authority_issuer(authority), "not_before",
                  (json_int_t)plan->not_before, "not_after", (json_int_t)plan->not_after);
    char *text = json_dumps(line, JSON_COMPACT);
    int status = text == NULL ? failed(e, "out of memory")
                              : file_append(authority->directory, "issued.jsonl", 0600, text, e);

    free(text);
    json_decref(line);
    return status;
}

static EVP_PKEY *key_for(struct authority *authority, const struct leaf_plan *plan, struct error *e)
{
    if (plan->public_key == NULL)
        return key_from_pool(authority->directory, plan->kind,
                             (unsigned long)authority->last_serial, e);
    EVP_PKEY_up_ref(plan->public_key);
    return plan->public_key;
}

static int fill_chain(struct authority *authority, const struct leaf_plan *plan,
                      struct chain *chain, struct error *e)
{
    char serial[SERIAL_TEXT];

    if (authority_serial(authority, serial, e) < 0)
        return -1;
    chain->key = key_for(authority, plan, e);
    if (chain->key == NULL ||
        chain_push(chain->sent, make_leaf(authority, plan, chain->key, serial, e), e) < 0 ||
        push_path(authority, chain, e) < 0)
        return -1;
    if (plan->cross && authority_push_cross(authority, chain, e) < 0)
        return -1;
    return authority_note(authority, plan, serial, e);
}

struct chain *authority_issue(struct authority *authority, const struct leaf_plan *plan,
                              struct error *e)
{
    struct chain *chain = chain_new(plan->names.items[0], plan->at, e);

    if (chain == NULL)
        return NULL;
    if (fill_chain(authority, plan, chain, e) == 0)
        return chain;
    chain_free(chain);
    return failed_in(e, authority->path), NULL;
}
