//! From the text of an instruction to every byte sequence that means it (Intel SDM volume 2).
//!
//! Listings may choose any of them; the shortest comes first. Invariant: each returned encoding decodes
//! to the same instruction, so "the bytes are among the encodings" is what makes an annotation true.

use super::operand::{Memory, Operand, Register};

/// A byte of the output, or a place that a label fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A byte.
    Byte(u8),
    /// One byte: distance from the next byte to the label.
    Rel8(String),
    /// Four bytes: distance from the byte after them to the label.
    Rel32(String),
    /// Four bytes: the label's address.
    Abs32(String),
    /// Four bytes: the label's offset in the file.
    Offset32(String),
}

impl Item {
    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        match self {
            Item::Byte(_) | Item::Rel8(_) => 1,
            _ => 4,
        }
    }
}

/// One way to encode an instruction.
pub type Encoding = Vec<Item>;

/// The eight arithmetic operations in the order of their opcodes.
pub const ARITHMETIC: [&str; 8] = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];

/// The condition number of a jump or set suffix.
pub fn condition(suffix: &str) -> Option<u8> {
    Some(match suffix {
        "o" => 0,
        "no" => 1,
        "b" | "c" => 2,
        "ae" | "nc" => 3,
        "e" | "z" => 4,
        "ne" | "nz" => 5,
        "be" => 6,
        "a" => 7,
        "s" => 8,
        "ns" => 9,
        "p" => 10,
        "np" => 11,
        "l" => 12,
        "ge" => 13,
        "le" => 14,
        "g" => 15,
        _ => return None,
    })
}

fn bytes(list: &[u8]) -> Encoding {
    list.iter().copied().map(Item::Byte).collect()
}

fn immediate(value: i64, width: usize) -> Encoding {
    bytes(&value.to_le_bytes()[..width])
}

fn fits8(value: i64) -> bool {
    i8::try_from(value).is_ok()
}

/// Whether four bytes hold the value for an operand of this width.
fn fits32(value: i64, width: u8) -> bool {
    i32::try_from(value).is_ok() || (width == 4 && u32::try_from(value).is_ok())
}

/// Instructions without operands.
fn plain(text: &str) -> Option<&'static [u8]> {
    Some(match text {
        "ret" => &[0xC3],
        "syscall" => &[0x0F, 0x05],
        "cqo" => &[0x48, 0x99],
        "cdq" => &[0x99],
        "lodsb" => &[0xAC],
        "lodsd" => &[0xAD],
        "stosb" => &[0xAA],
        "stosd" => &[0xAB],
        "stosq" => &[0x48, 0xAB],
        "movsb" => &[0xA4],
        "movsd" => &[0xA5],
        "cmpsb" => &[0xA6],
        "scasb" => &[0xAE],
        "rep movsb" => &[0xF3, 0xA4],
        "rep stosb" => &[0xF3, 0xAA],
        "repe cmpsb" => &[0xF3, 0xA6],
        "repne scasb" => &[0xF2, 0xAE],
        "cld" => &[0xFC],
        "ud2" => &[0x0F, 0x0B],
        _ => return None,
    })
}

/// The register-or-memory part of an instruction: what its ModRM byte and what follows may be.
struct Place {
    /// REX bits X and B.
    rex: u8,
    /// A byte register that needs an empty REX prefix, or forbids one.
    low: bool,
    high: bool,
    /// ModRM (without the register field), SIB and displacement, each way.
    forms: Vec<Encoding>,
}

fn needs_rex(register: Register) -> bool {
    register.width == 1 && !register.high && (4..8).contains(&register.number)
}

fn place_of(operand: &Operand) -> Option<Place> {
    match operand {
        Operand::Register(register) => Some(Place {
            rex: register.number >> 3,
            low: needs_rex(*register),
            high: register.high,
            forms: vec![bytes(&[0xC0 | (register.number & 7)])],
        }),
        Operand::Memory(memory) => memory_place(memory),
        _ => None,
    }
}

