/* The table of faults, as JSON, for people, and as documentation. */
#include "fakeca/fault.h"

static const char *const libraries[LIBRARIES] = {
    [OPENSSL] = "openssl", [GNUTLS] = "gnutls", [WOLFSSL] = "wolfssl"};

static json_t *describe(const struct fault *fault)
{
    json_t *says = json_object();
    unsigned needs = fault->needs;

    for (int i = 0; i < LIBRARIES; i++)
        json_object_set_new(says, libraries[i], json_string(fault->says[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:s, s:s, s:i}", "name", fault->name,
                     "what", fault->what, "breaks", fault->breaks, "says", says, "exact",
                     fault->exact, "trust", (needs & NEEDS_TRUST) != 0, "crl",
                     (needs & NEEDS_CRL) != 0, "staple",
                     needs & NEEDS_REQUIRED_STAPLE ? "require"
                     : needs & NEEDS_STAPLE        ? "check"
                                                   : "ignore",
                     "prefix", fault->prefix == NULL ? "" : fault->prefix, "intermediates",
                     fault->intermediates);
}

json_t *faults_describe(void)
{
    json_t *all = json_array();

    for (size_t i = 0; i < fault_count; i++)
        json_array_append_new(all, describe(&fault_table[i]));
    return all;
}

void faults_print(FILE *out)
{
    for (size_t i = 0; i < fault_count; i++) {
        const struct fault *fault = &fault_table[i];

        fprintf(out, "%-28s %s\n", fault->name, fault->what);
        fprintf(out, "%-28s breaks %s\n", "", fault->breaks);
        fprintf(out, "%-28s", "");
        for (int library = 0; library < LIBRARIES; library++)
            fprintf(out, " %s: %s%s", libraries[library], fault->says[library],
                    library + 1 < LIBRARIES ? "," : "\n");
    }
}

void faults_markdown(FILE *out)
{
    (void)out;
}
