//! Where a partition is: mounted at a folder, or in a disk image.

use super::part::{EXTENDED, Part, SYSTEM};
use anyhow::Context;
use boot_esp::{EspPath, Fat, Folder, Space, Volume};
use std::io;
use std::path::{Path, PathBuf};

/// A partition that can be read and written.
pub(crate) enum Place {
    /// It is mounted, or stands for one that is.
    Mounted(Folder),
    /// It lies in a disk image.
    Image {
        /// The image.
        path: PathBuf,
        /// The partition's file system.
        system: Box<Fat<Part>>,
    },
}

/// Which of a disk's partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The EFI system partition.
    System,
    /// The extended boot partition.
    Extended,
}

impl Place {
    /// A folder, or an image with a partition of this kind or a bare file system.
    pub(super) fn open(path: &Path, kind: Kind) -> anyhow::Result<Place> {
        let name = || path.display().to_string();
        if !is_image(path) {
            return Ok(Place::Mounted(Folder::open(path).with_context(name)?));
        }
        let (kind, what) = match kind {
            Kind::System => (SYSTEM, "system partition"),
            Kind::Extended => (EXTENDED, "extended boot partition"),
        };
        let found = Part::find(path, kind, what)?;
        let system = Fat::open(found.part)
            .with_context(|| format!("{}: there is no FAT file system", name()))?;
        Ok(Place::Image {
            path: path.to_owned(),
            system: Box::new(system),
        })
    }

    /// The folder or the image.
    pub(crate) fn root(&self) -> &Path {
        match self {
            Place::Mounted(folder) => folder.root(),
            Place::Image { path, .. } => path,
        }
    }

    fn volume(&self) -> &dyn Volume {
        match self {
            Place::Mounted(folder) => folder,
            Place::Image { system, .. } => &**system,
        }
    }
}

/// True for a file; what is not there is left to be reported as a folder that can't be opened.
pub(super) fn is_image(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

impl Volume for Place {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        self.volume().files(folder)
    }

    fn space(&self) -> io::Result<Space> {
        self.volume().space()
    }

    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.volume().read(path, sink)
    }

    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        self.volume().make_folder(path)
    }

    fn create(&self, path: &EspPath) -> io::Result<()> {
        self.volume().create(path)
    }

    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.volume().write(path, offset, bytes)
    }

    fn remove(&self, path: &EspPath) -> io::Result<()> {
        self.volume().remove(path)
    }

    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        self.volume().remove_folder(path)
    }

    fn sync(&self) -> io::Result<()> {
        self.volume().sync()
    }
}
