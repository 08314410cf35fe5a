//! `/queue`: what is to be decided, the most urgent first, and the forms that decide.
//!
//! Reading order: `act` (the words of forms), `done` (what was just done), `list` (the queue), `one` (a match), `views`.
//! Invariant: each form works without a script; what it does is one act, which the line behind it offers to undo.

pub(crate) mod act;
mod done;
mod list;
mod one;
mod views;

pub(crate) use done::{Done, with};
pub(crate) use list::{decide, queue, undo};
pub(crate) use one::{decide_one, one};
pub(crate) use views::change;

use crate::ask::Ask;
use crate::error::Error;
use crate::guard::WithScript;
use crate::people::{Caller, next_path};
use crate::query::QueueQuery;
use axum::response::Response;
use tracker_people::Permission;
use tracker_store::QueueRow;
use tracker_triage::rank::{Rank, points};

/// The page of the queue.
pub(crate) const QUEUE: &str = "/queue";

/// Whether somebody may decide: what a page offers.
pub(crate) fn decides(caller: &Caller) -> bool {
    caller.may(Permission::Decide)
}

/// An answer whose page has our script beside it.
pub(crate) fn with_script(mut response: Response) -> Response {
    response.extensions_mut().insert(WithScript);
    response
}

/// The page of the queue that an answer to a form leads back to.
fn back(text: &str) -> &str {
    match next_path(text) {
        "/" => QUEUE,
        path => path,
    }
}

/// This page's address, without what was just done.
fn here(ask: &Ask) -> Result<String, Error> {
    let list = QueueQuery::read(&ask.query)?;
    Ok(list.address_at(&list.paging, &ask.path))
}

/// Why a match stands where it stands, as a page shows it.
#[derive(Debug)]
pub(crate) struct RankLine {
    pub(crate) total: String,
    /// The sum in words.
    pub(crate) parts: String,
}

impl RankLine {
    fn new(rank: &Rank) -> RankLine {
        RankLine {
            total: points(rank.total),
            parts: format!(
                "(severity {} + exploitation {} + reach {}) × confidence {:.2} + age {}",
                points(rank.severity),
                points(rank.exploitation),
                points(rank.reach),
                f64::from(rank.confidence_ppm) / 1e6,
                points(rank.age)
            ),
        }
    }
}

/// What is to be known of a match beside its states, in few words.
fn notes(row: &QueueRow) -> Vec<String> {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    let mut notes = Vec::new();
    if row.state != tracker_triage::MatchState::Proposed {
        notes.push(row.state.name().to_owned());
    }
    if row.suggested {
        notes.push("a suggestion waits".to_owned());
    }
    if row.contradicted {
        notes.push("evidence contradicts a decision".to_owned());
    }
    if row.added {
        notes.push("added by hand".to_owned());
    }
    if let Some(name) = &row.assignee {
        notes.push(format!("assigned to {name}"));
    }
    if let Some(until) = row.snoozed_until {
        notes.push(format!("snoozed until {}", day(until)));
    }
    if let Some(until) = row.suppressed_until {
        notes.push(format!("hidden by a rule until {}", day(until)));
    }
    notes
}
