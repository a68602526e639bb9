/* The tables of symbols of this process's own objects, and of bytes that are none. */
#include "faketime/symbols.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/auxv.h>

#include "faketime/page.h"
#include "tests/faketime/subject.h"

static struct tracee ourselves(void)
{
    return (struct tracee){.pid = getpid()};
}

/* The default one of that name. */
static bool find(uint64_t base, const char *name, struct symbol *symbol)
{
    struct tracee tracee = ourselves();
    static struct symbols symbols; /* whose names the symbol points to */
    struct error e = {0};

    symbols_free(&symbols);
    assert_int_equal(symbols_read(&tracee, base, &symbols, &e), 0);
    for (size_t i = 0; i < symbols.count; i++)
        if (symbols_at(&symbols, i, symbol) && symbol->is_default &&
            strcmp(symbol->name, name) == 0)
            return true;
    return false;
}

static void test_the_vdso_has_what_it_says(void **state)
{
    struct symbol symbol;
    uint64_t value;

    (void)state;
    assert_true(find(getauxval(AT_SYSINFO_EHDR), "__vdso_time", &symbol));
    assert_true(symbol.is_function);
    memcpy(&value, (const void *)(uintptr_t)symbol.where, sizeof value); /* NOLINT */
    assert_int_equal(symbol.leads_to, getauxval(AT_SYSINFO_EHDR) + value);
}

static void test_of_two_versions_the_default_is_found(void **state)
{
    void *wanted = dlvsym(RTLD_DEFAULT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct symbol symbol = {0};
    Dl_info libc;

    (void)state;
    assert_true(dladdr(wanted, &libc));
    assert_true(find((uint64_t)libc.dli_fbase, "pthread_cond_timedwait", &symbol));
    assert_int_equal(symbol.leads_to, (uint64_t)wanted);
    assert_true(find((uint64_t)libc.dli_fbase, "strlen", &symbol));
    assert_false(symbol.is_function); /* it chooses one */
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's own names, ld(1) */
extern const Elf64_Ehdr __ehdr_start;
extern const char end[]; /* of the bss */

static void test_an_object_ends_with_its_bss(void **state)
{
    struct tracee tracee = ourselves();
    uint64_t its_end = symbols_object_end(&tracee, (uint64_t)&__ehdr_start);

    (void)state;
    assert_in_range(its_end, (uint64_t)end, (uint64_t)end + PAGE_BYTES - 1);
    assert_int_equal(its_end % PAGE_BYTES, 0);
    assert_int_equal(symbols_object_end(&tracee, (uint64_t)end), 0);
    assert_int_equal(symbols_object_end(&tracee, 0), 0);
}

static void refused(const void *bytes)
{
    struct tracee tracee = ourselves();
    struct symbols symbols;
    struct error e = {0};

    assert_int_equal(symbols_read(&tracee, (uint64_t)bytes, &symbols, &e), -1);
    assert_non_null(strstr(e.text, "cannot be read"));
    assert_int_equal(symbols.count, 0);
    symbols_free(&symbols);
}

static struct object {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    Elf64_Dyn dynamic[4];
} object;

static void test_what_is_no_object(void **state)
{
    (void)state;
    memset(&object, 0, sizeof object);
    refused(&object);
    refused(NULL);
}

static void test_a_table_that_lies_is_not_believed(void **state)
{
    uint64_t here = (uint64_t)&object;

    (void)state;
    memcpy(object.header.e_ident, ELFMAG, SELFMAG);
    object.header.e_phoff = offsetof(struct object, segment);
    object.header.e_phnum = UINT16_MAX;
    refused(&object);
    object.header.e_phnum = 1;
    object.segment = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                  .p_vaddr = offsetof(struct object, dynamic),
                                  .p_memsz = sizeof object.dynamic};
    refused(&object);
    object.dynamic[0] = (Elf64_Dyn){.d_tag = DT_SYMTAB, .d_un.d_ptr = here};
    object.dynamic[1] = (Elf64_Dyn){.d_tag = DT_STRTAB, .d_un.d_ptr = here + 24};
    object.dynamic[2] = (Elf64_Dyn){.d_tag = DT_STRSZ, .d_un.d_val = UINT64_MAX};
    refused(&object);
    object.dynamic[1].d_un.d_ptr = UINT64_MAX;
    refused(&object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vdso_has_what_it_says),
        cmocka_unit_test(test_of_two_versions_the_default_is_found),
        cmocka_unit_test(test_an_object_ends_with_its_bss),
        cmocka_unit_test(test_what_is_no_object),
        cmocka_unit_test(test_a_table_that_lies_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
