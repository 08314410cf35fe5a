//! Where pages get the landing index from: the program lends it for the time of an answer.
//!
//! Invariant: a page asks an index that does not change while it is asked.

use tracker_landing::LandingIndex;

/// Lends the index.
pub trait Landings: Send + Sync + std::fmt::Debug {
    /// Calls `ask` with the index as it is now.
    fn with(&self, ask: &mut dyn FnMut(&LandingIndex));
}

/// What the index says to a question.
pub(crate) fn ask<T>(
    landings: &dyn Landings,
    question: impl FnOnce(&LandingIndex) -> T,
) -> Option<T> {
    let (mut question, mut answer) = (Some(question), None);
    landings.with(&mut |index| answer = question.take().map(|question| question(index)));
    answer
}
