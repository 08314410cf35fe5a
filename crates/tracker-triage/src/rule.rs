//! Suppression rules: what is not to be shown, why, and until when.
//!
//! Invariant: what a rule hides depends on the match alone, neither on who asks nor on when, so that it can be stored; it
//! names no version, so that a version bump changes nothing about it.

use crate::item::Item;
use crate::query::{Query, QueryError};
use jiff::{SignedDuration, Timestamp};

/// The longest time that a rule may hide without being looked at again.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// A rule that is in force until its time ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its number: the sequence of the event that made it.
    pub number: u64,
    /// What it hides.
    pub query: Query,
    /// Until when.
    pub expires: Timestamp,
}

impl Rule {
    /// Reads a rule's query.
    ///
    /// # Errors
    /// When it is no query, is empty, or depends on who asks or when.
    pub fn query(text: &str) -> Result<Query, QueryError> {
        let query = Query::parse(text)?;
        query.check_stable()?;
        Ok(query)
    }

    /// Whether it hides a match, for as long as it is in force.
    pub fn covers(&self, item: &Item) -> bool {
        // Neither the time nor a person is asked for by a stable query.
        self.query.matches(item, Timestamp::UNIX_EPOCH, None)
    }
}

/// What a rule must not hide unless whoever makes it says so: what is severe or exploited, and not dismissed.
pub const SEVERE: &str = "(severity>=high or kev:yes) -state:dismissed";

/// What stays in sight beside the rules that hide it.
pub const HIDDEN_SEVERE: &str = "is:suppressed (severity>=critical or kev:yes) -state:dismissed";

/// Of what a query finds, that which is severe.
pub fn severe(query: &Query) -> Query {
    let severe = Query::parse(SEVERE).expect("it is a query");
    query.and(&severe)
}

/// What rules hide although it is critical or exploited.
pub fn hidden_severe() -> Query {
    Query::parse(HIDDEN_SEVERE).expect("it is a query")
}

/// Until when a match is hidden: the latest end of the rules that hide it.
pub fn suppressed_until(rules: &[Rule], item: &Item) -> Option<Timestamp> {
    let covering = rules.iter().filter(|rule| rule.covers(item));
    covering.map(|rule| rule.expires).max()
}
