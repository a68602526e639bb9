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
                     (needs & NEEDS_CRL) != 0, "staple", needs & NEEDS_STAPLE ? "check" : "ignore",
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

/* How to serve and judge it, where that is special. */
static void markdown_conditions(const struct fault *fault, FILE *out)
{
    static const struct condition {
        unsigned need;
        const char *text;
    } conditions[] = {
        {NEEDS_TRUST,  "clients must trust the bundle's `trust.pem`" },
        {NEEDS_CRL,    "clients must be given the bundle's `crl.pem`"},
        {NEEDS_STAPLE, "clients must check staples"                  },
    };
    const char *before = " (";

    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        if (fault->needs & conditions[i].need) {
            fprintf(out, "%s%s", before, conditions[i].text);
            before = "; ";
        }
    if (fault->exact) {
        fprintf(out, "%sserved byte for byte", before);
        before = "; ";
    }
    if (fault->intermediates > 0) {
        fprintf(out, "%sneeds %d intermediate%s", before, fault->intermediates,
                fault->intermediates == 1 ? "" : "s");
        before = "; ";
    }
    if (*before == ';')
        fputc(')', out);
}

/* In a Markdown table, `|` ends a cell and `*` begins emphasis. */
static void markdown_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '*')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void faults_markdown(FILE *out)
{
    fputs(
        "# Faults\n\n"
        "<!-- Made by `fakeca faults --markdown` from the table in fakeca/fault_table.c. -->\n\n"
        "`fakeca break --state DIR --in BUNDLE --out BUNDLE --fault NAME` breaks a chain in one "
        "of\n"
        "these ways, and in no other. What the three libraries say is what they were seen to say\n"
        "(OpenSSL 3.0, GnuTLS 3.7 and wolfSSL 5.5, as Debian 12 has them); a test asks them "
        "again.\n"
        "*ok* means that the library accepts it. `outcomes.md` explains the words.\n\n"
        "| fault | what it does | breaks | openssl | gnutls | wolfssl |\n"
        "|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < fault_count; i++) {
        const struct fault *fault = &fault_table[i];

        fprintf(out, "| `%s` | ", fault->name);
        markdown_text(fault->what, out);
        markdown_conditions(fault, out);
        fprintf(out, " | %s |", fault->breaks);
        for (int library = 0; library < LIBRARIES; library++)
            fprintf(out, " %s |", fault->says[library]);
        fputc('\n', out);
    }
}
