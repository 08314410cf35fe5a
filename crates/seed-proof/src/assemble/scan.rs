//! The words of S2's language. Invariant: `at` only moves forward over what was understood, so that it
//! tells the line of an error.

use super::{AssembleProblem, Kind, Result};

pub(super) struct Scanner<'text> {
    text: &'text [u8],
    pub(super) at: usize,
}

/// An operand: its kind, its register (or base), and its number (or distance).
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) kind: Kind,
    pub(super) register: u8,
    pub(super) value: i64,
}

impl Operand {
    /// "Register" of memory that has only an address.
    pub(super) const NO_BASE: u8 = 16;

    pub(super) fn new(kind: Kind, register: u8, value: i64) -> Operand {
        Operand {
            kind,
            register,
            value,
        }
    }
}

const REGISTERS: [&str; 20] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "al", "cl", "dl", "bl",
];

impl<'text> Scanner<'text> {
    pub(super) fn new(text: &'text [u8]) -> Scanner<'text> {
        Scanner { text, at: 0 }
    }

    /// The byte `ahead` of the place; behind the end there are zeros.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The line of the place, from 1.
    pub(super) fn line(&self) -> usize {
        let before = &self.text[..self.at.min(self.text.len())];
        before.split(|byte| *byte == b'\n').count()
    }

    /// Skips blanks; returns the byte behind them.
    pub(super) fn blanks(&mut self) -> u8 {
        while matches!(self.byte(0), b' ' | b'\t') {
            self.at += 1;
        }
        self.byte(0)
    }

    /// Skips a comment and the byte that ends it.
    pub(super) fn comment(&mut self) {
        while self.byte(0) > b'\n' {
            self.at += 1;
        }
        self.at += 1;
    }

    /// Letters, digits and underscores; maybe none.
    pub(super) fn letters(&mut self) -> Vec<u8> {
        let start = self.at;
        while self.byte(0) == b'_' || self.byte(0).is_ascii_alphanumeric() {
            self.at += 1;
        }
        self.text[start..self.at].to_vec()
    }

    pub(super) fn word(&mut self) -> Result<Vec<u8>> {
        let word = self.letters();
        match word.first() {
            Some(first) if !first.is_ascii_digit() => Ok(word),
            _ => Err(AssembleProblem::Expected("a name")),
        }
    }

    /// A register: 0 to 15, or 16 + number for `al`, `cl`, `dl`, `bl`.
    pub(super) fn register(&mut self) -> Option<u8> {
        let start = self.at;
        let word = self.letters();
        let found = REGISTERS.iter().position(|name| name.as_bytes() == word);
        if found.is_none() {
            self.at = start;
        }
        found.map(|number| number as u8)
    }

    pub(super) fn string(&mut self) -> Result<Vec<u8>> {
        self.at += 1;
        let start = self.at;
        while self.byte(0) != b'"' {
            if self.byte(0) <= b'\n' {
                return Err(AssembleProblem::Expected("the string's end on its line"));
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(self.text[start..self.at - 1].to_vec())
    }

    pub(super) fn character(&mut self) -> Result<i64> {
        let byte = self.byte(1);
        if byte < b' ' || self.byte(2) != b'\'' {
            return Err(AssembleProblem::Expected("a character in quotes"));
        }
        self.at += 3;
        Ok(i64::from(byte))
    }

    pub(super) fn number(&mut self) -> Result<i64> {
        let mut base = 10;
        if (self.byte(0), self.byte(1)) == (b'0', b'x') {
            base = 16;
            self.at += 2;
        }
        let mut value: i64 = 0;
        while let Some(digit) = char::from(self.byte(0)).to_digit(16) {
            if digit >= base {
                return Err(AssembleProblem::Expected("a decimal digit"));
            }
            self.at += 1;
            if value >> 59 != 0 {
                return Err(AssembleProblem::Large);
            }
            value = value * i64::from(base) + i64::from(digit);
        }
        if self.letters().is_empty() {
            Ok(value)
        } else {
            Err(AssembleProblem::Expected("a number"))
        }
    }
}
