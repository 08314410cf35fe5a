//! A query in the database's language: the same answer as [`query::Query::matches`] gives, which a property test holds it to.
//!
//! Invariant: whatever a person typed is a bound value; texts are made of this file's own words only.

use crate::statement::Dialect;
use crate::value::Value;
use crate::words::{self, Query as Words, Written as _};
use jiff::Timestamp;
use std::fmt::Write as _;
use tracker_triage::query::{self, Compare, Expression, FIXED, Field, Is, Test};
use tracker_triage::state::FindingState;

const SECOND: i64 = 1_000_000;

/// Who maintains a family on the latest releases of channels.
const MAINTAINED: &str = "FROM package_maintainer AS m JOIN package AS p ON p.key = m.package JOIN release_package AS r ON r.package = p.key JOIN channel AS c ON c.latest = r.channel_release JOIN attribute AS a ON a.key = p.attribute";

/// A condition on `triage_item AS i`, and its values.
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
    pub(super) dialect: Dialect,
    now: i64,
    me: Option<String>,
}

impl Condition {
    /// A condition that holds of every match.
    pub(super) fn everything(dialect: Dialect, now: Timestamp, me: Option<&str>) -> Condition {
        Condition {
            text: String::new(),
            values: Vec::new(),
            dialect,
            now: now.as_microsecond(),
            me: me.map(str::to_owned),
        }
    }

