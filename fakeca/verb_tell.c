/* fakeca faults and show: what only tells. */
#include <stdio.h>

#include "fakeca/fault.h"
#include "fakeca/misbehaviour.h"
#include "fakeca/policy.h"
#include "fakeca/show.h"
#include "fakeca/verbs.h"

struct arguments {
    bool json, markdown, serve;
};

/* clang-format off */
const struct option_row faults_options[] = {
    {"json",     NULL, "as a JSON array", OPTION_FLAG, offsetof(struct arguments, json)},
    {"markdown", NULL, "as docs/faults.md", OPTION_FLAG, offsetof(struct arguments, markdown)},
    {"serve",    NULL, "those of `fakeca serve`, as docs/authority.md has them", OPTION_FLAG, offsetof(struct arguments, serve)},
    {0},
};
const struct option_row show_options[] = {
    {"json", NULL, "as a JSON array", OPTION_FLAG, offsetof(struct arguments, json)},
    {0},
};
/* clang-format on */

static void authority_markdown(FILE *out)
{
    serve_faults_markdown(out);
    policy_markdown(out);
}

int verb_faults(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct error e;

    if (options_for(faults_options, argc, argv, &arguments, NULL, 0, &e) < 0)
        return complain(&e);
    if (arguments.json)
        tell_json(arguments.serve ? serve_faults_describe() : faults_describe());
    else if (arguments.markdown)
        (arguments.serve ? authority_markdown : faults_markdown)(stdout);
    else
        (arguments.serve ? serve_faults_print : faults_print)(stdout);
    return STATUS_DONE;
}

static int show(const struct option_list *paths, bool json, struct error *e)
{
    json_t *all = json_array();

    for (size_t i = 0; i < paths->count; i++) {
        json_t *things = show_file(paths->items[i], e);

        if (things == NULL) {
            json_decref(all);
            return -1;
        }
        json_array_extend(all, things);
        json_decref(things);
    }
    if (json)
        tell_json(json_incref(all));
    else
        show_print(all, stdout);
    json_decref(all);
    return 0;
}

int verb_show(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct option_list paths = {0};
    struct error e;

    if (options_for(show_options, argc, argv, &arguments, &paths, OPTION_LIST_MAX, &e) < 0)
        return complain(&e);
    if (paths.count == 0) {
        failed(&e, "show: a FILE or BUNDLE is needed");
        return complain(&e);
    }
    return show(&paths, arguments.json, &e) < 0 ? complain(&e) : STATUS_DONE;
}
