/* Faults of validity periods. */
#include "fakeca/fault_parts.h"

#define QUARTER (90 * DAY)

EDIT(edit_expired)
{
    int64_t end = b->at - DAY;
    int64_t begin = certificate_not_before(certificate);

    return certificate_set_dates(certificate, begin < end ? begin : end - QUARTER, end, e);
}

EDIT(edit_not_yet_valid)
{
    int64_t begin = b->at + DAY;
    int64_t end = certificate_not_after(certificate);

    return certificate_set_dates(certificate, begin, end > begin ? end : begin + QUARTER, e);
}

static int set_end(X509 *certificate, const char *end, struct error *e)
{
    if (ASN1_TIME_set_string(X509_getm_notAfter(certificate), end) == 1)
        return 0;
    return failed(e, "cannot set notAfter to %s", end);
}

EDIT(edit_beyond_2050)
{
    (void)b;
    return set_end(certificate, "20510101000000Z", e);
}

EDIT(edit_year_9999)
{
    (void)b;
    return set_end(certificate, "99991231235959Z", e);
}
