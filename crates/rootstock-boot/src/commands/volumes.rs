//! The options that name partitions, and what the loader says about the entry that runs; shared by `install` and its kin.

use anyhow::Context;
use boot_esp::{Folder, Metered};
use boot_install::Target;
use std::path::{Path, PathBuf};

/// Vendor of the variables that boot loaders and the system share (systemd's boot loader interface).
const LOADER_VENDOR: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// Where entries are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct VolumeOptions {
    /// A mounted EFI system partition; may be given several times, all get the same.
    #[arg(long, value_name = "FOLDER", required = true)]
    pub(crate) esp: Vec<PathBuf>,
    /// The mounted extended boot partition that holds the entries, one for each --esp, in the same order.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) xbootldr: Vec<PathBuf>,
    /// Where the firmware's variables are shown.
    #[arg(long, value_name = "FOLDER", default_value = super::source::EFIVARFS)]
    efivars: PathBuf,
}

/// One partition, or two of the same disk.
pub(crate) struct Mounted {
    pub(crate) esp: Metered<Folder>,
    pub(crate) xbootldr: Option<Metered<Folder>>,
}

impl Mounted {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            esp: &self.esp,
            xbootldr: self.xbootldr.as_ref().map(|volume| volume as _),
        }
    }

    /// The partition that holds the entries.
    pub(crate) fn entries(&self) -> &Metered<Folder> {
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
        let open = |path: &Path| {
            Folder::open(path)
                .map(Metered::new)
                .with_context(|| path.display().to_string())
        };
        let mut mounted = Vec::new();
        for (index, esp) in self.esp.iter().enumerate() {
            mounted.push(Mounted {
                esp: open(esp)?,
                xbootldr: self.xbootldr.get(index).map(|p| open(p)).transpose()?,
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
        let path = self.efivars.join(format!("{name}-{LOADER_VENDOR}"));
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
