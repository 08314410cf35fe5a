//! Decisions that one person alone cannot make.
//!
//! Invariant: from the given severity on, no decision takes effect by one person's word, however often it is given.

use tracker_record::Severity;

/// From which severity on a second person has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecondPerson {
    /// The least severity; `None` asks for no second person.
    pub from: Option<Severity>,
}

/// Whether a decision takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// It does.
    Enough,
    /// Somebody else has to confirm it.
    Awaited,
}

impl SecondPerson {
    /// Whether a decision about something of this severity needs a second person.
    pub fn is_needed(&self, severity: Severity) -> bool {
        self.from.is_some_and(|from| severity >= from)
    }

    /// Whether the words of these people suffice, by whatever tells them apart; the first is who proposed it, each has the
    /// permission to decide.
    pub fn agreement<P: PartialEq>(&self, severity: Severity, people: &[P]) -> Agreement {
        let Some((first, others)) = people.split_first() else {
            return Agreement::Awaited;
        };
        let enough = !self.is_needed(severity) || others.iter().any(|other| other != first);
        if enough {
            Agreement::Enough
        } else {
            Agreement::Awaited
        }
    }
}
