#include "faketime/vdso.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "faketime/blob.h"

/* The system call, which costs five times as much and needs nothing. */
static int syscall_clock(clockid_t id, struct timespec *now)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((long)SYS_clock_gettime), "D"((long)id), "S"(now)
                     : "rcx", "r11", "memory");
    return (int)result;
}

struct image {
    const unsigned char *start;
    const Elf64_Sym *symbols;
    const char *names;
    const Elf64_Word *hash; /* hash[1] is the number of symbols */
};

static const Elf64_Dyn *dynamic_of(const unsigned char *start)
{
    const Elf64_Ehdr *header = (const void *)start;
    const Elf64_Phdr *segments = (const void *)(start + header->e_phoff);

    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_DYNAMIC)
            return (const void *)(start + segments[i].p_offset);
    return NULL;
}

/* The vDSO is linked at 0 and mapped as it stands, so addresses in it are offsets. */
static bool image_read(const unsigned char *start, struct image *image)
{
    const Elf64_Dyn *entry = dynamic_of(start);

    *image = (struct image){.start = start};
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const unsigned char *there = start + entry->d_un.d_ptr;

        if (entry->d_tag == DT_SYMTAB)
            image->symbols = (const void *)there;
        else if (entry->d_tag == DT_STRTAB)
            image->names = (const void *)there;
        else if (entry->d_tag == DT_HASH)
            image->hash = (const void *)there;
    }
    return image->symbols != NULL && image->names != NULL && image->hash != NULL;
}

static bool same(const char *one, const char *other)
{
    while (*one != '\0' && *one == *other)
        one++, other++;
    return *one == *other;
}

static const void *image_find(const struct image *image, const char *name)
{
    for (Elf64_Word i = 0; i < image->hash[1]; i++)
        if (image->symbols[i].st_shndx != SHN_UNDEF &&
            same(image->names + image->symbols[i].st_name, name))
            return image->start + image->symbols[i].st_value;
    return NULL;
}

/* The kernel's function is in the vDSO; one that is not is a blob's. */
static const struct blob *blob_of(const struct image *image, const void *symbol)
{
    const Elf64_Ehdr *header = (const void *)image->start;
    const Elf64_Phdr *segments = (const void *)(image->start + header->e_phoff);
    uintptr_t from = (uintptr_t)image->start, at = (uintptr_t)symbol;
    const struct blob *blob = (const void *)(at & ~(uintptr_t)(BLOB_PAGE - 1));

    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && at - from < segments[i].p_memsz)
            return NULL;
    return blob->magic == BLOB_MAGIC ? blob : NULL;
}

static struct vdso_kept found = {.keep = VDSO_KEEP};
static const struct blob *redirected;

static real_clock_fn find_clock(void)
{
    const unsigned char *start = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    real_clock_fn clock = syscall_clock;
    const void *symbol = NULL;
    struct image image;

    if (start != NULL && image_read(start, &image))
        symbol = image_find(&image, "__vdso_clock_gettime");
    if (symbol == NULL)
        return clock;
    redirected = blob_of(&image, symbol);
    if (redirected != NULL)
        return (real_clock_fn)redirected->originals[BLOB_CLOCK_GETTIME];
    __builtin_memcpy(&clock, &symbol, sizeof clock);
    return clock;
}

real_clock_fn vdso_clock(void)
{
    real_clock_fn clock = __atomic_load_n(&found.clock, __ATOMIC_ACQUIRE);

    if (clock != NULL)
        return clock;
    clock = find_clock();
    __atomic_store_n(&found.clock, clock, __ATOMIC_RELEASE);
    return clock;
}

const void *vdso_page(void)
{
    vdso_clock();
    return redirected == NULL ? NULL : (const char *)redirected + BLOB_CODE;
}
