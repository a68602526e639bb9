#include "testbed/targets/admission.h"

#include "testbed/targets/certificate.h"
#include "testbed/targets/crypto_error.h"

/* Calls `use` for every block of `path`, of which there must be one at least. */
static int each_block(const char *path, const char *label, SSL_CTX *context,
                      int (*use)(SSL_CTX *, const struct pem_block *, struct error *),
                      struct error *e)
{
    struct pem_list list;
    int used = 0;

    if (pem_read(path, label, &list, e) < 0)
        return -1;
    if (list.count == 0)
        used = failed(e, "%s: expected a PEM block %s", path, label);
    for (size_t i = 0; used == 0 && i < list.count; i++)
        if (use(context, &list.blocks[i], e) < 0)
            used = failed_in(e, path);
    pem_free(&list);
    return used;
}

static int use_ca(SSL_CTX *context, const struct pem_block *block, struct error *e)
{
    X509 *ca = certificate_parse(block, e);
    bool used;

    if (ca == NULL)
        return -1;
    used = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca) == 1 &&
           SSL_CTX_add_client_CA(context, ca) == 1;
    X509_free(ca);
    return used ? 0 : failed(e, "libssl will not use it: %s", crypto_reason());
}

static int use_crl(SSL_CTX *context, const struct pem_block *block, struct error *e)
{
    X509_CRL *crl = crl_parse(block, e);
    bool used;

    if (crl == NULL)
        return -1;
    used = X509_STORE_add_crl(SSL_CTX_get_cert_store(context), crl) == 1;
    X509_CRL_free(crl);
    return used ? 0 : failed(e, "libcrypto will not use it: %s", crypto_reason());
}

int admission_load(const struct settings *settings, SSL_CTX *context, struct error *e)
{
    static const int modes[] = {
        [AUTH_NONE] = SSL_VERIFY_NONE,
        [AUTH_OPTIONAL] = SSL_VERIFY_PEER,
        [AUTH_REQUIRE] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };

    SSL_CTX_set_verify(context, modes[settings->client_auth], NULL);
    if (settings->client_ca != NULL &&
        each_block(settings->client_ca, "CERTIFICATE", context, use_ca, e) < 0)
        return failed_in(e, "client_ca");
    if (settings->client_crl == NULL)
        return 0;
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_CRL_CHECK);
    if (each_block(settings->client_crl, "X509 CRL", context, use_crl, e) < 0)
        return failed_in(e, "client_crl");
    return 0;
}
