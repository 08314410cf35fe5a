//! Ways out of the sandbox, tried by a program that is allowed as many system calls as a step can be.

use seed_build::sandbox::{Calls, Job, Limits, Mount, Order, Outcome, Sandbox, SandboxError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program may call: far more than a compiler needs, so that what stops it is not the list alone.
const CALLS: [&str; 62] = [
    "access",
    "arch_prctl",
    "brk",
    "chmod",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "close",
    "connect",
    "dup2",
    "execve",
    "exit",
    "exit_group",
    "fchmodat",
    "fcntl",
    "fork",
    "fstat",
    "futex",
    "getcwd",
    "getpid",
    "getppid",
    "getrandom",
    "gettid",
    "gettimeofday",
    "getuid",
    "ioctl",
    "kill",
    "lseek",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "pipe",
    "prctl",
    "prlimit64",
    "read",
    "readlink",
    "readlinkat",
    "rename",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "set_robust_list",
    "set_tid_address",
    "setresuid",
    "setuid",
    "socket",
    "tgkill",
    "time",
    "uname",
    "unlink",
    "vfork",
    "wait4",
    "write",
];

struct Prison {
    folder: tempfile::TempDir,
    program: PathBuf,
}

fn prison() -> Prison {
    let folder = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir()
        .unwrap();
    let program = folder.path().join("escape");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/builder/escape.c");
    let status = Command::new("gcc")
        .args(["-static", "-O1", "-w", "-o"])
        .arg(&program)
        .arg(source)
        .status()
        .expect("gcc is there (package gcc)");
    assert!(status.success());
    std::fs::write(folder.path().join("input"), "input").unwrap();
    std::fs::create_dir(folder.path().join("root")).unwrap();
    Prison { folder, program }
}

fn limits() -> Limits {
    Limits {
        memory_mib: 256,
        seconds: 2,
        output_mib: 8,
        processes: 4,
    }
}

impl Prison {
    fn tries(&self, way: &str) -> Result<Outcome, SandboxError> {
        let mount = |outside: &Path, inside: &str| Mount {
            outside: outside.to_owned(),
            inside: inside.into(),
        };
        let input = "/nix/store/input";
        let order = Order {
            job: Job::Run {
                program: "/program".to_owned(),
                arguments: vec![way.to_owned(), input.to_owned()],
                environment: Vec::new(),
            },
            mounts: vec![
                mount(&self.program, "/program"),
                mount(&self.folder.path().join("input"), input),
            ],
            root: self.folder.path().join("root"),
            work: "/build".into(),
            store: "/nix/store".into(),
            outputs: Vec::new(),
            calls: Calls::new(CALLS).unwrap(),
            limits: limits(),
            uid: 1000,
            clock: 1,
            processors: Vec::new(),
        };
        let sandbox = Sandbox::new(env!("CARGO_BIN_EXE_rootstock-seed").into());
        sandbox.run(&order, &mut |_, _| Ok(()))
    }
}

#[test]
fn no_way_leads_out() {
    let prison = prison();
    // What the sandbox itself answers; the calls are allowed.
    for way in [
        "read-host-file",
        "climb-with-dots",
        "run-a-shell",
        "see-processes",
        "write-input",
        "make-input-writable",
        "remove-input",
        "write-root",
        "make-device",
        "disk",
        "inherited-descriptor",
        "become-root",
        "kill-watcher",
        "kill-outside",
        "network",
        "abstract-socket",
        "eat-memory",
        "fill-disk",
        "many-files",
        "real-clock",
    ] {
        let outcome = prison
            .tries(way)
            .unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!(outcome.watched.refused, None, "{way}");
        assert_eq!(
            outcome.watched.status,
            77,
            "{way}: {}",
            String::from_utf8_lossy(&outcome.stdout)
        );
    }
    // What the watcher ends, and how it calls it.
    for (way, name) in [
        ("chroot", "the system call chroot"),
        ("mount", "the system call mount"),
        ("remount-input", "the system call mount"),
        ("unmount-input", "the system call umount2"),
        ("new-name-spaces", "the system call unshare"),
        (
            "clone-name-spaces",
            "the system call clone for a name space",
        ),
        ("ptrace-watcher", "the system call ptrace"),
        ("x32-call", "the system call number 1073741863"),
        ("fork-bomb", "more than 4 processes at a time"),
    ] {
        let outcome = prison
            .tries(way)
            .unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!(outcome.watched.refused.as_deref(), Some(name), "{way}");
    }
    // The kernel ends calls of another architecture by itself.
    let outcome = prison.tries("other-architecture").unwrap();
    assert_eq!(outcome.watched.status, 128 + 31);
    assert_eq!(
        std::fs::read(prison.folder.path().join("input")).unwrap(),
        b"input"
    );
}

#[test]
fn what_never_ends_is_ended() {
    let prison = prison();
    // The processor's time, or the time on the wall where others take the processor.
    match prison.tries("loop-for-ever") {
        Ok(outcome) => assert!(outcome.watched.status > 128, "{outcome:?}"),
        Err(error) => assert!(matches!(error, SandboxError::Time(2)), "{error}"),
    }
    // The time on the wall.
    let error = prison.tries("sleep-for-ever").unwrap_err();
    assert!(matches!(error, SandboxError::Time(2)), "{error}");
    let error = prison.tries("print-for-ever").unwrap_err();
    assert!(matches!(error, SandboxError::Said), "{error}");
}
