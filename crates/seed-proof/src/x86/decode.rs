//! From bytes to one instruction of the subset (Intel SDM volume 2, opcode maps).
//!
//! Invariant: what is not in the subset is refused with its bytes, never guessed.

use thiserror::Error;

/// Bytes that are no instruction of the subset.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no instruction of the subset: {0:02X?}")]
pub struct Unknown(pub Vec<u8>);

/// Where an operand lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: the instruction has no such operand.
    None,
    /// A register's low bytes.
    Register(u8),
    /// The second byte of one of the first four registers.
    High(u8),
    /// Memory.
    Memory {
        /// Base register.
        base: Option<u8>,
        /// Index register and the power of two it is scaled by.
        index: Option<(u8, u8)>,
        /// Number added.
        displacement: i32,
    },
    /// A number, sign-extended.
    Number(i64),
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the mnemonics")]
pub enum Operation {
    Mov,
    Movzx,
    Movsx,
    Movsxd,
    Lea,
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Cmp,
    Test,
    Inc,
    Dec,
    Not,
    Neg,
    Mul,
    Div,
    Idiv,
    Imul,
    /// `imul target, source, number`.
    ImulBy(i32),
    Shl,
    Shr,
    Sar,
    Push,
    Pop,
    Xchg,
    Jmp,
    /// Jump on a condition (0 to 15).
    Jump(u8),
    Call,
    Ret,
    Leave,
    Syscall,
    Cqo,
    /// Set a byte on a condition (0 to 15).
    Set(u8),
    Lods,
    Stos,
    Movs,
    RepMovs,
    RepStos,
    RepeCmps,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub operation: Operation,
    /// Width of the operands in bytes: 1, 4 or 8.
    pub width: u8,
    /// First operand; a direct jump's or call's distance is a number here.
    pub target: Place,
    /// Second operand.
    pub source: Place,
    /// Its own length in bytes.
    pub length: u8,
}

struct Reader<'bytes> {
    bytes: &'bytes [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte
    }

    fn number(&mut self, size: usize) -> Option<i64> {
        let bytes = self.bytes.get(self.at..self.at + size)?;
        self.at += size;
        Some(match size {
            1 => i64::from(bytes[0] as i8),
            4 => i64::from(i32::from_le_bytes(bytes.try_into().ok()?)),
            _ => i64::from_le_bytes(bytes.try_into().ok()?),
        })
    }
}

/// The REX prefix, if there is one.
#[derive(Clone, Copy, Default)]
struct Rex {
    present: bool,
    wide: bool,
    field: u8,
    index: u8,
    base: u8,
}

impl Rex {
    fn register(self, number: u8, width: u8) -> Place {
        if width == 1 && !self.present && (4..8).contains(&number) {
            Place::High(number - 4)
        } else {
            Place::Register(number)
        }
    }
}

/// ModRM and what follows: the register field and the other operand.
fn modrm(reader: &mut Reader<'_>, rex: Rex, width: u8) -> Option<(u8, Place)> {
    let byte = reader.byte()?;
    let (mode, field, low) = (byte >> 6, byte >> 3 & 7, byte & 7);
    let field = field | rex.field;
    if mode == 3 {
        return Some((field, rex.register(low | rex.base, width)));
    }
    let (mut base, mut index) = (Some(low | rex.base), None);
    let mut bare = mode == 0 && low == 5;
    if bare {
        return None; // relative to rip: not in the subset
    }
    if low == 4 {
        let sib = reader.byte()?;
        let number = sib >> 3 & 7 | rex.index;
        index = (number != 4).then_some((number, sib >> 6));
        base = Some(sib & 7 | rex.base);
        bare = mode == 0 && sib & 7 == 5;
        if bare {
            base = None;
        }
    }
    let displacement = match mode {
        1 => reader.number(1)?,
        2 => reader.number(4)?,
        _ if bare => reader.number(4)?,
        _ => 0,
    };
    let displacement = displacement as i32;
    Some((
        field,
        Place::Memory {
            base,
            index,
            displacement,
        },
    ))
}

const ARITHMETIC: [Operation; 8] = [
    Operation::Add,
    Operation::Or,
    Operation::Adc,
    Operation::Sbb,
    Operation::And,
    Operation::Sub,
    Operation::Xor,
    Operation::Cmp,
];

