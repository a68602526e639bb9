/* Says "vforks", does so, and says "back" when its child has ended, which waits for a line on stdin: until then nobody
 * can stop it. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char byte;
    pid_t child;

    setvbuf(stdout, NULL, _IONBF, 0);
    puts("vforks");
    /* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): that it stands still is what is meant */
    child = vfork();
    if (child == 0)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Vfork): and so is that its child waits */
        _exit(read(STDIN_FILENO, &byte, 1) != 1);
    waitpid(child, NULL, 0);
    puts("back");
    pause();
}
