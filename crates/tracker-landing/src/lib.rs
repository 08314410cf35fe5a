//! In which channel is this commit, and since when. Layer: tracker, pure.
//!
//! Reading order: [`graph`] (commits by number), [`ancestry`] (is this commit in that one), [`mod@line`] (first head of a
//! sequence that contains it), [`history`] (dated channel releases, with rollbacks), [`journey`] (the merges on its way), [`message`] (what a commit says
//! of other commits and pull requests), [`eta`] (when will it be there), [`mod@log`] (the stream that `git log` writes), [`archive`] (the file on disk),
//! [`releases`] (files that tell a channel's history), [`request`] (pull requests in GitHub's shape), [`hydra`] (what a channel
//! waits for), [`index`] (all of it in memory), [`answer`] (where is this change), [`pipeline`] (how channels stand).
//!
//! Invariant: an answer is exact or says that it is unknown; a cut or damaged archive never gives another answer.

pub mod ancestry;
pub mod answer;
pub mod archive;
pub mod eta;
pub mod graph;
pub mod history;
pub mod hydra;
pub mod index;
pub mod journey;
pub mod line;
pub mod log;
pub mod message;
pub mod pipeline;
pub mod releases;
pub mod request;
#[cfg(test)]
mod tests;

pub use ancestry::Ancestry;
pub use answer::Answer;
pub use graph::{Commit, CommitNumber, Graph, GraphError, Likeness, ObjectName};
pub use history::{ChannelHistory, ChannelRelease, Stay};
pub use index::LandingIndex;
