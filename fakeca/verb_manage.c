/* fakeca arm, disarm, armed, accounts, orders, settings, set, eab, dns and more: talking to one that serves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/manage.h"
#include "fakeca/policy.h"
#include "fakeca/profile.h"
#include "fakeca/verbs.h"
#include "testbed/wire/moment.h"

struct manage_arguments {
    const char *state, *on, *identifier, *serial, *from, *until, *lasts, *after, *after_date,
        *chain, *key, *share, *skew;
    const char *add, *remove, *type, *kid, *withdraw;
    bool list, all, check;
    long account, nth, times, status, perspective, perspectives;
};

#define FAULT_NAME "the name of a fault, as `fakeca faults --serve` lists them"

#define NOT_GIVEN INT64_C(-1)

#define AT(field) offsetof(struct manage_arguments, field)
#define STATE                                                                                      \
    {                                                                                              \
        "state", "DIR", "the authority that serves", OPTION_TEXT, AT(state)                        \
    }
/* clang-format off */
const struct option_row arm_options[] = {
    STATE,
    {"on",         "ENDPOINT", "newOrder, finalize, ocsp, ... [everywhere it applies]", OPTION_TEXT, AT(on)},
    {"account",    "N",        "requests of this account only", OPTION_NUMBER, AT(account)},
    {"identifier", "NAME",     "requests about this name only", OPTION_TEXT, AT(identifier)},
    {"serial",     "HEX",      "requests about this certificate only", OPTION_TEXT, AT(serial)},
    {"nth",        "N",        "from the Nth such request on [1]", OPTION_NUMBER, AT(nth)},
    {"times",      "N",        "so many times [until disarmed]", OPTION_NUMBER, AT(times)},
    {"from",       "TIME",     "not before TIME", OPTION_TEXT, AT(from)},
    {"until",      "TIME",     "not from TIME on", OPTION_TEXT, AT(until)},
    {"for",        "T",        "for so long on its calendar, from when it first fires", OPTION_TEXT, AT(lasts)},
    {"share",      "P%",       "a share of them, drawn by the seed [100%]", OPTION_TEXT, AT(share)},
    {"status",     "N",        "the HTTP status, for faults that take one", OPTION_NUMBER, AT(status)},
    {"after",      "TEXT",     "what Retry-After says: seconds, an HTTP date, or anything", OPTION_TEXT, AT(after)},
    {"after-date", "T",        "the same as an HTTP date: so long from then", OPTION_TEXT, AT(after_date)},
    {"chain",      "FAULT",    "which of `fakeca faults`, for broken-chain", OPTION_TEXT, AT(chain)},
    {"key",        "KEY",      "which entry, or type of challenge, for those that leave one out", OPTION_TEXT, AT(key)},
    {"perspectives", "N",      "how many besides the first, for perspectives-disagree [all]", OPTION_NUMBER, AT(perspectives)},
    {"skew",       "T",        "how far the clock is ahead, for clock-wrong; -T: behind [1d]", OPTION_TEXT, AT(skew)},
    {"check",      NULL,       "only say whether it could be armed; needs nobody who serves", OPTION_FLAG, AT(check)},
    {0},
};
const struct option_row disarm_options[] = {
    STATE,
    {"on",  "ENDPOINT", "only where it was armed on that", OPTION_TEXT, AT(on)},
    {"all", NULL,       "whatever is armed, in place of one FAULT", OPTION_FLAG, AT(all)},
    {0},
};
const struct option_row dns_options[] = {
    STATE,
    {"add",    "RECORD", "as in a master file: 'shop.test. A 127.0.0.2'", OPTION_TEXT, AT(add)},
    {"remove", "NAME",   "all records of a name", OPTION_TEXT, AT(remove)},
    {"type",   "TYPE",   "only those of a type, with --remove", OPTION_TEXT, AT(type)},
    {"perspective", "N", "only in the DNS of perspective N, from 1 on [in all]", OPTION_NUMBER, AT(perspective)},
    {0},
};
const struct option_row eab_options[] = {
    STATE,
    {"kid",  "ID", "the id of the key that is made [one is made up]", OPTION_TEXT, AT(kid)},
    {"list", NULL, "list the keys, and make none", OPTION_FLAG, AT(list)},
    {0},
};
const struct option_row profile_options[] = {
    STATE, {"withdraw", "NAME", "there is none of that name any more", OPTION_TEXT, AT(withdraw)}, {0},
};
const struct option_row unpause_options[] = {
    STATE, {"account", "N", "whose names", OPTION_NUMBER, AT(account)}, {0},
};
const struct option_row set_options[] = {
    STATE, {"check", NULL, "only say whether they could be set; needs nobody who serves", OPTION_FLAG, AT(check)}, {0},
};
const struct option_row state_options[] = {STATE, {0}};
/* clang-format on */
#undef AT

