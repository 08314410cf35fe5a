//! `uki build` and `uki addon`: sections from files and words, one reproducible image out.

use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::{Context, bail};
use boot_pe::epoch::sbat_of;
use boot_pe::reference::{Part, Reference, References, reference_to};
use boot_pe::sbat::Sbat;
use boot_pe::{Image, Machine, Profile, SectionName, Uki, UkiSection, kernel_release};
use std::borrow::Cow;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Unified kernel images and addons.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write a unified kernel image from a stub, a kernel and what goes with them.
    #[command(after_help = BUILD_EXAMPLES)]
    Build {
        /// The stub, such as linuxx64.efi.stub.
        #[arg(long)]
        stub: PathBuf,
        #[command(flatten)]
        sections: Sections,
        /// Open a profile: text of its `.profile` section, such as `ID=debug` (`\n` separates lines). Its sections follow as
        /// `--profile-section`.
        #[arg(long, value_name = "TEXT")]
        profile: Vec<String>,
        /// A section of the last profile before it: `INDEX:NAME=TEXT` or `INDEX:NAME=@FILE`, INDEX counted from 0.
        #[arg(long, value_name = "INDEX:NAME=VALUE")]
        profile_section: Vec<String>,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Write a PE addon: command line, device tree, microcode or initrd without a kernel.
    #[command(after_help = ADDON_EXAMPLES)]
    Addon {
        /// Which machine it is for.
        #[arg(long, value_enum, default_value = "x64")]
        machine: AddonMachine,
        #[command(flatten)]
        sections: Sections,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
    },
}

const BUILD_EXAMPLES: &str = "\
Examples:
  rootstock-boot uki build --stub linuxx64.efi.stub --linux vmlinuz --initrd initrd \\
      --cmdline 'init=/init quiet' --osrel @/etc/os-release --uname auto -o nixos.efi
  rootstock-boot uki build --stub linuxx64.efi.stub --linux vmlinuz --cmdline quiet \\
      --profile ID=debug --profile-section 0:.cmdline=debug -o two-profiles.efi

Kernel and initrd beside the image, shared with other images (the stub must be Rootstock's):
  rootstock-boot uki build --stub rootstock-stub.efi --cmdline quiet \\
      --linux-reference /EFI/rootstock/kernel=vmlinuz \\
      --initrd-reference /EFI/rootstock/initrd=initrd \\
      -o small.efi";

const ADDON_EXAMPLES: &str = "\
Example:
  rootstock-boot uki addon --cmdline 'console=ttyS0' -o serial.addon.efi";

/// The instruction sets that addons are written for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum AddonMachine {
    X64,
    Aa64,
}