    /// The condition that all of some parts of a query hold.
    pub(super) fn of<'a>(
        parts: impl IntoIterator<Item = &'a Expression>,
        dialect: Dialect,
        now: Timestamp,
        me: Option<&str>,
    ) -> Condition {
        let mut condition = Condition::everything(dialect, now, me);
        for part in parts {
            condition.and();
            condition.push("(");
            condition.expression(part);
            condition.push(")");
        }
        if condition.text.is_empty() {
            condition.push("1 = 1");
        }
        condition
    }

    /// Asks besides for words, of each match by itself where so many have them that gathering those first takes longer.
    pub(super) fn search(&mut self, all: &[Words], each: bool) {
        self.and();
        let text = match (each, self.dialect) {
            (false, _) => {
                let words = self.bind(words::all(all, self.dialect));
                format!("i.vulnerability IN (SELECT rowid FROM vulnerability_words({words}))")
            }
            (true, Dialect::Sqlite) => {
                let words = self.bind(words::asked(all, self.dialect));
                format!(
                    "EXISTS (SELECT 1 FROM vulnerability_words_text AS w WHERE w.vulnerability = i.vulnerability AND NOT EXISTS (SELECT 1 FROM json_each({words}) AS t WHERE instr(' ' || w.words || ' ', t.value) = 0))"
                )
            }
            // The limit keeps PostgreSQL from making a join of it.
            (true, Dialect::Postgres) => {
                let words = self.bind(words::asked(all, self.dialect));
                format!(
                    "EXISTS (SELECT 1 FROM vulnerability_words({words}) AS w WHERE w.rowid = i.vulnerability LIMIT 1 OFFSET 0)"
                )
            }
        };
        self.push(&text);
    }

    fn and(&mut self) {
        if !self.text.is_empty() {
            self.push(" AND ");
        }
    }

    /// A placeholder for a value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::All(parts) => self.list(parts, " AND ", "1 = 1"),
            Expression::Any(parts) => self.list(parts, " OR ", "1 = 0"),
            Expression::Not(inner) => {
                self.push("NOT (");
                self.expression(inner);
                self.push(")");
            }
            Expression::Test(test) => self.test(test),
        }
    }

    fn list(&mut self, parts: &[Expression], between: &str, empty: &str) {
        if parts.is_empty() {
            return self.push(empty);
        }
        for (index, part) in parts.iter().enumerate() {
            self.push(if index == 0 { "(" } else { between });
            self.push("(");
            self.expression(part);
            self.push(")");
        }
        self.push(")");
    }

    fn test(&mut self, test: &Test) {
        match test.field {
            Field::Severity => self.number("i.severity", test),
            Field::Score => self.known("i.score", test),
            Field::Kev => self.number("i.exploited", test),
            Field::Epss => self.known("i.epss", test),
            Field::Confidence => self.number("i.confidence", test),
            Field::Dependents => self.known("i.dependents", test),
            Field::Default => self.number("i.default_install", test),
            Field::State => self.number("i.state", test),
            Field::Age => self.age(test),
            Field::Status => {
                let mask = numbers(test).fold(0_i64, |mask, state| mask | (1 << state));
                let mask = self.bind(mask);
                let _ = write!(self.text, "(i.states & {mask}) <> 0");
            }
            Field::Is => self.is(test),
            Field::Channel => self.channel(test, i64::from(u32::MAX)),
            Field::Affected => self.channel(test, i64::from(FindingState::Affected.bit())),
            Field::Fixed => self.channel(test, i64::from(FIXED)),
            Field::Id => {
                let names = self.names(test);
                let _ = write!(
                    self.text,
                    "i.vulnerability IN (SELECT key FROM vulnerability WHERE id IN ({names}))"
                );
            }
            Field::Distribution => {
                let names = self.names(test);
                let _ = write!(self.text, "i.distribution IN ({names})");
            }
            Field::Family => {
                let names = self.names(test);
                let _ = write!(self.text, "i.family IN ({names})");
            }
            Field::Package => self.member("name", test),
            Field::Pname => self.member("pname", test),
            Field::Maintainer => {
                let names = self.names(test);
                let _ = write!(
                    self.text,
                    "EXISTS (SELECT 1 {MAINTAINED} WHERE a.distribution = i.distribution AND a.family = i.family AND m.maintainer IN ({names}))"
                );
            }
            Field::Assignee => {
                let nobody = test.values.contains(&query::Value::Nobody);
                let names = self.names(test);
                let _ = write!(self.text, "(i.assignee IN ({names}) AND i.assignee <> '')");
                if nobody {
                    self.push(" OR i.assignee = ''");
                }
            }
            Field::Text => self.words(test),
        }
    }

    fn number(&mut self, column: &str, test: &Test) {
        self.compared(column, test.compare, numbers(test));
    }

    /// A column that is -1 where nothing is known.
    fn known(&mut self, column: &str, test: &Test) {
        let _ = write!(self.text, "{column} >= 0 AND (");
        self.number(column, test);
        self.push(")");
    }

    fn compared(&mut self, column: &str, compare: Compare, numbers: impl Iterator<Item = i64>) {
        let sign = if compare == Compare::Is {
            "="
        } else {
            compare.sign()
        };
        for (index, number) in numbers.enumerate() {
            let place = self.bind(number);
            let or = if index == 0 { "" } else { " OR " };
            let _ = write!(self.text, "{or}{column} {sign} {place}");
        }
    }

    /// An age is compared by when it began, so that an index on that helps.
    fn age(&mut self, test: &Test) {
        let turned = match test.compare {
            Compare::Less => Compare::More,
            Compare::AtMost => Compare::AtLeast,
            Compare::More => Compare::Less,
            Compare::AtLeast => Compare::AtMost,
            Compare::Is => Compare::Is,
        };
        let now = self.now;
        let begun = numbers(test).map(move |seconds| now - seconds * SECOND);
        self.compared("i.since", turned, begun);
    }

    fn is(&mut self, test: &Test) {
        for (index, number) in numbers(test).enumerate() {
            self.push(if index == 0 { "(" } else { " OR (" });
            match Is::ALL[number as usize] {
                Is::Open => {
                    let (snoozed, hidden) = (self.bind(self.now), self.bind(self.now));
                    let _ = write!(
                        self.text,
                        "i.open = 1 AND i.snoozed <= {snoozed} AND i.suppressed <= {hidden}"
                    );
                }
                Is::Snoozed => {
                    let now = self.bind(self.now);
                    let _ = write!(self.text, "i.snoozed > {now}");
                }
                Is::Suppressed => {
                    let now = self.bind(self.now);
                    let _ = write!(self.text, "i.suppressed > {now}");
                }
                Is::Contradicted => self.push("i.contradicted = 1"),
                Is::Added => self.push("i.added = 1"),
                Is::Suggested => self.push("i.suggested = 1"),
            }
            self.push(")");
        }
    }

    fn channel(&mut self, test: &Test, mask: i64) {
        let mask = self.bind(mask);
        let names = self.names(test);
        let _ = write!(
            self.text,
            "EXISTS (SELECT 1 FROM finding AS f WHERE f.package_match = i.package_match AND (f.state & {mask}) <> 0 AND f.channel IN (SELECT key FROM channel WHERE name IN ({names})))"
        );
    }

    fn member(&mut self, column: &str, test: &Test) {
        let names = self.names(test);
        let _ = write!(
            self.text,
            "EXISTS (SELECT 1 FROM attribute AS a WHERE a.distribution = i.distribution AND a.family = i.family AND a.{column} IN ({names}))"
        );
    }

    fn words(&mut self, test: &Test) {
        for (index, value) in test.values.iter().enumerate() {
            let query::Value::Name(text) = value else {
                continue;
            };
            let Some(words) = Words::words(text) else {
                continue;
            };
            let words = self.bind(words.text(self.dialect));
            let or = if index == 0 { "" } else { " OR " };
            let _ = write!(
                self.text,
                "{or}i.vulnerability IN (SELECT rowid FROM vulnerability_words({words}))"
            );
        }
    }

    /// Placeholders for the names of a test. A list needs one value; no name is empty, so an empty one finds nothing.
    fn names(&mut self, test: &Test) -> String {
        let mut names = named(test, self.me.as_deref());
        if names.is_empty() {
            names.push(String::new());
        }
        let places: Vec<String> = names.into_iter().map(|name| self.bind(name)).collect();
        places.join(", ")
    }
}