fn memory_place(memory: &Memory) -> Option<Place> {
    let index = match memory.index {
        Some((number, scale)) => Some((number, scale.checked_ilog2().filter(|s| 1 << s == scale)?)),
        None => None,
    };
    let rex = index.map_or(0, |(number, _)| number >> 3 << 1) | memory.base.map_or(0, |b| b >> 3);
    let far = |mut head: Encoding| -> Option<Encoding> {
        match &memory.label {
            Some(label) if memory.displacement == 0 => head.push(Item::Abs32(label.clone())),
            Some(_) => return None,
            None => {
                i32::try_from(memory.displacement).ok()?;
                head.extend(immediate(memory.displacement, 4));
            }
        }
        Some(head)
    };
    let sib = |base: u8| match index {
        Some((number, scale)) => Some((scale as u8) << 6 | (number & 7) << 3 | base & 7),
        None if base & 7 == 4 => Some(0x24),
        None => None,
    };
    let mut forms = Vec::new();
    match memory.base {
        Some(base) => {
            let head = |mode: u8| match sib(base) {
                Some(sib) => bytes(&[mode << 6 | 4, sib]),
                None => bytes(&[mode << 6 | base & 7]),
            };
            if memory.label.is_none() {
                if memory.displacement == 0 && base & 7 != 5 {
                    forms.push(head(0));
                }
                if fits8(memory.displacement) {
                    let mut near = head(1);
                    near.extend(immediate(memory.displacement, 1));
                    forms.push(near);
                }
            }
            forms.push(far(head(2))?);
        }
        None => {
            let sib = index.map_or(0x25, |(number, scale)| {
                (scale as u8) << 6 | (number & 7) << 3 | 5
            });
            forms.push(far(bytes(&[4, sib]))?);
        }
    }
    Some(Place {
        rex,
        low: false,
        high: false,
        forms,
    })
}

