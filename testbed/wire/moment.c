#include "testbed/wire/moment.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
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
#define UNITS    (sizeof units / sizeof units[0])
#define FRACTION INT64_C(1000000000000000000)

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

static int too_long(const char *text, struct error *e)
{
    return failed(e, "'%s' is longer than 292 years", text);
}

/* Takes digits and a fraction off *at: whole and fraction * 10^-18.  1 where a whole number overflows,
 * -1 where there is no number; strtod would also take hex, exponents, and a locale's commas. */
static int number_parse(const char **at, int64_t *whole, int64_t *fraction)
{
    int64_t place = FRACTION / 10;

    *whole = *fraction = 0;
    if (!isdigit((unsigned char)**at))
        return -1;
    for (; isdigit((unsigned char)**at); (*at)++)
        if (__builtin_mul_overflow(*whole, 10, whole) ||
            __builtin_add_overflow(*whole, **at - '0', whole))
            return 1;
    if (**at != '.')
        return 0;
    if (!isdigit((unsigned char)*++*at))
        return -1;
    for (; isdigit((unsigned char)**at); (*at)++, place /= 10)
        *fraction += (**at - '0') * place;
    return 0;
}

/* sum += number * unit; 1 where it does not fit. */
static int add(int64_t *sum, int64_t whole, int64_t fraction, const struct unit *unit)
{
    int64_t part = llroundl((long double)fraction / FRACTION * (long double)unit->nanoseconds);

    return __builtin_mul_overflow(whole, unit->nanoseconds, &whole) ||
           __builtin_add_overflow(*sum, whole, sum) || __builtin_add_overflow(*sum, part, sum);
}

int duration_parse(const char *text, int64_t *nanoseconds, struct error *e)
{
    const char *at = text + (*text == '-' || *text == '+');
    int64_t sum = 0;

    do {
        int64_t whole, fraction;
        size_t letters = 0;
        const struct unit *unit;
        int bad = number_parse(&at, &whole, &fraction);

        if (bad != 0)
            return bad < 0 ? not_a_duration(text, e) : too_long(text, e);
        while (isalpha((unsigned char)at[letters]))
            letters++;
        unit = unit_named(at, letters);
        if (unit == NULL)
            return not_a_duration(text, e);
        if (add(&sum, whole, fraction, unit))
            return too_long(text, e);
        at += letters;
    } while (*at != '\0');
    *nanoseconds = *text == '-' ? -sum : sum;
    return 0;
}

/* True where `text` begins with digits where `shape` has zeros, and is the same elsewhere. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; text++, shape++)
        if (*shape == '0' ? !isdigit((unsigned char)*text) : *text != *shape)
            return false;
    return *text == '\0';
}

static int calendar_parse(const char *text, int64_t *seconds)
{
    static const struct {
        const char *shape, *format;
    } forms[] = {
        {"0000-00-00T00:00:00Z", "%Y-%m-%dT%H:%M:%SZ"},
        {"0000-00-00T00:00:00",  "%Y-%m-%dT%H:%M:%S" },
        {"0000-00-00",           "%Y-%m-%d"          },
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {0};
        struct tm again;

        /* alone, strptime also takes spaces and a year of two digits */
        if (!has_shape(text, forms[i].shape) || strptime(text, forms[i].format, &tm) == NULL)
            continue;
        again = tm;
        *seconds = timegm(&again);
        /* timegm would turn February 30th into March; a person meant something else */
        return again.tm_mday == tm.tm_mday && again.tm_mon == tm.tm_mon && again.tm_sec == tm.tm_sec
                   ? 0
                   : -1;
    }
    return -1;
}

static int unix_parse(const char *text, int64_t *seconds)
{
    char *end;
    long long value;

    if (!isdigit((unsigned char)text[*text == '-'])) /* strtoll would skip spaces */
        return -1;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return -1;
    *seconds = value;
    return 0;
}

int moment_parse(const char *text, int64_t now, int64_t *seconds, struct error *e)
{
    int64_t offset = 0;

    if (*text == '+' || *text == '-') {
        if (duration_parse(text, &offset, e) < 0)
            return -1;
        if (__builtin_add_overflow(now, offset / NANOSECONDS, seconds))
            return failed(e, "'%s' from now is beyond every calendar", text);
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

    if (gmtime_r(&when, &tm) == NULL)
        snprintf(out, MOMENT_TEXT, "@%" PRId64, seconds);
    else
        snprintf(out, MOMENT_TEXT, "%04ld-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900L,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The index of the largest unit that is not larger than `magnitude`; weeks are
 * left out, for nobody says that a certificate lasts 12w6d. */
static size_t leading_unit(uint64_t magnitude)
{
    size_t i = 0;

    while (i + 1 < UNITS &&
           ((uint64_t)units[i].nanoseconds > magnitude || strcmp(units[i].name, "w") == 0))
        i++;
    return i;
}

void duration_format(int64_t nanoseconds, char out[DURATION_TEXT])
{
    const char *sign = nanoseconds < 0 ? "-" : "";
    uint64_t magnitude = nanoseconds < 0 ? -(uint64_t)nanoseconds : (uint64_t)nanoseconds;
    const struct unit *unit = &units[leading_unit(magnitude)];
    uint64_t length = (uint64_t)unit->nanoseconds;
    uint64_t count = magnitude / length;
    uint64_t rest = magnitude % length;

    if (magnitude == 0)
        snprintf(out, DURATION_TEXT, "0s");
    else if (unit->nanoseconds <= NANOSECONDS && rest != 0 && count < 100)
        snprintf(out, DURATION_TEXT, "%s%.3g%s", sign, (double)magnitude / (double)length,
                 unit->name);
    else if (rest != 0 && unit->nanoseconds > NANOSECONDS) {
        const struct unit *next = &units[leading_unit(rest)];

        snprintf(out, DURATION_TEXT, "%s%" PRIu64 "%s%" PRIu64 "%s", sign, count, unit->name,
                 rest / (uint64_t)next->nanoseconds, next->name);
    } else
        snprintf(out, DURATION_TEXT, "%s%" PRIu64 "%s", sign, count, unit->name);
}
