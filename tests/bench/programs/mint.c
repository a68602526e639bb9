/* mint STATE SECONDS -- how many leaves an authority issues in a processor second: a new P-256
 * key, all extensions, signed by its P-256 intermediate.  Prints that number. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fakeca/authority.h"
#include "fakeca/chain.h"
#include "fakeca/key.h"

#define DAY 86400

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const char *const names[] = {"shop.test"}, *const purposes[] = {"serverAuth"};
    struct leaf_plan plan = {.names = {names, 1}, .purposes = {purposes, 1}};
    struct authority authority;
    struct error e = {""};
    double began, seconds = argc > 2 ? strtod(argv[2], NULL) : 1;
    long count = 0;

    plan.at = plan.not_before = time(NULL);
    plan.not_after = plan.at + 90 * DAY;
    plan.kind = key_kind_named("p256", &e);
    if (argc < 2 || plan.kind == NULL || authority_open(argv[1], &authority, &e) < 0) {
        fprintf(stderr, "mint: %s\n", e.text);
        return 1;
    }
    began = processor_seconds();
    while (processor_seconds() - began < seconds) {
        struct chain *chain = authority_issue(&authority, &plan, &e);

        if (chain == NULL) {
            fprintf(stderr, "mint: %s\n", e.text);
            return 1;
        }
        chain_free(chain);
        count++;
    }
    printf("%.0f\n", (double)count / (processor_seconds() - began));
    authority_close(&authority);
    return 0;
}
