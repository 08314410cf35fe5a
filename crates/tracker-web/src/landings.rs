//! Where pages get the landing index from: the program lends it for the time of an answer.
//!
//! Invariant: a page asks an index that does not change while it is asked.

use crate::app::App;
use crate::error::Error;
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

/// What the index says to a question that takes long, beside the requests of others; `None` without an index.
pub(crate) async fn ask_aside<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&LandingIndex) -> T + Send + 'static,
) -> Result<Option<T>, Error> {
    let Some(index) = app.landings.clone() else {
        return Ok(None);
    };
    tokio::task::spawn_blocking(move || ask(&*index, question))
        .await
        .map_err(Error::internal)
}
