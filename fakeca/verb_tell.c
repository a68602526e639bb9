/* fakeca faults and show: what only tells. */
#include <stdio.h>

#include "fakeca/fault.h"
#include "fakeca/verbs.h"

struct faults_arguments {
    bool json, markdown;
};

const struct option_row faults_options[] = {
    {"json",                            NULL, "as a JSON array", OPTION_FLAG, offsetof(struct faults_arguments, json)},
    {"markdown",                NULL, "as docs/faults.md", OPTION_FLAG,
     offsetof(struct faults_arguments, markdown)},
    {0},
};

int verb_faults(int argc, char **argv)
{
    struct faults_arguments arguments = {0};
    struct error e;

    if (options_for(faults_options, argc, argv, &arguments, NULL, 0, &e) < 0)
        return complain(&e);
    if (arguments.json)
        tell_json(faults_describe());
    else if (arguments.markdown)
        faults_markdown(stdout);
    else
        faults_print(stdout);
    return DONE;
}
