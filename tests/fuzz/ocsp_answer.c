/* Whatever the bytes of a request are, the responder gives back a whole OCSPResponse.
 *
 * A seed names the issuer by marks of the right length in place of digests, because the authority
 * is another one at each run. */
#include <ftw.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakeca/ocsp_answer.h"
#include "tests/fuzz/must.h"

#define NOON INT64_C(1936000000)
#define DAY  INT64_C(86400)
#define MOST 4096 /* bytes that are worth trying */

static char state[64];
static struct authority authority;
static struct ocsp_responder *responders[2]; /* that sign themselves; that have a delegate */

static struct mark {
    const char *text;
    const EVP_MD *(*digest)(void);
    bool of_key;
} marks[] = {
    {"the issuers sha1name",             EVP_sha1,   false},
    {"the issuers sha1 key",             EVP_sha1,   true },
    {"the name of the issuer as sha256", EVP_sha256, false},
    {"the key of the issuer by sha 256", EVP_sha256, true },
};

static void stand(void *context, size_t issuer, const char *serial, struct standing *out)
{
    (void)context;
    (void)issuer;
    *out = (struct standing){
        .status = serial[0] % 3, .revoked = {.at = NOON, .reason = -1}
    };
}

static int remove_one(const char *path, const struct stat *about, int flag, struct FTW *ftw)
{
    (void)about;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void take_away(void)
{
    nftw(state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error e;
    const struct authority_plan plan = {
        .kind = key_kind_named("p256", &e),
        .intermediates = 1,
        .at = NOON,
        .root_until = NOON + 3650 * DAY,
        .intermediate_until = NOON + 1825 * DAY,
        .path_length = -1,
    };
    struct ocsp_plan ocsp = {
        .authority = &authority, .standing = stand, .lifetime = 7 * DAY, .reuse = 3600};

    (void)argc;
    (void)argv;
    strcpy(state, "/tmp/rehearse-fuzz-XXXXXX");
    must(mkdtemp(state) != NULL, "no directory");
    atexit(take_away);
    must(authority_create(state, &plan, &e) == 0 && authority_open(state, &authority, &e) == 0,
         "no authority");
    for (int i = 0; i < 2; i++) {
        ocsp.delegated = i == 1;
        responders[i] = ocsp_responder_new(&ocsp, &e);
        must(responders[i] != NULL, "no responder");
    }
    return 0;
}

static void fill_marks(unsigned char *bytes, size_t length)
{
    struct error e;
    X509 *issuer = authority_signer(&authority, 1, &e)->certificate;

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        unsigned char *at = memmem(bytes, length, marks[i].text, strlen(marks[i].text));

        if (at == NULL)
            continue;
        if (marks[i].of_key)
            X509_pubkey_digest(issuer, marks[i].digest(), digest, &size);
        else
            X509_NAME_digest(X509_get_subject_name(issuer), marks[i].digest(), digest, &size);
        memcpy(at, digest, size);
    }
}

static void ask(const unsigned char *request, size_t length, size_t turn)
{
    const struct ocsp_misbehaviour *m = NULL;
    struct blob out;
    struct error e;

    if (turn % 4 == 3) /* not the last, which is the one of a megabyte */
        m = &ocsp_misbehaviours[turn / 4 % (ocsp_misbehaviour_count - 1)];
    must(ocsp_answer(responders[turn % 2], request, length, NOON, m, &out, &e) == 0, e.text);
    if (m == NULL || m->garbage == 0) {
        const unsigned char *at = out.bytes;
        OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)out.length);

        must(response != NULL && at == out.bytes + out.length, "no OCSPResponse");
        OCSP_RESPONSE_free(response);
    }
    free(out.bytes);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct ocsp_question question;
    struct blob decoded;
    struct error e;
    unsigned char request[MOST + 1];

    if (size > MOST)
        return -1;
    memcpy(request, data, size);
    request[size] = '\0';
    if (ocsp_request_of_path((char *)request, &decoded, &e) == 0)
        free(decoded.bytes);
    fill_marks(request, size);
    ocsp_asked(responders[0], request, size, &question);
    ask(request, size, size);
    return 0;
}
