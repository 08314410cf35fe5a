//! Which packages a vulnerability concerns: candidates, features, score, reasons. Layer: tracker, pure.
//!
//! Reading order: [`name`] (how names are folded), [`family`] (what belongs together), [`claim`] (what a
//! vulnerability says it is about), [`index`] (who could be meant), `compare` and [`feature`] (what speaks for and against),
//! [`weights`] (how much), [`mod@finding`] (what holds in one package of one release).
//! Invariant: no match without a reason that a person can read, and no score that its reasons do not add up to.

pub mod address;
pub mod claim;
mod compare;
pub mod family;
pub mod feature;
pub mod finding;
pub mod index;
mod known;
pub mod name;
mod platform;
pub mod reason;
pub mod siblings;
mod statements;
mod verdict;
pub mod weights;

pub use family::family_of;
pub use finding::{Finding, FindingStatus};
pub use index::Index;
pub use reason::{Match, MatchKind, Reason};
pub use statements::Statements;
pub use verdict::{Verdicts, finding};
pub use weights::Weights;