/// The keys of the matches of some families `f`.
const OF_FAMILIES: &str =
    "JOIN triage_item AS i ON i.distribution = f.distribution AND i.family = f.family";

/// The rows that a test which narrows a lot leads to, as a statement of their keys, each once.
pub(super) fn lead(
    part: &Expression,
    dialect: Dialect,
    now: Timestamp,
    me: Option<&str>,
) -> Option<(String, Vec<Value>)> {
    if let Some((families, values)) = families(part, me) {
        let text = format!("SELECT i.key FROM ({families}) AS f {OF_FAMILIES}");
        return Some((text, values));
    }
    let Expression::Test(test) = part else {
        return None;
    };
    let from = match test.field {
        Field::Id => {
            "vulnerability AS v JOIN triage_item AS i ON i.vulnerability = v.key WHERE v.id"
        }
        Field::Assignee if !test.values.contains(&query::Value::Nobody) => {
            "triage_item AS i WHERE i.assignee"
        }
        // What an index of their own leads to.
        Field::Epss | Field::Age | Field::Is if is_ranged(test) => {
            let condition = Condition::of([part], dialect, now, me);
            let text = format!(
                "SELECT i.key FROM triage_item AS i WHERE {}",
                condition.text
            );
            return Some((text, condition.values));
        }
        _ => return None,
    };
    let (places, values) = listed(test, me)?;
    Some((format!("SELECT i.key FROM {from} IN ({places})"), values))
}

/// The matches that have some words, as a statement of their keys.
pub(super) fn lead_of_words(words: String) -> (String, Vec<Value>) {
    let text = "SELECT i.key FROM vulnerability_words($1) AS w JOIN triage_item AS i ON i.vulnerability = w.rowid";
    (text.to_owned(), vec![Value::from(words)])
}

/// The families that a test is about, as a statement of their distributions and names, each once.
pub(super) fn families(part: &Expression, me: Option<&str>) -> Option<(String, Vec<Value>)> {
    let Expression::Test(test) = part else {
        return None;
    };
    let (places, values) = listed(test, me)?;
    let text = match test.field {
        Field::Family => {
            let names = places.split(", ");
            let names: Vec<_> = names
                .map(|place| format!("SELECT CAST({place} AS TEXT) AS family"))
                .collect();
            format!(
                "SELECT d.distribution, n.family FROM (SELECT DISTINCT distribution FROM channel) AS d CROSS JOIN ({}) AS n",
                names.join(" UNION ")
            )
        }
        Field::Package => member("name", &places),
        Field::Pname => member("pname", &places),
        Field::Maintainer => {
            format!(
                "SELECT DISTINCT a.distribution, a.family {MAINTAINED} WHERE m.maintainer IN ({places})"
            )
        }
        _ => return None,
    };
    Some((text, values))
}

/// The words of a part that is about words alone.
pub(super) fn words(part: &Expression) -> Option<Words> {
    let Expression::Test(test) = part else {
        return None;
    };
    match (test.field, test.values.as_slice()) {
        (Field::Text, [query::Value::Name(text)]) => Words::words(text),
        _ => None,
    }
}

/// Whether few rows may answer to a test that an index has in order: the likely probabilities, the fresh, the
/// contradicted.
fn is_ranged(test: &Test) -> bool {
    match test.field {
        Field::Is => {
            let contradicted = Is::ALL.iter().position(|is| *is == Is::Contradicted);
            numbers(test).all(|number| Some(number as usize) == contradicted)
        }
        Field::Epss => matches!(test.compare, Compare::More | Compare::AtLeast),
        Field::Age => matches!(test.compare, Compare::Less | Compare::AtMost),
        _ => false,
    }
}

fn member(column: &str, places: &str) -> String {
    format!(
        "SELECT DISTINCT a.distribution, a.family FROM attribute AS a WHERE a.{column} IN ({places})"
    )
}

/// Placeholders for the names of a test, and the names; `None` if there are none.
fn listed(test: &Test, me: Option<&str>) -> Option<(String, Vec<Value>)> {
    let names = named(test, me);
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let values: Vec<Value> = names.into_iter().map(Value::from).collect();
    (!values.is_empty()).then(|| (places.join(", "), values))
}

fn numbers(test: &Test) -> impl Iterator<Item = i64> {
    test.values.iter().filter_map(|value| match value {
        query::Value::Number(number) => Some(*number),
        _ => None,
    })
}

fn named(test: &Test, me: Option<&str>) -> Vec<String> {
    let names = test.values.iter().filter_map(|value| match value {
        query::Value::Name(name) => Some(name.clone()),
        query::Value::Me => me.map(str::to_owned),
        _ => None,
    });
    names.collect()
}
