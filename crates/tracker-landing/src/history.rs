//! A channel's dated releases: since when does it have a commit, and did it ever lose it again?
//!
//! Invariant: releases are in order of time; a release that does not contain its predecessor (a rollback, a branch that
//! was rewritten) begins a new line, and a stay ends there unless the new line has the commit too.

use crate::ancestry::Ancestry;
use crate::graph::{CommitNumber, Graph, ObjectName};
use crate::line::Line;
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

/// A release of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelRelease {
    /// Name as the channel publishes it, or the revision.
    pub name: String,
    /// The commit that it was made from.
    pub commit: ObjectName,
    /// When the channel moved to it, or when that was first seen.
    pub time: Timestamp,
    /// Whether the time is the channel's own or that of a poll that first saw it.
    pub observed: bool,
}

/// A stretch of releases that contain a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay<'a> {
    /// The first release that contains it.
    pub first: &'a ChannelRelease,
    /// The release before that one, which does not: the change came between the two.
    pub before: Option<&'a ChannelRelease>,
    /// The release that lost it again, if one did.
    pub lost: Option<&'a ChannelRelease>,
}

/// Why a release cannot be added.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HistoryError {
    /// Releases must come in order of time; a clock that went backwards is named, not repaired.
    #[error("release `{name}` of {time} is older than the one before it, of {last}")]
    OutOfOrder {
        /// The release.
        name: String,
        /// Its time.
        time: Timestamp,
        /// The time of the one before.
        last: Timestamp,
    },
}

/// The releases of one channel.
#[derive(Debug, Default)]
pub struct ChannelHistory {
    releases: Vec<ChannelRelease>,
    /// Lines, each with the place of its first release.
    lines: Vec<(usize, Line)>,
}

impl ChannelHistory {
    /// No releases.
    pub fn new() -> ChannelHistory {
        ChannelHistory::default()
    }

    /// The releases, oldest first.
    pub fn releases(&self) -> &[ChannelRelease] {
        &self.releases
    }

    /// How often the channel went to a release that does not contain the one before.
    pub fn rollbacks(&self) -> usize {
        self.lines.len().saturating_sub(1)
    }

    /// Adds the next release.
    ///
    /// # Errors
    /// [`HistoryError::OutOfOrder`].
    pub fn push(
        &mut self,
        graph: &Graph,
        ancestry: &Ancestry,
        release: ChannelRelease,
        head: CommitNumber,
    ) -> Result<(), HistoryError> {
        if let Some(last) = self.releases.last().filter(|last| last.time > release.time) {
            return Err(HistoryError::OutOfOrder {
                name: release.name,
                time: release.time,
                last: last.time,
            });
        }
        let follows = self.lines.last().and_then(|(_, line)| line.heads().last());
        if !follows.is_some_and(|last| ancestry.contains(graph, head, *last)) {
            self.lines.push((self.releases.len(), Line::new()));
        }
        self.releases.push(release);
        if let Some((_, line)) = self.lines.last_mut() {
            line.push(graph, ancestry, head);
        }
        Ok(())
    }

    /// Every stretch of releases that contain the commit, oldest first; empty if none ever did.
    pub fn stays(&self, ancestry: &Ancestry, commit: CommitNumber) -> Vec<Stay<'_>> {
        let mut stays: Vec<Stay<'_>> = Vec::new();
        for (start, line) in &self.lines {
            match line.first(ancestry, commit) {
                // The new line has it from its first release on: the stay goes on.
                Some(0) if stays.last().is_some_and(|stay| stay.lost.is_none()) => {}
                Some(place) => {
                    let place = start + place;
                    if let Some(open) = stays.last_mut().filter(|stay| stay.lost.is_none()) {
                        open.lost = self.releases.get(*start);
                    }
                    let Some(first) = self.releases.get(place) else {
                        continue;
                    };
                    let before = place.checked_sub(1).and_then(|p| self.releases.get(p));
                    stays.push(Stay {
                        first,
                        before,
                        lost: None,
                    });
                }
                None => {
                    if let Some(open) = stays.last_mut().filter(|stay| stay.lost.is_none()) {
                        open.lost = self.releases.get(*start);
                    }
                }
            }
        }
        stays
    }

    /// Since which release the channel has the commit now, without a gap; `None` if it does not have it.
    pub fn since(&self, ancestry: &Ancestry, commit: CommitNumber) -> Option<&ChannelRelease> {
        self.stays(ancestry, commit)
            .pop()
            .filter(|stay| stay.lost.is_none())
            .map(|stay| stay.first)
    }
}
