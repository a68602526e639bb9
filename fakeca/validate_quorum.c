/* Several perspectives on one name (Baseline Requirements 3.2.2.9): each goes and looks by itself, and what most of
 * them saw is what counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakeca/validate_parts.h"

struct trial {
    struct validator *validator;
    int64_t authorization;
    size_t remote, waiting, dissenting; /* of the perspectives besides the first */
    int problem;                        /* of the first, or else of a remote one */
    bool refused;                       /* by the first */
    char detail[900];
};

/* Up to five remote perspectives: one may see something else; from six on: two. */
static size_t allowed(size_t remote)
{
    return remote < 2 ? 0 : remote < 6 ? 1 : 2;
}

struct trial *trial_new(struct validator *validator, int64_t authorization, size_t perspectives)
{
    struct trial *trial = calloc(1, sizeof *trial);

    if (trial != NULL)
        *trial = (struct trial){.validator = validator,
                                .authorization = authorization,
                                .remote = perspectives - 1,
                                .waiting = perspectives,
                                .problem = VALIDATION_GOOD};
    return trial;
}

void trial_leave(struct trial *trial)
{
    if (--trial->waiting == 0)
        free(trial);
}

static void note(struct trial *trial, size_t perspective, int problem, const char *detail)
{
    if (problem == VALIDATION_GOOD)
        return;
    if (perspective == 0) {
        trial->refused = true;
        trial->problem = problem;
        snprintf(trial->detail, sizeof trial->detail, "%s", detail);
        return;
    }
    trial->dissenting++;
    if (!trial->refused) {
        trial->problem = problem;
        snprintf(trial->detail, sizeof trial->detail, "During secondary validation: %s", detail);
    }
}

void trial_judged(struct trial *trial, size_t perspective, int problem, const char *detail)
{
    struct trial last;

    note(trial, perspective, problem, detail);
    last = *trial;
    trial_leave(trial);
    if (last.waiting > 1)
        return;
    if (!last.refused && last.dissenting <= allowed(last.remote))
        last.problem = VALIDATION_GOOD;
    last.validator->done(last.validator->context, last.authorization, last.problem,
                         last.problem == VALIDATION_GOOD ? "good" : last.detail);
}
