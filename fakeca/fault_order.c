/* Faults of which certificates are sent, and in which order. */
#include "fakeca/fault_parts.h"

APPLY(apply_without_intermediate)
{
    (void)e;
    X509_free(sk_X509_delete(b->chain->sent, 1));
    return 0;
}
