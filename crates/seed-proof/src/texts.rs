//! Texts in the languages of the stages, made from a number: right ones, and real ones with damage.
//! Invariant: the same number gives the same text on every machine.

mod program;

pub use program::{Program, program};

use crate::assemble::{Form, Kind, rows};
use std::fmt::Write;

/// A generator of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ value >> 31
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    /// One of the list, which is not empty.
    pub fn pick<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        &list[self.below(list.len())]
    }
}

/// A text for S0.
pub fn hex(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.below(60) {
        match random.below(8) {
            0 => text.push('\n'),
            1 => text.push_str(" \t"),
            2 => text.push_str("; a comment: 41 ; 4\n"),
            _ => {
                let _ = write!(text, "{:02X} ", random.below(256));
            }
        }
    }
    text.into_bytes()
}

/// A text for S1.
pub fn linked(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    let labels = 1 + random.below(6);
    for label in 0..labels {
        let _ = writeln!(text, ":label{label} ; here");
        for _ in 0..random.below(12) {
            let name = random.below(labels);
            let _ = match random.below(10) {
                0 => write!(text, ".label{name} "),
                1 => write!(text, "%label{name} "),
                2 => write!(text, "&label{name} "),
                3 => writeln!(text, "#label{name}"),
                4 => write!(text, "\"text ; {name}\" "),
                5 => writeln!(text, "; :label0 41"),
                _ => write!(text, "{:02X} ", random.below(256)),
            };
        }
    }
    text.into_bytes()
}

const REGISTERS: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

/// A text for S2: lines of every instruction it knows, with labels, constants, memory and data.
pub fn assembly(random: &mut Random) -> Vec<u8> {
    let table = rows();
    let mut text = String::from("def size 24\nbss space size*8\n").replace('*', "+");
    let labels = 1 + random.below(5);
    for label in 0..labels {
        let _ = writeln!(text, "label{label}: ; here");
        for _ in 0..random.below(14) {
            if random.below(9) == 0 {
                let _ = writeln!(
                    text,
                    "\tdb {}, \"a;b\", 'c', -{}",
                    random.below(256),
                    random.below(256)
                );
                continue;
            }
            let row = random.pick(&table).clone();
            let operands: Vec<String> = row
                .kinds
                .iter()
                .map(|kind| match (kind, row.form, row.kinds.len()) {
                    (Kind::ByteRegister, Form::Field(_), 2) => "cl".to_owned(),
                    _ => operand(random, *kind, row.form, labels),
                })
                .collect();
            let _ = writeln!(text, "  {} {}", row.name, operands.join(" , "));
        }
    }
    text.into_bytes()
}

fn operand(random: &mut Random, kind: Kind, form: Form, labels: usize) -> String {
    let memory = |random: &mut Random| match random.below(4) {
        0 => format!("[{}]", random.pick(&REGISTERS)),
        1 => format!("[{}+{}]", random.pick(&REGISTERS), random.below(100_000)),
        2 => format!("[ {} - size ]", random.pick(&REGISTERS)),
        _ => format!("[space+{}]", random.below(24)),
    };
    match kind {
        Kind::Register => (*random.pick(&REGISTERS)).to_owned(),
        Kind::ByteRegister => (*random.pick(&["al", "cl", "dl", "bl"])).to_owned(),
        Kind::Memory => memory(random),
        Kind::ByteMemory => format!("byte {}", memory(random)),
        Kind::Number => match (form, random.below(5)) {
            (Form::Field8(_), _) => random.below(128).to_string(),
            (Form::Distance, _) => format!("label{}", random.below(labels)),
            (_, 0) => "'x'".to_owned(),
            (_, 1) => format!("-0x{:x}", random.below(0x7FFF_FFFF)),
            (_, 2) => format!("label{} - label0", random.below(labels)),
            (_, 3) => "space + size".to_owned(),
            _ => random.below(0x7FFF_FFFF).to_string(),
        },
    }
}

/// The text with a few bytes changed, removed, repeated or put in.
pub fn damage(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=random.below(3) {
        if text.is_empty() {
            break;
        }
        let at = random.below(text.len());
        match random.below(5) {
            0 => text[at] ^= 1 << random.below(8),
            1 => {
                text.remove(at);
            }
            2 => text.insert(at, *random.pick(b"0Fg :;.%&#\"'[]+-,\n\0\t\x80")),
            3 => {
                let end = (at + random.below(20)).min(text.len());
                let piece = text[at..end].to_vec();
                let place = random.below(text.len());
                text.splice(place..place, piece);
            }
            _ => text.truncate(at),
        }
    }
    text
}

/// Some lines of a real source, so that its labels may be missing.
pub fn excerpt(text: &[u8], random: &mut Random) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let start = random.below(lines.len());
    let end = (start + random.below(40)).min(lines.len());
    lines[start..end].concat()
}
