//! What pages show, one method a page, in the types of [`crate::view`].
//!
//! Invariant: a page is read in one transaction, so its parts never contradict each other.

mod channel;
mod detail;
pub(crate) mod list;
mod overview;
mod package;
mod row;
pub(crate) mod statements;
pub(crate) mod token;
