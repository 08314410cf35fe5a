// Ways out of the sandbox, one for each name; 0: it worked, and the sandbox is broken; 77: it did not. Being ended for the system
// call counts as not working, too. Compiled by the test, statically, and run only as a step.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int opens(const char *path, int flags) { return open(path, flags, 0600) >= 0; }

static int way(const char *name, const char *input) {
    if (!strcmp(name, "read-host-file")) return opens("/etc/passwd", O_RDONLY);
    if (!strcmp(name, "climb-with-dots")) return opens("../../../../../../etc/passwd", O_RDONLY);
    if (!strcmp(name, "run-a-shell")) { execl("/bin/sh", "sh", "-c", "true", (char *)0); return 0; }
    if (!strcmp(name, "see-processes")) return opens("/proc/1/environ", O_RDONLY) || opens("/proc/self/root", O_RDONLY);
    if (!strcmp(name, "write-input")) return opens(input, O_WRONLY);
    if (!strcmp(name, "make-input-writable")) return chmod(input, 0777) == 0;
    if (!strcmp(name, "remove-input")) return unlink(input) == 0 || rename(input, "/build/x") == 0;
    if (!strcmp(name, "write-root")) return opens("/evil", O_CREAT | O_WRONLY) || mkdir("/evil", 0777) == 0;
    if (!strcmp(name, "make-device")) return mknod("/build/mem", S_IFCHR | 0666, makedev(1, 1)) == 0;
    if (!strcmp(name, "disk")) return opens("/dev/vda", O_RDONLY) || opens("/dev/sda", O_RDONLY) || opens("/dev/mem", O_RDONLY);
    if (!strcmp(name, "inherited-descriptor")) { for (int fd = 3; fd < 1024; fd++) if (fcntl(fd, F_GETFD) >= 0) return 1; return 0; }
    if (!strcmp(name, "become-root")) return setuid(0) == 0 || setresuid(0, 0, 0) == 0;
    if (!strcmp(name, "kill-watcher")) { kill(1, SIGKILL); kill(1, SIGTERM); usleep(20000); return getppid() != 1; }
    if (!strcmp(name, "kill-outside")) { for (int pid = 3; pid < 4096; pid++) if (kill(pid, 0) == 0) return 1; return 0; }
    if (!strcmp(name, "network")) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in to = {AF_INET, htons(22), {htonl(INADDR_LOOPBACK)}, {0}};
        return fd >= 0 && (connect(fd, (void *)&to, sizeof to) == 0 || errno == ECONNREFUSED);
    }
    if (!strcmp(name, "abstract-socket")) {
        struct sockaddr_un to = {AF_UNIX, "\0/tmp/.X11-unix/X0"};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        return fd >= 0 && connect(fd, (void *)&to, sizeof to) == 0;
    }
    // From here on, calls that no step can be allowed: the watcher ends the step.
    if (!strcmp(name, "chroot")) return chroot("/") == 0;
    if (!strcmp(name, "mount")) return mount("none", "/build", "tmpfs", 0, 0) == 0;
    if (!strcmp(name, "remount-input")) return mount(0, input, 0, MS_BIND | MS_REMOUNT, 0) == 0;
    if (!strcmp(name, "unmount-input")) return umount2(input, MNT_DETACH) == 0;
    if (!strcmp(name, "new-name-spaces")) return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    if (!strcmp(name, "clone-name-spaces")) return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) >= 0;
    if (!strcmp(name, "ptrace-watcher")) return ptrace(PTRACE_ATTACH, 1, 0, 0) == 0;
    if (!strcmp(name, "other-architecture")) {
        long result; // The 32-bit gate: call 5 is open there.
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
        return result > 0;
    }
    if (!strcmp(name, "x32-call")) return syscall(0x40000000 | SYS_getpid) > 0;
    if (!strcmp(name, "fork-bomb")) { for (;;) if (fork() < 0) return 0; }
    if (!strcmp(name, "eat-memory")) { for (size_t i = 0; i < 4096; i++) { char *p = malloc(1 << 20); if (!p) return 0; memset(p, 1, 1 << 20); } return 1; }
    if (!strcmp(name, "fill-disk")) {
        static char block[1 << 20];
        int fd = open("/build/full", O_CREAT | O_WRONLY, 0600);
        signal(SIGXFSZ, SIG_IGN);
        for (int i = 0; i < 2048; i++) if (write(fd, block, sizeof block) != sizeof block) return 0;
        return 1;
    }
    if (!strcmp(name, "many-files")) {
        char path[64];
        for (int i = 0; i < 1000000; i++) { sprintf(path, "/build/f%d", i); int fd = open(path, O_CREAT | O_WRONLY, 0600); if (fd < 0) return 0; close(fd); }
        return 1;
    }
    if (!strcmp(name, "real-clock")) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); return now.tv_sec != 1; }
    if (!strcmp(name, "loop-for-ever")) for (;;) ;
    if (!strcmp(name, "sleep-for-ever")) for (;;) sleep(1000);
    if (!strcmp(name, "print-for-ever")) { static char block[1 << 16]; for (;;) if (write(1, block, sizeof block) < 0) return 0; }
    return 1;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    int worked = way(arguments[1], arguments[2]);
    dprintf(1, "%s: %s\n", arguments[1], worked ? "worked" : "did not work");
    return worked ? 0 : 77;
}
