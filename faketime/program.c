#include "faketime/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPTS_MAX  4 /* interpreters of interpreters, as the kernel allows */
#define SEGMENTS_MAX 128
#define GLIBC_LOADER "ld-linux-x86-64.so.2"

/* --- the file -------------------------------------------------------------------------------- */

static bool runnable(const char *path)
{
    struct stat stat_;

    return stat(path, &stat_) == 0 && S_ISREG(stat_.st_mode) && access(path, X_OK) == 0;
}

int program_find(const char *command, char path[PATH_MAX], struct error *e)
{
    const char *folders = getenv("PATH");

    if (strchr(command, '/') != NULL) {
        if (snprintf(path, PATH_MAX, "%s", command) < PATH_MAX && runnable(path))
            return 0;
        return failed(e, "%s: cannot be run: %s", command,
                      access(command, F_OK) < 0 ? strerror(errno) : "not an executable file");
    }
    if (folders == NULL)
        folders = "/bin:/usr/bin";
    for (; *command != '\0' && *folders != '\0'; folders += *folders == ':') {
        size_t length = strcspn(folders, ":");

        if (snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, folders, length == 0 ? "" : "/",
                     command) < PATH_MAX &&
            runnable(path))
            return 0;
        folders += length;
    }
    return failed(e, "%s: command not found", command);
}

/* --- an ELF file ----------------------------------------------------------------------------- */

struct binary {
    int fd;
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS_MAX];
};

static bool read_at(int fd, void *into, size_t size, uint64_t offset)
{
    return pread(fd, into, size, (off_t)offset) == (ssize_t)size;
}

static bool read_binary(int fd, struct binary *binary)
{
    *binary = (struct binary){.fd = fd};
    return read_at(fd, &binary->header, sizeof binary->header, 0) &&
           binary->header.e_phnum <= SEGMENTS_MAX &&
           read_at(fd, binary->segments, binary->header.e_phnum * sizeof(Elf64_Phdr),
                   binary->header.e_phoff);
}

static const Elf64_Phdr *segment(const struct binary *binary, Elf64_Word type)
{
    for (size_t i = 0; i < binary->header.e_phnum; i++)
        if (binary->segments[i].p_type == type)
            return &binary->segments[i];
    return NULL;
}

static bool other_machine(const struct binary *binary, const char *path)
{
    (void)path;
    return binary->header.e_ident[EI_CLASS] != ELFCLASS64 || binary->header.e_machine != EM_X86_64;
}

static bool statically_linked(const struct binary *binary, const char *path)
{
    (void)path;
    return segment(binary, PT_INTERP) == NULL;
}

static bool other_loader(const struct binary *binary, const char *path)
{
    const Elf64_Phdr *interpreter = segment(binary, PT_INTERP);
    char name[PATH_MAX] = "";
    const char *base;

    (void)path;
    if (interpreter->p_filesz >= sizeof name ||
        !read_at(binary->fd, name, interpreter->p_filesz, interpreter->p_offset))
        return true;
    base = strrchr(name, '/');
    return strcmp(base == NULL ? name : base + 1, GLIBC_LOADER) != 0;
}

/* Whether it has a note of this owner and kind; four bytes with the zero behind them. */
static bool has_note(const struct binary *binary, const char owner[4], Elf64_Word kind)
{
    for (size_t i = 0; i < binary->header.e_phnum; i++) {
        const Elf64_Phdr *notes = &binary->segments[i];
        struct {
            Elf64_Nhdr header;
            char owner[4];
        } note;
        uint64_t at = 0;

        if (notes->p_type != PT_NOTE)
            continue;
        while (at < notes->p_filesz &&
               read_at(binary->fd, &note, sizeof note, notes->p_offset + at)) {
            if (note.header.n_namesz == 4 && note.header.n_type == kind &&
                memcmp(note.owner, owner, 4) == 0)
                return true;
            at += sizeof note.header + ((uint64_t)(note.header.n_namesz + 3) & ~UINT64_C(3)) +
                  ((uint64_t)(note.header.n_descsz + 3) & ~UINT64_C(3));
        }
    }
    return false;
}

/* The Go linker leaves its build ID in every program (cmd/internal/buildid). */
static bool written_in_go(const struct binary *binary, const char *path)
{
    (void)path;
    return has_note(binary, "Go\0", 4);
}

/* What glibc starts a program with says what kernel it is for (csu/abi-note.c). */
static bool statically_with_glibc(const struct binary *binary, const char *path)
{
    return statically_linked(binary, path) && has_note(binary, "GNU", NT_GNU_ABI_TAG) &&
           !written_in_go(binary, path);
}

