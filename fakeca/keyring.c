#include "fakeca/keyring.h"

#include "fakeca/jwk.h"

static void let_go(struct kept_key *kept)
{
    json_decref(kept->jwk);
    verifier_close(&kept->verifier);
    *kept = (struct kept_key){0};
}

struct verifier *keyring_key(struct keyring *keyring, int64_t account, json_t *jwk, struct error *e)
{
    struct kept_key *kept = &keyring->kept[(uint64_t)account % KEYRING_MOST];

    /* an account may have changed its key since */
    if (kept->jwk == NULL || kept->account != account || json_equal(kept->jwk, jwk) != 1) {
        EVP_PKEY *key = jwk_key(jwk, e);

        if (key == NULL)
            return NULL;
        let_go(kept);
        *kept = (struct kept_key){account, json_incref(jwk), {.key = key}};
    }
    return &kept->verifier;
}

void keyring_clear(struct keyring *keyring)
{
    for (size_t i = 0; i < KEYRING_MOST; i++)
        let_go(&keyring->kept[i]);
}
