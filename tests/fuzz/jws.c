/* Whatever a signed request holds, it is taken apart or refused; and nobody signs in our name.
 *
 * Two readings of the same bytes: as the request itself; and as "HEADER NUL PAYLOAD NUL
 * SIGNATURE", which are put into a request, so that what is found about JSON is not lost in base64. */
#include "fakeca/jws.h"

#include <string.h>

#include "fakeca/base64url.h"
#include "fakeca/jwk.h"
#include "fakeca/key.h"
#include "tests/fuzz/must.h"

static struct verifier ours[2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error e;

    (void)argc;
    (void)argv;
    ours[0].key = key_make(key_kind_named("p256", &e), &e);
    ours[1].key = key_make(key_kind_named("ed25519", &e), &e);
    must(ours[0].key != NULL && ours[1].key != NULL, "no keys");
    return 0;
}

static void look_into(const struct jws *jws)
{
    char thumbprint[THUMBPRINT_TEXT];
    struct error e;
    struct verifier signer = {0};

    must((jws->kid == NULL) != (jws->jwk == NULL), "a request with two keys, or none");
    must(algorithm_known(jws->algorithm), "an algorithm that is not ours");
    must(strcmp(jws->algorithm, "none") != 0 && strncmp(jws->algorithm, "HS", 2) != 0,
         "an algorithm without a key pair");
    must(jws->payload == NULL || json_is_object(jws->payload), "a payload that is no object");
    for (int i = 0; i < 2; i++)
        must(jws_verify(jws, &ours[i], &e) < 0, "a signature by a key that signed nothing");
    if (jws->jwk == NULL)
        return;
    jwk_thumbprint(jws->jwk, thumbprint, &e);
    signer.key = jwk_key(jws->jwk, &e);
    if (signer.key != NULL)
        jws_verify(jws, &signer, &e);
    verifier_close(&signer);
}

static void parse(const char *bytes, size_t length)
{
    enum jws_fault fault;
    struct jws jws;
    struct error e = {""};

    if (jws_parse(bytes, length, &jws, &fault, &e) == 0)
        look_into(&jws);
    else
        must(*e.text != '\0', "a refusal without a word");
    jws_free(&jws);
}

/* The bytes up to the next NUL, as base64url; moves past it. */
static char *part(const unsigned char **data, size_t *size)
{
    const unsigned char *stop = memchr(*data, '\0', *size), *from = *data;
    size_t length = stop == NULL ? *size : (size_t)(stop - from);

    *data += length + (stop != NULL);
    *size -= length + (stop != NULL);
    return base64url(from, length, malloc(BASE64URL_TEXT(length)));
}

static void wrap(const unsigned char *data, size_t size)
{
    char *header = part(&data, &size), *payload = part(&data, &size);
    char *signature = part(&data, &size), *whole = NULL;
    int length = asprintf(&whole, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
                          header, payload, signature);

    must(length > 0, "no memory");
    parse(whole, (size_t)length);
    free(header);
    free(payload);
    free(signature);
    free(whole);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size > JWS_MOST_BYTES / 2)
        return -1;
    parse((const char *)data, size);
    if (size > 0)
        wrap(data, size);
    return 0;
}
