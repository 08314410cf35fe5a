//! The recorded SHA-256 sums of the sources and of what they build: `SHA256SUMS` in the chain's folder, in the
//! format of `sha256sum`. Invariant: every file of the chain has one line, in the order of building.

use crate::chain::{Built, Sources, Stage};
use crate::lineage::sha256;
use std::fmt::Write;
use thiserror::Error;

/// The recorded file's name.
pub const FILE: &str = "SHA256SUMS";

/// A file of the chain that is not what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SumError {
    /// A source is another one.
    #[error("{}: the source is not the recorded one", .0.file())]
    Source(Stage),
    /// A built program is another one.
    #[error("{}: the program is not the recorded one", .0.name())]
    Program(Stage),
    /// The record itself has no such line.
    #[error("{FILE}: no line for {0}")]
    Record(String),
}

impl SumError {
    /// The stage that it names.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            SumError::Source(stage) | SumError::Program(stage) => Some(*stage),
            SumError::Record(_) => None,
        }
    }
}

/// The name of a stage's program in the record.
fn program(stage: Stage) -> String {
    let file = stage.file();
    file.rsplit_once('.')
        .map_or(file, |(name, _)| name)
        .to_owned()
}

/// The record of a chain.
pub fn record(sources: &Sources, built: &[Built]) -> String {
    let mut text = String::new();
    for stage in Stage::ALL {
        let _ = writeln!(text, "{}  {}", sha256(sources.text(stage)), stage.file());
        if let Some(built) = built.get(stage as usize) {
            let _ = writeln!(text, "{}  {}", sha256(&built.bytes), program(stage));
        }
    }
    text
}

/// The sum that the record gives a name.
pub fn find<'record>(record: &'record str, name: &str) -> Option<&'record str> {
    record
        .lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(_, file)| *file == name)
        .map(|(sum, _)| sum)
}

/// Compares one source with the record.
pub fn check_source(record: &str, stage: Stage, sum: &str) -> Result<(), SumError> {
    match find(record, stage.file()) {
        None => Err(SumError::Record(stage.file().to_owned())),
        Some(recorded) if recorded == sum => Ok(()),
        Some(_) => Err(SumError::Source(stage)),
    }
}

/// Compares one program with the record.
pub fn check_program(record: &str, stage: Stage, sum: &str) -> Result<(), SumError> {
    match find(record, &program(stage)) {
        None => Err(SumError::Record(program(stage))),
        Some(recorded) if recorded == sum => Ok(()),
        Some(_) => Err(SumError::Program(stage)),
    }
}

/// Compares a whole chain with the record, in the order of building.
pub fn check(record: &str, sources: &Sources, built: &[Built]) -> Result<(), SumError> {
    for stage in Stage::ALL {
        check_source(record, stage, &sha256(sources.text(stage)))?;
        if let Some(built) = built.get(stage as usize) {
            check_program(record, stage, &sha256(&built.bytes))?;
        }
    }
    Ok(())
}
