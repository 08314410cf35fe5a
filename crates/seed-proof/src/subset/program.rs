//! A parsed program. Invariant: the tree holds exactly what the grammar of SUBSET.md can say.

use super::Place;

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) items: Vec<Item>,
    /// Deepest statement and expression met while parsing.
    pub(super) statements: usize,
    pub(super) expressions: usize,
    pub(super) strings: usize,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Constant(i64),
    Variable,
    Array { bytes: bool, size: Size },
    Function(Function),
}

#[derive(Debug)]
pub(super) enum Size {
    Number(i64),
    Constant(String),
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) parameters: Vec<Parameter>,
    /// `None`: a prototype.
    pub(super) body: Option<Vec<Statement>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// `char *` instead of `long`.
    pub(super) text: bool,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) place: Place,
    pub(super) kind: Do,
}

#[derive(Debug)]
pub(super) enum Do {
    Block(Vec<Statement>),
    Local(String, Option<Expression>),
    Set(String, Expression),
    SetIndex(String, Expression, Expression),
    Call(Expression),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    While(Expression, Box<Statement>),
    Break,
    Continue,
    Return(Expression),
}

#[derive(Debug)]
pub(super) struct Expression {
    pub(super) place: Place,
    pub(super) kind: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Number { value: i64, unsigned: bool },
    Text,
    Name(String),
    Index(String, Box<Expression>),
    Call(String, Vec<Expression>),
    Unary(&'static str, Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
}

/// The functions that exist without being declared: name, whether each parameter is `char *`, and whether a call can change
/// or depend on anything outside.
pub(super) const BUILT_IN: [(&str, &[bool], bool); 6] = [
    ("os_arg", &[false, false], false),
    ("os_open", &[true, false, false], true),
    ("os_read", &[false, true, false, false], true),
    ("os_write", &[false, true, false, false], true),
    ("os_unlink", &[true], true),
    ("os_exit", &[false], true),
];
