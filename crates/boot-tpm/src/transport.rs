//! How commands reach a TPM: the kernel's device, or the socket of a software TPM.

use crate::{Error, MAX_FRAME, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for an answer: a TPM may take minutes to make an RSA key.
const PATIENCE: Duration = Duration::from_mins(5);
/// Bytes of an answer's header: tag, size, code.
const HEADER: usize = 10;

/// Sends one command and receives its answer.
pub trait Transport {
    /// One exchange; the answer is whole, and no longer than [`MAX_FRAME`].
    ///
    /// # Errors
    /// What the system says.
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>>;
}

/// A character device of the kernel.
#[derive(Debug)]
pub struct Device(File);

impl Device {
    /// Opens `/dev/tpmrm0`, the one whose objects the kernel keeps apart from those of other programs, or another.
    ///
    /// # Errors
    /// When it is not there, may not be used, or is a file or a disk, which a command would be written over.
    pub fn open(path: &Path) -> Result<Device> {
        Device::of(path).map_err(|source| Error::Open {
            path: path.display().to_string(),
            source,
        })
    }

    fn of(path: &Path) -> io::Result<Device> {
        // Asked before it is opened for writing, and of what was opened.
        let is_device = |kind: fs::Metadata| {
            let kind = kind.file_type();
            kind.is_char_device().then_some(()).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is no character device, so no TPM",
                )
            })
        };
        is_device(fs::metadata(path)?)?;
        let device = OpenOptions::new().read(true).write(true).open(path)?;
        is_device(device.metadata()?)?;
        Ok(Device(device))
    }
}

impl Transport for Device {
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        // The device takes a command in one write and gives its answer in one read.
        let sent = self.0.write(command)?;
        if sent != command.len() {
            return Err(io::Error::other("the device took only part of the command"));
        }
        let mut answer = vec![0; MAX_FRAME];
        let length = self.0.read(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    }
}

/// A software TPM's data socket (swtpm's `--server type=unixio`). swtpm serves one client at a time, so each exchange is a
/// connection of its own: other programs are not kept waiting.
#[derive(Debug)]
pub struct Socket(PathBuf);

impl Socket {
    /// The TPM behind this path.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn connect(path: &Path) -> Result<Socket> {
        let socket = Socket(path.to_owned());
        let reached = socket.reach();
        reached.map(|_| socket).map_err(|source| Error::Open {
            path: path.display().to_string(),
            source,
        })
    }

    fn reach(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.0)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }
}

impl Transport for Socket {
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.reach()?;
        stream.write_all(command)?;
        let mut answer = vec![0; HEADER];
        stream.read_exact(&mut answer)?;
        let size = u32::from_be_bytes([answer[2], answer[3], answer[4], answer[5]]);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if !(HEADER..=MAX_FRAME).contains(&size) {
            return Err(io::Error::other("the answer's length is out of bounds"));
        }
        answer.resize(size, 0);
        stream.read_exact(&mut answer[HEADER..])?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::Device;
    use std::fs;
    use std::path::Path;

    #[test]
    fn a_file_that_is_named_in_the_place_of_a_tpm_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("disk.img");
        fs::write(&file, b"a disk").unwrap();
        for path in [&file, folder.path()] {
            let error = Device::open(path).unwrap_err();
            assert_eq!(error.to_string(), format!("TPM {}", path.display()));
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert_eq!(cause, "it is no character device, so no TPM");
        }
        assert_eq!(fs::read(&file).unwrap(), b"a disk");
        assert!(Device::open(Path::new("/dev/null")).is_ok());
    }
}
