#include "clients/plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/virtual_time.h"
#include "clients/words.h"
#include "testbed/wire/moment.h"

#define NAME_LIMIT 255 /* RFC 1035 section 2.3.4 */

static int64_t real_now(void)
{
    struct timespec now;

    true_clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* Nanoseconds since 1970 end in 2262: a skew that leads further leads there. */
static int64_t skewed(int64_t now, int64_t skew)
{
    int64_t sum;

    if (__builtin_add_overflow(now, skew, &sum))
        return skew > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

int64_t plan_now(const struct plan *plan)
{
    struct timespec now;

    if (plan->settings.at != NULL)
        return skewed(plan->at, plan->settings.skew);
    if (plan->page == NULL)
        return skewed(real_now(), plan->settings.skew);
    page_clock_gettime(plan->page, true_clock_gettime, CLOCK_REALTIME, &now);
    return skewed(now.tv_sec * NANOSECONDS + now.tv_nsec, plan->settings.skew);
}

static int set_calendar(struct plan *plan, struct error *e)
{
    const struct settings *settings = &plan->settings;
    int64_t seconds;

    if (settings->at != NULL && settings->clock != NULL)
        return failed(e, "at and clock: only one of them can be the time");
    if (settings->clock != NULL) {
        plan->page = page_map(settings->clock, e);
        return plan->page == NULL ? failed_in(e, "clock") : 0;
    }
    if (settings->at == NULL)
        return 0;
    if (moment_parse(settings->at, real_now() / NANOSECONDS, &seconds, e) < 0)
        return failed_in(e, "at");
    if (__builtin_mul_overflow(seconds, NANOSECONDS, &plan->at))
        return failed(e, "at: '%s' is more than 292 years from 1970", settings->at);
    return 0;
}

/* IP literals first, and without any look-up; only a name may block. */
static int resolve(struct plan *plan, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    int status;

    if (plan->settings.connect == NULL)
        return failed(e, "connect: missing; expected HOST:PORT, such as 127.0.0.1:443");
    if (address_parse(plan->settings.connect, &plan->address, e) < 0)
        return failed_in(e, "connect");
    status = getaddrinfo(plan->address.host, plan->address.port, &hints, &plan->addresses);
    if (status == EAI_NONAME) {
        hints.ai_flags = 0;
        status = getaddrinfo(plan->address.host, plan->address.port, &hints, &plan->addresses);
    }
    if (status != 0)
        return failed(e, "connect: %s: %s", plan->address.host, gai_strerror(status));
    plan->name = plan->settings.name == NULL ? plan->address.host : plan->settings.name;
    return 0;
}

static int check(const struct settings *settings, struct error *e)
{
    if (settings->timeout <= 0)
        return failed(e, "timeout: expected one longer than nothing, such as 5s");
    if (settings->cert != NULL && settings->key == NULL)
        return failed(e, "cert: needs the key as well");
    if (settings->key != NULL && settings->cert == NULL)
        return failed(e, "key: needs the cert as well");
    if (settings->name != NULL && settings->name[0] == '\0')
        return failed(e, "name: is empty; leave it out to verify the host");
    if (settings->name != NULL && strlen(settings->name) > NAME_LIMIT)
        return failed(e, "name: is longer than %d characters", NAME_LIMIT);
    return settings_words(settings, e);
}

struct plan *plan_make(const struct driver *with, const struct settings *settings,
                       void (*release)(void *lender), void *lender, struct error *e)
{
    struct plan *plan = calloc(1, sizeof *plan);

    if (plan == NULL) {
        if (release != NULL)
            release(lender);
        return failed(e, "out of memory"), NULL;
    }
    *plan = (struct plan){
        .driver = with, .settings = *settings, .owners = 1, .release = release, .lender = lender};
    if (check(settings, e) == 0 && resolve(plan, e) == 0 && set_calendar(plan, e) == 0)
        plan->profile = with->prepare(&plan->settings, e);
    if (plan->profile != NULL)
        return plan;
    plan_drop(plan);
    return NULL;
}

struct plan *plan_keep(struct plan *plan)
{
    plan->owners++;
    return plan;
}

void plan_drop(struct plan *plan)
{
    if (--plan->owners > 0)
        return;
    if (plan->profile != NULL)
        plan->driver->forget(plan->profile);
    if (plan->addresses != NULL)
        freeaddrinfo(plan->addresses);
    if (plan->page != NULL)
        page_unmap(plan->page);
    if (plan->release != NULL)
        plan->release(plan->lender);
    free(plan);
}
