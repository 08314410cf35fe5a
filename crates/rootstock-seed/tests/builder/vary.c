// A program whose output depends on its circumstances, in one way for each name. Compiled by the test, run only as a step.
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 3) return 2;
    FILE *out = fopen(arguments[2], "w");
    if (!out) return 1;
    const char *what = arguments[1];
    int other = getuid() != 1000;
    fprintf(out, "made by vary\n");
    if (!strcmp(what, "time")) {
        time_t now = time(0);
        fprintf(out, "on %s", asctime(gmtime(&now)));
    }
    if (!strcmp(what, "path")) {
        char folder[256];
        fprintf(out, "in %s\n", getcwd(folder, sizeof folder));
    }
    // As a directory that is read without sorting, and as text that is sorted or printed by the user's locale.
    if (!strcmp(what, "order")) fprintf(out, other ? "c.o\na.o\nb.o\n" : "b.o\nc.o\na.o\n");
    if (!strcmp(what, "locale")) fprintf(out, other ? "half is 0,5 \n" : "half is 0.5 \n");
    if (!strcmp(what, "user")) fprintf(out, "user %d\n", (int)getuid());
    return fclose(out);
}
