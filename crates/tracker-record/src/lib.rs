//! One normal form of a vulnerability record, and the readers that fill it. Layer: tracker, pure.
//!
//! Reading order: [`record`] (one source's statement), [`unpack`] and [`feed`] (a file into raw documents),
//! [`read`] (a raw document into a record), [`vulnerability`] (records joined by alias).
//! Invariant: every statement knows its origin; nothing a feed said is silently dropped.

mod configuration;
pub mod cpe;
pub mod feed;
mod json;
mod moment;
pub mod read;
pub mod record;
mod score;
pub mod unpack;
pub mod vulnerability;

pub use configuration::{CPE_SCHEME, MAX_PLATFORM_NAMES};
pub use json::{MAX_WARNINGS, Warning};
pub use read::{ReadError, Reading, read_document};

pub use record::{
    Affected, Cvss, Exploitation, Record, RecordState, Reference, Source, Stated, Text,
};
pub use vulnerability::{Severity, Statement, Summary, Vulnerability, public_ids};

/// Who NVD's own analysts sign as.
pub const NVD_ORIGIN: &str = "nvd@nist.gov";
