//! What an expression is for C and what it does. Invariant: an expression that passes has the same value in 64 bits as in C's `int`
//! arithmetic, and a value that does not depend on the order in which its operands are evaluated.

use super::program::{BUILT_IN, Expression, Parameter, Value};
use super::rules::{Function, Rules};

/// The C type of an expression, with the values an `int` one can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `long`.
    Wide,
    /// `int`, from the first to the second value.
    Narrow(i64, i64),
    /// A hexadecimal literal of C's type `unsigned int`.
    Unsigned,
    /// An address: only for a `char *` parameter.
    Address,
}

/// What evaluating an expression depends on and changes, outside the locals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Effects {
    pub(super) reads: bool,
    pub(super) writes: bool,
}

impl Effects {
    pub(super) fn and(self, other: Effects) -> Effects {
        Effects {
            reads: self.reads || other.reads,
            writes: self.writes || other.writes,
        }
    }

    /// May the two not happen in either order?
    pub(super) fn conflicts(self, other: Effects) -> bool {
        (self.writes && (other.reads || other.writes)) || (other.writes && self.reads)
    }
}

const READ: Effects = Effects {
    reads: true,
    writes: false,
};

impl Rules<'_> {
    /// The effects of `expression` by itself; refuses operands whose order matters when `report` is set.
    pub(super) fn effects(&mut self, expression: &Expression, report: bool) -> Effects {
        match &expression.kind {
            Value::Number { .. } | Value::Text => Effects::default(),
            Value::Name(name) if self.variables.contains(name) => READ,
            Value::Name(_) => Effects::default(),
            Value::Index(_, index) => self.effects(index, report).and(READ),
            Value::Unary(_, inner) => self.effects(inner, report),
            Value::Binary(operator, left, right) => {
                let (a, b) = (self.effects(left, report), self.effects(right, report));
                if report && !matches!(*operator, "&&" | "||") && a.conflicts(b) {
                    self.refuse(
                        expression.place,
                        format!(
                            "the result depends on which side of '{operator}' is evaluated first"
                        ),
                    );
                }
                a.and(b)
            }
            Value::Call(name, arguments) => {
                let mut all = Effects::default();
                for argument in arguments {
                    let one = self.effects(argument, report);
                    if report && all.conflicts(one) {
                        self.refuse(
                            expression.place,
                            format!("the result depends on the order in which the arguments of '{name}' are evaluated"),
                        );
                    }
                    all = all.and(one);
                }
                all.and(self.effects_of(name))
            }
        }
    }

    fn effects_of(&self, name: &str) -> Effects {
        if let Some((_, _, outside)) = BUILT_IN.iter().find(|(known, ..)| *known == name) {
            return Effects {
                reads: *outside,
                writes: *outside,
            };
        }
        self.functions
            .get(name)
            .map_or_else(Effects::default, |function| function.effects)
    }

    /// The class of an expression whose value is used as a number.
    pub(super) fn number(&mut self, expression: &Expression) -> Class {
        let class = self.class(expression);
        if class == Class::Address {
            self.refuse(expression.place, "an address where a number is expected");
            return Class::Wide;
        }
        class
    }

    fn class(&mut self, expression: &Expression) -> Class {
        let place = expression.place;
        match &expression.kind {
            Value::Number { unsigned: true, .. } => Class::Unsigned,
            Value::Number { value, .. } if i32::try_from(*value).is_ok() => {
                Class::Narrow(*value, *value)
            }
            Value::Number { .. } => Class::Wide,
            Value::Text => Class::Address,
            Value::Name(name) => self.name_class(place, name),
            Value::Index(name, index) => {
                self.number(index);
                match self.element(name) {
                    Some(true) => Class::Narrow(-128, 127),
                    Some(false) => Class::Wide,
                    None => {
                        self.refuse(place, format!("'{name}' cannot be indexed"));
                        Class::Wide
                    }
                }
            }
            Value::Call(name, arguments) => {
                self.call(expression, name, arguments);
                Class::Wide
            }
            Value::Unary(operator, inner) => {
                let class = self.number(inner);
                self.unary(place, operator, class)
            }
            Value::Binary(operator, left, right) => {
                let (a, b) = (self.number(left), self.number(right));
                self.binary(place, operator, a, b)
            }
        }
    }

    fn name_class(&mut self, place: super::Place, name: &str) -> Class {
        if let Some(text) = self.local(name) {
            return if text { Class::Address } else { Class::Wide };
        }
        if let Some(value) = self.constants.get(name) {
            return Class::Narrow(*value, *value);
        }
        match self.arrays.get(name) {
            Some(true) => Class::Address,
            Some(false) => {
                self.refuse(place, format!("the long array '{name}' without an index"));
                Class::Wide
            }
            None if self.variables.contains(name) => Class::Wide,
            None => {
                self.refuse(place, format!("'{name}' is not declared, or is a function"));
                Class::Wide
            }
        }
    }

    /// Whether the elements of `name` are bytes; `None` if it cannot be indexed.
    fn element(&self, name: &str) -> Option<bool> {
        match self.local(name) {
            Some(text) => text.then_some(true),
            None => self.arrays.get(name).copied(),
        }
    }

    fn call(&mut self, expression: &Expression, name: &str, arguments: &[Expression]) {
        let built_in = BUILT_IN.iter().find(|(known, ..)| *known == name);
        let expected: Vec<bool> = match (built_in, self.functions.get(name)) {
            (Some((_, parameters, _)), _) => parameters.to_vec(),
            (None, Some(Function { parameters, .. })) => parameters
                .iter()
                .map(|Parameter { text, .. }| *text)
                .collect(),
            (None, None) => {
                self.refuse(
                    expression.place,
                    format!("'{name}' is called before it is declared"),
                );
                return;
            }
        };
        if expected.len() != arguments.len() {
            let (wants, has) = (expected.len(), arguments.len());
            self.refuse(
                expression.place,
                format!("'{name}' takes {wants} arguments, not {has}"),
            );
        }
        for (argument, text) in arguments.iter().zip(expected) {
            let class = self.class(argument);
            if (class == Class::Address) != text {
                let kind = if text {
                    "a char * parameter"
                } else {
                    "a long parameter"
                };
                self.refuse(
                    argument.place,
                    format!("the wrong kind of argument for {kind} of '{name}'"),
                );
            }
        }
    }

    fn unary(&mut self, place: super::Place, operator: &str, class: Class) -> Class {
        match (operator, class) {
            ("!", _) => Class::Narrow(0, 1),
            (_, Class::Unsigned) => self.unsigned(place),
            (_, Class::Narrow(low, high)) => {
                let less = i64::from(operator == "~");
                self.bounded(place, -high - less, -low - less)
            }
            _ => Class::Wide,
        }
    }

    fn unsigned(&mut self, place: super::Place) -> Class {
        self.refuse(place, "a literal of C's type unsigned int beside an int");
        Class::Wide
    }

    fn bounded(&mut self, place: super::Place, low: i64, high: i64) -> Class {
        if i32::try_from(low).is_err() || i32::try_from(high).is_err() {
            self.refuse(
                place,
                "an int expression that may leave 32 bits; make one operand a long variable",
            );
            return Class::Wide;
        }
        Class::Narrow(low, high)
    }

    fn binary(&mut self, place: super::Place, operator: &str, left: Class, right: Class) -> Class {
        if matches!(operator, "==" | "!=" | "<" | "<=" | ">" | ">=") {
            let mixed = |a, b| a == Class::Unsigned && b != Class::Wide;
            if mixed(left, right) || mixed(right, left) {
                self.unsigned(place);
            }
            return Class::Narrow(0, 1);
        }
        if matches!(operator, "&&" | "||") {
            return Class::Narrow(0, 1);
        }
        if matches!(operator, "<<" | ">>") {
            return self.shift(place, operator, left, right);
        }
        match (left, right) {
            (Class::Wide, _) | (_, Class::Wide) => Class::Wide,
            (Class::Narrow(a, b), Class::Narrow(c, d)) => {
                let corners = |f: fn(i64, i64) -> i64| {
                    let all = [f(a, c), f(a, d), f(b, c), f(b, d)];
                    let low = all.into_iter().min().unwrap_or(0);
                    (low, all.into_iter().max().unwrap_or(0))
                };
                let magnitude = a.abs().max(b.abs());
                let (low, high) = match operator {
                    "+" => corners(|x, y| x + y),
                    "-" => corners(|x, y| x - y),
                    "*" => corners(|x, y| x * y),
                    "/" | "%" if c <= 0 && d >= 0 => {
                        self.refuse(place, "an int division by what may be zero");
                        (0, 0)
                    }
                    "/" | "%" => (-magnitude, magnitude),
                    "&" if a >= 0 || c >= 0 => (
                        0,
                        if a < 0 {
                            d
                        } else if c < 0 {
                            b
                        } else {
                            b.min(d)
                        },
                    ),
                    // Bits of two 32-bit numbers make a 32-bit number.
                    _ if a >= 0 && c >= 0 => {
                        (0, (b.max(d) as u64 + 1).next_power_of_two() as i64 - 1)
                    }
                    _ => (i64::from(i32::MIN), i64::from(i32::MAX)),
                };
                self.bounded(place, low, high)
            }
            _ => self.unsigned(place),
        }
    }

    fn shift(&mut self, place: super::Place, operator: &str, left: Class, right: Class) -> Class {
        let most = if left == Class::Wide { 63 } else { 31 };
        if let Class::Narrow(low, high) = right
            && low == high
            && !(0..=most).contains(&low)
        {
            self.refuse(place, format!("a shift by {low}"));
            return Class::Wide;
        }
        match (left, right) {
            (Class::Wide, _) => Class::Wide,
            (Class::Narrow(low, high), Class::Narrow(count, same)) if count == same => {
                if operator == ">>" {
                    Class::Narrow(low >> count, high >> count)
                } else if low < 0 {
                    self.refuse(place, "a negative int is shifted left");
                    Class::Wide
                } else {
                    self.bounded(place, low << count, high << count)
                }
            }
            (Class::Narrow(..), _) if operator == ">>" => {
                self.refuse(place, "an int is shifted by a count that is no constant");
                Class::Wide
            }
            (Class::Narrow(..), _) => {
                self.refuse(
                    place,
                    "an int is shifted by a count that is no constant; make it a long variable",
                );
                Class::Wide
            }
            _ => self.unsigned(place),
        }
    }
}
