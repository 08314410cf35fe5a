//! Runs a stage on this processor for the tests, in a root folder of its own and as `nobody`: it can reach its
//! files and nothing else. The binary has a stricter sandbox; a library's tests cannot start it.

use seed_proof::engine::{Engine, EngineError, Files, Run};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

pub(crate) struct Native;

const NOBODY: u32 = 65534;

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn run(&self, program: &[u8], arguments: &[&str], files: Files) -> Result<Run, EngineError> {
        run(program, arguments, files).map_err(|error| EngineError::Native(error.to_string()))
    }
}

fn run(program: &[u8], arguments: &[&str], files: Files) -> std::io::Result<Run> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    for (name, bytes) in &files {
        std::fs::write(root.join(OsStr::from_bytes(name)), bytes)?;
    }
    std::fs::write(root.join("program"), program)?;
    std::fs::set_permissions(root.join("program"), std::fs::Permissions::from_mode(0o555))?;
    let mut command = Command::new("prlimit");
    command.args(["--cpu=60", "--core=0", "--"]);
    if std::fs::metadata(root)?.uid() == 0 {
        std::os::unix::fs::chown(root, Some(NOBODY), Some(NOBODY))?;
        command.args([
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--",
        ]);
    }
    let output = command
        .args([
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--uts",
        ])
        .args(["--fork", "--kill-child", "--wd=/", "--root"])
        .arg(root)
        .args(["--", "/program"])
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()?;
    let status = output.status.code();
    let status = status.ok_or_else(|| std::io::Error::other(output.status.to_string()))?;
    let mut left = Files::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_name() != "program" {
            left.insert(entry.file_name().into_vec(), std::fs::read(entry.path())?);
        }
    }
    Ok(Run {
        status: status as u8,
        files: left,
        output: output.stdout,
        errors: output.stderr,
        ..Run::default()
    })
}
