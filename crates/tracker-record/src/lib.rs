//! One normal form of a vulnerability record, and the readers that fill it. Layer: tracker, pure.
//!
//! Reading order: [`record`] (one source's statement), [`vulnerability`] (records joined by alias).
//! Invariant: every statement knows its origin; nothing a feed said is silently dropped.

pub mod cpe;
pub mod record;
pub mod vulnerability;

pub use record::{
    Affected, Cvss, Exploitation, Record, RecordState, Reference, Source, Stated, Text,
};
pub use vulnerability::{Severity, Statement, Summary, Vulnerability, public_ids};

/// Who NVD's own analysts sign as.
pub const NVD_ORIGIN: &str = "nvd@nist.gov";
