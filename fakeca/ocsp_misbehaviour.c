/* The table of ways in which the OCSP responder misbehaves. */
#include <openssl/ocsp.h>
#include <string.h>

#include "fakeca/ocsp_answer.h"
#include "testbed/wire/nearest.h"

#define DAY INT64_C(86400)

/* clang-format off */
const struct ocsp_misbehaviour ocsp_misbehaviours[] = {
    {.name = "ocsp-stale", .what = "the answer ended a day ago",
     .replays = "responders behind a CDN that went on with what they had",
     .ended = DAY},
    {.name = "ocsp-future", .what = "the answer begins in a day",
     .replays = "a responder, or a client, whose clock is wrong",
     .begins = DAY},
    {.name = "ocsp-no-next-update", .what = "the answer does not say how long it holds",
     .replays = "mod_md 2.4.26, which had to learn to bear it",
     .no_next_update = true},
    {.name = "ocsp-try-later", .what = "tryLater(3)",
     .replays = "overloaded responders; nginx keeps its last staple or none",
     .response_status = OCSP_RESPONSE_STATUS_TRYLATER},
    {.name = "ocsp-internal-error", .what = "internalError(2)",
     .replays = "Let's Encrypt 2020-05: 503s and errors from the responder",
     .response_status = OCSP_RESPONSE_STATUS_INTERNALERROR},
    {.name = "ocsp-unauthorized", .what = "unauthorized(6)",
     .replays = "a just issued certificate that the responder has not heard of yet",
     .response_status = OCSP_RESPONSE_STATUS_UNAUTHORIZED},
    {.name = "ocsp-unknown", .what = "says unknown, whatever is known",
     .replays = "a just issued certificate, and the answer then cached",
     .says = OCSP_SAYS_UNKNOWN},
    {.name = "ocsp-wrongly-revoked", .what = "says revoked of what is not",
     .replays = "GlobalSign 2016-10-13: healthy intermediates were revoked for four days",
     .says = OCSP_SAYS_REVOKED},
    {.name = "ocsp-wrongly-good", .what = "says good of what is revoked, or of no certificate",
     .replays = "DigiNotar 2011: good for certificates it had never issued",
     .says = OCSP_SAYS_GOOD},
    {.name = "ocsp-wrong-signer", .what = "signed by a key that only has the issuer's name",
     .replays = "a responder left with the key of before a rotation",
     .signing = OCSP_BY_STRANGER},
    {.name = "ocsp-unentitled-signer", .what = "signed by a leaf of the issuer without OCSPSigning",
     .replays = "RFC 6960 section 4.2.2.2, of which clients often skip the purpose",
     .signing = OCSP_BY_UNENTITLED},
    {.name = "ocsp-forged", .what = "one bit of the signature is wrong",
     .replays = "a middlebox, or bytes damaged in a cache", .forged = true},
    {.name = "ocsp-wrong-serial", .what = "an answer about the next serial number",
     .replays = "caches that mix up keys", .other_serial = true},
    {.name = "ocsp-nonce-missing", .what = "the nonce does not come back",
     .replays = "pre-signed answers, RFC 5019 section 4", .nonce = OCSP_NONCE_LEFT_OUT},
    {.name = "ocsp-nonce-wrong", .what = "another nonce comes back",
     .replays = "an answer that was replayed", .nonce = OCSP_NONCE_CHANGED},
    {.name = "ocsp-garbage", .what = "512 octets that are no DER",
     .replays = "an HTML error page in place of an answer", .garbage = 512},
    {.name = "ocsp-oversize", .what = "a good answer with a megabyte of padding",
     .replays = "clients that read whatever comes", .padding = 1u << 20},
};
/* clang-format on */
const size_t ocsp_misbehaviour_count = sizeof ocsp_misbehaviours / sizeof ocsp_misbehaviours[0];

const struct ocsp_misbehaviour *ocsp_misbehaviour_named(const char *name, struct error *e)
{
    const char *names[sizeof ocsp_misbehaviours / sizeof ocsp_misbehaviours[0]];
    const char *near;

    for (size_t i = 0; i < ocsp_misbehaviour_count; i++) {
        names[i] = ocsp_misbehaviours[i].name;
        if (strcmp(names[i], name) == 0)
            return &ocsp_misbehaviours[i];
    }
    near = nearest(name, names, ocsp_misbehaviour_count);
    return failed(e, "unknown OCSP misbehaviour '%s'%s%s", name,
                  near == NULL ? "" : "; did you mean ", near == NULL ? "" : near),
           NULL;
}
