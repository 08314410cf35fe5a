//! One program in a world of its own: namespaces for users, mounts, processes, network, IPC and host name, and a root directory that
//! holds copies of its inputs and nothing else, not even /dev.
//!
//! Invariant: the program sees no path of the machine (the old root is detached before it starts), no environment variable and no
//! device, inherits no descriptor, gains no privilege, and can change only the copies, which are thrown away; what it leaves is read by the caller by name.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Name of the hidden sub-command that runs inside the new namespaces.
pub(crate) const ENTER: &str = "enter-sandbox";

/// Processor seconds a step may take.
const MAX_SECONDS: u64 = 60;

/// Bytes of the largest file a step may write.
const MAX_FILE: u64 = 256 << 20;

/// Files by their path below a root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(BTreeMap<PathBuf, Arc<[u8]>>);

impl Files {
    /// Adds one file.
    pub(crate) fn add(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Arc<[u8]>>) {
        self.0.insert(path.into(), bytes.into());
    }

    /// Adds the files of another set.
    pub(crate) fn extend(&mut self, other: &Files) {
        self.0.extend(
            other
                .0
                .iter()
                .map(|(path, bytes)| (path.clone(), bytes.clone())),
        );
    }

    /// Adds the files of `folder` that `wanted` accepts, at `at`; sub-folders too when `deep`.
    pub(crate) fn read(
        &mut self,
        folder: &Path,
        at: &Path,
        deep: bool,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> anyhow::Result<()> {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let (path, inner) = (entry.path(), at.join(entry.file_name()));
            let kind = entry
                .file_type()
                .with_context(|| path.display().to_string())?;
            if kind.is_dir() && deep {
                self.read(&path, &inner, deep, wanted)?;
            } else if kind.is_file() && wanted(&path) {
                self.add(
                    inner,
                    std::fs::read(&path).with_context(|| path.display().to_string())?,
                );
            }
        }
        Ok(())
    }

    /// Paths whose name ends in `extension`, directly in `folder`, in order.
    pub(crate) fn with_extension(&self, folder: &str, extension: &str) -> Vec<String> {
        self.0
            .keys()
            .filter(|path| {
                path.parent() == Some(Path::new(folder))
                    && path.extension() == Some(OsStr::new(extension))
            })
            .map(|path| path.display().to_string())
            .collect()
    }

    /// SHA-256 over all names and contents.
    pub(crate) fn sha256(&self) -> String {
        let mut all = Vec::new();
        for (path, bytes) in &self.0 {
            all.extend(path.as_os_str().as_encoded_bytes());
            all.push(0);
            all.extend((bytes.len() as u64).to_le_bytes());
            all.extend_from_slice(bytes);
        }
        seed_proof::lineage::sha256(&all)
    }

    /// Writes all files below `root`.
    pub(crate) fn write(&self, root: &Path) -> anyhow::Result<()> {
        for (path, bytes) in &self.0 {
            let plain = path
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            ensure!(plain, "{}: not a path below the root", path.display());
            let target = root.join(path);
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            std::fs::write(&target, bytes).with_context(|| target.display().to_string())?;
        }
        Ok(())
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Exit status, or 128 + the signal that ended it.
    pub(crate) status: i32,
    /// Its standard output.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error.
    pub(crate) stderr: Vec<u8>,
    /// The file it was to write, if it did.
    pub(crate) output: Option<Vec<u8>>,
    /// How long it ran.
    pub(crate) time: Duration,
}

/// Runs `program` (a static executable) with `arguments` on copies of `inputs`; `output` is the path of the file it writes.
pub(crate) fn run(
    program: &[u8],
    arguments: &[String],
    inputs: &Files,
    output: Option<&str>,
) -> anyhow::Result<Outcome> {
    let root = tempfile::Builder::new()
        .prefix("rootstock-seed.")
        .tempdir()
        .context("a folder for the sandbox")?;
    inputs.write(root.path())?;
    let inside = root.path().join("program");
    std::fs::write(&inside, program).context("copying the program into the sandbox")?;
    std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o755))
        .context("the program's mode")?;
    let own = std::env::current_exe().context("the path of this program")?;
    let begin = Instant::now();
    let result = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--net",
            "--ipc",
            "--uts",
            "--",
        ])
        .arg(own)
        .arg(ENTER)
        .arg(root.path())
        .arg("/program")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .context("running `unshare` (package util-linux)")?;
    let time = begin.elapsed();
    let status = result
        .status
        .code()
        .unwrap_or_else(|| 128 + result.status.signal().unwrap_or(0));
    let output = output.and_then(|path| std::fs::read(root.path().join(path)).ok());
    Ok(Outcome {
        status,
        stdout: result.stdout,
        stderr: result.stderr,
        output,
        time,
    })
}

/// Arguments of the inner half.
#[derive(Debug, clap::Args)]
pub(crate) struct Enter {
    root: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

impl Enter {
    /// Becomes the program, or says why not.
    pub(crate) fn run(&self) -> anyhow::Result<Infallible> {
        enter(&self.root, &self.program)
    }
}

/// Inside the new namespaces: makes `root` the root directory and becomes `program`.
fn enter(root: &Path, program: &[String]) -> anyhow::Result<Infallible> {
    use rustix::{mount, process, thread};
    let (name, arguments) = program.split_first().context("a program to run")?;
    close_inherited()?;
    mount::mount_bind(root, root).context("binding the new root")?;
    process::chdir(root).context("entering the new root")?;
    // The old root lands on top of the new one and is then detached.
    process::pivot_root(".", ".").context("changing the root")?;
    mount::unmount(".", mount::UnmountFlags::DETACH).context("detaching the old root")?;
    process::chdir("/").context("entering the new root")?;
    for (resource, most) in [
        (process::Resource::Cpu, MAX_SECONDS),
        (process::Resource::Fsize, MAX_FILE),
        (process::Resource::Core, 0),
    ] {
        let limit = process::Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        process::setrlimit(resource, limit).context("limiting the program")?;
    }
    thread::set_no_new_privs(true).context("giving up privileges")?;
    let error = Command::new(name).args(arguments).env_clear().exec();
    Err(error).with_context(|| format!("starting {name}"))
}

/// Closes every descriptor but the three standard ones: whatever started this process may have left some open.
#[expect(
    unsafe_code,
    reason = "descriptors inherited from outside have no owner that could close them"
)]
fn close_inherited() -> anyhow::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .context("listing open descriptors")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    // The listing's own descriptor is closed by now.
    let still_open = |fd: &i32| {
        Path::new("/proc/self/fd")
            .join(fd.to_string())
            .read_link()
            .is_ok()
    };
    for fd in open.into_iter().filter(still_open) {
        // SAFETY: this process has one thread and holds no file of its own at this point.
        unsafe { rustix::io::close(fd) };
    }
    Ok(())
}
