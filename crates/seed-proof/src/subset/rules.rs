//! The rules beyond the grammar. Invariant: every name, call, statement and expression of the program is looked at.

use super::expression::Effects;
use super::program::{
    BUILT_IN, Do, Expression, Item, Parameter, Program, Size, Statement, Value, What,
};
use super::{Place, Refusal, Source, Summary, limit};
use std::collections::{BTreeMap, BTreeSet};

/// A function as its first declaration says.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) parameters: Vec<Parameter>,
    pub(super) effects: Effects,
    place: Place,
    defined: bool,
}

/// What is known so far, and what was refused.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    sources: &'a [Source<'a>],
    pub(super) constants: BTreeMap<String, i64>,
    pub(super) variables: BTreeSet<String>,
    /// Whether the elements are bytes.
    pub(super) arrays: BTreeMap<String, bool>,
    pub(super) functions: BTreeMap<String, Function>,
    /// Every global name of the whole program, also later ones.
    globals: BTreeSet<String>,
    /// Visible locals, innermost last, and whether each is a `char *`.
    locals: Vec<(String, bool)>,
    /// All locals the current function has declared so far.
    declared: BTreeSet<String>,
    loops: usize,
    refusals: Vec<Refusal>,
    summary: Summary,
}

pub(super) fn check(sources: &[Source<'_>], program: &Program) -> Result<Summary, Vec<Refusal>> {
    let mut rules = Rules {
        sources,
        constants: BTreeMap::new(),
        variables: BTreeSet::new(),
        arrays: BTreeMap::new(),
        functions: BTreeMap::new(),
        globals: program.items.iter().map(|item| item.name.clone()).collect(),
        locals: Vec::new(),
        declared: BTreeSet::new(),
        loops: 0,
        refusals: Vec::new(),
        summary: Summary {
            files: sources.len(),
            lines: sources
                .iter()
                .map(|source| source.text.split(|&byte| byte == b'\n').count() - 1)
                .sum(),
            bytes: sources.iter().map(|source| source.text.len()).sum(),
            statements: program.statements,
            expressions: program.expressions,
            strings: program.strings,
            ..Summary::default()
        },
    };
    let effects = effects(program);
    for item in &program.items {
        rules.item(item, &effects);
    }
    rules.whole_program();
    if rules.refusals.is_empty() {
        Ok(rules.summary)
    } else {
        Err(rules.refusals)
    }
}

/// What each function does, directly and through those it calls.
fn effects(program: &Program) -> BTreeMap<&str, Effects> {
    let globals: BTreeSet<&str> = program
        .items
        .iter()
        .filter(|item| matches!(item.what, What::Variable | What::Array { .. }))
        .map(|item| item.name.as_str())
        .collect();
    let mut direct: BTreeMap<&str, (Effects, BTreeSet<&str>)> = BTreeMap::new();
    for item in &program.items {
        if let What::Function(function) = &item.what {
            let (effects, calls) = direct.entry(&item.name).or_default();
            for statement in function.body.iter().flatten() {
                uses(statement, &globals, effects, calls);
            }
        }
    }
    let mut result: BTreeMap<&str, Effects> = direct
        .iter()
        .map(|(name, (effects, _))| (*name, *effects))
        .collect();
    let mut changed = true;
    while changed {
        changed = false;
        for (name, (_, calls)) in &direct {
            let all = calls.iter().fold(result[name], |all, call| {
                all.and(result.get(call).copied().unwrap_or_default())
            });
            changed |= result.insert(name, all) != Some(all);
        }
    }
    result
}

/// Adds what a statement reads, writes and calls.
fn uses<'a>(
    statement: &'a Statement,
    globals: &BTreeSet<&str>,
    effects: &mut Effects,
    calls: &mut BTreeSet<&'a str>,
) {
    let mut value = |expression: &'a Expression| look(expression, globals, effects, calls);
    match &statement.kind {
        Do::Local(_, Some(expression)) | Do::Call(expression) | Do::Return(expression) => {
            value(expression);
        }
        Do::Local(_, None) | Do::Break | Do::Continue => {}
        Do::Set(name, expression) => {
            value(expression);
            effects.writes |= globals.contains(name.as_str());
        }
        Do::SetIndex(_, index, expression) => {
            value(index);
            value(expression);
            effects.writes = true;
        }
        Do::Block(statements) => {
            for inner in statements {
                uses(inner, globals, effects, calls);
            }
        }
        Do::While(condition, body) => {
            value(condition);
            uses(body, globals, effects, calls);
        }
        Do::If(condition, then, other) => {
            value(condition);
            uses(then, globals, effects, calls);
            if let Some(other) = other {
                uses(other, globals, effects, calls);
            }
        }
    }
}

