//! What people decide: acts become events, events become findings, places in lists and the queue, in one transaction.
//!
//! Reading order: `log` (reading events), `decide` (acts, undo), `rules` and `views`, `item` (a row of the queue), `sql` (a
//! query in the database's language), `queue` (reads), `check` (whether all that is stored follows from the log).
//! Invariant: nothing about decisions is stored that the log does not hold; what is beside it can be made anew from it.

mod check;
pub(crate) mod decide;
pub(crate) mod item;
pub(crate) mod log;
mod queue;
mod rules;
mod sql;
pub(crate) mod statements;

pub use decide::{Act, ActOutcome, ItemId, Targets, Undo};
pub use queue::{Names, QueueRow, TriageDetail, TriageFinding};
pub use rules::{RuleRow, ViewRow};
