#include "faketime/uses.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    enum use use;
} calls[] = {
    {"clock_gettime",              USE_READ },
    {"gettimeofday",               USE_READ },
    {"time",                       USE_READ },
    {"timespec_get",               USE_READ },
    {"ftime",                      USE_READ },
    {"pthread_cond_timedwait",     USE_WAIT },
    {"pthread_cond_clockwait",     USE_WAIT },
    {"pthread_mutex_timedlock",    USE_WAIT },
    {"pthread_mutex_clocklock",    USE_WAIT },
    {"pthread_rwlock_timedrdlock", USE_WAIT },
    {"pthread_rwlock_timedwrlock", USE_WAIT },
    {"sem_timedwait",              USE_WAIT },
    {"sem_clockwait",              USE_WAIT },
    {"cnd_timedwait",              USE_WAIT },
    {"mtx_timedlock",              USE_WAIT },
    {"mq_timedsend",               USE_WAIT },
    {"mq_timedreceive",            USE_WAIT },
    {"clock_nanosleep",            USE_WAIT },
    {"timerfd_settime",            USE_WAIT },
    {"timer_settime",              USE_WAIT },
    {"poll",                       USE_SLEEP},
    {"ppoll",                      USE_SLEEP},
    {"select",                     USE_SLEEP},
    {"pselect",                    USE_SLEEP},
    {"epoll_wait",                 USE_SLEEP},
    {"epoll_pwait",                USE_SLEEP},
    {"nanosleep",                  USE_SLEEP},
    {"usleep",                     USE_SLEEP},
    {"sleep",                      USE_SLEEP},
    {"alarm",                      USE_SLEEP},
    {"setitimer",                  USE_SLEEP},
    {"clock_settime",              USE_SET  },
    {"settimeofday",               USE_SET  },
};
#define CALLS (sizeof calls / sizeof calls[0])

struct file {
    const unsigned char *bytes;
    size_t size;
};

/* `count` things of `size` bytes at `offset`, or NULL where the file does not have them. */
static const void *at(const struct file *file, uint64_t offset, uint64_t count, size_t size)
{
    return offset <= file->size && count <= (file->size - offset) / size ? file->bytes + offset
                                                                         : NULL;
}

static void add(struct uses *uses, const char *name)
{
    for (size_t i = 0; i < CALLS; i++) {
        enum use use = calls[i].use;
        bool new = strcmp(calls[i].name, name) == 0;

        for (size_t k = 0; new &&k < uses->count[use]; k++)
            new = uses->names[use][k] != calls[i].name;
        if (new)
            uses->names[use][uses->count[use]++] = calls[i].name;
    }
}

static void add_symbols(struct uses *uses, const struct file *file, const Elf64_Shdr *table,
                        const Elf64_Shdr *texts)
{
    uint64_t count = table->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *symbols = at(file, table->sh_offset, count, sizeof *symbols);
    const char *names = at(file, texts->sh_offset, texts->sh_size, 1);

    if (symbols == NULL || names == NULL || texts->sh_size == 0 ||
        names[texts->sh_size - 1] != '\0')
        return;
    for (uint64_t i = 0; i < count; i++)
        if (symbols[i].st_shndx == SHN_UNDEF && symbols[i].st_name < texts->sh_size)
            add(uses, names + symbols[i].st_name);
}

static bool add_file(struct uses *uses, const struct file *file)
{
    const Elf64_Ehdr *header = at(file, 0, 1, sizeof *header);
    const Elf64_Shdr *sections;
    bool found = false;

    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    sections = at(file, header->e_shoff, header->e_shnum, sizeof *sections);
    for (unsigned i = 0; sections != NULL && i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_DYNSYM && sections[i].sh_link < header->e_shnum) {
            add_symbols(uses, file, &sections[i], &sections[sections[i].sh_link]);
            found = true;
        }
    return found;
}

bool uses_add(struct uses *uses, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat stat_;
    void *bytes = MAP_FAILED;
    bool found;

    if (fd < 0)
        return false;
    if (fstat(fd, &stat_) == 0 && S_ISREG(stat_.st_mode) && stat_.st_size > 0)
        bytes = mmap(NULL, (size_t)stat_.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    found = add_file(uses, &(struct file){bytes, (size_t)stat_.st_size});
    munmap(bytes, (size_t)stat_.st_size);
    return found;
}