fn look<'a>(
    expression: &'a Expression,
    globals: &BTreeSet<&str>,
    effects: &mut Effects,
    calls: &mut BTreeSet<&'a str>,
) {
    match &expression.kind {
        Value::Number { .. } | Value::Text => {}
        Value::Name(name) => effects.reads |= globals.contains(name.as_str()),
        Value::Index(_, index) => {
            effects.reads = true;
            look(index, globals, effects, calls);
        }
        Value::Unary(_, inner) => look(inner, globals, effects, calls),
        Value::Binary(_, left, right) => {
            look(left, globals, effects, calls);
            look(right, globals, effects, calls);
        }
        Value::Call(name, arguments) => {
            if let Some((_, _, true)) = BUILT_IN.iter().find(|(known, ..)| known == name) {
                effects.reads = true;
                effects.writes = true;
            }
            calls.insert(name);
            for argument in arguments {
                look(argument, globals, effects, calls);
            }
        }
    }
}

impl Rules<'_> {
    pub(super) fn refuse(&mut self, place: Place, rule: impl Into<String>) {
        self.refusals.push(place.refuse(self.sources, rule));
    }

    /// Whether a visible local is a `char *`; `None` if there is no such local.
    pub(super) fn local(&self, name: &str) -> Option<bool> {
        self.locals
            .iter()
            .rev()
            .find(|(local, _)| local == name)
            .map(|(_, text)| *text)
    }

    fn is_declared(&self, name: &str) -> bool {
        self.constants.contains_key(name)
            || self.variables.contains(name)
            || self.arrays.contains_key(name)
            || BUILT_IN.iter().any(|(known, ..)| *known == name)
    }

    fn item(&mut self, item: &Item, effects: &BTreeMap<&str, Effects>) {
        let name = &item.name;
        let is_function = matches!(item.what, What::Function(_));
        if self.is_declared(name) || (!is_function && self.functions.contains_key(name)) {
            self.refuse(item.place, format!("'{name}' is declared twice"));
            return;
        }
        match &item.what {
            What::Constant(value) => {
                self.constants.insert(name.clone(), *value);
            }
            What::Variable => {
                self.variables.insert(name.clone());
            }
            What::Array { bytes, size } => self.array(item.place, name, *bytes, size),
            What::Function(function) => {
                let texts = |parameters: &[Parameter]| -> Vec<bool> {
                    parameters.iter().map(|p| p.text).collect()
                };
                let known = self
                    .functions
                    .entry(name.clone())
                    .or_insert_with(|| Function {
                        parameters: function.parameters.clone(),
                        effects: effects.get(name.as_str()).copied().unwrap_or_default(),
                        place: item.place,
                        defined: false,
                    });
                let twice = known.defined && function.body.is_some();
                let differs = texts(&known.parameters) != texts(&function.parameters);
                known.defined |= function.body.is_some();
                if twice {
                    self.refuse(item.place, format!("'{name}' is defined twice"));
                }
                if differs {
                    self.refuse(
                        item.place,
                        format!("'{name}' is declared with other parameters before"),
                    );
                }
                if let Some(body) = &function.body {
                    self.function(item.place, &function.parameters, body);
                }
            }
        }
    }

    fn array(&mut self, place: Place, name: &str, bytes: bool, size: &Size) {
        let count = match size {
            Size::Number(count) => *count,
            Size::Constant(constant) => self.constants.get(constant).copied().unwrap_or(0),
        };
        let total = count.saturating_mul(if bytes { 1 } else { 8 });
        if count <= 0 {
            self.refuse(
                place,
                format!("the length of '{name}' is not a positive constant"),
            );
        } else if total > limit::ARRAY {
            self.refuse(place, format!("'{name}' has more than 256 MiB"));
        }
        self.summary.arrays = self.summary.arrays.saturating_add(total);
        self.arrays.insert(name.to_owned(), bytes);
    }

    fn function(&mut self, place: Place, parameters: &[Parameter], body: &[Statement]) {
        self.summary.functions += 1;
        self.declared.clear();
        self.locals.clear();
        for parameter in parameters {
            self.declare(place, &parameter.name, parameter.text);
        }
        for statement in body {
            self.statement(statement);
        }
        self.summary.locals = self.summary.locals.max(self.declared.len());
        if self.declared.len() > limit::LOCALS {
            self.refuse(place, "more than 64 locals and parameters in one function");
        }
    }

    fn declare(&mut self, place: Place, name: &str, text: bool) {
        if self.globals.contains(name) || BUILT_IN.iter().any(|(known, ..)| *known == name) {
            self.refuse(
                place,
                format!("the local '{name}' has the name of something global"),
            );
        }
        if !self.declared.insert(name.to_owned()) {
            self.refuse(
                place,
                format!("the local '{name}' is declared twice in its function"),
            );
        }
        self.locals.push((name.to_owned(), text));
    }

    /// An expression whose value is used.
    fn value(&mut self, expression: &Expression) {
        self.effects(expression, true);
        self.number(expression);
    }

    fn scoped(&mut self, statement: &Statement) {
        let visible = self.locals.len();
        if matches!(statement.kind, Do::Local(..)) {
            self.refuse(
                statement.place,
                "a declaration that is the whole body of an if or while",
            );
        }
        self.statement(statement);
        self.locals.truncate(visible);
    }

    fn statement(&mut self, statement: &Statement) {
        let place = statement.place;
        match &statement.kind {
            Do::Block(statements) => {
                let visible = self.locals.len();
                for inner in statements {
                    self.statement(inner);
                }
                self.locals.truncate(visible);
            }
            Do::Local(name, value) => {
                if let Some(value) = value {
                    self.value(value);
                }
                self.declare(place, name, false);
            }
            Do::Set(name, value) => {
                self.value(value);
                let variable = self
                    .local(name)
                    .map_or_else(|| self.variables.contains(name), |text| !text);
                if !variable {
                    self.refuse(
                        place,
                        format!("'{name}' is not a variable that can be assigned"),
                    );
                }
            }
            Do::SetIndex(name, index, value) => {
                self.value(value);
                self.value(index);
                if self
                    .effects(index, false)
                    .conflicts(self.effects(value, false))
                {
                    self.refuse(
                        place,
                        "the result depends on whether the index or the value is evaluated first",
                    );
                }
                if self.local(name).is_some() || !self.arrays.contains_key(name) {
                    self.refuse(
                        place,
                        format!("'{name}' is not an array that can be assigned"),
                    );
                }
            }
            Do::Call(call) => self.value(call),
            Do::If(condition, then, other) => {
                self.value(condition);
                self.scoped(then);
                if let Some(other) = other {
                    self.scoped(other);
                }
            }
            Do::While(condition, body) => {
                self.value(condition);
                self.loops += 1;
                self.scoped(body);
                self.loops -= 1;
            }
            Do::Break | Do::Continue if self.loops == 0 => {
                self.refuse(place, "break or continue outside a loop");
            }
            Do::Break | Do::Continue => {}
            Do::Return(value) => self.value(value),
        }
    }

    fn whole_program(&mut self) {
        let undefined: Vec<(Place, String)> = self
            .functions
            .iter()
            .filter(|(_, function)| !function.defined)
            .map(|(name, function)| (function.place, format!("'{name}' is never defined")))
            .collect();
        for (place, rule) in undefined {
            self.refuse(place, rule);
        }
        self.summary.globals = self.globals.len();
        let end = Place::default();
        if self.globals.len() > limit::GLOBALS {
            self.refuse(end, "more than 8192 global names");
        }
        if self.summary.arrays > limit::ARRAYS {
            self.refuse(end, "more than 1 GiB of arrays");
        }
        match self.functions.get("start") {
            Some(start) if start.parameters.is_empty() => {}
            _ => self.refuse(end, "there is no function 'start' without parameters"),
        }
    }
}
