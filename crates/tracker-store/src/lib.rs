//! All SQL of the tracker, written once for SQLite and PostgreSQL. Layer: tracker, storage.
//!
//! Reading order: [`Store`] (opening), `patience` (how long calls wait), `record` and `inventory` (what comes in), `derive` (what is due and what
//! matching found), `follow` (how far feeds were followed), `job` (what runs in the background, and who holds it), `pull` and `landing` (what is told
//! of changes on their way), `copy` and `check` (backups, moves, and whether all holds together), `read` (what pages
//! show, in the types of [`view`]), `operate` (what monitoring asks), `people` (who may),
//! `embargo` (what is not public yet), `triage` (what people decide, and the queue). Below them: `writer` and `session` (a
//! transaction), `statement` and `value` (the two databases made one).
//!
//! Invariant: callers see domain methods and view types, never a pool, a row or a statement.

mod blob;
mod check;
mod copy;
mod derive;
mod embargo;
mod error;
mod follow;
mod inventory;
mod job;
mod landing;
mod listing;
mod migrate;
mod open;
mod operate;
mod patience;
mod people;
mod pull;
mod read;
mod record;
mod session;
mod statement;
mod triage;
mod value;
pub mod view;
mod words;
mod writer;

pub use check::Problem;
pub use copy::{CopiedTable, CopyPhase, CopyStep, CopySummary};
pub use derive::{
    Cause, ChannelFinding, CurrentRelease, DerivationOutcome, Derived, DerivedMatch, Due,
    Inventory, Mark,
};
pub use embargo::{
    Draft, DraftError, EmbargoChange, EmbargoDetail, EmbargoNote, EmbargoPlace, EmbargoRow, Report,
};
pub use error::{Result, StoreError};
pub use follow::FollowState;
pub use inventory::{ReleaseOutcome, ReleasePackage};
pub use job::{Ended, Job, JobCounts, JobName, JobState, Lease, Run};
pub use landing::{ChannelWait, Concerned, FixedEvent, LandedFix, NamedFinding};
pub use open::Store;
pub use operate::{Connections, Totals};
pub use patience::Patience;
pub use people::{
    Giver, GrantRow, HeldPerson, HeldSession, HeldToken, Identity, NewProof, SessionRow,
    StartedSignIn, TokenRow,
};
pub use pull::PullCounts;
pub use record::{BatchOutcome, ImportCounts, IncomingRecord, KnownDigests, Withdrawal};
pub use triage::{
    Act, ActOutcome, ActSummary, Conditions, FamilyAct, FamilyAction, FamilyDetail, FamilyMember,
    FamilyOutcome, FamilyStep, ItemId, LogFilter, LogLine, MaintainedPackage, Names, NewRule, Once,
    QueueRow, RulePreview, RuleRow, Targets, TriageDetail, TriageFinding, Under, Undo, ViewChange,
    ViewRow,
};
