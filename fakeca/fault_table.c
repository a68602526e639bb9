/* The one table of faults.  What the libraries say is what they were seen to say, in Debian 12's
 * releases; tests/fakeca/every_fault.t asks them again. */
#include "fakeca/fault_parts.h"

const struct fault fault_table[] = {
    {"expired-leaf",
     "the leaf ended a day ago",          "RFC 5280 section 6.1.3 (a)(2)",
     {"expired", "expired", "expired"},
     .part = LEAF,
     .edit = edit_expired      },
    {"expired-intermediate",
     "the leaf's issuer ended a day ago", "RFC 5280 section 6.1.3 (a)(2)",
     {"expired", "expired", "expired"},
     .part = INTERMEDIATE,
     .edit = edit_expired      },
    {"not-yet-valid-leaf",
     "the leaf begins tomorrow",          "RFC 5280 section 6.1.3 (a)(2)",
     {"not-yet-valid", "not-yet-valid", "not-yet-valid"},
     .part = LEAF,
     .edit = edit_not_yet_valid},
    {"without-intermediate",
     "the leaf's issuer is not sent",     "RFC 8446 section 4.4.2",
     {"unknown-issuer", "unknown-issuer", "unknown-issuer"},
     .apply = apply_without_intermediate,
     .intermediates = 1        },
};
const size_t fault_count = sizeof fault_table / sizeof fault_table[0];
