//! What a job reports while it runs.
//!
//! Invariant: steps come from the task that awaits the job, in order, and the last one has `done` equal to
//! `total`.

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Importing feeds; measured in bytes of the files.
    Import,
    /// Importing a channel release; measured in bytes of the files.
    Channel,
    /// Deriving matches; measured in vulnerabilities.
    Derive,
    /// Bringing the landing index up to date; measured in commits.
    Landing,
    /// Copying a database; measured in rows.
    Copy,
    /// Making the text indexes of a copy; measured in texts.
    Words,
    /// Comparing a copy with its source; measured in rows.
    Verify,
    /// Reading every stored document; measured in documents.
    Check,
}

impl Phase {
    /// What `done` and `total` count.
    pub const fn unit(self) -> &'static str {
        match self {
            Phase::Import | Phase::Channel => "B",
            Phase::Derive => "vulnerabilities",
            Phase::Landing => "commits",
            Phase::Copy | Phase::Verify => "rows",
            Phase::Words => "texts",
            Phase::Check => "documents",
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What it is doing.
    pub phase: Phase,
    /// How much is done, in the phase's unit.
    pub done: u64,
    /// How much there is, as far as is known.
    pub total: u64,
    /// Records, packages or matches so far.
    pub records: u64,
}

/// Where steps go.
pub trait Progress: Sync {
    /// Called about ten times a second.
    fn step(&self, step: Step);
}

/// Nobody watches.
impl Progress for () {
    fn step(&self, _: Step) {}
}
