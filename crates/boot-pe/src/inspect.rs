//! What a person wants to know about a boot file, as one value that prints or serialises.

use crate::sbat::Sbat;
use crate::{
    Anomaly, Directory, Image, Machine, Result, SECTION_EXECUTE, SECTION_READ, SECTION_WRITE,
    SectionName, Severity, kernel_release,
};
use serde::Serialize;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// What an image is, judged by its sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Unified kernel image: has `.linux`, or refers to a kernel.
    Uki,
    /// PE addon: UKI sections, no kernel.
    Addon,
    /// A UKI stub without payload.
    Stub,
    /// An x86 kernel with EFI stub.
    Kernel,
    /// Any other application or driver.
    Program,
}

/// Which boot program an image says to be (`.sdmagic`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StubIdentity {
    /// Such as `systemd-stub`.
    pub name: String,
    /// Such as `252.39-1~deb12u2`.
    pub version: String,
}

impl StubIdentity {
    /// Reads the `.sdmagic` section: `#### LoaderInfo: NAME VERSION ####`.
    pub fn of(image: &Image<'_>) -> Option<StubIdentity> {
        let data = image.section(".sdmagic")?.data();
        let text = std::str::from_utf8(data).ok()?.trim_end_matches('\0');
        let inner = text
            .strip_prefix("#### LoaderInfo: ")?
            .strip_suffix(" ####")?;
        let (name, version) = inner.split_once(' ')?;
        Some(StubIdentity {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }

    /// The number before the first character that is no digit, such as 252.
    pub fn major(&self) -> Option<u32> {
        let end = self
            .version
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.version.len());
        self.version[..end].parse().ok()
    }
}

/// One section for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionReport {
    /// Its name.
    pub name: String,
    /// Address in memory.
    pub virtual_address: u32,
    /// Bytes in memory.
    pub virtual_size: u32,
    /// Offset in the file.
    pub raw_offset: u32,
    /// Bytes in the file.
    pub raw_size: u32,
    /// `r`, `w`, `x` or `-` each.
    pub access: String,
    /// SHA-256 of the content (without file padding), hexadecimal.
    pub sha256: String,
    /// The content of sections that hold one short text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// One profile of a multi-profile UKI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileReport {
    /// Content of `.profile`.
    pub description: String,
    /// Names of its own sections.
    pub sections: Vec<String>,
}

/// All about one file.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What it is.
    pub kind: Kind,
    /// Instruction set.
    pub machine: Machine,
    /// File length in bytes.
    pub size: u64,
    /// 10 application, 11 boot driver, 12 runtime driver.
    pub subsystem: u16,
    /// Linker time stamp.
    pub timestamp: u32,
    /// Entry point.
    pub entry_point: u32,
    /// Preferred load address.
    pub image_base: u64,
    /// Alignment in memory.
    pub section_alignment: u32,
    /// Alignment in the file.
    pub file_alignment: u32,
    /// Whether it claims to run with data not executable.
    pub nx_compatible: bool,
    /// SHA-256 of the whole file.
    pub sha256: String,
    /// Authenticode SHA-256.
    pub authenticode_sha256: String,
    /// Authenticode SHA-384.
    pub authenticode_sha384: String,
    /// Authenticode SHA-512.
    pub authenticode_sha512: String,
    /// Certificate table: file offset and size.
    pub certificate_table: Option<Directory>,
    /// Count of signatures in it, when it can be walked.
    pub signatures: usize,
    /// Which boot program it says to be.
    pub stub: Option<StubIdentity>,
    /// Kernel release, from `.uname` or the kernel's own header.
    pub kernel_release: Option<String>,
    /// SBAT, when present and well-formed.
    pub sbat: Option<Sbat>,
    /// Why the SBAT section can't be read, when it is present and malformed.
    pub sbat_problem: Option<String>,
    /// Sections in header order.
    pub sections: Vec<SectionReport>,
    /// Profiles in order.
    pub profiles: Vec<ProfileReport>,
    /// What is odd.
    pub anomalies: Vec<Anomaly>,
}

impl Report {
    /// The findings of at least `severity`.
    pub fn anomalies_of(&self, severity: Severity) -> impl Iterator<Item = &Anomaly> {
        self.anomalies
            .iter()
            .filter(move |a| a.severity() >= severity)
    }
}

