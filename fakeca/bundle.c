/* The bundle: a chain as a directory (chain.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/certificate.h"
#include "fakeca/chain.h"
#include "fakeca/files.h"
#include "fakeca/key.h"

static const char *const files[] = {
    "chain.pem", "key.pem", "trust.pem", "staple.der", "crl.pem", "bundle.json",
};
#define FILES (sizeof files / sizeof files[0])

/* --- what it says of itself --------------------------------------------------------------------- */

static json_t *serials(STACK_OF(X509) * certificates)
{
    json_t *all = json_array();

    for (int i = 0; i < sk_X509_num(certificates); i++) {
        char serial[SERIAL_TEXT];

        certificate_serial(sk_X509_value(certificates, i), serial);
        json_array_append_new(all, json_string(serial));
    }
    return all;
}

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

json_t *chain_describe(const struct chain *chain)
{
    X509 *leaf = sk_X509_value(chain->sent, 0);
    const struct key_kind *kind = key_kind_of(chain->key);
    const char *client_name = chain->client_name == NULL ? chain->name : chain->client_name;
    char serial[SERIAL_TEXT];
    json_t *all = json_object();

    certificate_serial(leaf, serial);
    json_object_set_new(all, "name", json_string(chain->name));
    json_object_set_new(all, "client_name", json_string(client_name));
    json_object_set_new(all, "serial", json_string(serial));
    json_object_set_new(all, "not_before", json_integer(certificate_not_before(leaf)));
    json_object_set_new(all, "not_after", json_integer(certificate_not_after(leaf)));
    json_object_set_new(all, "chain", serials(chain->sent));
    json_object_set_new(all, "trust", serials(chain->trust));
    json_object_set_new(all, "key", text_or_null(kind == NULL ? NULL : kind->name));
    json_object_set_new(all, "fault", text_or_null(chain->fault));
    json_object_set_new(all, "exact", json_boolean(chain->exact));
    json_object_set_new(all, "staple", json_boolean(chain->staple.bytes != NULL));
    json_object_set_new(all, "crl", json_boolean(sk_X509_CRL_num(chain->crls) > 0));
    json_object_set_new(all, "at", json_integer(chain->at));
    return all;
}

/* --- writing ------------------------------------------------------------------------------------ */

static int write_text(int directory, const char *name, char *text, struct error *e)
{
    int status = text == NULL ? -1 : file_write(directory, name, 0644, text, strlen(text), e);

    free(text);
    return status;
}

static int write_description(const struct chain *chain, int directory, struct error *e)
{
    json_t *description = chain_describe(chain);
    char *text = json_dumps(description, JSON_COMPACT);

    json_decref(description);
    if (text == NULL)
        return failed(e, "out of memory");
    return write_text(directory, "bundle.json", text, e);
}

static int write_files(const struct chain *chain, int directory, struct error *e)
{
    if (chain->pem != NULL
            ? file_write(directory, "chain.pem", 0644, chain->pem, strlen(chain->pem), e) < 0
            : write_text(directory, "chain.pem", certificates_pem(chain->sent, e), e) < 0)
        return -1;
    if (key_write(directory, "key.pem", chain->key, e) < 0 ||
        write_text(directory, "trust.pem", certificates_pem(chain->trust, e), e) < 0)
        return -1;
    if (chain->staple.bytes != NULL &&
        file_write(directory, "staple.der", 0644, chain->staple.bytes, chain->staple.length, e) < 0)
        return -1;
    if (sk_X509_CRL_num(chain->crls) > 0 &&
        write_text(directory, "crl.pem", crls_pem(chain->crls, e), e) < 0)
        return -1;
    return write_description(chain, directory, e);
}

static bool is_ours(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    for (size_t i = 0; i < FILES; i++)
        if (strcmp(files[i], name) == 0)
            return true;
    return false;
}

