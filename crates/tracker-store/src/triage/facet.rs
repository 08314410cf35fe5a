//! Facets: what of a match has few values, in one number, with how many matches have each. A query is asked of the
//! facets first: of most it is known that all of their matches answer to it, or none.
//!
//! Invariants: the bits are those of migration 14, where the database packs and counts them itself, so that a count is
//! right in every transaction; an answer about a facet holds of every match of it.

use super::statements as sql;
use crate::error::Result;
use crate::session::Session;
use tracker_triage::query::{Expression, FIXED, Field, Is, Query, Test, Value};
use tracker_triage::state::FindingState;

/// What is known of all matches of a facet. Ordered, so that "all of" is the least of the parts, and "any of" the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    No,
    /// Each has to be asked.
    Maybe,
    Yes,
}

impl From<bool> for Answer {
    fn from(holds: bool) -> Answer {
        if holds { Answer::Yes } else { Answer::No }
    }
}

/// A facet.
#[derive(Debug, Clone, Copy)]
struct Facet(i64);

impl Facet {
    fn severity(self) -> i64 {
        self.0 & 7
    }

    fn state(self) -> i64 {
        self.0 >> 4 & 3
    }

    /// Union of the states of a match's findings.
    fn states(self) -> i64 {
        self.0 >> 16
    }

    fn has(self, bit: u32) -> bool {
        self.0 >> bit & 1 != 0
    }

    fn asked(self, expression: &Expression) -> Answer {
        match expression {
            Expression::All(parts) => {
                let parts = parts.iter().map(|part| self.asked(part));
                parts.min().unwrap_or(Answer::Yes)
            }
            Expression::Any(parts) => {
                let parts = parts.iter().map(|part| self.asked(part));
                parts.max().unwrap_or(Answer::No)
            }
            Expression::Not(inner) => match self.asked(inner) {
                Answer::No => Answer::Yes,
                Answer::Maybe => Answer::Maybe,
                Answer::Yes => Answer::No,
            },
            Expression::Test(test) => self.tested(test),
        }
    }

    fn tested(self, test: &Test) -> Answer {
        let compares = |number: i64| {
            let mut values = numbers(test);
            Answer::from(values.any(|value| test.compare.holds(number, value)))
        };
        // Whether any match of it can have findings in such states.
        let some = |states: u32| match self.states() & i64::from(states) {
            0 => Answer::No,
            _ => Answer::Maybe,
        };
        match test.field {
            Field::Severity => compares(self.severity()),
            Field::Kev => compares(i64::from(self.has(3))),
            Field::State => compares(self.state()),
            Field::Default => compares(i64::from(self.has(10))),
            Field::Status => {
                let mask = numbers(test).fold(0, |mask, state| mask | (1 << state));
                Answer::from(self.states() & mask != 0)
            }
            Field::Is => {
                let values = numbers(test).map(|number| self.is(Is::ALL[number as usize]));
                values.max().unwrap_or(Answer::No)
            }
            Field::Channel => some(u32::MAX),
            Field::Affected => some(FindingState::Affected.bit()),
            Field::Fixed => some(FIXED),
            Field::Assignee if self.has(13) => match test.values.as_slice() {
                [Value::Nobody] => Answer::No,
                _ => Answer::Maybe,
            },
            Field::Assignee => Answer::from(test.values.contains(&Value::Nobody)),
            Field::Score
            | Field::Epss
            | Field::Confidence
            | Field::Dependents
            | Field::Age
            | Field::Id
            | Field::Distribution
            | Field::Family
            | Field::Package
            | Field::Pname
            | Field::Maintainer
            | Field::Text => Answer::Maybe,
        }
    }

    fn is(self, is: Is) -> Answer {
        let (snoozed, suppressed) = (self.has(11), self.has(12));
        // Until when is not known here.
        let maybe = |once: bool| if once { Answer::Maybe } else { Answer::No };
        match is {
            Is::Open if !self.has(6) => Answer::No,
            Is::Open if snoozed || suppressed => Answer::Maybe,
            Is::Open => Answer::Yes,
            Is::Snoozed => maybe(snoozed),
            Is::Suppressed => maybe(suppressed),
            Is::Contradicted => Answer::from(self.has(7)),
            Is::Added => Answer::from(self.has(8)),
            Is::Suggested => Answer::from(self.has(9)),
        }
    }
}

fn numbers(test: &Test) -> impl Iterator<Item = i64> {
    test.values.iter().filter_map(|value| match value {
        Value::Number(number) => Some(*number),
        _ => None,
    })
}

/// What is known of a query before any match is read.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// Facets all of whose matches answer to it, and how many those are.
    pub(super) sure: Vec<i64>,
    pub(super) sure_items: i64,
    /// Facets of whose matches each has to be asked, and how many those are.
    pub(super) unsure: Vec<i64>,
    pub(super) unsure_items: i64,
}

impl Spread {
    pub(super) async fn of(session: &mut Session, query: &Query) -> Result<Spread> {
        let mut spread = Spread::default();
        for row in session.rows(&sql::FACETS, Vec::new()).await? {
            let (facet, items) = (row.integer(0)?, row.integer(1)?);
            match Facet(facet).asked(query.root()) {
                Answer::No => {}
                Answer::Maybe => {
                    spread.unsure.push(facet);
                    spread.unsure_items += items;
                }
                Answer::Yes => {
                    spread.sure.push(facet);
                    spread.sure_items += items;
                }
            }
        }
        Ok(spread)
    }
}
