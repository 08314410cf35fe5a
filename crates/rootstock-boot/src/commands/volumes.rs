//! The options that name partitions, and what the loader says about the entry that runs; shared by `install` and its kin.

use super::place::{Kind, Place, is_image};
use anyhow::Context;
use boot_esp::Metered;
use boot_install::Target;
use std::path::{Path, PathBuf};

/// Vendor of the variables that boot loaders and the system share (systemd's boot loader interface).
const LOADER_VENDOR: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// Where entries are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct VolumeOptions {
    /// A mounted EFI system partition, or a disk image that has one or is one; may be given several times, all get the same.
    #[arg(long, value_name = "FOLDER|IMAGE", required = true)]
    pub(crate) esp: Vec<PathBuf>,
    /// The mounted extended boot partition that holds the entries, or the image that has it; one for each --esp, in the same
    /// order.
    #[arg(long, value_name = "FOLDER|IMAGE")]
    pub(crate) xbootldr: Vec<PathBuf>,
    /// Where the firmware's variables are shown; those of this machine, unless an image is given.
    #[arg(long, value_name = "FOLDER")]
    efivars: Option<PathBuf>,
}

/// One partition, or two of the same disk.
pub(crate) struct Mounted {
    pub(crate) esp: Metered<Place>,
    pub(crate) xbootldr: Option<Metered<Place>>,
}

impl Mounted {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            esp: &self.esp,
            xbootldr: self.xbootldr.as_ref().map(|volume| volume as _),
        }
    }

    /// The partition that holds the entries.
    pub(crate) fn entries(&self) -> &Metered<Place> {
        self.xbootldr.as_ref().unwrap_or(&self.esp)
    }
}

impl VolumeOptions {
    /// Opens all partitions.
    pub(crate) fn open(&self) -> anyhow::Result<Vec<Mounted>> {
        anyhow::ensure!(
            self.xbootldr.is_empty() || self.xbootldr.len() == self.esp.len(),
            "--xbootldr: give one for each --esp, or none"
        );
        let mut mounted = Vec::new();
        for (index, esp) in self.esp.iter().enumerate() {
            let xbootldr = self.xbootldr.get(index);
            let xbootldr = xbootldr.map(|path| Place::open(path, Kind::Extended));
            mounted.push(Mounted {
                esp: Metered::new(Place::open(esp, Kind::System)?),
                xbootldr: xbootldr.transpose()?.map(Metered::new),
            });
        }
        Ok(mounted)
    }

    /// The file name of the entry that runs, without its folder; `None` when the loader does not say.
    pub(crate) fn booted(&self) -> anyhow::Result<Option<String>> {
        self.variable("LoaderEntrySelected")
    }

    /// The path of the counted entry that runs; `None` when it is not counted.
    pub(crate) fn counted(&self) -> anyhow::Result<Option<String>> {
        self.variable("LoaderBootCountPath")
    }

    /// A text variable of the loader: attributes, then UTF-16 with a NUL.
    fn variable(&self, name: &str) -> anyhow::Result<Option<String>> {
        let folder = match &self.efivars {
            Some(folder) => folder.as_path(),
            // What this machine runs says nothing about an image.
            None if self.esp.iter().any(|path| is_image(path)) => return Ok(None),
            None => Path::new(super::source::EFIVARFS),
        };
        let path = folder.join(format!("{name}-{LOADER_VENDOR}"));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context(path.display().to_string()),
        };
        let units: Vec<u16> = bytes
            .get(4..)
            .unwrap_or_default()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_le_bytes(*pair))
            .take_while(|unit| *unit != 0)
            .collect();
        let text = String::from_utf16(&units).with_context(|| path.display().to_string())?;
        Ok((!text.is_empty()).then_some(text))
    }
}