/// Sections from files; text sections take words, or `@FILE`.
#[derive(Debug, clap::Args)]
pub(crate) struct Sections {
    /// The kernel.
    #[arg(long, value_name = "FILE")]
    linux: Option<PathBuf>,
    /// An initrd; several are joined in this order.
    #[arg(long, value_name = "FILE")]
    initrd: Vec<PathBuf>,
    /// A kernel beside the image: PATH is where the stub finds it on the volume that the image is loaded from, FILE what
    /// it is now.
    #[arg(long, value_name = "PATH=FILE", conflicts_with = "linux")]
    linux_reference: Option<String>,
    /// An initrd beside the image; several in this order.
    #[arg(long, value_name = "PATH=FILE", conflicts_with = "initrd")]
    initrd_reference: Vec<String>,
    /// Processor microcode archive.
    #[arg(long, value_name = "FILE")]
    ucode: Option<PathBuf>,
    /// Kernel command line, or @FILE.
    #[arg(long, value_name = "TEXT|@FILE")]
    cmdline: Option<String>,
    /// os-release, or @FILE.
    #[arg(long, value_name = "TEXT|@FILE")]
    osrel: Option<String>,
    /// Kernel release, @FILE, or `auto` to read it from the kernel.
    #[arg(long, value_name = "TEXT|@FILE|auto")]
    uname: Option<String>,
    /// Splash picture, BMP.
    #[arg(long, value_name = "FILE")]
    splash: Option<PathBuf>,
    /// Device tree.
    #[arg(long, value_name = "FILE")]
    dtb: Option<PathBuf>,
    /// Device tree chosen by hardware; may be given several times.
    #[arg(long, value_name = "FILE")]
    dtbauto: Vec<PathBuf>,
    /// Hardware identifiers.
    #[arg(long, value_name = "FILE")]
    hwids: Option<PathBuf>,
    /// Firmware chosen by hardware; may be given several times.
    #[arg(long, value_name = "FILE")]
    efifw: Vec<PathBuf>,
    /// SBAT lines to merge with the stub's, or @FILE.
    #[arg(long, value_name = "TEXT|@FILE")]
    sbat: Option<String>,
    /// Security epoch: a line of `.sbat`, merged with the rest.
    #[arg(long, value_name = "EPOCH", value_parser = number(NonZeroU32::MIN, NonZeroU32::MAX))]
    epoch: Option<NonZeroU32>,
    /// Public key of the PCR signatures, PEM.
    #[arg(long, value_name = "FILE")]
    pcrpkey: Option<PathBuf>,
    /// Signed PCR policies (see `policy sign`).
    #[arg(long, value_name = "FILE")]
    pcrsig: Option<PathBuf>,
}

impl Sections {
    fn read(&self) -> anyhow::Result<Vec<UkiSection<'static>>> {
        let mut found = Vec::new();
        let mut add = |name: SectionName, data: Vec<u8>| {
            found.push(UkiSection {
                name,
                data: Cow::Owned(data),
            });
        };
        let kernel = self.linux.as_deref().map(files::read).transpose()?;
        let mut release = kernel.as_deref().and_then(release_of);
        if let Some(kernel) = kernel {
            add(SectionName::Linux, kernel);
        }
        let mut references = Vec::new();
        if let Some(option) = &self.linux_reference {
            let (reference, kernel) = referenced(Part::Linux, option)?;
            release = release_of(&kernel);
            references.push(reference);
        }
        for option in &self.initrd_reference {
            references.push(referenced(Part::Initrd, option)?.0);
        }
        if !references.is_empty() {
            let text = References::new(references)?.to_string();
            add(SectionName::Rsref, text.into_bytes());
        }
        if !self.initrd.is_empty() {
            let mut joined = Vec::new();
            for path in &self.initrd {
                joined.extend(files::read(path)?);
                // Archives start at a multiple of four; the kernel skips the zeros between them.
                joined.resize(joined.len().next_multiple_of(4), 0);
            }
            if let [only] = &self.initrd[..] {
                joined.truncate(std::fs::metadata(only)?.len() as usize);
            }
            add(SectionName::Initrd, joined);
        }
        let one = [
            (SectionName::Ucode, &self.ucode),
            (SectionName::Splash, &self.splash),
            (SectionName::Dtb, &self.dtb),
            (SectionName::Hwids, &self.hwids),
            (SectionName::Pcrpkey, &self.pcrpkey),
            (SectionName::Pcrsig, &self.pcrsig),
        ];
        for (name, path) in one {
            if let Some(path) = path {
                add(name, files::read(path)?);
            }
        }
        for (name, paths) in [
            (SectionName::Dtbauto, &self.dtbauto),
            (SectionName::Efifw, &self.efifw),
        ] {
            for path in paths {
                add(name, files::read(path)?);
            }
        }
        for (name, value) in [
            (SectionName::Cmdline, &self.cmdline),
            (SectionName::Osrel, &self.osrel),
        ] {
            if let Some(value) = value {
                add(name, text_or_file(value)?);
            }
        }
        let own = self.sbat.as_deref().map(text_or_file).transpose()?;
        let own = own.as_deref().map(Sbat::parse).transpose()?;
        let sbat = match (own, self.epoch.map(sbat_of)) {
            (Some(own), Some(epoch)) => Some(own.merge(&epoch)),
            (own, epoch) => own.or(epoch),
        };
        if let Some(sbat) = sbat {
            add(SectionName::Sbat, sbat.to_string().into_bytes());
        }
        match self.uname.as_deref() {
            None => {}
            Some("auto") => {
                let release = release.context("--uname auto: the kernel states no release")?;
                add(SectionName::Uname, release.into_bytes());
            }
            Some(value) => add(SectionName::Uname, text_or_file(value)?),
        }
        Ok(found)
    }
}

