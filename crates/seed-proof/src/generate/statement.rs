//! Statements and functions. Invariant: every loop ends, and functions call only earlier ones.

use super::{Callee, INTEGERS, Program, Type, Variable};
use std::fmt::Write;

impl Program {
    /// A variable, with its type, to assign to.
    fn target(&mut self) -> Variable {
        let count = self.globals.len() + self.locals.len();
        let at = self.random.below(count);
        self.globals
            .iter()
            .chain(&self.locals)
            .nth(at)
            .cloned()
            .unwrap_or(Variable {
                text: "sum".to_owned(),
                kind: INTEGERS[7],
            })
    }

    fn local(&mut self) {
        let kind = self.any_type();
        let value = self.value_for(kind, 1);
        let text = self.name("l");
        self.line(&format!("{} {text} = {value};", kind.name));
        self.locals.push(Variable { text, kind });
    }

    /// A check sum over `text`, a value of the type.
    fn mix(&mut self, kind: Type, text: &str) {
        let function = match (kind.float, kind.bits) {
            (true, 32) => "mix_float",
            (true, 64) => "mix_double",
            (true, _) => "mix_long_double",
            _ => "mix",
        };
        self.line(&format!("{function}({text});"));
    }

    fn call(&mut self) {
        let Some(callee) = (!self.callees.is_empty()).then(|| {
            let at = self.random.below(self.callees.len());
            self.callees[at].clone()
        }) else {
            return;
        };
        let arguments: Vec<String> = callee
            .parameters
            .iter()
            .map(|kind| self.value_for(*kind, 1))
            .collect();
        let call = format!("{}({})", callee.name, arguments.join(", "));
        if callee.parameters.is_empty() {
            self.line(&format!("{call};"));
        } else {
            self.mix(callee.result, &call);
        }
    }

    fn variadic(&mut self) {
        let mut kinds = String::new();
        let mut arguments = String::new();
        for _ in 0..=self.random.below(12) {
            match self.random.below(5) {
                0 => {
                    kinds.push('i');
                    let _ = write!(arguments, ", (int)({})", self.integer_expression(1));
                }
                1 => {
                    kinds.push('l');
                    let _ = write!(arguments, ", (long)({})", self.integer_expression(1));
                }
                2 => {
                    kinds.push('d');
                    let cast = self.random.pick(&["float", "double"]);
                    let _ = write!(arguments, ", ({cast})({})", self.float_expression(1));
                }
                3 => {
                    kinds.push('L');
                    let _ = write!(arguments, ", (long double)({})", self.float_expression(1));
                }
                _ => {
                    kinds.push('s');
                    arguments.push_str(", \"text\" EXPANDED(JOIN(a, 1))");
                }
            }
        }
        self.line(&format!("mix(variadic(\"{kinds}\"{arguments}));"));
    }

    fn assignment(&mut self) {
        let target = self.target();
        let value = self.value_for(target.kind, 2);
        let operator = if target.kind.float {
            self.random.pick(&["=", "+=", "-=", "*="])
        } else {
            self.random
                .pick(&["=", "=", "+=", "-=", "*=", "&=", "|=", "^="])
        };
        match self.random.below(8) {
            0 => self.line(&format!("{}++;", target.text)),
            1 if target.kind.bits > 1 => self.line(&format!("--{};", target.text)),
            2 if !target.kind.float => {
                self.line(&format!("mix({}{operator} {value});", target.text));
            }
            3 if target.kind.bits > 1 => {
                let step = self.random.pick(&["++", "--"]);
                self.mix(target.kind, &format!("{}{step}", target.text));
            }
            4 if !target.kind.float => {
                let count = self.random.below(8);
                let shift = self.random.pick(&["<<=", ">>="]);
                self.line(&format!("{} {shift} {count};", target.text));
            }
            _ => self.line(&format!("{} {operator} {value};", target.text)),
        }
    }

    fn nested(&mut self, depth: usize) {
        let visible = self.locals.len();
        self.indent += 1;
        for _ in 0..=self.random.below(3) {
            self.statement(depth - 1);
        }
        self.indent -= 1;
        self.locals.truncate(visible);
    }

