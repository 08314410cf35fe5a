//! From text to query, by recursive descent over characters.
//!
//! Invariant: any text is a query or an error with a column; depth and size are bounded before anything is built.

use super::field::{Field, Kind};
use super::{Compare, Expression, MAX_BYTES, MAX_DEPTH, MAX_TESTS, MAX_VALUES};
use super::{QueryError, Test, Value};
use crate::words;

/// How like a known word an unknown one must be to be suggested.
const LIKENESS: f64 = 0.75;

/// The longest age, in seconds: a century.
const LONGEST_AGE: i64 = 100 * 365 * 86_400;

/// The longest value, in characters.
const MAX_VALUE: usize = 200;

pub(super) fn parse(text: &str) -> Result<Expression, QueryError> {
    if text.len() > MAX_BYTES {
        return Err(QueryError {
            column: 1,
            problem: format!("the query has more than {MAX_BYTES} bytes"),
        });
    }
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        tests: 0,
    };
    parser.spaces();
    if parser.at == parser.text.len() {
        return Ok(Expression::All(Vec::new()));
    }
    let root = parser.alternatives(0)?;
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.wrong("`)` closes nothing".to_owned())),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    tests: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn wrong(&self, problem: String) -> QueryError {
        error(self.at, problem)
    }

    /// Whether the word `or` stands here.
    fn at_or(&self) -> bool {
        let rest = &self.text[self.at..];
        rest.len() >= 2
            && rest[0].eq_ignore_ascii_case(&'o')
            && rest[1].eq_ignore_ascii_case(&'r')
            && rest
                .get(2)
                .is_none_or(|next| next.is_whitespace() || "()".contains(*next))
    }

    fn alternatives(&mut self, depth: usize) -> Result<Expression, QueryError> {
        let mut parts = Vec::new();
        loop {
            match self.all(depth)? {
                Expression::Any(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            self.spaces();
            if !self.at_or() {
                break;
            }
            self.at += 2;
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Expression::Any(parts),
        })
    }

    fn all(&mut self, depth: usize) -> Result<Expression, QueryError> {
        let mut parts = Vec::new();
        loop {
            self.spaces();
            match self.peek() {
                None | Some(')') => break,
                Some(_) if self.at_or() => break,
                Some(_) => match self.one(depth)? {
                    Expression::All(inner) => parts.extend(inner),
                    other => parts.push(other),
                },
            }
        }
        match parts.len() {
            0 => Err(self.wrong("a test or a word is missing".to_owned())),
            1 => Ok(parts.remove(0)),
            _ => Ok(Expression::All(parts)),
        }
    }

    fn one(&mut self, depth: usize) -> Result<Expression, QueryError> {
        if depth >= MAX_DEPTH && matches!(self.peek(), Some('-' | '(')) {
            return Err(self.wrong(format!(
                "more than {MAX_DEPTH} parentheses and negations stand in one another"
            )));
        }
        match self.peek() {
            Some('-') => {
                self.at += 1;
                if self.peek().is_none_or(char::is_whitespace) {
                    return Err(self.wrong("`-` stands before nothing".to_owned()));
                }
                Ok(Expression::Not(Box::new(self.one(depth + 1)?)))
            }
            Some('(') => {
                let open = self.at;
                self.at += 1;
                let inner = self.alternatives(depth + 1)?;
                self.spaces();
                if self.peek() != Some(')') {
                    return Err(error(open, "`(` is never closed".to_owned()));
                }
                self.at += 1;
                Ok(inner)
            }
            _ => self.test().map(Expression::Test),
        }
    }

    fn test(&mut self) -> Result<Test, QueryError> {
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return Err(self.wrong(format!("the query has more than {MAX_TESTS} tests")));
        }
        let start = self.at;
        let name: String = self.text[start..]
            .iter()
            .take_while(|c| c.is_alphabetic() || **c == '-')
            .take(MAX_VALUE)
            .collect();
        let behind = start + name.chars().count();
        let sign = self.text.get(behind).copied();
        if name.is_empty() || !sign.is_some_and(|sign| ":=<>".contains(sign)) {
            return self.word();
        }
        let Some(field) = Field::of(&name.to_lowercase()) else {
            let names = Field::ALL.map(Field::name);
            return Err(error(start, unknown("field", &name, &names)));
        };
        self.at = behind + 1;
        let orequal = matches!(sign, Some('<' | '>')) && self.peek() == Some('=');
        self.at += usize::from(orequal);
        let compare = match (sign, orequal) {
            (Some('<'), false) => Compare::Less,
            (Some('<'), true) => Compare::AtMost,
            (Some('>'), false) => Compare::More,
            (Some('>'), true) => Compare::AtLeast,
            _ => Compare::Is,
        };
        check_sign(field, compare).map_err(|problem| error(behind, problem))?;
        let mut values = Vec::new();
        loop {
            let at = self.at;
            let (text, quoted) = self.value()?;
            let value = value(field, &text, quoted).map_err(|problem| error(at, problem))?;
            if !values.contains(&value) {
                values.push(value);
            }
            if self.peek() != Some(',') {
                break;
            }
            if compare != Compare::Is {
                return Err(self.wrong("only `:` takes several values".to_owned()));
            }
            if values.len() >= MAX_VALUES {
                return Err(self.wrong(format!("more than {MAX_VALUES} values")));
            }
            self.at += 1;
        }
        Ok(Test {
            field,
            compare,
            values,
        })
    }

    /// A word outside of any field.
    fn word(&mut self) -> Result<Test, QueryError> {
        let at = self.at;
        let (text, quoted) = self.value()?;
        if !quoted && let Some(sign) = text.find([':', '<', '>', '=']) {
            let column = at + text[..sign].chars().count();
            let problem = format!(
                "`{}` is the name of no field; put what is meant as words into double quotes",
                &text[..sign]
            );
            return Err(error(column, problem));
        }
        let value = value(Field::Text, &text, quoted).map_err(|problem| error(at, problem))?;
        Ok(Test {
            field: Field::Text,
            compare: Compare::Is,
            values: vec![value],
        })
    }

    /// A value, and whether it stood in double quotes.
    fn value(&mut self) -> Result<(String, bool), QueryError> {
        let start = self.at;
        let mut text = String::new();
        let quoted = self.peek() == Some('"');
        if quoted {
            self.at += 1;
            loop {
                match self.peek() {
                    None => return Err(error(start, "`\"` is never closed".to_owned())),
                    Some('"') => break,
                    Some('\\') => {
                        self.at += 1;
                        text.extend(self.peek());
                    }
                    Some(other) => text.push(other),
                }
                self.at += 1;
            }
            self.at += 1;
            if self
                .peek()
                .is_some_and(|next| !next.is_whitespace() && !",)".contains(next))
            {
                return Err(self.wrong("a space is missing behind the quotes".to_owned()));
            }
        } else {
            while let Some(next) = self.peek() {
                if next.is_whitespace() || ",()\"".contains(next) {
                    break;
                }
                text.push(next);
                self.at += 1;
            }
            if matches!(self.peek(), Some('"' | '(')) {
                return Err(self.wrong("a space is missing before it".to_owned()));
            }
        }
        if text.trim().is_empty() {
            return Err(error(start, "a value is missing".to_owned()));
        }
        if text.chars().count() > MAX_VALUE {
            return Err(error(
                start,
                format!("a value has more than {MAX_VALUE} characters"),
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(error(start, "a control character is no value".to_owned()));
        }
        Ok((text, quoted))
    }
}

fn error(index: usize, problem: String) -> QueryError {
    QueryError {
        column: index + 1,
        problem,
    }
}

/// `severty` is no field; did you mean `severity`?
fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let folded = given.to_lowercase();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&folded, name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let given: String = given.chars().take(40).collect();
    match nearest {
        Some((_, name)) => format!("`{given}` is no {what}; did you mean `{name}`?"),
        None => format!("`{given}` is no {what}; known are {}", known.join(", ")),
    }
}

