//! The file system that a program sees: an empty read-only root with its inputs, three devices, a working directory and a place for outputs.
//!
//! Invariant: after [`make`] no path of the machine can be reached any more: the old root is detached.

use super::Order;
use rustix::fs::{self, Mode, OFlags, StatVfsMountFlags};
use rustix::mount::{self, MountFlags, MountPropagationFlags, UnmountFlags};
use std::ffi::CString;
use std::path::{Component, Path, PathBuf};

/// Devices; each is the machine's own node. There is no source of randomness.
const DEVICES: [&str; 3] = ["null", "zero", "full"];

/// Most files and directories that a program may make, for each MiB that it may write.
const NODES_PER_MIB: u64 = 64;

/// What could not be done, and to what.
pub(super) type Failure = String;

fn failed(what: &str, path: &Path) -> impl FnOnce(rustix::io::Errno) -> Failure {
    let text = format!("{what} {}", path.display());
    move |error| format!("{text}: {}", std::io::Error::from(error))
}

/// Makes the new root and enters it; `order.root` is any existing directory.
pub(super) fn make(order: &Order) -> Result<(), Failure> {
    let root = order.root.as_path();
    let all = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount::mount_change("/", all).map_err(failed("separating the mounts below", Path::new("/")))?;
    let inputs = order.mounts.len() as u64;
    memory(root, 1 << 20, 4 * inputs + 64)?;
    directory(&root.join("dev"))?;
    for device in DEVICES {
        let (from, to) = (
            Path::new("/dev").join(device),
            root.join("dev").join(device),
        );
        file(&to)?;
        mount::mount_bind(&from, &to).map_err(failed("showing", &from))?;
    }
    let (store, work) = (below(root, &order.store)?, below(root, &order.work)?);
    for folder in [&store, &work] {
        directories(root, folder)?;
    }
    let nodes = 64 + order.limits.output_mib * NODES_PER_MIB;
    for writable in [&store, &work] {
        memory(writable, order.limits.output_mib << 20, nodes)?;
    }
    for wanted in &order.mounts {
        let to = below(root, &wanted.inside)?;
        if let Some(parent) = to.parent() {
            directories(root, parent)?;
        }
        let from = wanted.outside.as_path();
        let kind = fs::lstat(from).map_err(failed("looking at", from))?;
        match fs::FileType::from_raw_mode(kind.st_mode) {
            fs::FileType::Directory => directory(&to)?,
            fs::FileType::RegularFile => file(&to)?,
            _ => return Err(format!("{}: neither file nor directory", from.display())),
        }
        mount::mount_bind(from, &to).map_err(failed("showing", from))?;
        read_only(&to)?;
    }
    read_only(root)?;
    rustix::process::chdir(root).map_err(failed("entering", root))?;
    // The old root lands on top of the new one and is then detached.
    rustix::process::pivot_root(".", ".").map_err(failed("changing the root to", root))?;
    mount::unmount(".", UnmountFlags::DETACH).map_err(failed("detaching the old root of", root))?;
    rustix::process::chdir(&order.work).map_err(failed("entering", &order.work))
}

/// A file system in memory of limited size, for files of this process alone.
fn memory(at: &Path, bytes: u64, nodes: u64) -> Result<(), Failure> {
    let options = CString::new(format!("size={bytes},nr_inodes={nodes},mode=0755"))
        .expect("the text has no NUL byte");
    mount::mount(
        "tmpfs",
        at,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        options.as_c_str(),
    )
    .map_err(failed("a file system in memory at", at))
}

/// What is mounted at `at` cannot be written through it. Restrictions that it already has must be repeated.
fn read_only(at: &Path) -> Result<(), Failure> {
    let has = fs::statvfs(at).map_err(failed("looking at", at))?.f_flag;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    for (one, other) in [
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        if has.contains(one) {
            flags |= other;
        }
    }
    mount::mount_remount(at, flags, c"").map_err(failed("making read-only", at))
}

/// An absolute path of the sandbox as seen from outside.
fn below(root: &Path, inside: &Path) -> Result<PathBuf, Failure> {
    let mut parts = inside.components();
    let plain = parts.next() == Some(Component::RootDir)
        && parts.all(|part| matches!(part, Component::Normal(_)));
    let relative = inside.strip_prefix("/").ok().filter(|_| plain);
    relative
        .map(|relative| root.join(relative))
        .ok_or_else(|| format!("{}: not a plain absolute path", inside.display()))
}

fn directories(root: &Path, path: &Path) -> Result<(), Failure> {
    if path == root || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        directories(root, parent)?;
    }
    directory(path)
}

fn directory(path: &Path) -> Result<(), Failure> {
    fs::mkdir(path, Mode::from_raw_mode(0o755)).map_err(failed("making", path))
}

fn file(path: &Path) -> Result<(), Failure> {
    let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
    let made = fs::open(path, new, Mode::from_raw_mode(0o444));
    made.map(drop).map_err(failed("making", path))
}
