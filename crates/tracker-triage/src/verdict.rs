//! What somebody may suggest, and somebody else make hold by agreeing.
//!
//! Invariant: a verdict is one act; agreeing to it is the same act by somebody else.

use crate::command::Action;
use crate::event::Event;
use crate::state::{DecidedState, Dismissal};
use crate::subject::Place;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a match, or findings of it, should be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// It is right.
    Confirm,
    /// It is wrong or does not matter.
    Dismiss {
        /// Why.
        why: Dismissal,
    },
    /// Findings of it stand otherwise.
    State {
        /// Which.
        place: Place,
        /// How.
        state: DecidedState,
    },
}

impl Verdict {
    /// The verdict of an act, if it is one.
    pub fn of(action: &Action) -> Option<Verdict> {
        match action {
            Action::Confirm => Some(Verdict::Confirm),
            Action::Dismiss(why) => Some(Verdict::Dismiss { why: *why }),
            Action::SetState { place, state } => Some(Verdict::State {
                place: place.clone(),
                state: *state,
            }),
            _ => None,
        }
    }

    /// The verdict that an event made hold, if it is one.
    pub fn held_by(event: &Event) -> Option<Verdict> {
        match event {
            Event::Confirmed { .. } => Some(Verdict::Confirm),
            Event::Dismissed { why, .. } => Some(Verdict::Dismiss { why: *why }),
            Event::StateSet { place, state, .. } => Some(Verdict::State {
                place: place.clone(),
                state: *state,
            }),
            _ => None,
        }
    }

    /// The act that makes it hold.
    pub fn action(&self) -> Action {
        match self {
            Verdict::Confirm => Action::Confirm,
            Verdict::Dismiss { why } => Action::Dismiss(*why),
            Verdict::State { place, state } => Action::SetState {
                place: place.clone(),
                state: *state,
            },
        }
    }

    /// Whether both are about the match itself, or about the same findings, so that one takes the place of the other.
    pub fn is_about_same(&self, other: &Verdict) -> bool {
        match (self, other) {
            (Verdict::State { place, .. }, Verdict::State { place: other, .. }) => place == other,
            (Verdict::State { .. }, _) | (_, Verdict::State { .. }) => false,
            _ => true,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Confirm => f.write_str("confirm"),
            Verdict::Dismiss { why } => write!(f, "dismiss, {}", why.name().replace('-', " ")),
            Verdict::State { place, state } => {
                let state = state.name().replace('-', " ").replace(':', ": ");
                write!(f, "{state} {place}")
            }
        }
    }
}
