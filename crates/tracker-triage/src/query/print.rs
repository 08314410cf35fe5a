//! From query to text: one text for each query, which parses to that query again.
//!
//! Invariant: whatever could be taken for something else stands in double quotes.

use super::field::{Field, Kind};
use super::{Expression, Test, Value};
use std::fmt::{self, Formatter, Write as _};

/// What an expression stands in, which decides whether it needs parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Nothing,
    Any,
    All,
    Not,
}

pub(super) fn expression(
    f: &mut Formatter<'_>,
    expression: &Expression,
    within: Within,
) -> fmt::Result {
    match expression {
        Expression::Test(one) => test(f, one),
        Expression::Not(inner) => {
            f.write_char('-')?;
            self::expression(f, inner, Within::Not)
        }
        Expression::All(parts) => {
            let open = within == Within::Not;
            list(f, parts, " ", Within::All, open)
        }
        Expression::Any(parts) => {
            let open = matches!(within, Within::Not | Within::All);
            list(f, parts, " or ", Within::Any, open)
        }
    }
}

fn list(
    f: &mut Formatter<'_>,
    parts: &[Expression],
    between: &str,
    within: Within,
    open: bool,
) -> fmt::Result {
    if open {
        f.write_char('(')?;
    }
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        expression(f, part, within)?;
    }
    if open {
        f.write_char(')')?;
    }
    Ok(())
}

pub(super) fn test(f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
    // A single text is a bare word; several are any of them, which only the field's name can say.
    if let (Field::Text, [Value::Name(word)]) = (test.field, test.values.as_slice()) {
        return if is_bare_word(word) {
            f.write_str(word)
        } else {
            quoted(f, word)
        };
    }
    write!(f, "{}{}", test.field.name(), test.compare.sign())?;
    for (index, value) in test.values.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        self::value(f, test.field, value)?;
    }
    Ok(())
}

fn value(f: &mut Formatter<'_>, field: Field, value: &Value) -> fmt::Result {
    match (field.kind(), value) {
        (Kind::Ordered(names) | Kind::OneOf(names), Value::Number(number)) => {
            f.write_str(names[*number as usize])
        }
        (Kind::Decimal { digits, .. }, Value::Number(number)) => decimal(f, *number, digits),
        (Kind::Age, Value::Number(seconds)) => {
            let (unit, letter) = [(7 * 86_400, 'w'), (86_400, 'd'), (3600, 'h')]
                .into_iter()
                .find(|(unit, _)| seconds % unit == 0)
                .unwrap_or((3600, 'h'));
            write!(f, "{}{letter}", seconds / unit)
        }
        (_, Value::Number(number)) => write!(f, "{number}"),
        (_, Value::Me) => f.write_str("@me"),
        (_, Value::Nobody) => f.write_str("none"),
        (_, Value::Name(name)) if is_bare_value(name) => f.write_str(name),
        (_, Value::Name(name)) => quoted(f, name),
    }
}

fn decimal(f: &mut Formatter<'_>, number: i64, digits: u32) -> fmt::Result {
    let unit = 10_i64.pow(digits);
    write!(f, "{}", number / unit)?;
    let part = number % unit;
    if part != 0 {
        let text = format!("{part:0width$}", width = digits as usize);
        write!(f, ".{}", text.trim_end_matches('0'))?;
    }
    Ok(())
}

fn is_bare_word(word: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._+-/~".contains(c);
    word.chars().all(plain) && !word.starts_with('-') && !word.eq_ignore_ascii_case("or")
}

fn is_bare_value(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._+-/~@:".contains(c);
    name.chars().all(plain)
        && !name.eq_ignore_ascii_case("@me")
        && !name.eq_ignore_ascii_case("none")
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
