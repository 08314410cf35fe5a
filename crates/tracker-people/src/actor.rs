//! Who did something, as the log names them for good.
//!
//! Invariant: the stored form is read back as it was written; what somebody may is not in it, but in the
//! [`Principal`](crate::Principal) that the actor was made from.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of actor acts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// The tracker itself: what derives by rule.
    #[default]
    Tracker,
    /// A person who signed in.
    Person,
    /// A program with a token of a person's.
    Token,
    /// Somebody at the command line of the machine.
    Operator,
}

impl ActorKind {
    /// All kinds.
    pub const ALL: [ActorKind; 4] = [
        ActorKind::Tracker,
        ActorKind::Person,
        ActorKind::Token,
        ActorKind::Operator,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            ActorKind::Tracker => "tracker",
            ActorKind::Person => "person",
            ActorKind::Token => "token",
            ActorKind::Operator => "operator",
        }
    }

    /// The kind of a stable name.
    pub fn of(name: &str) -> Option<ActorKind> {
        ActorKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who acts; the name is opaque here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Actor {
    /// What kind.
    pub kind: ActorKind,
    /// The name, empty for the tracker.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Actor {
    /// The tracker itself.
    pub fn tracker() -> Actor {
        Actor::default()
    }

    /// Somebody with a name.
    pub fn new(kind: ActorKind, name: impl Into<String>) -> Actor {
        Actor {
            kind,
            name: name.into(),
        }
    }

    /// The form that a log column holds: `person:alice`, `tracker`.
    pub fn text(&self) -> String {
        if self.name.is_empty() {
            self.kind.name().to_owned()
        } else {
            format!("{}:{}", self.kind.name(), self.name)
        }
    }

    /// Reads [`Actor::text`] back.
    pub fn of_text(text: &str) -> Option<Actor> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        Some(Actor::new(ActorKind::of(kind)?, name))
    }
}

impl fmt::Display for Actor {
    /// As shown: the name, or the kind where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(self.kind.name())
        } else {
            f.write_str(&self.name)
        }
    }
}
