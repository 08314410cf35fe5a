//! Who sees an item that is not public yet.
//!
//! Invariant: before its release an item is visible to the people it names and to nobody else, whatever their role.

use crate::principal::{PersonId, Principal};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// An embargo on an item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Embargo {
    /// Who may know of it.
    pub people: BTreeSet<PersonId>,
    /// When it ends by itself; without an instant it ends when somebody lifts it.
    pub until: Option<Timestamp>,
}

impl Embargo {
    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether an principal may know that the item exists.
    pub fn shows_to(&self, principal: &Principal, now: Timestamp) -> bool {
        !self.holds(now) || self.names(principal)
    }

    fn names(&self, principal: &Principal) -> bool {
        let person = principal.person();
        person.is_some_and(|person| self.people.contains(&person.id))
    }
}