/// Decodes the instruction at the beginning of `bytes`.
pub fn decode(bytes: &[u8]) -> Result<Instruction, Unknown> {
    let mut reader = Reader { bytes, at: 0 };
    let found = instruction(&mut reader);
    match found {
        Some(mut instruction) if reader.at <= 15 => {
            instruction.length = reader.at as u8;
            Ok(instruction)
        }
        _ => Err(Unknown(bytes[..bytes.len().min(15)].to_vec())),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each opcode, as in the manual's map"
)]
fn instruction(reader: &mut Reader<'_>) -> Option<Instruction> {
    let mut opcode = reader.byte()?;
    let repeat = opcode == 0xF3;
    if repeat {
        opcode = reader.byte()?;
    }
    let mut rex = Rex::default();
    if opcode >> 4 == 4 {
        rex = Rex {
            present: true,
            wide: opcode & 8 != 0,
            field: (opcode & 4) << 1,
            index: (opcode & 2) << 2,
            base: (opcode & 1) << 3,
        };
        opcode = reader.byte()?;
    }
    let wide = if rex.wide { 8 } else { 4 };
    let width = if opcode & 1 == 0 { 1 } else { wide };
    let made = |operation, width, target, source| {
        Some(Instruction {
            operation,
            width,
            target,
            source,
            length: 0,
        })
    };
    if repeat {
        let operation = match opcode {
            0xA4 => Operation::RepMovs,
            0xA6 => Operation::RepeCmps,
            0xAA => Operation::RepStos,
            _ => return None,
        };
        return (!rex.present).then(|| made(operation, 1, Place::None, Place::None))?;
    }
    match opcode {
        0x00..=0x3F if opcode & 7 < 4 => {
            let operation = ARITHMETIC[usize::from(opcode >> 3)];
            let (field, other) = modrm(reader, rex, width)?;
            let register = rex.register(field, width);
            match opcode & 2 {
                0 => made(operation, width, other, register),
                _ => made(operation, width, register, other),
            }
        }
        0x00..=0x3F if opcode & 7 < 6 => {
            let number = reader.number(if width == 1 { 1 } else { 4 })?;
            let operation = ARITHMETIC[usize::from(opcode >> 3)];
            made(operation, width, Place::Register(0), Place::Number(number))
        }
        0x50..=0x57 => made(
            Operation::Push,
            8,
            Place::Register(opcode & 7 | rex.base),
            Place::None,
        ),
        0x58..=0x5F => made(
            Operation::Pop,
            8,
            Place::Register(opcode & 7 | rex.base),
            Place::None,
        ),
        0x63 if rex.wide => {
            let (field, other) = modrm(reader, rex, 4)?;
            made(Operation::Movsxd, 8, Place::Register(field), other)
        }
        0x68 => made(
            Operation::Push,
            8,
            Place::Number(reader.number(4)?),
            Place::None,
        ),
        0x69 | 0x6B => {
            let (field, other) = modrm(reader, rex, wide)?;
            let by = reader.number(if opcode == 0x69 { 4 } else { 1 })? as i32;
            made(Operation::ImulBy(by), wide, Place::Register(field), other)
        }
        0x6A => made(
            Operation::Push,
            8,
            Place::Number(reader.number(1)?),
            Place::None,
        ),
        0x70..=0x7F => {
            let distance = Place::Number(reader.number(1)?);
            made(Operation::Jump(opcode & 15), 8, distance, Place::None)
        }
        0x80 | 0x81 | 0x83 => {
            let (field, other) = modrm(reader, rex, width)?;
            let number = reader.number(if opcode == 0x81 { 4 } else { 1 })?;
            let operation = ARITHMETIC[usize::from(field & 7)];
            made(operation, width, other, Place::Number(number))
        }
        0x84..=0x8B => {
            let (field, other) = modrm(reader, rex, width)?;
            let register = rex.register(field, width);
            match opcode {
                0x84 | 0x85 => made(Operation::Test, width, other, register),
                0x86 | 0x87 => made(Operation::Xchg, width, other, register),
                0x88 | 0x89 => made(Operation::Mov, width, other, register),
                _ => made(Operation::Mov, width, register, other),
            }
        }
        0x8D => match modrm(reader, rex, wide)? {
            (field, memory @ Place::Memory { .. }) => {
                made(Operation::Lea, wide, Place::Register(field), memory)
            }
            _ => None,
        },
        0x8F => match modrm(reader, rex, 8)? {
            (field, other) if field.trailing_zeros() >= 3 => {
                made(Operation::Pop, 8, other, Place::None)
            }
            _ => None,
        },
        0x91..=0x97 => {
            let other = Place::Register(opcode & 7 | rex.base);
            made(Operation::Xchg, wide, Place::Register(0), other)
        }
        0x99 if rex.wide => made(Operation::Cqo, 8, Place::None, Place::None),
        0xA4 => made(Operation::Movs, 1, Place::None, Place::None),
        0xA8 => {
            let number = Place::Number(reader.number(1)?);
            made(Operation::Test, 1, Place::Register(0), number)
        }
        0xAA | 0xAB => made(Operation::Stos, width, Place::None, Place::None),
        0xAC | 0xAD => made(Operation::Lods, width, Place::None, Place::None),
        0xB0..=0xB7 => {
            let register = rex.register(opcode & 7 | rex.base, 1);
            made(
                Operation::Mov,
                1,
                register,
                Place::Number(reader.number(1)?),
            )
        }
        0xB8..=0xBF => {
            let register = Place::Register(opcode & 7 | rex.base);
            let number = reader.number(usize::from(wide))?;
            made(Operation::Mov, wide, register, Place::Number(number))
        }
        0xC0 | 0xC1 | 0xD0 | 0xD1 | 0xD2 | 0xD3 => {
            let (field, other) = modrm(reader, rex, width)?;
            let by = match opcode {
                0xC0 | 0xC1 => Place::Number(reader.number(1)?),
                0xD0 | 0xD1 => Place::Number(1),
                _ => Place::Register(1),
            };
            let operation = match field & 7 {
                4 => Operation::Shl,
                5 => Operation::Shr,
                7 => Operation::Sar,
                _ => return None,
            };
            made(operation, width, other, by)
        }
        0xC3 => made(Operation::Ret, 8, Place::None, Place::None),
        0xC6 | 0xC7 => {
            let (field, other) = modrm(reader, rex, width)?;
            let number = reader.number(if width == 1 { 1 } else { 4 })?;
            (field.trailing_zeros() >= 3)
                .then(|| made(Operation::Mov, width, other, Place::Number(number)))?
        }
        0xC9 => made(Operation::Leave, 8, Place::None, Place::None),
        0xE8 => made(
            Operation::Call,
            8,
            Place::Number(reader.number(4)?),
            Place::None,
        ),
        0xE9 => made(
            Operation::Jmp,
            8,
            Place::Number(reader.number(4)?),
            Place::None,
        ),
        0xEB => made(
            Operation::Jmp,
            8,
            Place::Number(reader.number(1)?),
            Place::None,
        ),
        0xF6 | 0xF7 => {
            let (field, other) = modrm(reader, rex, width)?;
            let operation = match field & 7 {
                0 => {
                    let number = reader.number(if width == 1 { 1 } else { 4 })?;
                    return made(Operation::Test, width, other, Place::Number(number));
                }
                2 => Operation::Not,
                3 => Operation::Neg,
                4 if width != 1 => Operation::Mul,
                6 if width != 1 => Operation::Div,
                7 if width != 1 => Operation::Idiv,
                _ => return None,
            };
            made(operation, width, other, Place::None)
        }
        0xFE | 0xFF => {
            let (field, other) = modrm(reader, rex, width)?;
            match field & 7 {
                0 => made(Operation::Inc, width, other, Place::None),
                1 => made(Operation::Dec, width, other, Place::None),
                2 if opcode == 0xFF => made(Operation::Call, 8, other, Place::None),
                4 if opcode == 0xFF => made(Operation::Jmp, 8, other, Place::None),
                6 if opcode == 0xFF => made(Operation::Push, 8, other, Place::None),
                _ => None,
            }
        }
        0x0F => second(reader, rex, wide),
        _ => None,
    }
}

/// Opcodes behind 0F.
fn second(reader: &mut Reader<'_>, rex: Rex, wide: u8) -> Option<Instruction> {
    let opcode = reader.byte()?;
    let (operation, width, target, source) = match opcode {
        0x05 => (Operation::Syscall, 8, Place::None, Place::None),
        0x80..=0x8F => {
            let distance = Place::Number(reader.number(4)?);
            (Operation::Jump(opcode & 15), 8, distance, Place::None)
        }
        0x90..=0x9F => {
            let (_, other) = modrm(reader, rex, 1)?;
            (Operation::Set(opcode & 15), 1, other, Place::None)
        }
        0xAF => {
            let (field, other) = modrm(reader, rex, wide)?;
            (Operation::Imul, wide, Place::Register(field), other)
        }
        0xB6 | 0xBE => {
            let (field, other) = modrm(reader, rex, 1)?;
            let operation = if opcode == 0xB6 {
                Operation::Movzx
            } else {
                Operation::Movsx
            };
            (operation, wide, Place::Register(field), other)
        }
        _ => return None,
    };
    Some(Instruction {
        operation,
        width,
        target,
        source,
        length: 0,
    })
}
