//! Version 1's program that appends secrets to an initrd (`initrdSecrets`), run where that was asked for.
//!
//! It is given an empty file: what it appends there becomes an initrd of its own, behind the others. So the initrd that many
//! generations share stays shared, and secrets that did not change are stored once.

use crate::{Error, Result, Sources};
use boot_esp::Content;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Most that a program may append.
const MAX_SECRETS: u64 = 64 * 1024 * 1024;

/// What happens to generations whose initrd gets secrets from a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InitrdSecrets {
    /// The default generation is not installed, so nothing is; others are installed without secrets.
    #[default]
    Refuse,
    /// All are installed without secrets.
    Leave,
    /// The program is run, and its secrets lie on the partition in plain.
    Run,
}

/// A folder that nobody else can look into, removed with what is in it.
struct Private(PathBuf);

impl Private {
    fn make(beside: &Path) -> io::Result<Private> {
        let mut number = std::process::id();
        loop {
            let path = beside.join(format!("rootstock-secrets-{number}"));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Private(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    number = number.wrapping_add(1);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the program appends to an initrd; `None` when that is nothing.
pub(crate) fn run(sources: &Sources, program: &str) -> Result<Option<Content>> {
    let failed = |why: String| Error::Secrets {
        program: program.to_owned(),
        why,
    };
    let told = |error: io::Error| failed(error.to_string());
    let real = sources.real_path(Path::new(program))?;
    let folder = Private::make(&std::env::temp_dir()).map_err(told)?;
    let file = folder.0.join("initrd");
    fs::write(&file, b"").map_err(told)?;
    // What it prints may be a secret; the program's own exit code says whether it went well.
    let status = Command::new(&real)
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(told)?;
    if !status.success() {
        return Err(failed(format!("it failed ({status})")));
    }
    let size = fs::metadata(&file).map_err(told)?.len();
    if size > MAX_SECRETS {
        return Err(failed(format!(
            "it appended {size} bytes, more than {MAX_SECRETS}"
        )));
    }
    let bytes = fs::read(&file).map_err(told)?;
    Ok((!bytes.is_empty()).then(|| Content::bytes(bytes)))
}
