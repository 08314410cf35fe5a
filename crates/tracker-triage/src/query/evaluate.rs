//! A query asked of a value. The database's answer to the same query is held against this one by a property test.
//!
//! Invariant: a comparison with what is not known is false, and its negation true.

use super::field::{Field, Is};
use super::{Compare, Expression, Query, Test, Value};
use crate::item::Item;
use crate::state::FindingState;
use crate::words;
use jiff::Timestamp;

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// States that count as a fix.
pub const FIXED: u32 = FindingState::FixedByVersion.bit() | FindingState::FixedByPatch.bit();

impl Query {
    /// Whether a match answers to it, asked by `me` at a time. Where nobody asks, `@me` is nobody.
    pub fn matches(&self, item: &Item, now: Timestamp, me: Option<&str>) -> bool {
        let asked = Asked { item, now, me };
        asked.holds(&self.root)
    }
}

struct Asked<'a> {
    item: &'a Item,
    now: Timestamp,
    me: Option<&'a str>,
}

impl Asked<'_> {
    fn holds(&self, expression: &Expression) -> bool {
        match expression {
            Expression::All(parts) => parts.iter().all(|part| self.holds(part)),
            Expression::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Expression::Not(inner) => !self.holds(inner),
            Expression::Test(test) => self.test(test),
        }
    }

    fn test(&self, test: &Test) -> bool {
        let compares = |number: Option<i64>| {
            number.is_some_and(|number| {
                test.values.iter().any(|value| {
                    matches!(value, Value::Number(value) if test.compare.holds(number, *value))
                })
            })
        };
        let item = self.item;
        match test.field {
            Field::Severity => compares(Some(item.severity as i64)),
            Field::Score => compares(item.score_tenths.map(i64::from)),
            Field::Kev => compares(Some(i64::from(item.exploited))),
            Field::Epss => compares(item.epss_ppm.map(i64::from)),
            Field::Confidence => compares(Some(i64::from(item.confidence_ppm))),
            Field::Dependents => compares(item.dependents.map(i64::from)),
            Field::Default => compares(Some(i64::from(item.default_install))),
            Field::State => compares(Some(item.state as i64)),
            Field::Age => self.age(test),
            Field::Status => {
                let states = item.states();
                (0..32).any(|state| states & (1 << state) != 0 && compares(Some(state)))
            }
            Field::Is => Is::ALL
                .into_iter()
                .enumerate()
                .any(|(index, is)| compares(Some(index as i64)) && self.is(is)),
            Field::Channel => self.channel(test, u32::MAX),
            Field::Affected => self.channel(test, FindingState::Affected.bit()),
            Field::Fixed => self.channel(test, FIXED),
            Field::Id => self.named(test, std::slice::from_ref(&item.vulnerability)),
            Field::Distribution => self.named(test, std::slice::from_ref(&item.distribution)),
            Field::Family => self.named(test, std::slice::from_ref(&item.family)),
            Field::Package => self.named(test, &item.attributes),
            Field::Pname => self.named(test, &item.pnames),
            Field::Maintainer => self.named(test, &item.maintainers),
            Field::Assignee => {
                let nobody = item.assignee.is_none() && test.values.contains(&Value::Nobody);
                nobody || self.named(test, item.assignee.as_slice())
            }
            Field::Text => self.words(test),
        }
    }

    fn age(&self, test: &Test) -> bool {
        let waited = self.now.as_microsecond() - self.item.since.as_microsecond();
        test.values.iter().any(
            |value| matches!(value, Value::Number(seconds) if test.compare.holds(waited, seconds * SECOND)),
        )
    }

    fn is(&self, is: Is) -> bool {
        let later = |until: Option<Timestamp>| until.is_some_and(|until| until > self.now);
        match is {
            Is::Open => self.item.is_open(self.now),
            Is::Snoozed => later(self.item.snoozed_until),
            Is::Suppressed => later(self.item.suppressed_until),
            Is::Contradicted => self.item.contradicted,
            Is::Added => self.item.added,
            Is::Suggested => self.item.suggested,
        }
    }

    fn channel(&self, test: &Test, states: u32) -> bool {
        debug_assert_eq!(test.compare, Compare::Is);
        test.values.iter().any(|value| match value {
            Value::Name(name) => self
                .item
                .channels
                .get(name)
                .is_some_and(|held| held & states != 0),
            _ => false,
        })
    }

    fn named(&self, test: &Test, names: &[String]) -> bool {
        test.values.iter().any(|value| {
            let wanted = match value {
                Value::Name(name) => Some(name.as_str()),
                Value::Me => self.me,
                _ => None,
            };
            wanted.is_some_and(|wanted| names.iter().any(|name| name == wanted))
        })
    }

    fn words(&self, test: &Test) -> bool {
        let held: Vec<&str> = self.item.words.split(' ').collect();
        test.values.iter().any(|value| match value {
            Value::Name(text) => words::Query::words(text).is_some_and(|query| query.is_in(&held)),
            _ => false,
        })
    }
}
