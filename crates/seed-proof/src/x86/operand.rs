//! Operands as they are written in listings and assembly: registers, numbers, labels, memory.
//! Invariant: a register carries its width, so no encoding can mix widths unnoticed.

/// One operand of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A general register.
    Register(Register),
    /// A number; it may stand for any width that holds it.
    Number(i64),
    /// A label: a jump target, or its address as a 32-bit number.
    Label(String),
    /// Memory.
    Memory(Memory),
}

/// A general register and its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its number in the encoding, 0 to 15.
    pub number: u8,
    /// Bytes: 1, 4 or 8.
    pub width: u8,
    /// Second byte of one of the first four registers (`ah`, `ch`, `dh`, `bh`); `number` is then 4 to 7.
    pub high: bool,
}

/// `[base + index * scale + displacement]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes, where the text says so (`byte`, `dword`, `qword`).
    pub width: Option<u8>,
    /// Base register's number.
    pub base: Option<u8>,
    /// Index register's number and scale.
    pub index: Option<(u8, u8)>,
    /// Number added.
    pub displacement: i64,
    /// Label whose address is added.
    pub label: Option<String>,
}

const WIDE: [&str; 8] = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const MIDDLE: [&str; 8] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const LOW: [&str; 8] = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
const HIGH: [&str; 4] = ["ah", "ch", "dh", "bh"];

impl Register {
    /// The register of that name.
    pub fn parse(name: &str) -> Option<Register> {
        let found = |names: &[&str]| names.iter().position(|known| *known == name);
        let plain = |number: usize, width| Register {
            number: number as u8,
            width,
            high: false,
        };
        if let Some(number) = found(&WIDE) {
            return Some(plain(number, 8));
        }
        if let Some(number) = found(&MIDDLE) {
            return Some(plain(number, 4));
        }
        if let Some(number) = found(&LOW) {
            return Some(plain(number, 1));
        }
        if let Some(number) = found(&HIGH) {
            return Some(Register {
                number: number as u8 + 4,
                width: 1,
                high: true,
            });
        }
        let rest = name.strip_prefix('r')?;
        let (digits, width) = match rest.as_bytes().last()? {
            b'd' => (&rest[..rest.len() - 1], 4),
            b'b' => (&rest[..rest.len() - 1], 1),
            _ => (rest, 8),
        };
        let number: usize = digits.parse().ok()?;
        (8..16).contains(&number).then(|| plain(number, width))
    }
}

/// Reads a number: decimal, `0x` hexadecimal, either with `-`, or a quoted character.
pub fn number(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if let [b'\'', byte, b'\''] = bytes {
        return Some(i64::from(*byte));
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    // The library's own parser would take a second sign.
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = match digits.strip_prefix("0x") {
        Some(hex) if plain(hex) => i64::from_str_radix(hex, 16).ok()?,
        Some(_) => return None,
        None => digits.parse::<i64>().ok()?,
    };
    Some(sign * value)
}

/// Whether `text` may name a label.
pub fn is_name(text: &str) -> bool {
    let first = text.as_bytes().first();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Operand {
    /// Reads one operand.
    pub fn parse(text: &str) -> Option<Operand> {
        let text = text.trim();
        for (word, width) in [("byte ", 1), ("dword ", 4), ("qword ", 8)] {
            if let Some(rest) = text.strip_prefix(word) {
                let mut memory = Memory::parse(rest.trim())?;
                memory.width = Some(width);
                return Some(Operand::Memory(memory));
            }
        }
        if text.starts_with('[') {
            return Memory::parse(text).map(Operand::Memory);
        }
        if let Some(register) = Register::parse(text) {
            return Some(Operand::Register(register));
        }
        if let Some(value) = number(text) {
            return Some(Operand::Number(value));
        }
        is_name(text).then(|| Operand::Label(text.to_owned()))
    }
}

impl Memory {
    fn parse(text: &str) -> Option<Memory> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let mut memory = Memory {
            width: None,
            base: None,
            index: None,
            displacement: 0,
            label: None,
        };
        let spaced = inner.replace('-', "+-");
        for term in spaced
            .split('+')
            .map(str::trim)
            .filter(|term| !term.is_empty())
        {
            let (name, scale) = match term.split_once('*') {
                Some((name, scale)) => (name.trim(), Some(scale.trim().parse::<u8>().ok()?)),
                None => (term, None),
            };
            match Register::parse(name) {
                Some(register) if register.width == 8 => {
                    if memory.base.is_none() && scale.is_none() {
                        memory.base = Some(register.number);
                    } else if memory.index.is_none() && register.number != 4 {
                        memory.index = Some((register.number, scale.unwrap_or(1)));
                    } else {
                        return None;
                    }
                }
                Some(_) => return None,
                None => match number(name) {
                    Some(value) => memory.displacement = memory.displacement.checked_add(value)?,
                    None if is_name(name) && memory.label.is_none() => {
                        memory.label = Some(name.to_owned());
                    }
                    None => return None,
                },
            }
        }
        Some(memory)
    }
}
