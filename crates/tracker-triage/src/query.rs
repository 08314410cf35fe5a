//! The language in which matches are asked for: on pages, in the API and at the command line alike.
//!
//! ```text
//! query   = all *( " or " all )                 ; juxtaposed tests must all hold
//! all     = 1*( [ "-" ] ( test / word / "(" query ")" ) )
//! test    = field ( ":" / "=" / ">" / ">=" / "<" / "<=" ) value *( "," value )
//! word    = what must occur in the vulnerability's id, alias, title or description
//! ```
//!
//! Reading order: [`field`] (what can be asked), `parse`, `print` (one text for each query), `evaluate` (on a value),
//! `complete` (what may come next).
//! Invariants: printing a query and parsing it gives the same query; its size and depth are bounded; every test is true or
//! false, also of what is not known.

mod complete;
mod evaluate;
pub mod field;
mod parse;
mod print;

pub use complete::{Vocabulary, complete};
pub use evaluate::FIXED;
pub use field::{Field, Is, Kind};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest query, in bytes.
pub const MAX_BYTES: usize = 2000;
/// The most tests of a query.
pub const MAX_TESTS: usize = 64;
/// How deep parentheses and negations may be.
pub const MAX_DEPTH: usize = 8;
/// The most values of one test.
pub const MAX_VALUES: usize = 64;

/// How a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Any of the values.
    Is,
    /// Less than the value.
    Less,
    /// At most the value.
    AtMost,
    /// More than the value.
    More,
    /// At least the value.
    AtLeast,
}

impl Compare {
    /// Its sign in a query.
    pub const fn sign(self) -> &'static str {
        match self {
            Compare::Is => ":",
            Compare::Less => "<",
            Compare::AtMost => "<=",
            Compare::More => ">",
            Compare::AtLeast => ">=",
        }
    }

    /// Whether it holds of two numbers.
    pub const fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Compare::Is => left == right,
            Compare::Less => left < right,
            Compare::AtMost => left <= right,
            Compare::More => left > right,
            Compare::AtLeast => left >= right,
        }
    }
}

/// What is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number in the field's unit, or the position of a name in the field's list.
    Number(i64),
    /// A name.
    Name(String),
    /// Whoever asks.
    Me,
    /// Nobody.
    Nobody,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What is asked.
    pub field: Field,
    /// How.
    pub compare: Compare,
    /// One value, or several with [`Compare::Is`].
    pub values: Vec<Value>,
}

/// A query in its normal form: no `All` directly in an `All`, no `Any` in an `Any`, none of them with one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All must hold; of none, everything does.
    All(Vec<Expression>),
    /// One must hold.
    Any(Vec<Expression>),
    /// It must not hold.
    Not(Box<Expression>),
    /// A test.
    Test(Test),
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    root: Expression,
}

/// A text that is no query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct QueryError {
    /// Where it goes wrong, in characters from 1.
    pub column: usize,
    /// What is wrong, and what could stand there.
    pub problem: String,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// With the column of what is not understood.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        let root = parse::parse(text)?;
        let query = Query { root };
        // What is stored is the canonical text, so that has to be one that can be read, too.
        if query.to_string().len() > MAX_BYTES {
            return Err(QueryError {
                column: 1,
                problem: format!("the query, written out, has more than {MAX_BYTES} bytes"),
            });
        }
        Ok(query)
    }

    /// The query that everything answers to.
    pub fn everything() -> Query {
        Query {
            root: Expression::All(Vec::new()),
        }
    }

    /// The query of one test.
    pub fn of_test(test: Test) -> Query {
        Query {
            root: Expression::Test(test),
        }
    }

    /// The parts that must all hold.
    pub fn parts(&self) -> &[Expression] {
        match &self.root {
            Expression::All(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// Its one expression.
    pub fn root(&self) -> &Expression {
        &self.root
    }

    /// Everything that both this query and another ask for.
    pub fn and(&self, other: &Query) -> Query {
        let mut parts = [self.parts(), other.parts()].concat();
        let root = match parts.len() {
            1 => parts.remove(0),
            _ => Expression::All(parts),
        };
        Query { root }
    }

    /// Whether it asks what depends neither on the time nor on who asks, nor on what rules hide.
    ///
    /// # Errors
    /// With the test that does, or when it asks nothing at all.
    pub fn check_stable(&self) -> Result<(), QueryError> {
        let wrong = |problem: String| Err(QueryError { column: 1, problem });
        if self.parts().is_empty() {
            return wrong("it would find everything; name at least one test".to_owned());
        }
        let mut problem = None;
        visit(&self.root, &mut |test| {
            let moving = |value: &Value| match value {
                Value::Me => true,
                Value::Number(number) => {
                    test.field == Field::Is && !Is::ALL[*number as usize].is_stable()
                }
                _ => false,
            };
            if test.field == Field::Age || test.values.iter().any(moving) {
                problem.get_or_insert(test.to_string());
            }
        });
        match problem {
            Some(test) => wrong(format!(
                "`{test}` depends on who asks, when, or on other rules; a rule must hold for everybody at any time"
            )),
            None => Ok(()),
        }
    }
}

/// Calls for each test.
fn visit(expression: &Expression, each: &mut dyn FnMut(&Test)) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            for part in parts {
                visit(part, each);
            }
        }
        Expression::Not(inner) => visit(inner, each),
        Expression::Test(test) => each(test),
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Query, QueryError> {
        Query::parse(text)
    }
}

impl fmt::Display for Query {
    /// The canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::expression(f, &self.root, print::Within::Nothing)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::test(f, self)
    }
}

impl Serialize for Query {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Query, D::Error> {
        let text = String::deserialize(deserializer)?;
        Query::parse(&text).map_err(serde::de::Error::custom)
    }
}