fn check_sign(field: Field, compare: Compare) -> Result<(), String> {
    let name = field.name();
    let ordered = matches!(
        field.kind(),
        Kind::Ordered(_) | Kind::Decimal { .. } | Kind::Age
    );
    match (field.kind(), compare) {
        (Kind::Age, Compare::Is) => Err(format!("`{name}` needs `<`, `<=`, `>` or `>=`")),
        (_, Compare::Is) => Ok(()),
        _ if ordered => Ok(()),
        _ => Err(format!("`{name}` has no order; it only takes `:`")),
    }
}

fn value(field: Field, text: &str, quoted: bool) -> Result<Value, String> {
    let name = || Value::Name(text.trim().to_owned());
    match field.kind() {
        Kind::Ordered(names) | Kind::OneOf(names) => {
            let folded = text.to_lowercase();
            let position = names.iter().position(|name| *name == folded);
            let what = format!("value of `{}`", field.name());
            position
                .map(|position| Value::Number(position as i64))
                .ok_or_else(|| unknown(&what, text, names))
        }
        Kind::Decimal { digits, most } => decimal(text, digits)
            .filter(|number| *number <= most)
            .map(Value::Number)
            .ok_or_else(|| {
                let top = most / 10_i64.pow(digits);
                format!("`{text}` is no number from 0 to {top} with at most {digits} digits behind the point")
            }),
        Kind::Age => age(text)
            .map(Value::Number)
            .ok_or_else(|| format!("`{text}` is no age; write `12h`, `7d` or `2w`")),
        Kind::Person | Kind::PersonOrNone if !quoted && text.eq_ignore_ascii_case("@me") => {
            Ok(Value::Me)
        }
        Kind::PersonOrNone if !quoted && text.eq_ignore_ascii_case("none") => Ok(Value::Nobody),
        Kind::Person | Kind::PersonOrNone | Kind::Name => Ok(name()),
        Kind::Words if words::Query::words(text).is_none() => {
            Err("a letter or a digit is missing".to_owned())
        }
        Kind::Words => Ok(name()),
    }
}

/// A number as a multiple of its last digit's unit; a percent sign shifts by two digits.
fn decimal(text: &str, digits: u32) -> Option<i64> {
    let (text, places) = match text.strip_suffix('%') {
        Some(text) if digits >= 2 => (text, digits - 2),
        Some(_) => return None,
        None => (text, digits),
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 10
        || !all_digits(whole)
        || !all_digits(part)
        || part.len() > places as usize
        || (text.contains('.') && part.is_empty())
    {
        return None;
    }
    let padded = format!("{part:0<width$}", width = places as usize);
    let part = if padded.is_empty() {
        0
    } else {
        padded.parse::<i64>().ok()?
    };
    let whole = whole.parse::<i64>().ok()?;
    whole.checked_mul(10_i64.pow(places))?.checked_add(part)
}

/// Seconds of `12h`, `7d`, `2w`.
fn age(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    if number.is_empty() || number.len() > 7 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<i64>().ok()?.checked_mul(unit)?;
    (seconds <= LONGEST_AGE).then_some(seconds)
}
