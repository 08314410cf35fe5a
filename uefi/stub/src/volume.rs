//! The volume that the image was loaded from: files that the image refers to, and folders of what lies beside it.

use crate::error::{Context, Error};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use boot_stub_core::reference::Reference;
use sha2::{Digest, Sha256};
use uefi::boot::{self, ScopedProtocol};
use uefi::proto::media::file::{Directory, File, FileAttribute, FileInfo, FileMode, RegularFile};
use uefi::proto::media::fs::SimpleFileSystem;
use uefi::{CString16, Handle, Status};

/// Most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 4096;
/// Largest file beside an image.
const MAX_FILE: u64 = 1 << 30;

/// An open volume.
pub(crate) struct Volume {
    root: Directory,
    /// Kept open as long as the volume is used.
    _protocol: ScopedProtocol<SimpleFileSystem>,
    device: Handle,
}

impl Volume {
    /// The file system of a device; `None` when it has none, as after a network boot.
    pub(crate) fn open(device: Handle) -> Result<Option<Volume>, Error> {
        let mut protocol = match boot::open_protocol_exclusive::<SimpleFileSystem>(device) {
            Ok(protocol) => protocol,
            Err(error) if error.status() == Status::UNSUPPORTED => return Ok(None),
            Err(error) => return Err(Error::new(error.status(), &"the volume of the image")),
        };
        let root = protocol
            .open_volume()
            .context(Status::DEVICE_ERROR, &"the volume of the image")?;
        Ok(Some(Volume {
            root,
            _protocol: protocol,
            device,
        }))
    }

    pub(crate) fn device(&self) -> Handle {
        self.device
    }

    /// The file that an image refers to, whole and compared with its digest.
    pub(crate) fn referenced(&mut self, reference: &Reference) -> Result<Vec<u8>, Error> {
        let path = reference.path();
        let file = self.read(&path.replace('/', "\\"), u64::from(reference.size.get()))?;
        let same = file.len() == reference.size.get() as usize
            && Sha256::digest(&file)[..] == reference.sha256;
        if !same {
            let why = format_args!("{path} is not the file that the image refers to");
            return Err(Error::new(Status::SECURITY_VIOLATION, &why));
        }
        Ok(file)
    }

    /// A whole file of at most `limit` bytes.
    pub(crate) fn read(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let mut file = self.file(path, FileMode::Read)?;
        let info = file.get_boxed_info::<FileInfo>();
        let size = info.context(Status::DEVICE_ERROR, &path)?.file_size();
        if size > limit.min(MAX_FILE) {
            return Err(Error::new(
                Status::BAD_BUFFER_SIZE,
                &format_args!("{path} is too large"),
            ));
        }
        let mut bytes = vec![0; size as usize];
        let count = file.read(&mut bytes).context(Status::DEVICE_ERROR, &path)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// An existing file.
    pub(crate) fn file(&mut self, path: &str, mode: FileMode) -> Result<RegularFile, Error> {
        let wide = CString16::try_from(path);
        let wide = wide.ok().context(Status::INVALID_PARAMETER, &path)?;
        let opened = self.root.open(&wide, mode, FileAttribute::empty());
        let file = opened
            .context(Status::NOT_FOUND, &path)?
            .into_regular_file();
        file.context(Status::NOT_FOUND, &format_args!("{path} is no file"))
    }

    /// Names of the files in a folder, in order; none when it does not exist.
    pub(crate) fn names(&mut self, folder: &str) -> Result<Vec<String>, Error> {
        let wide = CString16::try_from(folder);
        let wide = wide.ok().context(Status::INVALID_PARAMETER, &folder)?;
        let opened = match self
            .root
            .open(&wide, FileMode::Read, FileAttribute::empty())
        {
            Ok(opened) => opened,
            Err(error) if error.status() == Status::NOT_FOUND => return Ok(Vec::new()),
            Err(error) => return Err(Error::new(error.status(), &folder)),
        };
        let Some(mut directory) = opened.into_directory() else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for _ in 0..MAX_ENTRIES {
            let entry = directory
                .read_entry_boxed()
                .context(Status::DEVICE_ERROR, &folder)?;
            let Some(entry) = entry else {
                return Ok(names);
            };
            if !entry.attribute().contains(FileAttribute::DIRECTORY) {
                let name = entry.file_name().to_string();
                let at = names.partition_point(|other| *other < name);
                names.insert(at, name);
            }
        }
        Err(Error::new(
            Status::OUT_OF_RESOURCES,
            &format_args!("{folder} has too many files"),
        ))
    }
}
