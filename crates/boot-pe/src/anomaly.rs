//! What is odd about an image although it parses: each finding names its place, so that a person or a linter can judge it.

use crate::certificates::checksum;
use crate::{Image, SECTION_EXECUTE, SECTION_WRITE, Section};
use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Common in files that boot; of interest to reviewers.
    Note,
    /// A firmware, shim or a verifier may refuse the file or hash it differently from another one.
    Problem,
}

/// One finding about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "anomaly", rename_all = "kebab-case")]
pub enum Anomaly {
    /// Two sections share bytes of the file.
    #[error("sections `{first}` and `{second}` overlap in the file at {offset:#x}")]
    FileOverlap {
        /// Earlier section.
        first: String,
        /// Later section.
        second: String,
        /// First shared byte.
        offset: u64,
    },
    /// Two sections share memory.
    #[error("sections `{first}` and `{second}` overlap in memory at {address:#x}")]
    MemoryOverlap {
        /// Earlier section.
        first: String,
        /// Later section.
        second: String,
        /// First shared address.
        address: u64,
    },
    /// Bytes between headers and sections that no section owns; verifiers disagree on hashing them.
    #[error(
        "gap of {length} bytes at {offset:#x}: no section owns them, and verifiers disagree on whether they are hashed"
    )]
    Gap {
        /// First byte.
        offset: u64,
        /// Count of bytes.
        length: u64,
    },
    /// Bytes after the last section and outside the certificate table: hashed, never loaded.
    #[error("{length} bytes of trailing data at {offset:#x}: hashed but never loaded")]
    TrailingData {
        /// First byte.
        offset: u64,
        /// Count of bytes.
        length: u64,
        /// True when it can only be signature padding (under eight zero bytes).
        padding: bool,
        /// True when the header names it as the COFF symbol table, which GNU tools leave behind.
        symbols: bool,
    },
    /// The certificate table is not the end of the file.
    #[error(
        "{length} bytes follow the certificate table at {offset:#x}: they are not what the signature covers"
    )]
    DataAfterCertificates {
        /// First byte after the table.
        offset: u64,
        /// Count of bytes.
        length: u64,
    },
    /// The certificate table starts inside the headers or a section.
    #[error("certificate table at {offset:#x} lies inside hashed data that ends at {end:#x}")]
    CertificatesInsideData {
        /// Start of the table.
        offset: u64,
        /// End of the last section.
        end: u64,
    },
    /// The certificate table does not start at a multiple of eight.
    #[error("certificate table at {offset:#x} does not start at a multiple of eight")]
    CertificatesUnaligned {
        /// Start of the table.
        offset: u64,
    },
    /// The certificate table can't be walked.
    #[error("certificate table: {problem}")]
    CertificatesUnreadable {
        /// What was found.
        problem: String,
    },
    /// A certificate entry of a type that firmware does not take for an Authenticode signature.
    #[error("certificate entry at {offset:#x} has type {kind:#06x}, not 0x0002 (PKCS signed data)")]
    CertificateKind {
        /// Start of the entry.
        offset: u64,
        /// Its type.
        kind: u16,
    },
    /// The stated checksum is neither zero nor right.
    #[error("checksum is {stated:#x}, the file's is {computed:#x}")]
    Checksum {
        /// In the header.
        stated: u32,
        /// As computed.
        computed: u32,
    },
    /// A section that may be written and executed.
    #[error("section `{section}` is writable and executable: refused where NX is enforced")]
    WritableExecutable {
        /// Its name.
        section: String,
    },
    /// A section's raw data starts off the file alignment.
    #[error(
        "section `{section}` starts at file offset {offset:#x}, off the file alignment of {alignment:#x}"
    )]
    FileUnaligned {
        /// Its name.
        section: String,
        /// Its offset.
        offset: u32,
        /// The header's file alignment.
        alignment: u32,
    },
    /// A section's address is off the section alignment.
    #[error(
        "section `{section}` is loaded at {address:#x}, off the section alignment of {alignment:#x}"
    )]
    MemoryUnaligned {
        /// Its name.
        section: String,
        /// Its address.
        address: u32,
        /// The header's section alignment.
        alignment: u32,
    },
    /// Section alignment under a page: NX can't be applied per section.
    #[error(
        "section alignment is {alignment:#x}, less than a page: memory attributes can't be set per section"
    )]
    SmallAlignment {
        /// The header's section alignment.
        alignment: u32,
    },
    /// The image size does not cover a section.
    #[error(
        "size of image is {stated:#x} but section `{section}` ends at {end:#x}: firmware refuses to load it"
    )]
    OutsideImage {
        /// The header's value.
        stated: u32,
        /// The section.
        section: String,
        /// Its end in memory.
        end: u64,
    },
    /// The entry point lies in no executable section.
    #[error("entry point {address:#x} lies in no executable section")]
    EntryPoint {
        /// The header's value.
        address: u32,
    },
    /// A section name occurs again outside of the multi-profile rules.
    #[error("section `{section}` occurs more than once: readers differ on which one counts")]
    Duplicate {
        /// The name.
        section: String,
    },
    /// The image does not claim to run with non-executable data.
    #[error("the NX compatibility flag is not set")]
    NotNxCompatible,
}

impl Anomaly {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Anomaly::TrailingData { padding: true, .. }
            | Anomaly::TrailingData { symbols: true, .. }
            | Anomaly::Checksum { .. }
            | Anomaly::MemoryUnaligned { .. }
            | Anomaly::SmallAlignment { .. }
            | Anomaly::WritableExecutable { .. }
            | Anomaly::NotNxCompatible => Severity::Note,
            _ => Severity::Problem,
        }
    }
}

