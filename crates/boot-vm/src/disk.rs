//! FAT disks, made by mtools without mounting anything.

use crate::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Bytes of a sector.
const SECTOR: u64 = 512;

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
    let mut print = Command::new("mtype");
    output("mtype", print.arg("-i").arg(disk).arg(format!("::/{name}")))
}

/// Where the partition of a [`SystemDisk`] starts, in bytes; partitioning tools leave as much.
const START: u64 = 1 << 20;

/// Writes a disk to `path` with a partition table (GPT) and one partition of Linux's data, whose GUID is `unique` and whose content
/// is `content`, whole sectors.
pub fn partitioned(path: &Path, content: &[u8], unique: &str) -> Result<()> {
    let length = content.len() as u64;
    let script = format!(
        "label: gpt\nstart={}, size={}, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid={unique}\n",
        START / SECTOR,
        length / SECTOR
    );
    let file_error = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let file = File::create(path).map_err(file_error)?;
    file.set_len(START + length + START).map_err(file_error)?;
    file.write_all_at(content, START).map_err(file_error)?;
    partition(path, &script)
}

/// A disk with a partition table (GPT) and one partition, the EFI system partition, which mtools reads and writes: nothing
/// is mounted, and what the program under test wrote is looked at by another.
#[derive(Debug)]
pub struct SystemDisk {
    path: PathBuf,
}

impl SystemDisk {
    /// Makes one at `path` whose partition of `mebibytes` holds an empty FAT32 file system.
    pub fn create(path: &Path, mebibytes: u64) -> Result<SystemDisk> {
        let length = mebibytes << 20;
        let file = File::create(path).and_then(|file| file.set_len(START + length + START));
        file.map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?;
        let script = format!(
            "label: gpt\nstart={}, size={}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n",
            START / SECTOR,
            length / SECTOR
        );
        partition(path, &script)?;
        let disk = SystemDisk::at(path);
        let sectors = (length / SECTOR).to_string();
        let mut format = Command::new("mformat");
        // One sector a cluster: below that size FAT32 needs it.
        format.args(["-F", "-c", "1", "-T", &sectors, "-i"]);
        run("mformat", format.arg(disk.place()).arg("::"))?;
        Ok(disk)
    }

    /// The one that a copy of the image at `path` is.
    pub fn at(path: &Path) -> SystemDisk {
        SystemDisk {
            path: path.to_owned(),
        }
    }

    /// The image.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The partition's content.
    pub fn partition(&self) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(START))?;
            file.read_to_end(&mut content)
        });
        read.map_err(|source| self.error(source))?;
        // Behind it is the second copy of the partition table.
        content.truncate(content.len().saturating_sub(START as usize));
        Ok(content)
    }

    /// Gives the partition another content of the same length.
    pub fn set_partition(&self, content: &[u8]) -> Result<()> {
        let file = File::options().write(true).open(&self.path);
        file.and_then(|file| file.write_all_at(content, START))
            .map_err(|source| self.error(source))
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::File {
            path: self.path.clone(),
            source,
        }
    }

    /// Image and partition, as mtools want them.
    fn place(&self) -> OsString {
        let mut place = OsString::from(&self.path);
        place.push(format!("@@{START}"));
        place
    }

    /// The names of the files in a folder, in order; none when the folder is not there.
    pub fn names(&self, folder: &str) -> Result<Vec<String>> {
        let mut list = Command::new("mdir");
        list.args(["-b", "-i"]).arg(self.place());
        let Ok(listed) = output("mdir", list.arg(format!("::/{folder}"))) else {
            return Ok(Vec::new());
        };
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let names = listed
            .lines()
            .filter(|line| !line.ends_with('/'))
            .filter_map(|line| line.rsplit('/').next());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// A file, by its name with the folders before it.
    pub fn file(&self, name: &str) -> Result<Vec<u8>> {
        let mut print = Command::new("mtype");
        print.arg("-i").arg(self.place());
        output("mtype", print.arg(format!("::/{name}")))
    }

    /// Makes a folder in one that exists.
    pub fn make_folder(&self, name: &str) -> Result<()> {
        let mut make = Command::new("mmd");
        make.arg("-i").arg(self.place());
        run("mmd", make.arg(format!("::/{name}")))
    }

    /// Puts a file there, in folders that exist.
    pub fn put(&self, name: &str, source: &Path) -> Result<()> {
        let mut copy = Command::new("mcopy");
        copy.arg("-o").arg("-i").arg(self.place()).arg(source);
        run("mcopy", copy.arg(format!("::/{name}")))
    }
}

/// Writes a partition table by sfdisk's script.
fn partition(path: &Path, script: &str) -> Result<()> {
    let program = "sfdisk";
    let start = |source| Error::Start { program, source };
    let mut child = Command::new(program)
        .args(["--quiet", "--no-reread", "--no-tell-kernel"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(script.as_bytes()).map_err(start)?;
    }
    judge(program, child.wait_with_output().map_err(start)?).map(drop)
}

fn run(program: &'static str, command: &mut Command) -> Result<()> {
    output(program, command).map(drop)
}

/// What the program wrote, when it succeeded.
fn output(program: &'static str, command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output();
    judge(
        program,
        output.map_err(|source| Error::Start { program, source })?,
    )
}

fn judge(program: &'static str, output: Output) -> Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Failed {
        program,
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    })
}