/* ld.so ignores LD_PRELOAD where starting the program changes who one is. */
static bool gains_privilege(const struct binary *binary, const char *path)
{
    struct stat stat;

    if (fstat(binary->fd, &stat) < 0)
        return true;
    return ((stat.st_mode & S_ISUID) != 0 && stat.st_uid != geteuid()) ||
           ((stat.st_mode & S_ISGID) != 0 && stat.st_gid != getegid()) ||
           (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0);
}

/* In this order: each may take it that those before it do not hold. */
static const struct reason {
    bool (*holds)(const struct binary *binary, const char *path);
    enum program program;
    const char *text;
} reasons[] = {
    {other_machine,         PROGRAM_STAYS,     "is not a 64-bit x86 program"},
    {gains_privilege,       PROGRAM_STAYS,
     "is setuid, setgid or has capabilities, and so ignores preloading"     },
    {statically_with_glibc, PROGRAM_TRAPS,     "is statically linked"       },
    {statically_linked,     PROGRAM_REDIRECTS, "is statically linked"       },
    {other_loader,          PROGRAM_FOREIGN,   "is not linked with glibc"   },
    {written_in_go,         PROGRAM_REDIRECTS,
     "is a Go program, which reads the kernel's clock without libc"         },
};

static enum program check_binary(int fd, const char *path, struct error *e)
{
    struct binary binary;

    if (!read_binary(fd, &binary)) {
        failed(e, "%s: a damaged program", path);
        return PROGRAM_MISSING;
    }
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].holds(&binary, path)) {
            failed(e, "%s: cannot be %s: it %s", path,
                   reasons[i].program == PROGRAM_STAYS ? "put on a clock" : "preloaded",
                   reasons[i].text);
            return reasons[i].program;
        }
    return PROGRAM_MOVES;
}

/* --- a script -------------------------------------------------------------------------------- */

/* The interpreter that a script's first line names: after `env` and its options, the command that env
 * will run.  Cuts the line into words. */
static const char *interpreter_of(char *line)
{
    char *rest = NULL;
    const char *word = strtok_r(line, " \t", &rest);
    const char *base = word == NULL ? NULL : strrchr(word, '/');

    if (base == NULL || strcmp(base, "/env") != 0)
        return word;
    do
        word = strtok_r(NULL, " \t", &rest);
    while (word != NULL && (*word == '-' || strchr(word, '=') != NULL));
    return word;
}

/* What a file is: a program, or a script, whose interpreter is then to be looked at instead. */
static enum program check_file(int fd, const char *path, char interpreter[PATH_MAX],
                               struct error *e)
{
    char start[PATH_MAX] = "";
    ssize_t length = pread(fd, start, sizeof start - 1, 0);
    const char *name;

    if (length < 0) {
        failed(e, "%s: cannot be read: %s", path, strerror(errno));
        return PROGRAM_MISSING;
    }
    if (length >= SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0)
        return check_binary(fd, path, e);
    start[strcspn(start, "\r\n")] = '\0';
    /* what the kernel does not know, execvp(3) hands to the shell */
    name = strncmp(start, "#!", 2) == 0 ? interpreter_of(start + 2) : "/bin/sh";
    if (name == NULL) {
        failed(e, "%s: names no interpreter after #!", path);
        return PROGRAM_MISSING;
    }
    snprintf(interpreter, PATH_MAX, "%s", name);
    return PROGRAM_MOVES;
}

static enum program check_command(const char *command, char interpreter[PATH_MAX], struct error *e)
{
    char path[PATH_MAX];
    enum program result;
    int fd;

    if (program_find(command, path, e) < 0)
        return PROGRAM_MISSING;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        failed(e, "%s: cannot tell whether it can be put on a clock: %s", path, strerror(errno));
        return PROGRAM_STAYS;
    }
    result = check_file(fd, path, interpreter, e);
    close(fd);
    return result;
}

enum program program_check(const char *command, struct error *e)
{
    char look_at[PATH_MAX], interpreter[PATH_MAX] = "";
    enum program result = check_command(command, interpreter, e);

    for (int i = 0; i < SCRIPTS_MAX && result == PROGRAM_MOVES && *interpreter != '\0'; i++) {
        memcpy(look_at, interpreter, sizeof look_at);
        *interpreter = '\0';
        result = check_command(look_at, interpreter, e);
    }
    if (result != PROGRAM_MOVES || *interpreter == '\0')
        return result;
    failed(e, "%s: a script for a script for a script; expected a program at the end", command);
    return PROGRAM_MISSING;
}