static void put_text(json_t *request, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(request, name, json_string(text));
}

static void put_number(json_t *request, const char *name, int64_t number)
{
    if (number != NOT_GIVEN)
        json_object_set_new(request, name, json_integer(number));
}

static int put_time(json_t *request, const char *name, const char *option, const char *text,
                    struct error *e)
{
    int64_t at;

    if (text == NULL)
        return 0;
    if (*text == '+' || *text == '-')
        return failed(e,
                      "%s: '%s' is an offset; expected a point on its calendar, such as "
                      "2027-03-01T00:00:00Z",
                      option, text);
    if (moment_parse(text, 0, &at, e) < 0)
        return failed_in(e, option);
    json_object_set_new(request, name, json_integer(at));
    return 0;
}

static int put_duration(json_t *request, const char *name, const char *option, const char *text,
                        struct error *e)
{
    int64_t length;

    if (text == NULL)
        return 0;
    if (duration_parse(text, &length, e) < 0)
        return failed_in(e, option);
    json_object_set_new(request, name, json_integer(length / NANOSECONDS));
    return 0;
}

static int put_share(json_t *request, const char *text, struct error *e)
{
    char *end = NULL;
    double share = text == NULL ? 100 : strtod(text, &end);

    if (text == NULL)
        return 0;
    if (end == text || strcmp(end, "%") != 0 || !(share > 0 && share <= 100))
        return failed(e, "--share: '%s' is not a share; expected more than 0%% and at most 100%%",
                      text);
    json_object_set_new(request, "share", json_real(share / 100));
    return 0;
}

/* Asks, says what came back, and takes the request over. */
static int ask(const struct manage_arguments *arguments, json_t *request)
{
    struct error e;
    json_t *answer = NULL;

    if (require(state_options, "state", arguments->state, &e) == 0)
        answer = manage_ask(arguments->state, request, &e);
    json_decref(request);
    if (answer == NULL)
        return complain(&e);
    json_object_del(answer, "ok");
    tell_json(answer);
    return STATUS_DONE;
}

static int read_arguments(const struct option_row *options, int argc, char **argv,
                          struct manage_arguments *arguments, struct option_list *words,
                          size_t most, const char *what, struct error *e)
{
    if (options_for(options, argc, argv, arguments, words, most, e) < 0)
        return -1;
    return words->count > 0 ? 0 : failed(e, "%s: expected %s", argv[0], what);
}

/* Whether an authority that lacks nothing would arm it; takes the request over. */
static int check_order(json_t *request)
{
    struct misbehaviour *misbehaviour = misbehaviour_new(1);
    struct error e;
    int status = misbehaviour_arm(misbehaviour, request, &e) < 0 ? complain(&e) : STATUS_DONE;

    misbehaviour_free(misbehaviour);
    json_decref(request);
    return status;
}

int verb_arm(int argc, char **argv)
{
    struct manage_arguments a = {.account = NOT_GIVEN,
                                 .nth = NOT_GIVEN,
                                 .times = NOT_GIVEN,
                                 .status = NOT_GIVEN,
                                 .perspectives = NOT_GIVEN};
    struct option_list words = {0};
    struct error e;
    json_t *request;

    if (read_arguments(arm_options, argc, argv, &a, &words, 1, FAULT_NAME, &e) < 0)
        return complain(&e);
    request = json_pack("{s:s, s:s}", "do", "arm", "fault", words.items[0]);
    put_text(request, "on", a.on);
    put_text(request, "identifier", a.identifier);
    put_text(request, "serial", a.serial);
    put_text(request, "after", a.after);
    put_text(request, "chain", a.chain);
    put_text(request, "key", a.key);
    put_number(request, "account", a.account);
    put_number(request, "nth", a.nth);
    put_number(request, "times", a.times);
    put_number(request, "status", a.status);
    put_number(request, "perspectives", a.perspectives);
    if (put_time(request, "from", "--from", a.from, &e) == 0 &&
        put_time(request, "until", "--until", a.until, &e) == 0 &&
        put_share(request, a.share, &e) == 0 &&
        put_duration(request, "for", "--for", a.lasts, &e) == 0 &&
        put_duration(request, "skew", "--skew", a.skew, &e) == 0 &&
        put_duration(request, "after_date", "--after-date", a.after_date, &e) == 0)
        return a.check ? check_order(request) : ask(&a, request);
    json_decref(request);
    return complain(&e);
}

int verb_disarm(int argc, char **argv)
{
    struct manage_arguments a = {0};
    struct option_list words = {0};
    struct error e;
    json_t *request;

    if (options_for(disarm_options, argc, argv, &a, &words, 1, &e) < 0)
        return complain(&e);
    if ((words.count == 1) == a.all) {
        failed(&e, "disarm: expected " FAULT_NAME ", or --all");
        return complain(&e);
    }
    request = json_pack("{s:s, s:b}", "do", "disarm", "all", a.all);
    put_text(request, "fault", words.items[0]);
    put_text(request, "on", a.on);
    return ask(&a, request);
}

