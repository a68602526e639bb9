/* The table of ways in which the OCSP responder misbehaves. */
#include <openssl/ocsp.h>

#include "fakeca/ocsp_answer.h"
#include "testbed/wire/nearest.h"

#define DAY INT64_C(86400)

/* clang-format off */
const struct ocsp_misbehaviour ocsp_misbehaviours[] = {
    {.name = "ocsp-stale", .what = "the answer ended a day ago",
     .replays = "nginx drops such an answer, and a must-staple certificate with it",
     .ended = DAY},
    {.name = "ocsp-future", .what = "the answer begins in a day",
     .replays = "RFC 6960 section 4.2.2.1; a responder, or a client, whose clock is wrong",
     .begins = DAY},
    {.name = "ocsp-no-next-update", .what = "the answer does not say how long it holds",
     .replays = "mod_md 2.4.26, which came to take twelve hours for it",
     .no_next_update = true},
    {.name = "ocsp-try-later", .what = "tryLater(3)",
     .replays = "RFC 6960 section 2.3",
     .response_status = OCSP_RESPONSE_STATUS_TRYLATER},
    {.name = "ocsp-internal-error", .what = "internalError(2)",
     .replays = "Let's Encrypt, 2020-05: errors that broke whoever insists on an answer",
     .response_status = OCSP_RESPONSE_STATUS_INTERNALERROR},
    {.name = "ocsp-unauthorized", .what = "unauthorized(6)",
     .replays = "a certificate that was just issued, and that the responder has not heard of yet",
     .response_status = OCSP_RESPONSE_STATUS_UNAUTHORIZED},
    {.name = "ocsp-unknown", .what = "says unknown, whatever is known",
     .replays = "Baseline Requirements 4.9.9: fifteen minutes until a responder must know a certificate",
     .says = OCSP_SAYS_UNKNOWN},
    {.name = "ocsp-wrongly-revoked", .what = "says revoked of what is not",
     .replays = "GlobalSign, 2016-10-13: healthy intermediates were revoked, for four days in some caches",
     .says = OCSP_SAYS_REVOKED},
    {.name = "ocsp-wrongly-good", .what = "says good of what is revoked, or of no certificate",
     .replays = "RFC 6960 section 2.2: good does not mean that it was ever issued",
     .says = OCSP_SAYS_GOOD},
    {.name = "ocsp-wrong-signer", .what = "signed by a key that only has the issuer's name",
     .replays = "RFC 6960 section 4.2.2.2",
     .signing = OCSP_BY_STRANGER},
    {.name = "ocsp-unentitled-signer", .what = "signed by a leaf of the issuer without OCSPSigning",
     .replays = "RFC 6960 section 4.2.2.2",
     .signing = OCSP_BY_UNENTITLED},
    {.name = "ocsp-forged", .what = "one bit of the signature is wrong",
     .replays = "RFC 6960 section 3.2", .forged = true},
    {.name = "ocsp-wrong-serial", .what = "an answer about the next serial number",
     .replays = "RFC 6960 section 3.2: the answer must be about what was asked", .other_serial = true},
    {.name = "ocsp-nonce-missing", .what = "the nonce does not come back",
     .replays = "RFC 5019 section 4: answers signed beforehand", .nonce = OCSP_NONCE_LEFT_OUT},
    {.name = "ocsp-nonce-wrong", .what = "another nonce comes back",
     .replays = "RFC 9654: an answer that is replayed", .nonce = OCSP_NONCE_CHANGED},
    {.name = "ocsp-garbage", .what = "512 octets that are no DER",
     .replays = "Apple, 2020-11-12, and whatever else a client may meet in place of an answer", .garbage = 512},
    {.name = "ocsp-oversize", .what = "a good answer with a megabyte of padding",
     .replays = "clients that read whatever comes", .padding = 1u << 20},
};
/* clang-format on */
const size_t ocsp_misbehaviour_count = sizeof ocsp_misbehaviours / sizeof ocsp_misbehaviours[0];

const struct ocsp_misbehaviour *ocsp_misbehaviour_named(const char *name, struct error *e)
{
    return table_find(name, ocsp_misbehaviours, ocsp_misbehaviour_count,
                      sizeof ocsp_misbehaviours[0], "OCSP misbehaviour", "fakeca faults --serve",
                      e);
}