/// Names that UAPI.5 lets occur several times in one profile.
const REPEATABLE: [&str; 3] = [".dtbauto", ".efifw", ".profile"];

impl Image<'_> {
    /// Everything odd about the image, in the order headers, sections, certificates.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        let mut found = Vec::new();
        self.header_anomalies(&mut found);
        self.section_anomalies(&mut found);
        self.file_layout_anomalies(&mut found);
        self.certificate_anomalies(&mut found);
        found
    }

    fn header_anomalies(&self, found: &mut Vec<Anomaly>) {
        if !self.nx_compatible() {
            found.push(Anomaly::NotNxCompatible);
        }
        if self.section_alignment < 4096 {
            found.push(Anomaly::SmallAlignment {
                alignment: self.section_alignment,
            });
        }
        let computed = checksum(self.bytes, self.checksum_offset() as usize);
        if self.checksum != 0 && self.checksum != computed {
            found.push(Anomaly::Checksum {
                stated: self.checksum,
                computed,
            });
        }
        let entry = u64::from(self.entry_point);
        let inside = |s: &&Section<'_>| {
            s.flags & SECTION_EXECUTE != 0
                && (u64::from(s.virtual_address)..s.virtual_end()).contains(&entry)
        };
        if self.sections.iter().find(inside).is_none() {
            found.push(Anomaly::EntryPoint {
                address: self.entry_point,
            });
        }
    }

    fn section_anomalies(&self, found: &mut Vec<Anomaly>) {
        let mut seen = Vec::new();
        for section in &self.sections {
            let name = section.name().into_owned();
            if section.flags & SECTION_WRITE != 0 && section.flags & SECTION_EXECUTE != 0 {
                found.push(Anomaly::WritableExecutable {
                    section: name.clone(),
                });
            }
            let unaligned = |value: u32, to: u32| to > 0 && !value.is_multiple_of(to);
            if section.raw_size > 0 && unaligned(section.raw_offset, self.file_alignment) {
                found.push(Anomaly::FileUnaligned {
                    section: name.clone(),
                    offset: section.raw_offset,
                    alignment: self.file_alignment,
                });
            }
            if unaligned(section.virtual_address, self.section_alignment) {
                found.push(Anomaly::MemoryUnaligned {
                    section: name.clone(),
                    address: section.virtual_address,
                    alignment: self.section_alignment,
                });
            }
            if section.virtual_end() > u64::from(self.size_of_image) {
                found.push(Anomaly::OutsideImage {
                    stated: self.size_of_image,
                    section: name.clone(),
                    end: section.virtual_end(),
                });
            }
            if name == ".profile" {
                seen.clear();
            }
            if seen.contains(&name) && !REPEATABLE.contains(&name.as_str()) {
                found.push(Anomaly::Duplicate {
                    section: name.clone(),
                });
            }
            seen.push(name);
        }
        let mut by_address: Vec<_> = self.sections.iter().collect();
        by_address.sort_by_key(|section| section.virtual_address);
        for pair in by_address.windows(2) {
            let address = u64::from(pair[1].virtual_address);
            if pair[0].virtual_size > 0
                && pair[1].virtual_size > 0
                && pair[0].virtual_end() > address
            {
                found.push(Anomaly::MemoryOverlap {
                    first: pair[0].name().into_owned(),
                    second: pair[1].name().into_owned(),
                    address,
                });
            }
        }
    }

    fn file_layout_anomalies(&self, found: &mut Vec<Anomaly>) {
        let mut by_offset: Vec<_> = self.sections.iter().filter(|s| s.raw_size > 0).collect();
        by_offset.sort_by_key(|section| section.raw_offset);
        let mut end = u64::from(self.size_of_headers);
        let mut before = "headers".to_owned();
        for section in by_offset {
            let start = u64::from(section.raw_offset);
            if start > end {
                found.push(Anomaly::Gap {
                    offset: end,
                    length: start - end,
                });
            } else if start < end {
                found.push(Anomaly::FileOverlap {
                    first: before,
                    second: section.name().into_owned(),
                    offset: start,
                });
            }
            end = end.max(section.raw_end());
            before = section.name().into_owned();
        }
        let size = self.bytes.len() as u64;
        let table = self.certificate_table();
        let body = table.map_or(size, |table| u64::from(table.address).min(size));
        if body > end {
            let bytes = &self.bytes[end as usize..body as usize];
            found.push(Anomaly::TrailingData {
                offset: end,
                length: body - end,
                symbols: u64::from(self.symbols_offset) == end,
                padding: bytes.len() < 8 && bytes.iter().all(|b| *b == 0),
            });
        } else if body < end {
            found.push(Anomaly::CertificatesInsideData { offset: body, end });
        }
    }

    fn certificate_anomalies(&self, found: &mut Vec<Anomaly>) {
        let Some(table) = self.certificate_table() else {
            return;
        };
        let start = u64::from(table.address);
        let end = start + u64::from(table.size);
        let size = self.bytes.len() as u64;
        if !start.is_multiple_of(8) {
            found.push(Anomaly::CertificatesUnaligned { offset: start });
        }
        if end < size {
            found.push(Anomaly::DataAfterCertificates {
                offset: end,
                length: size - end,
            });
        }
        match self.certificates() {
            Ok(entries) => {
                for entry in entries.iter().filter(|entry| !entry.is_authenticode()) {
                    found.push(Anomaly::CertificateKind {
                        offset: entry.offset,
                        kind: entry.kind,
                    });
                }
            }
            Err(error) => found.push(Anomaly::CertificatesUnreadable {
                problem: error.to_string(),
            }),
        }
    }
}
