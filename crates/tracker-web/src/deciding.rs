//! What pages and API alike need of whoever decides, and of the words that decisions are sent in.
//!
//! Invariant: whoever acts is named in the log as the person who signed in, or as their token.

use crate::error::Error;
use crate::people::Caller;
use tracker_people::{Capability, Permit};
use tracker_triage::state::{DecidedState, Dismissal};
use tracker_triage::{Actor, ActorKind};

/// Who acts, with the proof that they may.
pub(crate) fn actor<C: Capability>(caller: &Caller) -> Result<Actor, Error> {
    let permit: Permit<'_, C> = caller.permit()?;
    Ok(permit.actor())
}

/// Who asks, as `@me` and the log's names of owners.
pub(crate) fn me(caller: &Caller) -> Option<&str> {
    caller.person().map(|person| person.handle.as_str())
}

/// The owner of views: the same for a person and their tokens.
pub(crate) fn owner(caller: &Caller) -> Option<Actor> {
    me(caller).map(|name| Actor::new(ActorKind::Person, name))
}

/// The reason for a dismissal that a word stands for.
pub(crate) fn dismissal(word: &str) -> Result<Dismissal, Error> {
    Dismissal::of(word).ok_or_else(|| {
        let known: Vec<&str> = Dismissal::all().map(Dismissal::name).collect();
        unknown("reason to dismiss", word, &known.join(", "))
    })
}

/// The state that a word stands for.
pub(crate) fn state(word: &str) -> Result<DecidedState, Error> {
    DecidedState::of(word).ok_or_else(|| {
        let known: Vec<String> = DecidedState::all().map(DecidedState::name).collect();
        unknown("state to decide", word, &known.join(", "))
    })
}

fn unknown(what: &str, word: &str, known: &str) -> Error {
    let word: String = word.chars().take(60).collect();
    Error::Undecidable {
        reason: format!("`{word}` is no {what}; known are {known}"),
    }
}
