/* year [COMMAND...]: prints the year, its own name and the number of its arguments; or becomes the command. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    time_t now = time(NULL);

    if (argc > 2 && strcmp(argv[1], "exec") == 0)
        return execv(argv[2], argv + 2);
    printf("%d %s %d\n", 1900 + gmtime(&now)->tm_year, argv[0], argc - 1);
    return 3;
}
