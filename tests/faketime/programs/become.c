/* become WAY PROGRAM: becomes the program, by that one of libc's functions, with the name "name" and one argument. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *const arguments[] = {"name", "x", NULL};
static char *const nothing[] = {NULL};

static void by_execl(const char *program)
{
    execl(program, "name", "x", NULL);
}

static void by_execlp(const char *program)
{
    execlp(program, "name", "x", NULL);
}

static void by_execle(const char *program)
{
    execle(program, "name", "x", NULL, nothing);
}

static void by_execvpe(const char *program)
{
    execvpe(program, arguments, nothing);
}

static void by_fexecve(const char *program)
{
    fexecve(open(program, O_RDONLY | O_CLOEXEC), arguments, nothing);
}

static void by_execveat(const char *program)
{
    execveat(open(program, O_PATH | O_CLOEXEC), "", arguments, nothing, AT_EMPTY_PATH);
}

static void by_execveat_in_a_folder(const char *program)
{
    execveat(open(".", O_PATH | O_CLOEXEC), program, arguments, nothing, 0);
}

static const struct {
    const char *name;
    void (*become)(const char *program);
} ways[] = {
    {"execl",              by_execl               },
    {"execlp",             by_execlp              },
    {"execle",             by_execle              },
    {"execvpe",            by_execvpe             },
    {"fexecve",            by_fexecve             },
    {"execveat",           by_execveat            },
    {"execveat-in-folder", by_execveat_in_a_folder},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            ways[i].become(argv[2]);
    perror("become");
    return 1;
}
