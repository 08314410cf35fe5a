//! C programs for comparing compilers: from a seed, always the same program, which prints check sums of everything it computes.
//!
//! Invariant: a generated program has defined behaviour for every compiler that wraps signed arithmetic (`-fwrapv`): shift counts,
//! divisors, indexes and conversions from floating types are kept in range, no result depends on the order of evaluation, and no
//! output depends on the sign or payload of a NaN.

mod expression;
mod extension;
mod statement;
#[cfg(test)]
mod tests;

use std::fmt::Write;

/// A small generator of random numbers (splitmix64): the same on every machine.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is not zero.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// The arithmetic types, and how each prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Type {
    name: &'static str,
    bits: u32,
    float: bool,
}

const fn integer(name: &'static str, bits: u32) -> Type {
    Type {
        name,
        bits,
        float: false,
    }
}

const fn float(name: &'static str, bits: u32) -> Type {
    Type {
        name,
        bits,
        float: true,
    }
}

const INTEGERS: [Type; 10] = [
    integer("signed char", 8),
    integer("unsigned char", 8),
    integer("short", 16),
    integer("unsigned short", 16),
    integer("int", 32),
    integer("unsigned", 32),
    integer("long", 64),
    integer("unsigned long", 64),
    integer("long long", 64),
    integer("_Bool", 1),
];

const FLOATS: [Type; 3] = [
    float("float", 32),
    float("double", 64),
    float("long double", 80),
];

/// Something that can be read and assigned.
#[derive(Debug, Clone)]
struct Variable {
    text: String,
    kind: Type,
}

/// A function of the program: its name, parameters and result.
#[derive(Debug, Clone)]
struct Callee {
    name: String,
    parameters: Vec<Type>,
    result: Type,
}

/// The state of one program's generation.
#[derive(Debug)]
struct Program {
    random: Random,
    text: String,
    globals: Vec<Variable>,
    locals: Vec<Variable>,
    callees: Vec<Callee>,
    /// Numbers names.
    names: usize,
    indent: usize,
}

/// The fixed beginning: check sums, and functions with varying arguments.
const PRELUDE: &str = r"#include <stdio.h>
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

static unsigned long sum = 5381;
static void mix(unsigned long v) { sum = (sum ^ v) * 1099511628211ul + (sum >> 29); }
static void mix_double(double v) { unsigned long u = 0; if (v != v) v = 0; memcpy(&u, &v, 8); mix(u); }
static void mix_float(float v) { unsigned u = 0; if (v != v) v = 0; memcpy(&u, &v, 4); mix(u); }
static void mix_long_double(long double v) {
    unsigned char b[16] = {0};
    int i;
    if (v != v) v = 0;
    memcpy(b, &v, 10);
    for (i = 0; i < 10; i++) mix(b[i]);
}
static long to_long(long double v) { return v > -4e18L && v < 4e18L ? (long)v : 7; }
static jmp_buf buffer;
static long variadic(const char *kinds, ...) {
    va_list list, copy;
    long total = 0;
    int pass;
    va_start(list, kinds);
    va_copy(copy, list);
    for (pass = 0; pass < 2; pass++) {
        const char *k;
        for (k = kinds; *k; k++)
            switch (*k) {
            case 'i': total = total * 31 + (pass ? va_arg(copy, int) : va_arg(list, int)); break;
            case 'l': total = total * 37 + (pass ? va_arg(copy, long) : va_arg(list, long)); break;
            case 'd': total = total * 41 + to_long(pass ? va_arg(copy, double) : va_arg(list, double)); break;
            case 'L': total = total * 43 + to_long(pass ? va_arg(copy, long double) : va_arg(list, long double)); break;
            default: total = total * 47 + (long)strlen(pass ? va_arg(copy, char *) : va_arg(list, char *));
            }
    }
    va_end(copy);
    va_end(list);
    return total;
}
static void jump(int v) { longjmp(buffer, v); }
#define JOIN(a, b) a##b
#define TEXT(x) #x
#define EXPANDED(x) TEXT(x)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define COUNT(first, ...) (sizeof (int[]){0, __VA_ARGS__} / sizeof(int))
#define APPLY(m, ...) m(__VA_ARGS__)
";

/// The program of `seed`.
pub fn program(seed: u64) -> String {
    let mut program = Program {
        random: Random(seed),
        text: format!("/* program {seed} */\n{PRELUDE}"),
        globals: Vec::new(),
        locals: Vec::new(),
        callees: Vec::new(),
        names: 0,
        indent: 0,
    };
    program.declare_globals();
    program.extensions();
    for _ in 0..3 + program.random.below(3) {
        program.function();
    }
    program.main();
    program.text
}

impl Program {
    fn line(&mut self, line: &str) {
        let indent = self.indent;
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = indent * 4);
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn any_type(&mut self) -> Type {
        if self.random.below(4) == 0 {
            self.random.pick(&FLOATS)
        } else {
            self.random.pick(&INTEGERS)
        }
    }

