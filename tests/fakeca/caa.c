/* What CAA records say: RFC 8659 sections 4.1 to 4.3, RFC 8657. */
#include "fakeca/caa.h"

#include "tests/fakeca/fixture.h"

static const struct row {
    const char *records[4];
    enum caa_verdict name, wildcard;
} rows[] = {
    {{"0 issue rehearsal.test"},                                              CAA_PERMITS, CAA_PERMITS},
    {{"0 issue REHEARSAL.Test"},                                              CAA_PERMITS, CAA_PERMITS},
    {{"0 issue ca.test"},                                                     CAA_REFUSES, CAA_REFUSES},
    {{"0 issue ;"},                                                           CAA_REFUSES, CAA_REFUSES},
    {{"0 issue "},                                                            CAA_REFUSES, CAA_REFUSES},
    {{"0 issue ca.test", "0 issue rehearsal.test"},                           CAA_PERMITS, CAA_PERMITS},
    {{"0 issue not-rehearsal.test"},                                          CAA_REFUSES, CAA_REFUSES},
    {{"0 issue rehearsal.test.evil"},                                         CAA_REFUSES, CAA_REFUSES},
    {{"0 iodef mailto:admin@shop.test"},                                      CAA_PERMITS, CAA_PERMITS},
    {{"0 issuewild ca.test"},                                                 CAA_PERMITS, CAA_REFUSES},
    {{"0 issue rehearsal.test", "0 issuewild ;"},                             CAA_PERMITS, CAA_REFUSES},
    {{"0 issue ;", "0 issuewild rehearsal.test"},                             CAA_REFUSES, CAA_PERMITS},
    {{"128 issue rehearsal.test"},                                            CAA_PERMITS, CAA_PERMITS},
    {{"128 tbs unknown", "0 issue rehearsal.test"},                           CAA_REFUSES, CAA_REFUSES},
    {{"0 tbs unknown", "0 issue rehearsal.test"},                             CAA_PERMITS, CAA_PERMITS},
    {{"0 issue rehearsal.test; accounturi=https://127.0.0.1/acme/account/7"},
     CAA_PERMITS,                                                                          CAA_PERMITS},
    {{"0 issue rehearsal.test;accounturi=https://127.0.0.1/acme/account/77"},
     CAA_REFUSES,                                                                          CAA_REFUSES},
    {{"0 issue rehearsal.test; validationmethods=dns-01"},                    CAA_REFUSES, CAA_REFUSES},
    {{"0 issue rehearsal.test; validationmethods=dns-01,http-01"},            CAA_PERMITS, CAA_PERMITS},
    {{"0 issue rehearsal.test; policy=ev"},                                   CAA_PERMITS, CAA_PERMITS},
    {{"0 issue rehearsal.test;"},                                             CAA_PERMITS, CAA_PERMITS},
    {{"0 issue rehearsal.test ; policy = ev ;x=y"},                           CAA_PERMITS, CAA_PERMITS},
    {{"0 issue rehearsal.test; validationmethods = dns-01"},                  CAA_REFUSES, CAA_REFUSES},
    {{"0 issue rehearsal.test accounturi=https://127.0.0.1/acme/account/7"},
     CAA_REFUSES,                                                                          CAA_REFUSES},
    {{"0 issue rehearsal.test; %%%%"},                                        CAA_REFUSES, CAA_REFUSES},
    {{"0 issue rehearsal.test; =ev"},                                         CAA_REFUSES, CAA_REFUSES},
    {{"0 issue rehearsal.test; policy=ev;"},                                  CAA_REFUSES, CAA_REFUSES},
    {{"0 issue rehearsal.test; %%%%", "0 issue rehearsal.test"},              CAA_PERMITS, CAA_PERMITS},
};

static void records_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct caa_question question = {.account = 7, .method = "http-01"};
        struct found found = {0};

        while (found.count < 4 && rows[i].records[found.count] != NULL) {
            strcpy(found.texts[found.count], rows[i].records[found.count]);
            found.count++;
        }
        if (caa_judge(&found, &question) != rows[i].name)
            fail_msg("%s: for a name", rows[i].records[0]);
        question.wildcard = true;
        if (caa_judge(&found, &question) != rows[i].wildcard)
            fail_msg("%s: for a wildcard", rows[i].records[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_are_judged)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