/// Prefix, opcode, ModRM and what follows, each way; `field` is the register field, `wide` REX.W.
fn with_place(
    opcode: &[u8],
    wide: bool,
    field: Field,
    operand: &Operand,
    tail: &[Item],
) -> Vec<Encoding> {
    let Some(place) = place_of(operand) else {
        return Vec::new();
    };
    let (number, low, high) = match field {
        Field::Number(number) => (number, false, false),
        Field::Register(register) => (register.number, needs_rex(register), register.high),
    };
    let bits = u8::from(wide) << 3 | number >> 3 << 2 | place.rex;
    let rex = bits != 0 || low || place.low;
    if rex && (high || place.high) {
        return Vec::new();
    }
    place
        .forms
        .into_iter()
        .map(|form| {
            let mut out = Vec::new();
            if rex {
                out.push(Item::Byte(0x40 | bits));
            }
            out.extend(bytes(opcode));
            let mut form = form.into_iter();
            if let Some(Item::Byte(modrm)) = form.next() {
                out.push(Item::Byte(modrm | (number & 7) << 3));
            }
            out.extend(form);
            out.extend(tail.iter().cloned());
            out
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Field {
    Number(u8),
    Register(Register),
}

fn width_of(operand: &Operand) -> Option<u8> {
    match operand {
        Operand::Register(register) => Some(register.width),
        Operand::Memory(memory) => memory.width,
        _ => None,
    }
}

/// All encodings of one instruction, shortest first; empty if the text is no instruction of the subset.
pub fn encodings(text: &str) -> Vec<Encoding> {
    let text = text.trim();
    if let Some(fixed) = plain(text) {
        return vec![bytes(fixed)];
    }
    let Some((name, rest)) = text.split_once(' ') else {
        return Vec::new();
    };
    // A quoted comma separates nothing.
    let rest = rest.replace("','", "0x2C");
    let operands: Option<Vec<Operand>> = rest.split(',').map(Operand::parse).collect();
    let mut found = match operands.as_deref() {
        Some([one]) => unary(name, one),
        Some([to, from]) => binary(name, to, from),
        Some([Operand::Register(to), from, Operand::Number(by)]) if name == "imul" => {
            multiply(*to, from, *by)
        }
        _ => Vec::new(),
    };
    found.sort_by_key(|encoding| encoding.iter().map(Item::size).sum::<usize>());
    found
}

fn multiply(to: Register, from: &Operand, by: i64) -> Vec<Encoding> {
    let mut found = Vec::new();
    let (wide, field) = (to.width == 8, Field::Register(to));
    if fits8(by) {
        found.extend(with_place(&[0x6B], wide, field, from, &immediate(by, 1)));
    }
    if fits32(by, to.width) {
        found.extend(with_place(&[0x69], wide, field, from, &immediate(by, 4)));
    }
    found
}

fn unary(name: &str, one: &Operand) -> Vec<Encoding> {
    if let Operand::Label(label) = one {
        let near = |opcode: &[u8]| {
            let mut out = bytes(opcode);
            out.push(Item::Rel32(label.clone()));
            out
        };
        let short = |opcode: u8| vec![Item::Byte(opcode), Item::Rel8(label.clone())];
        return match name {
            "call" => vec![near(&[0xE8])],
            "jmp" => vec![short(0xEB), near(&[0xE9])],
            "loop" => vec![short(0xE2)],
            _ => match name.strip_prefix('j').and_then(condition) {
                Some(code) => vec![short(0x70 | code), near(&[0x0F, 0x80 | code])],
                None => Vec::new(),
            },
        };
    }
    if let (Operand::Number(value), "push") = (one, name) {
        let mut found = Vec::new();
        if fits8(*value) {
            found.push([bytes(&[0x6A]), immediate(*value, 1)].concat());
        }
        if fits32(*value, 8) {
            found.push([bytes(&[0x68]), immediate(*value, 4)].concat());
        }
        return found;
    }
    if let Some(code) = name.strip_prefix("set").and_then(condition) {
        return match width_of(one) {
            Some(1) => with_place(&[0x0F, 0x90 | code], false, Field::Number(0), one, &[]),
            _ => Vec::new(),
        };
    }
    let Some(width) = width_of(one) else {
        return Vec::new();
    };
    // push, pop, jmp and call are 64 bits wide without REX.W.
    let stack = |opcode: u8, field: u8| {
        if width == 8 {
            with_place(&[opcode], false, Field::Number(field), one, &[])
        } else {
            Vec::new()
        }
    };
    let sized = |opcode: u8, field: u8| {
        let opcode = if width == 1 { opcode } else { opcode | 1 };
        with_place(&[opcode], width == 8, Field::Number(field), one, &[])
    };
    let mut found = match name {
        "push" => stack(0xFF, 6),
        "pop" => stack(0x8F, 0),
        "jmp" => stack(0xFF, 4),
        "call" => stack(0xFF, 2),
        "inc" => sized(0xFE, 0),
        "dec" => sized(0xFE, 1),
        "not" => sized(0xF6, 2),
        "neg" => sized(0xF6, 3),
        "mul" => sized(0xF6, 4),
        "imul" => sized(0xF6, 5),
        "div" => sized(0xF6, 6),
        "idiv" => sized(0xF6, 7),
        _ => Vec::new(),
    };
    if let (Operand::Register(register), "push" | "pop") = (one, name)
        && width == 8
    {
        let opcode = if name == "push" { 0x50 } else { 0x58 } | (register.number & 7);
        found.push(match register.number >> 3 {
            0 => bytes(&[opcode]),
            _ => bytes(&[0x41, opcode]),
        });
    }
    found
}

fn binary(name: &str, to: &Operand, from: &Operand) -> Vec<Encoding> {
    if let Some(operation) = ARITHMETIC.iter().position(|known| *known == name) {
        return arithmetic(operation as u8, to, from);
    }
    let Some(width) = width_of(to).or(width_of(from)) else {
        return Vec::new();
    };
    let wide = width == 8;
    let sized = |opcode: u8| [if width == 1 { opcode } else { opcode | 1 }];
    let same =
        |a: &Operand, b: &Operand| width_of(a).is_none_or(|w| width_of(b).is_none_or(|v| v == w));
    match (name, to, from) {
        ("mov", _, _) => moves(width, to, from),
        ("test", _, Operand::Register(register)) if same(to, from) => {
            with_place(&sized(0x84), wide, Field::Register(*register), to, &[])
        }
        (
            "test",
            Operand::Register(Register {
                number: 0,
                width: 1,
                ..
            }),
            Operand::Number(value),
        ) => {
            vec![[bytes(&[0xA8]), immediate(*value, 1)].concat()]
        }
        ("test", _, Operand::Number(value)) => {
            let size = if width == 1 { 1 } else { 4 };
            let tail = immediate(*value, size);
            with_place(&sized(0xF6), wide, Field::Number(0), to, &tail)
        }
        ("xchg", Operand::Register(a), Operand::Register(b)) if a.width == b.width => {
            let mut found = with_place(&sized(0x86), wide, Field::Register(*b), to, &[]);
            found.extend(with_place(
                &sized(0x86),
                wide,
                Field::Register(*a),
                from,
                &[],
            ));
            let other = if a.number == 0 { b } else { a };
            if width != 1 && (a.number == 0 || b.number == 0) && other.number != 0 {
                let rex = u8::from(wide) << 3 | other.number >> 3;
                let opcode = 0x90 | (other.number & 7);
                found.push(match rex {
                    0 => bytes(&[opcode]),
                    _ => bytes(&[0x40 | rex, opcode]),
                });
            }
            found
        }
        ("lea", Operand::Register(register), Operand::Memory(_)) => {
            with_place(&[0x8D], wide, Field::Register(*register), from, &[])
        }
        ("imul", Operand::Register(register), _) if width != 1 && same(to, from) => {
            with_place(&[0x0F, 0xAF], wide, Field::Register(*register), from, &[])
        }
        ("movzx" | "movsx", Operand::Register(register), _)
            if width != 1 && width_of(from) == Some(1) =>
        {
            let opcode = if name == "movzx" { 0xB6 } else { 0xBE };
            with_place(&[0x0F, opcode], wide, Field::Register(*register), from, &[])
        }
        ("movsxd", Operand::Register(register), _) if width_of(from) == Some(4) => {
            with_place(&[0x63], wide, Field::Register(*register), from, &[])
        }
        ("shl" | "shr" | "sar", _, _) => {
            let field = Field::Number(match name {
                "shl" => 4,
                "shr" => 5,
                _ => 7,
            });
            match from {
                Operand::Number(by) => {
                    let mut found = with_place(&sized(0xC0), wide, field, to, &immediate(*by, 1));
                    if *by == 1 {
                        found.extend(with_place(&sized(0xD0), wide, field, to, &[]));
                    }
                    found
                }
                Operand::Register(Register {
                    number: 1,
                    width: 1,
                    ..
                }) => with_place(&sized(0xD2), wide, field, to, &[]),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn arithmetic(operation: u8, to: &Operand, from: &Operand) -> Vec<Encoding> {
    let mut found = Vec::new();
    let Some(width) = width_of(to).or(width_of(from)) else {
        return found;
    };
    let wide = width == 8;
    let sized = |opcode: u8| [operation << 3 | opcode | u8::from(width != 1)];
    match from {
        Operand::Register(register) if register.width == width => {
            found.extend(with_place(
                &sized(0),
                wide,
                Field::Register(*register),
                to,
                &[],
            ));
        }
        Operand::Number(value) => {
            let field = Field::Number(operation);
            if width == 1 {
                if (-128..256).contains(value) {
                    found.extend(with_place(&[0x80], wide, field, to, &immediate(*value, 1)));
                }
            } else {
                if fits8(*value) {
                    found.extend(with_place(&[0x83], wide, field, to, &immediate(*value, 1)));
                }
                if fits32(*value, width) {
                    found.extend(with_place(&[0x81], wide, field, to, &immediate(*value, 4)));
                }
            }
            let accumulator = matches!(to, Operand::Register(Register { number: 0, .. }));
            let size = if width == 1 { 1 } else { 4 };
            if accumulator && (width == 1 || fits32(*value, width)) {
                let prefix: &[u8] = if wide { &[0x48] } else { &[] };
                found.push([bytes(prefix), bytes(&sized(4)), immediate(*value, size)].concat());
            }
        }
        Operand::Label(label) if width != 1 => {
            let tail = [Item::Abs32(label.clone())];
            found.extend(with_place(
                &[0x81],
                wide,
                Field::Number(operation),
                to,
                &tail,
            ));
        }
        _ => {}
    }
    if let Operand::Register(register) = to
        && register.width == width
        && width_of(from).is_none_or(|from| from == width)
    {
        found.extend(with_place(
            &sized(2),
            wide,
            Field::Register(*register),
            from,
            &[],
        ));
    }
    found
}

fn moves(width: u8, to: &Operand, from: &Operand) -> Vec<Encoding> {
    let wide = width == 8;
    let sized = |opcode: u8| [if width == 1 { opcode } else { opcode | 1 }];
    let mut found = Vec::new();
    if let Operand::Register(register) = from
        && register.width == width
    {
        found.extend(with_place(
            &sized(0x88),
            wide,
            Field::Register(*register),
            to,
            &[],
        ));
    }
    if let Operand::Register(register) = to {
        if register.width == width && width_of(from).is_none_or(|from| from == width) {
            found.extend(with_place(
                &sized(0x8A),
                wide,
                Field::Register(*register),
                from,
                &[],
            ));
        }
        let rex = u8::from(wide) << 3 | register.number >> 3;
        let prefix: Encoding = if rex == 0 {
            Vec::new()
        } else {
            bytes(&[0x40 | rex])
        };
        let opcode = bytes(&[if width == 1 { 0xB0 } else { 0xB8 } | (register.number & 7)]);
        match from {
            Operand::Number(value) => {
                let size = match width {
                    1 if (-128..256).contains(value) => 1,
                    4 if fits32(*value, 4) => 4,
                    8 => 8,
                    _ => return found,
                };
                if width != 1 || register.number < 4 || register.number >= 8 {
                    found.push([prefix, opcode, immediate(*value, size)].concat());
                }
            }
            Operand::Label(label) if width == 4 => {
                found.push([prefix, opcode, vec![Item::Abs32(label.clone())]].concat());
            }
            _ => {}
        }
    }
    let tail = match from {
        Operand::Number(value) if width == 1 && (-128..256).contains(value) => immediate(*value, 1),
        Operand::Number(value) if width != 1 && fits32(*value, width) => immediate(*value, 4),
        Operand::Label(label) if width != 1 => vec![Item::Abs32(label.clone())],
        _ => return found,
    };
    found.extend(with_place(&sized(0xC6), wide, Field::Number(0), to, &tail));
    found
}
