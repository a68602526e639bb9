#include "clients/outcome.h"

#include <stddef.h>
#include <stdio.h>

static const struct {
    const char *word;
    const char *gloss;
} rows[] = {
#define ROW(symbol, word, gloss) [OUTCOME_##symbol] = {word, gloss},
    OUTCOMES(ROW)
#undef ROW
};

const char *outcome_word(enum outcome outcome)
{
    return rows[outcome].word;
}

const char *outcome_gloss(enum outcome outcome)
{
    return rows[outcome].gloss;
}

enum outcome outcome_blame(enum outcome one, enum outcome other)
{
    if (one == OUTCOME_OK)
        return other;
    if (other == OUTCOME_OK)
        return one;
    return one < other ? one : other;
}

static const struct alert {
    int number;
    const char *word;
    enum outcome outcome;
} alerts[] = {
    {0,   "close_notify",                    OUTCOME_CLOSED                       },
    {10,  "unexpected_message",              OUTCOME_ALERT_UNEXPECTED_MESSAGE     },
    {20,  "bad_record_mac",                  OUTCOME_ALERT_OTHER                  },
    {21,  "decryption_failed",               OUTCOME_ALERT_OTHER                  },
    {22,  "record_overflow",                 OUTCOME_ALERT_OTHER                  },
    {30,  "decompression_failure",           OUTCOME_ALERT_OTHER                  },
    {40,  "handshake_failure",               OUTCOME_NO_SHARED_CIPHER             },
    {41,  "no_certificate",                  OUTCOME_ALERT_CERTIFICATE_REQUIRED   },
    {42,  "bad_certificate",                 OUTCOME_ALERT_BAD_CERTIFICATE        },
    {43,  "unsupported_certificate",         OUTCOME_ALERT_UNSUPPORTED_CERTIFICATE},
    {44,  "certificate_revoked",             OUTCOME_ALERT_CERTIFICATE_REVOKED    },
    {45,  "certificate_expired",             OUTCOME_ALERT_CERTIFICATE_EXPIRED    },
    {46,  "certificate_unknown",             OUTCOME_ALERT_CERTIFICATE_UNKNOWN    },
    {47,  "illegal_parameter",               OUTCOME_ALERT_ILLEGAL_PARAMETER      },
    {48,  "unknown_ca",                      OUTCOME_ALERT_UNKNOWN_CA             },
    {49,  "access_denied",                   OUTCOME_ALERT_ACCESS_DENIED          },
    {50,  "decode_error",                    OUTCOME_ALERT_DECODE_ERROR           },
    {51,  "decrypt_error",                   OUTCOME_ALERT_DECRYPT_ERROR          },
    {60,  "export_restriction",              OUTCOME_ALERT_OTHER                  },
    {70,  "protocol_version",                OUTCOME_PROTOCOL_VERSION             },
    {71,  "insufficient_security",           OUTCOME_NO_SHARED_CIPHER             },
    {80,  "internal_error",                  OUTCOME_ALERT_INTERNAL_ERROR         },
    {86,  "inappropriate_fallback",          OUTCOME_PROTOCOL_VERSION             },
    {90,  "user_canceled",                   OUTCOME_ALERT_USER_CANCELED          },
    {100, "no_renegotiation",                OUTCOME_ALERT_OTHER                  },
    {109, "missing_extension",               OUTCOME_ALERT_MISSING_EXTENSION      },
    {110, "unsupported_extension",           OUTCOME_ALERT_OTHER                  },
    {111, "certificate_unobtainable",        OUTCOME_ALERT_OTHER                  },
    {112, "unrecognized_name",               OUTCOME_ALERT_UNRECOGNIZED_NAME      },
    {113, "bad_certificate_status_response", OUTCOME_ALERT_OTHER                  },
    {114, "bad_certificate_hash_value",      OUTCOME_ALERT_OTHER                  },
    {115, "unknown_psk_identity",            OUTCOME_ALERT_OTHER                  },
    {116, "certificate_required",            OUTCOME_ALERT_CERTIFICATE_REQUIRED   },
    {120, "no_application_protocol",         OUTCOME_ALERT_NO_APPLICATION_PROTOCOL},
};

static const struct alert *alert_numbered(int number)
{
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (alerts[i].number == number)
            return &alerts[i];
    return NULL;
}

const char *alert_word(int alert)
{
    static char unnamed[24];
    const struct alert *row = alert_numbered(alert);

    if (alert == ALERT_NONE)
        return NULL;
    if (row != NULL)
        return row->word;
    snprintf(unnamed, sizeof unnamed, "alert_%d", alert);
    return unnamed;
}

enum outcome alert_outcome(int alert, int agreed)
{
    const struct alert *row = alert_numbered(alert);

    if (row == NULL)
        return OUTCOME_ALERT_OTHER;
    if (agreed && row->outcome == OUTCOME_NO_SHARED_CIPHER)
        return OUTCOME_ALERT_HANDSHAKE_FAILURE;
    return row->outcome;
}
