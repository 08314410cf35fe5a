//! PE32+ boot files: reading them strictly, naming what is odd about them, hashing them the way firmware does, and
//! writing unified kernel images and addons whose bytes depend on their inputs alone.
//!
//! Invariants: no I/O; no byte of a foreign file is trusted before its range is checked, so a file cut anywhere gives an
//! [`Error`] that names the place and never a panic; writing never invents time stamps or order.
//!
//! Sources: Microsoft PE/COFF specification, "Windows Authenticode Portable Executable Signature Format", UAPI.5 (UKI),
//! and EDK II's `DxeImageVerificationLib` where the documents leave the order open.

mod anomaly;
mod bytes;
mod certificates;
mod digest;
pub mod epoch;
mod error;
mod image;
mod inspect;
pub mod reference;
pub mod sbat;
mod uki;
mod write;

#[cfg(test)]
mod tests;

pub use anomaly::{Anomaly, Severity};
pub use certificates::{CertificateEntry, MAX_CERTIFICATES, checksum, pad, replace_certificates};
pub use digest::hashed_ranges;
pub use error::{Error, SECTION_DATA};
pub use image::{
    DLL_NX_COMPAT, Directory, Image, MAX_SECTIONS, Machine, SECTION_EXECUTE, SECTION_READ,
    SECTION_WRITE, Section,
};
pub use inspect::{Kind, ProfileReport, Report, SectionReport, StubIdentity, inspect};
pub use uki::{Profile, SectionName, Uki, UkiSection, kernel_release};
pub use write::{NewSection, addon_base, rebuild};

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