/* Without an authority: those that a new one has. */
int verb_settings(int argc, char **argv)
{
    struct manage_arguments a = {0};
    struct policy usual;
    struct error e;
    json_t *answer;

    if (options_for(state_options, argc, argv, &a, NULL, 0, &e) < 0)
        return complain(&e);
    if (a.state != NULL)
        return ask(&a, json_pack("{s:s}", "do", "settings"));
    policy_usual(&usual);
    answer = json_pack("{s:o}", "settings", policy_describe(&usual));
    tell_json(answer);
    return STATUS_DONE;
}

/* armed, accounts, orders, certificates, forget-accounts and rotate-issuer: the verb is the request. */
int verb_list(int argc, char **argv)
{
    struct manage_arguments a = {0};
    struct error e;

    if (options_for(state_options, argc, argv, &a, NULL, 0, &e) < 0)
        return complain(&e);
    return ask(&a, json_pack("{s:s}", "do", argv[0]));
}

int verb_profile(int argc, char **argv)
{
    struct manage_arguments a = {0};
    struct option_list words = {0};
    char name[PROFILE_NAME];
    int64_t lifetime;
    struct error e;

    if (options_for(profile_options, argc, argv, &a, &words, 1, &e) < 0)
        return complain(&e);
    if ((words.count == 1) == (a.withdraw != NULL)) {
        failed(&e, "profile: expected NAME=T, such as classic=45d, or --withdraw NAME");
        return complain(&e);
    }
    if (a.withdraw != NULL)
        return ask(&a, json_pack("{s:s, s:s}", "do", "withdraw-profile", "name", a.withdraw));
    if (profile_parse(words.items[0], name, &lifetime, &e) < 0)
        return complain(&e);
    return ask(&a, json_pack("{s:s, s:s, s:I}", "do", "profile", "name", name, "lifetime",
                             (json_int_t)lifetime));
}

static int check_settings(const struct option_list *assignments)
{
    struct policy policy;
    struct error e;

    policy_usual(&policy);
    for (size_t i = 0; i < assignments->count; i++)
        if (policy_set(&policy, assignments->items[i], &e) < 0)
            return complain(&e);
    return STATUS_DONE;
}

int verb_set(int argc, char **argv)
{
    struct manage_arguments a = {0};
    struct option_list words = {0};
    struct error e;
    json_t *settings;

    if (read_arguments(set_options, argc, argv, &a, &words, OPTION_LIST_MAX,
                       "NAME=VALUE, such as caa=on", &e) < 0)
        return complain(&e);
    if (a.check)
        return check_settings(&words);
    settings = json_array();
    for (size_t i = 0; i < words.count; i++)
        json_array_append_new(settings, json_string(words.items[i]));
    return ask(&a, json_pack("{s:s, s:o}", "do", "set", "settings", settings));
}

int verb_eab(int argc, char **argv)
{
    struct manage_arguments a = {0};
    struct error e;
    json_t *request;

    if (options_for(eab_options, argc, argv, &a, NULL, 0, &e) < 0)
        return complain(&e);
    request = json_pack("{s:s}", "do", a.list ? "eab-keys" : "eab-add");
    put_text(request, "kid", a.kid);
    return ask(&a, request);
}

int verb_unpause(int argc, char **argv)
{
    struct manage_arguments a = {.account = NOT_GIVEN};
    struct error e;

    if (options_for(unpause_options, argc, argv, &a, NULL, 0, &e) < 0)
        return complain(&e);
    if (a.account == NOT_GIVEN) {
        failed(&e, "unpause: expected --account N, as `fakeca accounts` lists them");
        return complain(&e);
    }
    return ask(&a, json_pack("{s:s, s:I}", "do", "unpause", "account", (json_int_t)a.account));
}

int verb_dns(int argc, char **argv)
{
    struct manage_arguments a = {.perspective = NOT_GIVEN};
    struct error e;
    json_t *request;

    if (options_for(dns_options, argc, argv, &a, NULL, 0, &e) < 0)
        return complain(&e);
    if ((a.add == NULL) == (a.remove == NULL)) {
        failed(&e, "dns: expected one of --add and --remove");
        return complain(&e);
    }
    if (a.perspective == 0) {
        failed(&e, "dns: --perspective counts from 1");
        return complain(&e);
    }
    request = json_pack("{s:s}", "do", a.add != NULL ? "dns-add" : "dns-remove");
    put_text(request, "record", a.add);
    put_text(request, "name", a.remove);
    put_text(request, "type", a.type);
    put_number(request, "perspective", a.perspective);
    return ask(&a, request);
}
