//! FAT disks, made by mtools without mounting anything.

use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::Command;

/// Smallest disk that mtools formats as FAT32 without complaint, and room for a file system's own tables.
const LEAST: u64 = 40 << 20;

/// Writes a FAT32 disk without a partition table to `path`. `files` are names on the disk, parts separated by `/`, and
/// the files whose content they get.
pub fn fat_disk(path: &Path, files: &[(String, &Path)]) -> Result<()> {
    let file_error = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut length = LEAST;
    for (_, source) in files {
        let data = source.metadata().map_err(|error| Error::File {
            path: (*source).to_owned(),
            source: error,
        })?;
        length += data.len().next_multiple_of(4096);
    }
    let disk = File::create(path).map_err(file_error)?;
    disk.set_len(length.next_multiple_of(1 << 20))
        .map_err(file_error)?;
    drop(disk);
    run(
        "mformat",
        Command::new("mformat")
            .args(["-F", "-i"])
            .arg(path)
            .arg("::"),
    )?;
    let mut folders = BTreeSet::new();
    for (name, _) in files {
        for (at, _) in name.match_indices('/') {
            folders.insert(&name[..at]);
        }
    }
    for folder in folders {
        let target = format!("::/{folder}");
        run("mmd", Command::new("mmd").arg("-i").arg(path).arg(target))?;
    }
    for (name, source) in files {
        let target = format!("::/{name}");
        let mut copy = Command::new("mcopy");
        run("mcopy", copy.arg("-i").arg(path).arg(source).arg(target))?;
    }
    Ok(())
}

/// A file of such a disk, by its name as in [`fat_disk`].
pub fn file_of(disk: &Path, name: &str) -> Result<Vec<u8>> {
    let program = "mtype";
    let output = Command::new(program)
        .arg("-i")
        .arg(disk)
        .arg(format!("::/{name}"))
        .output()
        .map_err(|source| Error::Start { program, source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Failed {
        program,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn run(program: &'static str, command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .map_err(|source| Error::Start { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program,
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    })
}
