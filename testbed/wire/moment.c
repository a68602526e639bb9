#include "testbed/wire/moment.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct unit {
    const char *name;
    int64_t nanoseconds;
} units[] = {
  /* longest first, as duration_format reads it */
    {"y",  365 * 86400 * NANOSECONDS},
    {"w",  7 * 86400 * NANOSECONDS  },
    {"d",  86400 * NANOSECONDS      },
    {"h",  3600 * NANOSECONDS       },
    {"m",  60 * NANOSECONDS         },
    {"s",  NANOSECONDS              },
    {"ms", 1000000                  },
    {"us", 1000                     },
    {"ns", 1                        },
};
#define UNITS (sizeof units / sizeof units[0])

static const struct unit *unit_named(const char *name, size_t length)
{
    for (size_t i = 0; i < UNITS; i++)
        if (strlen(units[i].name) == length && strncmp(units[i].name, name, length) == 0)
            return &units[i];
    return NULL;
}

static int not_a_duration(const char *text, struct error *e)
{
    return failed(e,
                  "'%s' is not a duration; expected a number with a unit, such as 90d, 1h30m or "
                  "200ms",
                  text);
}

int duration_parse(const char *text, int64_t *nanoseconds, struct error *e)
{
    const char *at = text;
    int negative = *at == '-';
    double sum = 0;

    if (*at == '-' || *at == '+')
        at++;
    if (*at == '\0')
        return not_a_duration(text, e);
    while (*at != '\0') {
        char *end;
        double number;
        size_t letters = 0;
        const struct unit *unit;

        if (!isdigit((unsigned char)*at)) /* no sign, hex or "inf" in the middle */
            return not_a_duration(text, e);
        number = strtod(at, &end);
        while (isalpha((unsigned char)end[letters]))
            letters++;
        unit = unit_named(end, letters);
        if (unit == NULL)
            return not_a_duration(text, e);
        sum += number * (double)unit->nanoseconds;
        at = end + letters;
    }
    if (!(sum < 9.2e18))
        return failed(e, "'%s' is longer than 292 years", text);
    *nanoseconds = negative ? -(int64_t)llround(sum) : (int64_t)llround(sum);
    return 0;
}

static int calendar_parse(const char *text, int64_t *seconds)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {0};
        struct tm again;
        const char *end = strptime(text, forms[i], &tm);

        if (end == NULL || *end != '\0')
            continue;
        again = tm;
        *seconds = timegm(&again);
        /* timegm would turn February 30th into March; a person meant something else */
        return again.tm_mday == tm.tm_mday && again.tm_mon == tm.tm_mon ? 0 : -1;
    }
    return -1;
}

static int unix_parse(const char *text, int64_t *seconds)
{
    char *end;
    long long value = strtoll(text, &end, 10);

    if (end == text || *end != '\0')
        return -1;
    *seconds = value;
    return 0;
}

int moment_parse(const char *text, int64_t now, int64_t *seconds, struct error *e)
{
    int64_t offset;

    if (*text == '+' || *text == '-') {
        if (duration_parse(text, &offset, e) < 0)
            return -1;
        *seconds = now + offset / NANOSECONDS;
        return 0;
    }
    if (*text == '@' ? unix_parse(text + 1, seconds) == 0 : calendar_parse(text, seconds) == 0)
        return 0;
    return failed(e,
                  "'%s' is not a time; expected 2027-03-01T00:00:00Z, @1793836800 or an offset "
                  "such as +90d",
                  text);
}

void moment_format(int64_t seconds, char out[MOMENT_TEXT])
{
    struct tm tm;
    time_t when = (time_t)seconds;

    if (gmtime_r(&when, &tm) == NULL || strftime(out, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, MOMENT_TEXT, "@%" PRId64, seconds);
}

/* The index of the largest unit that is not larger than `magnitude`; weeks are
 * left out, for nobody says that a certificate lasts 12w6d. */
static size_t leading_unit(int64_t magnitude)
{
    size_t i = 0;

    while (i + 1 < UNITS && (units[i].nanoseconds > magnitude || strcmp(units[i].name, "w") == 0))
        i++;
    return i;
}

void duration_format(int64_t nanoseconds, char out[DURATION_TEXT])
{
    const char *sign = nanoseconds < 0 ? "-" : "";
    int64_t magnitude = nanoseconds < 0 ? -(nanoseconds + 1) + 1 : nanoseconds;
    const struct unit *unit = &units[leading_unit(magnitude)];
    int64_t count = magnitude / unit->nanoseconds;
    int64_t rest = magnitude % unit->nanoseconds;

    if (magnitude == 0)
        snprintf(out, DURATION_TEXT, "0s");
    else if (unit->nanoseconds <= NANOSECONDS && rest != 0 && count < 100)
        snprintf(out, DURATION_TEXT, "%s%.3g%s", sign,
                 (double)magnitude / (double)unit->nanoseconds, unit->name);
    else if (rest != 0 && unit->nanoseconds > NANOSECONDS) {
        const struct unit *next = &units[leading_unit(rest)];

        snprintf(out, DURATION_TEXT, "%s%" PRId64 "%s%" PRId64 "%s", sign, count, unit->name,
                 rest / next->nanoseconds, next->name);
    } else
        snprintf(out, DURATION_TEXT, "%s%" PRId64 "%s", sign, count, unit->name);
}