    /// A constant of the type, as C text.
    fn literal(&mut self, kind: Type) -> String {
        if kind.float {
            let whole = self.random.below(2000) as i64 - 1000;
            let part = self.random.below(1000);
            let exponent = self.random.pick(&["", "", "e3", "e-2", "e10", "e-7"]);
            let suffix = match kind.bits {
                32 => "f",
                64 => "",
                _ => "L",
            };
            return format!("{whole}.{part}{exponent}{suffix}");
        }
        let value = match self.random.below(4) {
            0 => self.random.below(4) as u64,
            1 => self.random.below(256) as u64,
            2 => u64::MAX >> self.random.below(64),
            _ => self.random.next(),
        };
        match kind.bits {
            64 => format!("{value}ul"),
            32 => format!("{}u", value as u32),
            _ => format!("{}", (value as u32) >> 1),
        }
    }

    /// The initial value of a variable: a constant expression.
    fn initial(&mut self, kind: Type) -> String {
        let text = self.literal(kind);
        match self.random.below(3) {
            0 => format!("-({text})"),
            1 if kind.float => {
                let other = self.literal(kind);
                let operator = self.random.pick(&["+", "-", "*", "/"]);
                format!("({text}) {operator} ({other})")
            }
            1 => {
                let n = self.random.below(9);
                format!("~{text} + {n} * (int)sizeof(char[{}])", n + 1)
            }
            _ => text,
        }
    }

    fn declare_globals(&mut self) {
        for _ in 0..4 {
            let kind = self.any_type();
            let name = self.name("g");
            let initial = self.initial(kind);
            let storage = self.random.pick(&["", "static "]);
            self.line(&format!("{storage}{} {name} = {initial};", kind.name));
            self.globals.push(Variable { text: name, kind });
        }
        for _ in 0..2 {
            self.aggregate();
        }
        let kind = self.random.pick(&INTEGERS);
        let name = self.name("a");
        let mut values = Vec::new();
        for i in 0..=self.random.below(6) {
            let value = self.initial(kind);
            if self.random.below(4) == 0 {
                values.push(format!("[{}] = {value}", (i * 3) % 8));
            } else {
                values.push(value);
            }
        }
        self.line(&format!(
            "static {} {name}[11] = {{{}}};",
            kind.name,
            values.join(", ")
        ));
        for i in [0, 3, 7] {
            let text = format!("{name}[{i}]");
            self.globals.push(Variable { text, kind });
        }
    }

    /// A struct with bit-fields, a nested union and an array, and a variable of it.
    fn aggregate(&mut self) {
        let tag = self.name("s");
        let variable = self.name("v");
        let mut fields = Vec::new();
        let mut values = Vec::new();
        self.line(&format!("struct {tag} {{"));
        self.indent += 1;
        for _ in 0..3 + self.random.below(5) {
            let field = self.name("f");
            if self.random.below(2) == 0 {
                let kind = self.random.pick(&[
                    INTEGERS[4],
                    INTEGERS[5],
                    INTEGERS[1],
                    INTEGERS[2],
                    INTEGERS[9],
                ]);
                let width = 1 + self.random.below(kind.bits.min(31) as usize) as u32;
                self.line(&format!("{} {field} : {width};", kind.name));
                if self.random.below(6) == 0 {
                    self.line("int : 0;");
                }
                fields.push(Variable {
                    text: format!("{variable}.{field}"),
                    kind,
                });
                values.push(format!("{}", self.random.below(2)));
            } else {
                let kind = self.any_type();
                self.line(&format!("{} {field};", kind.name));
                let text = format!("{variable}.{field}");
                fields.push(Variable { text, kind });
                values.push(self.initial(kind));
            }
        }
        let (inner, array) = (self.name("u"), self.name("f"));
        self.line(&format!(
            "union {{ long {inner}; unsigned char {array}[12]; }};"
        ));
        self.line("struct { short x, y; } pair[2];");
        self.indent -= 1;
        self.line("};");
        for text in [
            inner.clone(),
            "pair[1].y".to_owned(),
            "pair[0].x".to_owned(),
        ] {
            let kind = if text == inner {
                INTEGERS[6]
            } else {
                INTEGERS[2]
            };
            fields.push(Variable {
                text: format!("{variable}.{text}"),
                kind,
            });
        }
        fields.push(Variable {
            text: format!("{variable}.{array}[2]"),
            kind: INTEGERS[1],
        });
        let rest = self
            .random
            .pick(&["", ", {5}, {{1, 2}, {3}}", ", 9, 1, 2, 3"]);
        self.line(&format!(
            "static struct {tag} {variable} = {{{}{rest}}}, *{variable}p = &{variable};",
            values.join(", ")
        ));
        if self.random.below(2) == 0 {
            for field in &mut fields {
                field.text = field.text.replacen('.', "p->", 1);
            }
        }
        self.line(&format!("static struct {tag} {variable}copy(struct {tag} s, int n) {{ s.pair[1].x += n; {variable}.{inner} ^= n; return s; }}"));
        self.line(&format!("static void {variable}check(void) {{ struct {tag} t = {variable}copy({variable}, 3); mix(t.pair[1].x); t = *{variable}p; mix(t.{inner}); mix(sizeof t); {variable} = {variable}copy(t, 1); }}"));
        self.callees.push(Callee {
            name: format!("{variable}check"),
            parameters: Vec::new(),
            result: INTEGERS[9],
        });
        self.globals.extend(fields);
    }
}
