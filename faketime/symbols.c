#include "faketime/symbols.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "faketime/page.h"

#define SEGMENTS_MAX 32
#define DYNAMIC_MAX  128
#define SYMBOLS_MAX  (1U << 20)
#define NAMES_MAX    (1U << 24)

/* What PT_DYNAMIC tells, as addresses in the process; 0: it does not. */
struct places {
    uint64_t table, names, names_size, versions, hash;
};

static int unreadable(const struct tracee *tracee, struct error *e)
{
    return failed(e, "process %d: the table of symbols of one of its objects cannot be read",
                  (int)tracee->pid);
}

struct segments {
    Elf64_Phdr each[SEGMENTS_MAX];
    size_t count;
};

static int read_segments(const struct tracee *tracee, uint64_t base, struct segments *segments,
                         struct error *e)
{
    Elf64_Ehdr header;

    if (tracee_read(tracee, base, &header, sizeof header, e) < 0)
        return -1;
    segments->count = header.e_phnum < SEGMENTS_MAX ? header.e_phnum : SEGMENTS_MAX;
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return unreadable(tracee, e);
    return tracee_read(tracee, base + header.e_phoff, segments->each,
                       segments->count * sizeof segments->each[0], e);
}

/* The segment that tells where all else is. */
static int find_dynamic(const struct tracee *tracee, uint64_t base, Elf64_Phdr *dynamic,
                        struct error *e)
{
    struct segments segments = {.count = 0};

    if (read_segments(tracee, base, &segments, e) < 0)
        return -1;
    for (size_t i = 0; i < segments.count; i++)
        if (segments.each[i].p_type == PT_DYNAMIC) {
            *dynamic = segments.each[i];
            return 0;
        }
    return unreadable(tracee, e);
}

/* Loaders make addresses of what were offsets, in their own copy. */
static uint64_t address(uint64_t base, uint64_t value)
{
    return value < base ? base + value : value;
}

uint64_t symbols_object_end(const struct tracee *tracee, uint64_t base)
{
    struct segments segments = {.count = 0};
    struct error unheard;
    uint64_t end = 0;

    if (read_segments(tracee, base, &segments, &unheard) < 0)
        return 0;
    for (size_t i = 0; i < segments.count; i++) {
        const Elf64_Phdr *segment = &segments.each[i];
        uint64_t its_end = address(base, segment->p_vaddr) + segment->p_memsz;

        if (segment->p_type == PT_LOAD && its_end > end)
            end = its_end;
    }
    return (end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

static void take_place(struct places *places, uint64_t base, const Elf64_Dyn *entry)
{
    if (entry->d_tag == DT_SYMTAB)
        places->table = address(base, entry->d_un.d_ptr);
    else if (entry->d_tag == DT_STRTAB)
        places->names = address(base, entry->d_un.d_ptr);
    else if (entry->d_tag == DT_STRSZ)
        places->names_size = entry->d_un.d_val;
    else if (entry->d_tag == DT_VERSYM)
        places->versions = address(base, entry->d_un.d_ptr);
    else if (entry->d_tag == DT_HASH)
        places->hash = address(base, entry->d_un.d_ptr);
}

static int find_places(const struct tracee *tracee, uint64_t base, struct places *places,
                       struct error *e)
{
    Elf64_Dyn entries[DYNAMIC_MAX];
    Elf64_Phdr dynamic = {0};
    size_t count;

    *places = (struct places){0};
    if (find_dynamic(tracee, base, &dynamic, e) < 0)
        return -1;
    count = dynamic.p_memsz / sizeof entries[0];
    if (count > DYNAMIC_MAX)
        count = DYNAMIC_MAX;
    if (tracee_read(tracee, base + dynamic.p_vaddr, entries, count * sizeof entries[0], e) < 0)
        return -1;
    for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++)
        take_place(places, base, &entries[i]);
    return places->table != 0 && places->names > places->table ? 0 : unreadable(tracee, e);
}

/* Only the older kind of hash says how many there are; but linkers put the names right behind the table. */
static int count_symbols(const struct tracee *tracee, const struct places *places, size_t *count,
                         struct error *e)
{
    Elf64_Word hash[2];

    *count = (places->names - places->table) / sizeof(Elf64_Sym);
    if (places->hash != 0) {
        if (tracee_read(tracee, places->hash, hash, sizeof hash, e) < 0)
            return -1;
        *count = hash[1];
    }
    return *count <= SYMBOLS_MAX && places->names_size <= NAMES_MAX ? 0 : unreadable(tracee, e);
}

/* NULL with one line. */
static void *copy(const struct tracee *tracee, uint64_t from, size_t size, struct error *e)
{
    char *bytes = calloc(1, size + 1);

    if (bytes == NULL)
        return failed(e, "out of memory"), NULL;
    if (size == 0 || tracee_read(tracee, from, bytes, size, e) == 0)
        return bytes;
    free(bytes);
    return NULL;
}

int symbols_read(const struct tracee *tracee, uint64_t base, struct symbols *symbols,
                 struct error *e)
{
    struct places places;
    size_t count;

    *symbols = (struct symbols){.base = base};
    if (find_places(tracee, base, &places, e) < 0 || count_symbols(tracee, &places, &count, e) < 0)
        return -1;
    symbols->count = count;
    symbols->where = places.table;
    symbols->names_size = places.names_size;
    symbols->table = copy(tracee, places.table, count * sizeof(Elf64_Sym), e);
    symbols->names = copy(tracee, places.names, places.names_size, e);
    if (places.versions != 0)
        symbols->versions = copy(tracee, places.versions, count * sizeof(Elf64_Half), e);
    if (symbols->table != NULL && symbols->names != NULL &&
        (places.versions == 0 || symbols->versions != NULL))
        return 0;
    symbols_free(symbols);
    return -1;
}

void symbols_free(struct symbols *symbols)
{
    free(symbols->table);
    free(symbols->names);
    free(symbols->versions);
    *symbols = (struct symbols){.count = 0};
}

bool symbols_at(const struct symbols *symbols, size_t i, struct symbol *symbol)
{
    const Elf64_Sym *entry = &symbols->table[i];
    const Elf64_Half hidden = 0x8000;

    if (entry->st_shndx == SHN_UNDEF || entry->st_name >= symbols->names_size)
        return false;
    *symbol = (struct symbol){
        .name = symbols->names + entry->st_name,
        .where = symbols->where + i * sizeof *entry + offsetof(Elf64_Sym, st_value),
        .leads_to = symbols->base + entry->st_value,
        .is_default = symbols->versions == NULL || (symbols->versions[i] & hidden) == 0,
        .is_function = ELF64_ST_TYPE(entry->st_info) == STT_FUNC,
    };
    return true;
}
