//! What people decide: acts become events, events become findings, places in lists and the queue, in one transaction.
//!
//! Reading order: `log` (reading events), `history` (the log for everybody), `decide` (acts, undo), `again` (undoing an undo), `lay` (decisions over evidence), `settle` (what time
//! alone changes), `rules` and `views`, `act` (an act told again), `once` (requests that come twice), `item` (a row of the
//! queue), `family` (merging and splitting), `sql` (a query in the database's language), `facet` and `find` (the ways to its matches), `queue` (reads), `check` (whether all that is stored follows from
//! the log).
//! Invariant: nothing about decisions is stored that the log does not hold; what is beside it can be made anew from it.

mod act;
mod again;
mod check;
pub(crate) mod decide;
mod facet;
pub(crate) mod family;
mod find;
mod history;
pub(crate) mod item;
pub(crate) mod lay;
pub(crate) mod log;
pub(crate) mod once;
mod queue;
mod rules;
mod settle;
mod sql;
pub(crate) mod statements;
mod views;

pub use act::ActSummary;
pub use decide::{Act, ActOutcome, ItemId, Targets, Undo};
pub use family::{FamilyAct, FamilyAction, FamilyDetail, FamilyMember, FamilyOutcome, FamilyStep};
pub use history::{LogFilter, LogLine, MaintainedPackage};
pub use once::{Conditions, Once, Under};
pub use queue::{Names, QueueRow, TriageDetail, TriageFinding};
pub use rules::{NewRule, RulePreview, RuleRow};
pub use views::{ViewChange, ViewRow};
