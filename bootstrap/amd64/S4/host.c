// The six system functions of the subset, for compilers other than S3, and the whole of S4 in reading order.
// This file is not in the subset: S3 has these functions built in and takes the files below on its command line.
#include <fcntl.h>
#include <unistd.h>

static char **host_argv;

static long os_arg(long i, long j) {
    long k = 0;
    while (k < i && host_argv[k]) k++;
    return host_argv[k] ? (long)(unsigned char)host_argv[k][j] : -1;
}
static long os_open(char *path, long flags, long mode) { return open(path, (int)flags, (int)mode); }
static long os_read(long fd, char *buf, long off, long n) { return read((int)fd, buf + off, n); }
static long os_write(long fd, char *buf, long off, long n) { return write((int)fd, buf + off, n); }
static long os_unlink(char *path) { return unlink(path); }
static long os_exit(long status) { _exit((int)status); return 0; }

#include "01-base.c"
#include "02-source.c"
#include "03-macro.c"
#include "04-directive.c"
#include "05-number.c"
#include "06-character.c"
#include "07-type.c"
#include "08-symbol.c"
#include "09-node.c"
#include "10-emit.c"
#include "11-generate.c"
#include "12-call.c"
#include "13-complex.c"
#include "14-keyword.c"
#include "15-declare.c"
#include "16-expression.c"
#include "17-builtin.c"
#include "18-initial.c"
#include "19-jump.c"
#include "20-statement.c"
#include "21-function.c"
#include "22-operand.c"
#include "23-assembly.c"
#include "24-instruction.c"
#include "25-section.c"
#include "26-link.c"
#include "27-main.c"

int main(int argc, char **argv) {
    host_argv = argv;
    return argc < 0 ? 1 : (int)start();
}
