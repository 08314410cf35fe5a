//! What an import tells at its end: counts by source, and everything that was left out, with reasons.
//!
//! Invariant: lists are capped, counts are not.

use super::reading::Read;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::AddAssign;
use tracker_record::Source;
use tracker_store::{BatchOutcome, ImportCounts};

/// The most entries that each list of a summary holds.
pub const MAX_LISTED: usize = 1000;

/// Counts of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SourceCounts {
    /// Records that were not held before.
    pub added: u64,
    /// Records that took the place of an older version.
    pub changed: u64,
    /// Records that were held already.
    pub unchanged: u64,
    /// Records that are older than what is held.
    pub superseded: u64,
    /// Documents in the source's files that could not be read.
    pub rejected: u64,
}

impl AddAssign for SourceCounts {
    fn add_assign(&mut self, other: SourceCounts) {
        self.added += other.added;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.superseded += other.superseded;
        self.rejected += other.rejected;
    }
}

impl From<SourceCounts> for ImportCounts {
    fn from(counts: SourceCounts) -> ImportCounts {
        ImportCounts {
            added: counts.added,
            changed: counts.changed,
            unchanged: counts.unchanged,
            superseded: counts.superseded,
            rejected: counts.rejected,
        }
    }
}

/// A document that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The file, with the archive's member.
    pub file: String,
    /// The record's id, as far as it can be told.
    pub record: Option<String>,
    /// Its number in the file, from 0.
    pub index: u64,
    /// Where it begins, in bytes of the unpacked file.
    pub offset: u64,
    /// Why.
    pub reason: String,
}

/// A file that is no feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The file, with the archive's member.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// A part of a record that could not be used; the rest of the record was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordWarning {
    /// The file, with the archive's member.
    pub file: String,
    /// The record's id.
    pub record: String,
    /// Where in the document.
    pub at: String,
    /// What was wrong, and what became of it.
    pub problem: String,
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    /// Counts by source.
    pub sources: BTreeMap<Source, SourceCounts>,
    /// How many documents could not be read.
    pub rejected_count: u64,
    /// The first [`MAX_LISTED`] of them.
    pub rejected: Vec<Rejected>,
    /// How many files, or members of archives, are no feeds.
    pub refused_count: u64,
    /// The first [`MAX_LISTED`] of them.
    pub refused: Vec<Refused>,
    /// How many parts of records could not be used.
    pub warning_count: u64,
    /// The first [`MAX_LISTED`] of them.
    pub warnings: Vec<RecordWarning>,
    /// Files read.
    pub files: u64,
    /// Their size together, in bytes, packed.
    pub bytes: u64,
    #[serde(skip)]
    open: OpenFile,
}

/// The file whose blocks are coming in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OpenFile {
    foreign: u64,
    rejected_count: u64,
    rejected: Vec<Rejected>,
    source: Option<Source>,
}

impl ImportSummary {
    /// All sources together.
    pub fn total(&self) -> SourceCounts {
        let mut total = SourceCounts::default();
        for counts in self.sources.values() {
            total += *counts;
        }
        total.rejected = self.rejected_count;
        total
    }

    /// Whether every file was a feed and every document a record.
    pub fn is_clean(&self) -> bool {
        self.rejected_count == 0 && self.refused_count == 0
    }

    pub(super) fn refuse(&mut self, file: String, reason: String) {
        self.refused_count += 1;
        if self.refused.len() < MAX_LISTED {
            self.refused.push(Refused { file, reason });
        }
    }

    /// Counts what the store made of records of a source.
    pub(super) fn count(&mut self, source: Source, outcome: &BatchOutcome) {
        *self.sources.entry(source).or_default() += SourceCounts {
            added: outcome.added,
            changed: outcome.changed,
            unchanged: outcome.unchanged,
            superseded: outcome.superseded,
            rejected: 0,
        };
    }

    /// Takes in a block whose records have gone to be written.
    pub(super) fn take(&mut self, mut read: Read) {
        let file = &mut self.open;
        let known = read.unchanged.keys().next_back().copied();
        file.source = read.source.or(known).or(file.source);
        file.foreign += read.foreign;
        file.rejected_count += read.rejected.len() as u64;
        let room = MAX_LISTED.saturating_sub(file.rejected.len());
        read.rejected.truncate(room);
        file.rejected.append(&mut read.rejected);
        for (source, count) in read.unchanged {
            self.sources.entry(source).or_default().unchanged += count;
        }
        self.warning_count += read.warnings.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.warnings.len());
        read.warnings.truncate(room);
        self.warnings.append(&mut read.warnings);
        if read.last {
            self.settle(read.file.to_string(), read.refused);
        }
    }

    fn settle(&mut self, name: String, refused: Option<String>) {
        let mut file = std::mem::take(&mut self.open);
        if let Some(reason) = refused {
            self.refuse(name, reason);
            return;
        }
        if file.source.is_none() && file.foreign > 0 && file.foreign == file.rejected_count {
            let first = file.rejected.first();
            let reason = first.map_or_else(String::new, |rejected| rejected.reason.clone());
            self.refuse(name, format!("holds no record: {reason}"));
            return;
        }
        self.rejected_count += file.rejected_count;
        if let Some(source) = file.source {
            self.sources.entry(source).or_default().rejected += file.rejected_count;
        }
        let room = MAX_LISTED.saturating_sub(self.rejected.len());
        file.rejected.truncate(room);
        self.rejected.append(&mut file.rejected);
    }
}