fn release_of(kernel: &[u8]) -> Option<String> {
    kernel_release(kernel).map(str::to_owned)
}

/// What `PATH=FILE` names, and the file.
fn referenced(part: Part, option: &str) -> anyhow::Result<(Reference, Vec<u8>)> {
    let (path, file) = option
        .split_once('=')
        .with_context(|| format!("{option}: expected PATH=FILE"))?;
    let bytes = files::read(file.as_ref())?;
    let reference = reference_to(part, path, &bytes).with_context(|| option.to_owned())?;
    Ok((reference, bytes))
}

fn text_or_file(value: &str) -> anyhow::Result<Vec<u8>> {
    match value.strip_prefix('@') {
        Some(path) => files::read(path.as_ref()),
        None => Ok(value.as_bytes().to_vec()),
    }
}

/// Profiles with the sections that name them by index.
fn profiles(texts: &[String], sections: &[String]) -> anyhow::Result<Vec<Profile<'static>>> {
    let mut profiles: Vec<Profile<'static>> = texts
        .iter()
        .map(|text| Profile {
            description: Cow::Owned(text.replace("\\n", "\n").into_bytes()),
            sections: Vec::new(),
        })
        .collect();
    for option in sections {
        let parsed = option.split_once(':').and_then(|(index, rest)| {
            let (name, value) = rest.split_once('=')?;
            let index: usize = index.parse().ok()?;
            Some((index, SectionName::parse(name)?, value))
        });
        let Some((index, name, value)) = parsed else {
            bail!(
                "--profile-section {option}: expected INDEX:.NAME=VALUE with a section of UAPI.5"
            );
        };
        let count = profiles.len();
        let profile = profiles.get_mut(index).with_context(|| {
            format!("--profile-section {option}: there are {count} profiles, counted from 0")
        })?;
        profile.sections.push(UkiSection {
            name,
            data: Cow::Owned(text_or_file(value)?),
        });
    }
    Ok(profiles)
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    let (file, output) = match command {
        Command::Build {
            stub,
            sections,
            profile,
            profile_section,
            output,
        } => {
            let stub_bytes = files::read(&stub)?;
            let image = Image::parse(&stub_bytes).with_context(|| stub.display().to_string())?;
            let contents = Uki {
                base: sections.read()?,
                profiles: profiles(&profile, &profile_section)?,
            };
            (contents.write(&image)?, output)
        }
        Command::Addon {
            machine,
            sections,
            output,
        } => {
            let machine = match machine {
                AddonMachine::X64 => Machine::X64,
                AddonMachine::Aa64 => Machine::Aa64,
            };
            let base = boot_pe::addon_base(machine)?;
            let contents = Uki {
                base: sections.read()?,
                profiles: Vec::new(),
            };
            (contents.write_addon(&Image::parse(&base)?)?, output)
        }
    };
    files::write(out, &output, &file)?;
    let report = boot_pe::inspect(&file)?;
    out.answer(&report, |report| {
        format!(
            "{}: {} bytes, {} sections, Authenticode SHA-256 {}",
            output.display(),
            report.size,
            report.sections.len(),
            report.authenticode_sha256
        )
    })?;
    Ok(Verdict::Good)
}
