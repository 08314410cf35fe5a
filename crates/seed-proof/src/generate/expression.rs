//! Expressions without side effects, of any arithmetic type. Invariant: see the parent module.

use super::{FLOATS, INTEGERS, Program, Type};

impl Program {
    /// An expression of some arithmetic type, at most `depth` operators deep.
    pub(super) fn expression(&mut self, depth: usize) -> String {
        if self.random.below(4) == 0 {
            self.float_expression(depth)
        } else {
            self.integer_expression(depth)
        }
    }

    /// One that may be assigned to a variable of the type.
    pub(super) fn value_for(&mut self, kind: Type, depth: usize) -> String {
        if kind.float {
            return self.expression(depth);
        }
        self.integer_expression(depth)
    }

    fn variable(&mut self, float: bool) -> Option<String> {
        let all: Vec<String> = self
            .globals
            .iter()
            .chain(&self.locals)
            .filter(|variable| variable.kind.float == float)
            .map(|variable| variable.text.clone())
            .collect();
        if all.is_empty() {
            return None;
        }
        Some(all[self.random.below(all.len())].clone())
    }

    fn integer_leaf(&mut self) -> String {
        if self.random.below(3) > 0
            && let Some(name) = self.variable(false)
        {
            return name;
        }
        match self.random.below(9) {
            0 => format!(
                "'{}'",
                self.random
                    .pick(&["a", "\\n", "\\377", "\\x41", "\\0", "\\\\"])
            ),
            1 => "(int)sizeof(struct { char c; long l; })".to_owned(),
            2 => "\"literal\"[3]".to_owned(),
            _ => {
                let kind = self.random.pick(&INTEGERS);
                self.literal(kind)
            }
        }
    }

    pub(super) fn integer_expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.integer_leaf();
        }
        let a = self.integer_expression(depth - 1);
        let b = self.integer_expression(depth - 1);
        match self.random.below(16) {
            0..=4 => {
                let operator = self.random.pick(&["+", "-", "*", "&", "|", "^"]);
                format!("({a} {operator} {b})")
            }
            5 => {
                let operator = self.random.pick(&["/", "%"]);
                // Neither zero nor -1.
                let d = 2 + self.random.below(9);
                format!("({a} {operator} (({b} & 1023) + {d}))")
            }
            6 => {
                let operator = self.random.pick(&["<<", ">>"]);
                format!("({a} {operator} ({b} & 15))")
            }
            7 => {
                let operator = self.random.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!("({a} {operator} {b})")
            }
            8 => {
                let operator = self.random.pick(&["&&", "||"]);
                format!("({a} {operator} {b})")
            }
            9 => {
                let operator = self.random.pick(&["-", "~", "!", "+"]);
                format!("{operator}({a})")
            }
            10 => {
                let c = self.integer_leaf();
                format!("({c} ? {a} : {b})")
            }
            11 | 12 => {
                let kind = self.random.pick(&INTEGERS);
                format!("({})({a})", kind.name)
            }
            13 => format!("MAX({a}, {b})"),
            14 => {
                let f = self.float_expression(depth - 1);
                format!("to_long({f})")
            }
            _ => {
                let (f, g) = (
                    self.float_expression(depth - 1),
                    self.float_expression(depth - 1),
                );
                let operator = self.random.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!("({f} {operator} {g})")
            }
        }
    }

    pub(super) fn float_expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            if self.random.below(3) > 0
                && let Some(name) = self.variable(true)
            {
                return name;
            }
            let kind = self.random.pick(&FLOATS);
            return format!("({})", self.literal(kind));
        }
        let a = self.float_expression(depth - 1);
        match self.random.below(6) {
            0..=2 => {
                let b = self.float_expression(depth - 1);
                let operator = self.random.pick(&["+", "-", "*", "/"]);
                format!("({a} {operator} {b})")
            }
            3 => {
                let kind = self.random.pick(&FLOATS);
                let i = self.integer_expression(depth - 1);
                format!("({})({i})", kind.name)
            }
            4 => format!("-({a})"),
            _ => {
                let kind = self.random.pick(&FLOATS);
                format!("({})({a})", kind.name)
            }
        }
    }
}
