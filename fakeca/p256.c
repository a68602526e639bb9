#define OPENSSL_SUPPRESS_DEPRECATED /* EC_GROUP_precompute_mult has no successor */
#include "fakeca/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

#define OCTETS 32
#define POINT  (1 + 2 * OCTETS)

struct p256_table {
    EC_GROUP *curve;  /* as it is */
    EC_GROUP *around; /* the same with the key's point for a generator */
    BN_CTX *scratch;
};

/* --- making a table ----------------------------------------------------------------------------- */

static void table_free(struct p256_table *table)
{
    if (table == NULL)
        return;
    EC_GROUP_free(table->curve);
    EC_GROUP_free(table->around);
    BN_CTX_free(table->scratch);
    free(table);
}

static bool put_around(struct p256_table *table, const unsigned char *octets, size_t length)
{
    EC_POINT *point = EC_POINT_new(table->curve);
    bool done = point != NULL &&
                EC_POINT_oct2point(table->curve, point, octets, length, table->scratch) == 1 &&
                EC_GROUP_set_generator(table->around, point, EC_GROUP_get0_order(table->curve),
                                       EC_GROUP_get0_cofactor(table->curve)) == 1 &&
                EC_GROUP_precompute_mult(table->around, table->scratch) == 1;

    EC_POINT_free(point);
    return done;
}

static struct p256_table *table_new(const EVP_PKEY *key)
{
    struct p256_table *table = calloc(1, sizeof *table);
    unsigned char octets[POINT];
    size_t length;

    if (table == NULL)
        return NULL;
    table->curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    table->around = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    table->scratch = BN_CTX_new();
    if (table->curve != NULL && table->around != NULL && table->scratch != NULL &&
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof octets,
                                        &length) == 1 &&
        put_around(table, octets, length))
        return table;
    table_free(table);
    return NULL;
}

/* --- the keys that have one --------------------------------------------------------------------- */

struct tally { /* goes with its key */
    unsigned count;
    struct p256_table *table;
};

static void tally_free(void *key, void *data, CRYPTO_EX_DATA *all, int index, long a, void *b)
{
    struct tally *tally = data;

    (void)key, (void)all, (void)index, (void)a, (void)b;
    if (tally != NULL)
        table_free(tally->table);
    free(tally);
}

static struct tally *tally_of(EVP_PKEY *key)
{
    static int place = -1;
    struct tally *tally;

    if (place < 0)
        place = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_EVP_PKEY, 0, NULL, NULL, NULL, tally_free);
    tally = place < 0 ? NULL : EVP_PKEY_get_ex_data(key, place);
    if (tally != NULL || place < 0)
        return tally;
    tally = calloc(1, sizeof *tally);
    if (tally != NULL && EVP_PKEY_set_ex_data(key, place, tally) == 1)
        return tally;
    free(tally);
    return NULL;
}

static bool is_p256(const EVP_PKEY *key)
{
    char name[32];

    return EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1 &&
           OBJ_txt2nid(name) == NID_X9_62_prime256v1;
}

const struct p256_table *p256_table_of(EVP_PKEY *key)
{
    struct tally *tally = tally_of(key);

    if (tally == NULL)
        return NULL;
    if (tally->count <= P256_OFTEN && ++tally->count > P256_OFTEN && is_p256(key))
        tally->table = table_new(key);
    return tally->table;
}

/* --- verifying ---------------------------------------------------------------------------------- */

struct numbers {
    BIGNUM *r, *s, *e, *u, *v, *x;
};

static bool read_numbers(BN_CTX *scratch, const BIGNUM *order, const unsigned char digest[OCTETS],
                         const unsigned char pair[2 * OCTETS], struct numbers *n)
{
    *n = (struct numbers){.r = BN_CTX_get(scratch),
                          .s = BN_CTX_get(scratch),
                          BN_CTX_get(scratch),
                          BN_CTX_get(scratch),
                          BN_CTX_get(scratch),
                          BN_CTX_get(scratch)};
    return n->x != NULL && BN_bin2bn(pair, OCTETS, n->r) != NULL &&
           BN_bin2bn(pair + OCTETS, OCTETS, n->s) != NULL &&
           BN_bin2bn(digest, OCTETS, n->e) != NULL && !BN_is_zero(n->r) && !BN_is_zero(n->s) &&
           BN_cmp(n->r, order) < 0 && BN_cmp(n->s, order) < 0;
}

/* x of uG + vQ, where u = e/s and v = r/s; it must be r. */
static bool fits(const struct p256_table *table, const BIGNUM *order, struct numbers *n,
                 EC_POINT *one, EC_POINT *other)
{
    BN_CTX *scratch = table->scratch;

    return BN_mod_inverse(n->s, n->s, order, scratch) != NULL &&
           BN_mod_mul(n->u, n->e, n->s, order, scratch) == 1 &&
           BN_mod_mul(n->v, n->r, n->s, order, scratch) == 1 &&
           EC_POINT_mul(table->curve, one, n->u, NULL, NULL, scratch) == 1 &&
           EC_POINT_mul(table->around, other, n->v, NULL, NULL, scratch) == 1 &&
           EC_POINT_add(table->curve, one, one, other, scratch) == 1 &&
           EC_POINT_is_at_infinity(table->curve, one) == 0 &&
           EC_POINT_get_affine_coordinates(table->curve, one, n->x, NULL, scratch) == 1 &&
           BN_nnmod(n->x, n->x, order, scratch) == 1 && BN_cmp(n->x, n->r) == 0;
}

bool p256_verified(const struct p256_table *table, const unsigned char digest[OCTETS],
                   const unsigned char pair[2 * OCTETS])
{
    const BIGNUM *order = EC_GROUP_get0_order(table->curve);
    EC_POINT *one = EC_POINT_new(table->curve), *other = EC_POINT_new(table->around);
    struct numbers n;
    bool good;

    BN_CTX_start(table->scratch);
    good = one != NULL && other != NULL && read_numbers(table->scratch, order, digest, pair, &n) &&
           fits(table, order, &n, one, other);
    BN_CTX_end(table->scratch);
    EC_POINT_free(one);
    EC_POINT_free(other);
    ERR_clear_error();
    return good;
}