/* A place that holds somebody else's files is not replaced, nor is one that is no directory. */
static int check_place(const char *place, struct error *e)
{
    DIR *directory = opendir(place);
    const char *why = strerror(errno);
    struct dirent *entry;
    int status = 0;

    if (directory == NULL && faccessat(AT_FDCWD, place, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return failed(e, "%s: not overwritten, for it is no bundle: %s", place, why);
    while (status == 0 && directory != NULL && (entry = readdir(directory)) != NULL)
        if (!is_ours(entry->d_name))
            status = failed(e, "%s: not overwritten, for '%s' in it is not part of a bundle", place,
                            entry->d_name);
    if (directory != NULL)
        closedir(directory);
    return status;
}

int chain_write(const struct chain *chain, const char *bundle, struct error *e)
{
    char real[PATH_MAX]; /* a link to a bundle stays one */
    struct draft draft;

    if (realpath(bundle, real) != NULL)
        bundle = real;
    if (check_place(bundle, e) < 0 || directory_draft(bundle, 0755, &draft, e) < 0)
        return -1;
    if (write_files(chain, draft.directory, e) < 0) {
        directory_discard(&draft);
        return failed_in(e, bundle);
    }
    return directory_replace(&draft, bundle, e);
}

/* --- reading ------------------------------------------------------------------------------------ */

static char *optional(int directory, const char *name, size_t *length, struct error *e)
{
    return file_exists(directory, name) ? file_read(directory, name, length, e) : NULL;
}

/* What was written by other hands than certificates_pem's is kept as it is. */
static char *unless_plain(char *text, STACK_OF(X509) * all)
{
    struct error ignored;
    char *plain = certificates_pem(all, &ignored);
    bool same = plain != NULL && strcmp(plain, text) == 0;

    free(plain);
    if (!same)
        return text;
    free(text);
    return NULL;
}

/* `verbatim`, where not NULL, gets the text if it is not simply the certificates'. */
static STACK_OF(X509) *
    read_certificates(int directory, const char *name, char **verbatim, struct error *e)
{
    char *text = file_read(directory, name, NULL, e);
    STACK_OF(X509) *all = text == NULL ? NULL : certificates_parse(text, e);

    if (text != NULL && all == NULL)
        failed_in(e, name);
    if (all != NULL && sk_X509_num(all) == 0) {
        sk_X509_free(all);
        all = NULL;
        failed(e, "%s: no certificate in it", name);
    }
    if (all != NULL && verbatim != NULL)
        *verbatim = unless_plain(text, all);
    else
        free(text);
    return all;
}

static char *copied(json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));

    return text == NULL ? NULL : strdup(text);
}

static struct chain *read_description(int directory, struct error *e)
{
    char *text = file_read(directory, "bundle.json", NULL, e);
    json_t *object = text == NULL ? NULL : json_loads(text, 0, NULL);
    const char *name = json_string_value(json_object_get(object, "name"));
    json_t *at = json_object_get(object, "at");
    struct chain *chain = NULL;

    if (name != NULL && json_is_integer(at))
        chain = chain_new(name, json_integer_value(at), e);
    else if (text != NULL)
        failed(e, "bundle.json: not a bundle's description");
    free(text);
    if (chain != NULL) {
        chain->client_name = copied(object, "client_name");
        chain->fault = copied(object, "fault");
        chain->exact = json_is_true(json_object_get(object, "exact"));
    }
    json_decref(object);
    return chain;
}

static int read_files(struct chain *chain, int directory, struct error *e)
{
    struct error ignored;
    char *crls = optional(directory, "crl.pem", NULL, &ignored);
    STACK_OF(X509) *sent = read_certificates(directory, "chain.pem", &chain->pem, e);
    STACK_OF(X509) *trust =
        sent == NULL ? NULL : read_certificates(directory, "trust.pem", NULL, e);
    STACK_OF(X509_CRL) *listed = crls_parse(crls == NULL ? "" : crls, &ignored);

    free(crls);
    chain->staple.bytes =
        (unsigned char *)optional(directory, "staple.der", &chain->staple.length, &ignored);
    chain->key = trust == NULL ? NULL : key_read(directory, "key.pem", e);
    if (sent != NULL) {
        sk_X509_free(chain->sent);
        chain->sent = sent;
    }
    if (trust != NULL) {
        sk_X509_free(chain->trust);
        chain->trust = trust;
    }
    if (listed != NULL) {
        sk_X509_CRL_free(chain->crls);
        chain->crls = listed;
    }
    return chain->key == NULL ? -1 : 0;
}

struct chain *chain_read(const char *bundle, struct error *e)
{
    int directory = directory_open(bundle, e);
    struct chain *chain;

    if (directory < 0)
        return NULL;
    chain = read_description(directory, e);
    if (chain != NULL && read_files(chain, directory, e) < 0) {
        chain_free(chain);
        chain = NULL;
    }
    close(directory);
    if (chain == NULL)
        failed_in(e, bundle);
    return chain;
}

/* bundle.json says which of the optional files are there. */
static int note_presence(int directory, const char *file, struct error *e)
{
    char *text = file_read(directory, "bundle.json", NULL, e);
    json_t *object = text == NULL ? NULL : json_loads(text, 0, NULL);

    free(text);
    if (!json_is_object(object)) {
        json_decref(object);
        return failed(e, "bundle.json: not a bundle's description");
    }
    json_object_set_new(object, strcmp(file, "staple.der") == 0 ? "staple" : "crl", json_true());
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return write_text(directory, "bundle.json", text, e);
}

int bundle_put(const char *bundle, const char *file, struct blob bytes, struct error *e)
{
    int directory = directory_open(bundle, e);
    int status;

    if (directory < 0)
        return -1;
    status = file_write(directory, file, 0644, bytes.bytes, bytes.length, e);
    if (status == 0)
        status = note_presence(directory, file, e);
    close(directory);
    return status < 0 ? failed_in(e, bundle) : 0;
}
