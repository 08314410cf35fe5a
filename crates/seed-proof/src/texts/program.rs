//! Programs in the subset of C together with what they must write: each is made and evaluated at once.
//! Invariant: all values are `long` variables, array elements or bytes, so that every C compiler agrees.

use super::Random;
use std::fmt::Write;

/// A program and what it writes to descriptor 1.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its source.
    pub text: String,
    /// Its output.
    pub output: Vec<u8>,
}

/// Variables `v0` to `v7`, `longs[8]`, `chars[8]`.
struct State {
    variables: [i64; 8],
    longs: [i64; 8],
    chars: [u8; 8],
}

struct Writer<'random> {
    random: &'random mut Random,
    state: State,
    text: String,
    depth: usize,
}

/// Makes a program.
pub fn program(random: &mut Random) -> Program {
    let mut text = String::from("// made by a number\nenum { EIGHT = 8, NINE, MASK = 0x7 };\n");
    text.push_str("long longs[EIGHT];\nchar chars[8];\nlong v0; long v1; long v2; long v3;\n");
    text.push_str("long v4; long v5; long v6; long v7;\nchar bytes[8];\nlong twice(long x);\n");
    text.push_str("long put(long x) {\n  long i = 0;\n  while (i < EIGHT) { bytes[i] = x >> i * EIGHT; i = i + 1; }\n");
    text.push_str("  return os_write(1, bytes, 0, EIGHT);\n}\n");
    text.push_str("long less(long a, long b) { if (a < b) return a; else return b; }\n");
    text.push_str("long length(char *s) { long n = 0; while (s[n] != 0) n = n + 1; return n; }\n");
    text.push_str("long start() {\n");
    let mut writer = Writer {
        random,
        state: State {
            variables: [0; 8],
            longs: [0; 8],
            chars: [0; 8],
        },
        text,
        depth: 1,
    };
    for _ in 0..6 + writer.random.below(20) {
        writer.statement(true);
    }
    let mut text = writer.text;
    let state = writer.state;
    let mut output = Vec::new();
    for (index, value) in state.variables.iter().enumerate() {
        let _ = writeln!(
            text,
            "  put(v{index});\n  put(longs[{index}]);\n  put(chars[{index}]);"
        );
        output.extend(value.to_le_bytes());
        output.extend(state.longs[index].to_le_bytes());
        output.extend(i64::from(state.chars[index] as i8).to_le_bytes());
    }
    text.push_str("  return 0;\n}\nlong twice(long x) { return x + x; }\n");
    Program { text, output }
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(self.depth));
    }

    /// Writes a statement; executes it if `live`.
    fn statement(&mut self, live: bool) {
        let choice = if self.depth > 4 { 4 } else { 8 };
        match self.random.below(choice) {
            0 | 1 => {
                let (text, value) = self.expression(3);
                let index = self.random.below(8);
                self.line(&format!("v{index} = {text};"));
                if live {
                    self.state.variables[index] = value;
                }
            }
            2 => {
                let ((place, index), (text, value)) = (self.expression(1), self.expression(2));
                self.line(&format!("longs[({place}) & MASK] = {text};"));
                if live {
                    self.state.longs[(index & 7) as usize] = value;
                }
            }
            3 => {
                let ((place, index), (text, value)) = (self.expression(1), self.expression(2));
                self.line(&format!("chars[({place}) & MASK] = {text};"));
                if live {
                    self.state.chars[(index & 7) as usize] = value as u8;
                }
            }
            4 => {
                let count = self.random.below(5);
                // A variable that counts, and a body that runs at the last turn only.
                let index = self.random.below(8);
                self.line(&format!("v{index} = 0;"));
                self.line(&format!(
                    "while (1) {{ if (v{index} >= {count} + v{index} * 0) break;"
                ));
                self.line(&format!(
                    "  v{index} = v{index} + 1; if (v{index} != NINE) continue; }}"
                ));
                if live {
                    self.state.variables[index] = count as i64;
                }
            }
            _ => {
                let (text, value) = self.expression(2);
                self.line(&format!("if ({text}) {{"));
                self.depth += 1;
                for _ in 0..=self.random.below(2) {
                    self.statement(live && value != 0);
                }
                self.depth -= 1;
                if self.random.below(2) == 0 {
                    self.line("} else");
                    self.depth += 1;
                    self.statement_single(live && value == 0);
                    self.depth -= 1;
                } else {
                    self.line("}");
                }
            }
        }
    }

    /// One statement in a block of its own.
    fn statement_single(&mut self, live: bool) {
        self.line("{");
        self.statement(live);
        self.line("}");
    }

    /// An expression and its value.
    fn expression(&mut self, depth: usize) -> (String, i64) {
        if depth == 0 || self.random.below(6) == 0 {
            return self.leaf();
        }
        match self.random.below(12) {
            0 => {
                let (text, value) = self.expression(depth - 1);
                (format!("-({text})"), value.wrapping_neg())
            }
            1 => {
                let (text, value) = self.expression(depth - 1);
                (format!("~({text})"), !value)
            }
            2 => {
                let (text, value) = self.expression(depth - 1);
                (format!("!({text})"), i64::from(value == 0))
            }
            3 => {
                let (text, value) = self.expression(depth - 1);
                (format!("twice({text})"), value.wrapping_add(value))
            }
            4 => {
                let (a, b) = (self.expression(depth - 1), self.expression(depth - 1));
                (format!("less({}, {})", a.0, b.0), a.1.min(b.1))
            }
            5 => {
                let (text, value) = self.expression(depth - 1);
                let value = self.state.longs[(value & 7) as usize];
                (format!("longs[({text}) & 7]"), value)
            }
            _ => self.binary(depth),
        }
    }

    fn binary(&mut self, depth: usize) -> (String, i64) {
        let ((left, a), (right, b)) = (self.expression(depth - 1), self.expression(depth - 1));
        let operators = [
            "+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=",
            "&&", "||",
        ];
        let operator = *self.random.pick(&operators);
        let text = match operator {
            // No division by zero or of the least number, no count outside 0 to 63.
            "/" | "%" => format!("(({left} >> 1) {operator} ((({right}) & 0xff) + 1))"),
            "<<" | ">>" => format!("(v0 * 0 + ({left}) {operator} (({right}) & 63))"),
            _ => format!("((v0 & 0) + ({left}) {operator} ({right}))"),
        };
        // Addition binds more tightly than all but `*`, `/` and `%`, and adds zero.
        let divisor = (b & 0xFF) + 1;
        let value = match operator {
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" => (a >> 1) / divisor,
            "%" => (a >> 1) % divisor,
            "<<" => a << (b & 63),
            ">>" => a >> (b & 63),
            "&" => a & b,
            "|" => a | b,
            "^" => a ^ b,
            "<" => i64::from(a < b),
            "<=" => i64::from(a <= b),
            ">" => i64::from(a > b),
            ">=" => i64::from(a >= b),
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "&&" => i64::from(a != 0 && b != 0),
            _ => i64::from(a != 0 || b != 0),
        };
        (text, value)
    }

    fn leaf(&mut self) -> (String, i64) {
        match self.random.below(6) {
            0 => {
                let value = (self.random.number() >> 1) as i64;
                (format!("0x{value:x}"), value)
            }
            1 => {
                let value = self.random.below(300) as i64;
                (format!("(v1 & 0 | {value})"), value)
            }
            2 => {
                let index = self.random.below(8);
                let value = i64::from(self.state.chars[index] as i8);
                (format!("(v2 * 0 + chars[{index}])"), value)
            }
            3 => {
                let words = ["", "a", "two \\\\\\n\\\"", "longer text"];
                let lengths = [0, 1, 7, 11];
                let index = self.random.below(4);
                (format!("length(\"{}\")", words[index]), lengths[index])
            }
            _ => {
                let index = self.random.below(8);
                (format!("v{index}"), self.state.variables[index])
            }
        }
    }
}
