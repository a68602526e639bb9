/* alert.h -- TLS alerts by the names RFC 8446 section 6 gives them. */
#ifndef TARGETS_ALERT_H
#define TARGETS_ALERT_H

/* "certificate_expired" for 45; NULL for a number that has no name. */
const char *alert_name(int description);

#endif