/// Longest section that is shown as text.
const MAX_TEXT: usize = 4096;

fn text_of(name: &str, data: &[u8]) -> Option<String> {
    let textual = [
        ".osrel", ".cmdline", ".uname", ".profile", ".sbat", ".pcrpkey", ".sdmagic", ".rsref",
        ".rsstub",
    ];
    if !textual.contains(&name) || data.len() > MAX_TEXT {
        return None;
    }
    let text = std::str::from_utf8(data).ok()?;
    Some(text.trim_end_matches(['\0', '\n']).to_owned())
}

fn kind_of(image: &Image<'_>) -> Kind {
    let has = |name: SectionName| image.section(name.as_str()).is_some();
    if has(SectionName::Linux) || has(SectionName::Rsref) {
        return Kind::Uki;
    }
    if image.bytes.get(0x202..0x206) == Some(b"HdrS") {
        return Kind::Kernel;
    }
    // A boot loader has `.osrel` and `.sbat` too; what configures a kernel makes an addon.
    let payload = SectionName::ALL
        .into_iter()
        .filter(|name| !matches!(name, SectionName::Sbat | SectionName::Osrel))
        .any(has);
    match StubIdentity::of(image) {
        _ if payload => Kind::Addon,
        Some(stub) if stub.name.ends_with("stub") => Kind::Stub,
        _ => Kind::Program,
    }
}

fn profiles_of(image: &Image<'_>) -> Vec<ProfileReport> {
    let mut profiles: Vec<ProfileReport> = Vec::new();
    for section in &image.sections {
        if section.name() == ".profile" {
            profiles.push(ProfileReport {
                description: String::from_utf8_lossy(section.data())
                    .trim_end_matches(['\0', '\n'])
                    .to_owned(),
                sections: Vec::new(),
            });
        } else if let Some(profile) = profiles.last_mut() {
            profile.sections.push(section.name().into_owned());
        }
    }
    profiles
}

/// Reads everything that [`Report`] tells.
pub fn inspect(bytes: &[u8]) -> Result<Report> {
    let image = Image::parse(bytes)?;
    let flag = |flags: u32, bit: u32, letter: char| if flags & bit != 0 { letter } else { '-' };
    let sections = image.sections.iter().map(|section| SectionReport {
        name: image.long_name(section),
        virtual_address: section.virtual_address,
        virtual_size: section.virtual_size,
        raw_offset: section.raw_offset,
        raw_size: section.raw_size,
        access: [
            (SECTION_READ, 'r'),
            (SECTION_WRITE, 'w'),
            (SECTION_EXECUTE, 'x'),
        ]
        .iter()
        .map(|(bit, letter)| flag(section.flags, *bit, *letter))
        .collect(),
        sha256: hex::encode(Sha256::digest(section.data())),
        text: text_of(&section.name(), section.data()),
    });
    let (sbat, sbat_problem) = match image.section(".sbat").map(|s| Sbat::parse(s.data())) {
        Some(Ok(sbat)) => (Some(sbat), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let release = || {
        let kernel = image
            .section(".linux")
            .map_or(bytes, |section| section.data());
        kernel_release(kernel).map(str::to_owned)
    };
    Ok(Report {
        kind: kind_of(&image),
        machine: image.machine,
        size: bytes.len() as u64,
        subsystem: image.subsystem,
        timestamp: image.timestamp,
        entry_point: image.entry_point,
        image_base: image.image_base,
        section_alignment: image.section_alignment,
        file_alignment: image.file_alignment,
        nx_compatible: image.nx_compatible(),
        sha256: hex::encode(Sha256::digest(bytes)),
        authenticode_sha256: hex::encode(image.authenticode::<Sha256>()?),
        authenticode_sha384: hex::encode(image.authenticode::<Sha384>()?),
        authenticode_sha512: hex::encode(image.authenticode::<Sha512>()?),
        certificate_table: image.certificate_table(),
        signatures: image.certificates().map_or(0, |entries| entries.len()),
        stub: StubIdentity::of(&image),
        kernel_release: image
            .section(".uname")
            .and_then(|section| text_of(".uname", section.data()))
            .or_else(release),
        sbat,
        sbat_problem,
        sections: sections.collect(),
        profiles: profiles_of(&image),
        anomalies: image.anomalies(),
    })
}
