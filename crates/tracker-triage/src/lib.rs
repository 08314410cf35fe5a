//! What people decide about vulnerabilities, and what follows from it. Layer: tracker, pure.
//!
//! Reading order: [`subject`] (what is decided about), [`state`] (where it can stand), [`verdict`] (what one may suggest and another confirm), [`event`] (the log), [`decisions`]
//! (the log folded for one subject), [`family`] (what people merged and split), [`board`] (folded whole), [`mod@derive`] (decisions laid over evidence), [`item`] (a
//! match in the queue), [`rank`] (how urgent it is), [`query`] (the language it is asked for in), [`rule`] (what is
//! hidden), [`command`] (what can be asked for, checked).
//! Invariant: whatever is shown is a function of evidence and of the log; a decision is lost by no re-match, only by an
//! event that withdraws or undoes it.

pub mod board;
pub mod command;
pub mod decisions;
pub mod derive;
pub mod event;
pub mod family;
pub mod item;
pub mod query;
pub mod rank;
pub mod rule;
pub mod state;
pub mod subject;
pub mod verdict;
pub mod words;

pub use board::Board;
pub use command::{Action, CommandError};
pub use decisions::Decisions;
pub use derive::{Evidence, Finding, derive};
pub use event::{Entry, Event, EventKind};
pub use family::{ChangeKind, Families, FamilyChange, FamilyError};
pub use item::Item;
pub use query::Query;
pub use rank::{Rank, RankInputs};
pub use rule::Rule;
pub use state::{DecidedState, Dismissal, FindingState, FixedBy, Justification, MatchState};
pub use subject::{Place, Subject};
pub use tracker_people::{Actor, ActorKind};
pub use verdict::Verdict;
