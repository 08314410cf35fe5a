//! The subset of C of `bootstrap/amd64/SUBSET.md`: a program passes only if S3 and every C compiler give it the same meaning.
//!
//! Invariant: whatever the grammar or a rule marked *(checked)* there does not allow is refused with its file and line; no input
//! makes the checker panic, recurse deeply or allocate without bound.

mod expression;
mod lex;
mod parse;
mod program;
mod rules;
#[cfg(test)]
mod tests;

use serde::Serialize;

/// One source file, in the order in which S3 gets it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// As it is named in messages.
    pub name: &'a str,
    /// Its bytes.
    pub text: &'a [u8],
}

/// Limits of SUBSET.md, "Limits that S3 must reach".
pub mod limit {
    /// Bytes of all files together.
    pub const SOURCE: usize = 1 << 20;
    /// Source files.
    pub const FILES: usize = 64;
    /// Bytes of a name.
    pub const NAME: usize = 31;
    /// Global variables, arrays, functions and constants.
    pub const GLOBALS: usize = 8192;
    /// Locals and parameters of one function.
    pub const LOCALS: usize = 64;
    /// Nested statements; an `else if` counts as nested in its `if`.
    pub const STATEMENTS: usize = 32;
    /// Nested parentheses, indexes, arguments and unary operators.
    pub const EXPRESSIONS: usize = 32;
    /// Binary operators in one expression.
    pub const OPERATORS: usize = 256;
    /// Bytes of all strings, each with its zero.
    pub const STRINGS: usize = 64 << 10;
    /// Bytes of one array.
    pub const ARRAY: i64 = 256 << 20;
    /// Bytes of all arrays.
    pub const ARRAYS: i64 = 1 << 30;
    /// Parameters of a function.
    pub const PARAMETERS: usize = 6;
}

/// Why and where a program is outside the subset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{file}:{line}: {rule}")]
pub struct Refusal {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is not allowed there.
    pub rule: String,
}

/// What a passing program consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Source files.
    pub files: usize,
    /// Lines of all files.
    pub lines: usize,
    /// Bytes of all files.
    pub bytes: usize,
    /// Functions with a body.
    pub functions: usize,
    /// Global names of all kinds.
    pub globals: usize,
    /// Most locals and parameters in one function.
    pub locals: usize,
    /// Deepest statement.
    pub statements: usize,
    /// Deepest expression.
    pub expressions: usize,
    /// Bytes of strings.
    pub strings: usize,
    /// Bytes of arrays.
    pub arrays: i64,
}

/// Checks a whole program.
///
/// # Errors
/// The first refusal of the grammar, or else all refusals of the other rules, in order.
pub fn check(sources: &[Source<'_>]) -> Result<Summary, Vec<Refusal>> {
    let tokens = lex::lex(sources).map_err(|refusal| vec![refusal])?;
    let program = parse::parse(sources, &tokens).map_err(|refusal| vec![refusal])?;
    rules::check(sources, &program)
}

/// A place in the sources: file index and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    file: usize,
    line: usize,
}

impl Place {
    fn refuse(self, sources: &[Source<'_>], rule: impl Into<String>) -> Refusal {
        Refusal {
            file: sources
                .get(self.file)
                .map_or_else(String::new, |source| source.name.to_owned()),
            line: self.line,
            rule: rule.into(),
        }
    }
}
