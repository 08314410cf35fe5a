//! A part of a file that stands for a disk: one partition of it, or all of it when it has no partition table.

use anyhow::Context;
use boot_esp::Device;
use boot_measure::Gpt;
use boot_variables::Guid;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Type of system partitions.
pub(super) const SYSTEM: Guid = Guid::from_u128(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
/// Type of extended boot partitions.
pub(super) const EXTENDED: Guid = Guid::from_u128(0xbc13c2ff_59e6_4262_a352_b275fd6f7172);

/// Bytes of a file from one place to another, as a device of its own.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    writable: bool,
    start: u64,
    length: u64,
    at: u64,
}

/// A partition, and what the table around it says.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) part: Part,
    /// The table, when there is one.
    pub(super) table: Option<Gpt>,
    /// The partition's own GUID, when there is a table.
    pub(super) unique: Option<Guid>,
}

impl Part {
    /// The first partition of this type, or the whole disk when it has no table. A file that must not be written to is
    /// opened for reading alone.
    pub(super) fn find(path: &Path, kind: Guid, what: &str) -> anyhow::Result<Found> {
        let name = || path.display().to_string();
        let (mut file, writable) = match File::options().read(true).write(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if is_forbidden(&error) => (File::open(path).with_context(name)?, false),
            Err(error) => return Err(error).with_context(name),
        };
        let mut length = file.seek(SeekFrom::End(0)).with_context(name)?;
        let table = Gpt::read(&mut file).with_context(name)?;
        let mut start = 0;
        let mut unique = None;
        if let Some(table) = &table {
            let found = table.partitions.iter().find(|p| p.kind == kind.0);
            let found = found.with_context(|| format!("{}: no {what}", name()))?;
            (start, length) = (found.start, found.length);
            unique = Some(Guid(found.unique));
        }
        file.seek(SeekFrom::Start(start)).with_context(name)?;
        let part = Part {
            file,
            writable,
            start,
            length,
            at: 0,
        };
        Ok(Found {
            part,
            table,
            unique,
        })
    }

    /// How much of `wanted` bytes lies before the end.
    fn room(&self, wanted: usize) -> usize {
        let left = self.length.saturating_sub(self.at);
        wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

fn is_forbidden(error: &io::Error) -> bool {
    let kinds = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    kinds.contains(&error.kind())
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.room(buffer.len());
        let count = self.file.read(&mut buffer[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let count = self.file.write(&bytes[..self.room(bytes.len())])?;
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let outside = || io::Error::from(io::ErrorKind::InvalidInput);
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = at.ok_or_else(outside)?;
        let place = self.start.checked_add(self.at).ok_or_else(outside)?;
        self.file.seek(SeekFrom::Start(place))?;
        Ok(self.at)
    }
}

impl Device for Part {
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
