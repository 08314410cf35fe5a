//! A program of the chain on copies of some files, in the sandbox of `seed-build`, for the proofs.
//!
//! Invariant: the program can change nothing but files of its own, which are thrown away; what it leaves is read by name.

use anyhow::{Context, bail, ensure};
use seed_build::sandbox::{Calls, Job, Limits, Mount, Order, Sandbox};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where the program runs.
const WORK: &str = "/build";

/// Largest output in bytes.
const MAX_OUTPUT: u64 = 256 << 20;

/// What the stages, both compilers and the tests' programs ask of the kernel. The last six are for programs that try what the sandbox
/// must refuse by other means.
const CALLS: [&str; 27] = [
    "access",
    "brk",
    "chmod",
    "close",
    "creat",
    "exit",
    "exit_group",
    "getcwd",
    "gettimeofday",
    "kill",
    "lseek",
    "mmap",
    "mprotect",
    "munmap",
    "open",
    "read",
    "readlink",
    "rename",
    "rt_sigaction",
    "unlink",
    "write",
    "connect",
    "execve",
    "getpid",
    "getppid",
    "mknod",
    "socket",
];

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

/// The sandbox, with this program as its helper.
fn sandbox() -> anyhow::Result<Sandbox> {
    Ok(Sandbox::new(own()?))
}

/// The same for the steps of a chain.
pub(crate) fn for_many() -> anyhow::Result<Sandbox> {
    Ok(Sandbox::for_many(own()?))
}

fn own() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("the path of this program")
}

/// Runs `program` (a static executable) with `arguments` beside copies of `inputs`; `output` is the path of the file it writes.
pub(crate) fn run(
    program: &[u8],
    arguments: &[String],
    inputs: &Files,
    output: Option<&str>,
) -> anyhow::Result<Outcome> {
    run_within(program, arguments, inputs, output, Limits::default())
}

/// The same within limits of the caller.
pub(crate) fn run_within(
    program: &[u8],
    arguments: &[String],
    inputs: &Files,
    output: Option<&str>,
    limits: Limits,
) -> anyhow::Result<Outcome> {
    run_with_calls(program, arguments, inputs, output, limits, &[])
}

/// The same for a program that asks more of the kernel than those of the chain: `more` system calls.
pub(crate) fn run_with_calls(
    program: &[u8],
    arguments: &[String],
    inputs: &Files,
    output: Option<&str>,
    limits: Limits,
    more: &[&str],
) -> anyhow::Result<Outcome> {
    let folder = tempfile::Builder::new()
        .prefix("rootstock-seed.")
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir()
        .context("a folder for the sandbox")?;
    let (root, files) = (folder.path().join("root"), folder.path().join("files"));
    for part in [&root, &files] {
        std::fs::create_dir(part).with_context(|| part.display().to_string())?;
    }
    inputs.write(&files)?;
    let inside = folder.path().join("program");
    std::fs::write(&inside, program).context("copying the program")?;
    std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o755))
        .context("the program's mode")?;
    let mut mounts = vec![Mount {
        outside: inside,
        inside: "/program".into(),
    }];
    for entry in std::fs::read_dir(&files).context("the copied files")? {
        let entry = entry.context("the copied files")?;
        mounts.push(Mount {
            outside: entry.path(),
            inside: Path::new(WORK).join(entry.file_name()),
        });
    }
    let order = Order {
        job: Job::Run {
            program: "/program".to_owned(),
            arguments: arguments.to_vec(),
            environment: Vec::new(),
        },
        mounts,
        root,
        work: WORK.into(),
        store: "/nix/store".into(),
        outputs: output
            .map(|path| Path::new(WORK).join(path))
            .into_iter()
            .collect(),
        calls: Calls::new(CALLS.iter().chain(more).copied())?,
        limits,
        uid: seed_build::build::USER,
        clock: seed_build::build::CLOCK,
        processors: Vec::new(),
    };
    let mut left = None;
    let outcome = sandbox()?.run(&order, &mut |_, nar| {
        left = Some(file(nar)?);
        Ok(())
    })?;
    if let Some(what) = &outcome.watched.refused {
        bail!("the program was ended: refused: {what}");
    }
    Ok(Outcome {
        status: outcome.watched.status,
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        output: left,
        time: outcome.own_time,
    })
}

/// The bytes of an archive that is one file.
fn file(nar: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut reader = nix_archive::Reader::new(nar);
    let event = reader.next_event().map_err(std::io::Error::other)?;
    match event {
        Some(nix_archive::Event::File { size, .. }) if size <= MAX_OUTPUT => {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        _ => Err(std::io::Error::other(
            "the output is no file of reasonable size",
        )),
    }
}
