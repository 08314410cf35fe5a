//! Reading inputs once and writing outputs safely: to a temporary name beside the target, synced, then renamed.

use crate::print::Out;
use anyhow::Context;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Largest input: PE offsets have 32 bits, and so have variables and signatures.
const MAX_INPUT: u64 = u32::MAX as u64;
/// Room kept behind an image, so that appending a signature does not copy it.
const SPARE: usize = 16 * 1024;

/// The whole file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = || path.display().to_string();
    let file = File::open(path).with_context(name)?;
    let length = file.metadata().with_context(name)?.len();
    let mut bytes = Vec::with_capacity(length.min(MAX_INPUT) as usize + SPARE);
    let read = file.take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.with_context(name)?;
    anyhow::ensure!(
        bytes.len() as u64 <= MAX_INPUT,
        "{}: larger than 4 GiB",
        name()
    );
    Ok(bytes)
}

/// Writes `bytes` to `path`: either the old content or the new one is there at any moment. What is no regular file stays.
pub(crate) fn write(out: &Out, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_with_mode(out, path, bytes, 0o666)
}

/// Removes a file, where it is there.
pub(crate) fn remove(out: &Out, path: &Path) -> anyhow::Result<()> {
    if out.dry_run || !path.exists() {
        return Ok(());
    }
    std::fs::remove_file(path).with_context(|| path.display().to_string())
}

/// As [`write()`], but readable by the owner alone and never in place of an existing file.
pub(crate) fn write_secret(out: &Out, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    anyhow::ensure!(
        !path.exists(),
        "{}: exists already; keys are not replaced",
        path.display()
    );
    write_with_mode(out, path, bytes, 0o600)
}

fn write_with_mode(out: &Out, path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let name = || format!("writing {}", path.display());
    // A device or a pipe, such as /dev/null, would be gone, with a plain file in its place.
    if let Ok(there) = path.metadata() {
        anyhow::ensure!(
            there.is_file(),
            "{}: it is no regular file, so it is not replaced",
            name()
        );
    }
    if out.dry_run {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    anyhow::ensure!(
        folder.is_dir(),
        "{}: there is no folder {}",
        name(),
        folder.display()
    );
    // The mode is narrowed by the umask when the file is created.
    let mut file = tempfile::Builder::new()
        .prefix(".rootstock-boot.")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .with_context(name)?;
    file.write_all(bytes).with_context(name)?;
    file.as_file().sync_all().with_context(name)?;
    file.persist(path).with_context(name)?;
    // The rename itself must reach the disk too.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(name)
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::print::Out;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_no_regular_file_is_not_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        for dry_run in [false, true] {
            for path in [&*socket, folder.path()] {
                let error = write(&Out::new(false, dry_run), path, b"x").unwrap_err();
                let said = format!(
                    "writing {}: it is no regular file, so it is not replaced",
                    path.display()
                );
                assert_eq!(error.to_string(), said);
            }
        }
        assert!(!socket.metadata().unwrap().is_file());
        let lost = folder.path().join("nowhere/file");
        let error = write(&Out::new(false, false), &lost, b"x").unwrap_err();
        let said = format!("there is no folder {}", lost.parent().unwrap().display());
        assert!(error.to_string().ends_with(&said), "{error}");
    }
}