    fn statement(&mut self, depth: usize) {
        if depth == 0 {
            return self.assignment();
        }
        match self.random.below(14) {
            0 => self.local(),
            1 => self.call(),
            2 => self.variadic(),
            3 => {
                let condition = self.expression(2);
                self.line(&format!("if ({condition}) {{"));
                self.nested(depth);
                if self.random.below(2) == 0 {
                    self.line("} else {");
                    self.nested(depth);
                }
                self.line("}");
            }
            4 => {
                let i = self.name("i");
                let end = 1 + self.random.below(6);
                self.line(&format!("for (int {i} = 0; {i} < {end}; {i}++) {{"));
                self.nested(depth);
                if self.random.below(2) == 0 {
                    let condition = self.integer_expression(1);
                    self.line(&format!("    if ({condition}) continue;"));
                    self.line(&format!("    mix({i});"));
                }
                self.line("}");
            }
            5 => {
                let (n, condition) = (self.name("n"), self.integer_expression(1));
                self.line(&format!("int {n} = 5;"));
                self.line("do {");
                self.nested(depth);
                self.line(&format!("    if ({condition}) break;"));
                self.line(&format!("}} while (--{n});"));
            }
            6 => self.switch(depth),
            7 => {
                let (again, n) = (self.name("again"), self.name("n"));
                self.line(&format!("static int {n};"));
                self.line(&format!("{again}:"));
                self.nested(depth);
                self.line(&format!("if (++{n} % 3) goto {again};"));
            }
            8 => {
                let (value, other) = (self.random.below(5), self.integer_expression(1));
                self.line(&format!("switch (setjmp(buffer)) {{ case 0: jump({value}); case 1: mix({other}); break; default: mix(99); }}"));
            }
            9 => {
                let (a, b) = (self.integer_expression(1), self.integer_expression(1));
                self.line(&format!("mix(((struct {{ int x; long y[3]; }}){{{a}, {{1, {b}}}}}).y[1] + COUNT(1, 2, 3) + APPLY(MAX, {a}, {b}));"));
            }
            10 => {
                let a = self.name("t");
                let (x, y) = (self.integer_expression(1), self.integer_expression(1));
                self.line(&format!(
                    "short {a}[][3] = {{{{{x}, 2}}, 3, 4, {y}, [3] = {{[1] = 7}}}}, *{a}q = {a}[1];"
                ));
                self.line(&format!("mix({a}q[2] + sizeof {a} + *(*({a} + 3) + 1) + {a}[0][0] + (&{a}q[2] - {a}[0]));"));
            }
            _ => self.assignment(),
        }
    }

    fn switch(&mut self, depth: usize) {
        let value = self.integer_expression(1);
        self.line(&format!("switch ((int)({value}) % 7) {{"));
        let mut case = -6;
        while case < 7 {
            self.line(&format!("case {case}:"));
            self.nested(depth);
            if self.random.below(3) > 0 {
                self.line("    break;");
            }
            case += 1 + self.random.below(4) as i32;
        }
        self.line("default:");
        self.nested(depth);
        self.line("}");
    }

    pub(super) fn function(&mut self) {
        let result = self.any_type();
        let name = self.name("function");
        self.locals.clear();
        let parameters: Vec<Type> = (0..=self.random.below(9))
            .map(|_| self.any_type())
            .collect();
        let mut texts = Vec::new();
        for kind in &parameters {
            let text = self.name("p");
            texts.push(format!("{} {text}", kind.name));
            self.locals.push(Variable { text, kind: *kind });
        }
        self.line(&format!(
            "static {} {name}({}) {{",
            result.name,
            texts.join(", ")
        ));
        self.indent += 1;
        for _ in 0..4 + self.random.below(5) {
            self.statement(2);
        }
        for local in self.locals.clone() {
            self.mix(local.kind, &local.text);
        }
        let value = self.value_for(result, 2);
        self.line(&format!("return {value};"));
        self.indent -= 1;
        self.line("}");
        self.callees.push(Callee {
            name,
            parameters,
            result,
        });
    }

    pub(super) fn main(&mut self) {
        self.locals.clear();
        self.line("int main(void) {");
        self.indent += 1;
        for _ in 0..6 {
            self.call();
            self.statement(1);
            self.line("printf(\"%lx\\n\", sum);");
        }
        for global in self.globals.clone() {
            self.mix(global.kind, &global.text);
        }
        self.line("printf(\"%lx %d %s %.3f\\n\", sum, __LINE__, EXPANDED(JOIN(x, y) + 1), 2.5);");
        self.line("return (int)(sum & 127);");
        self.indent -= 1;
        self.line("}");
    }
}
