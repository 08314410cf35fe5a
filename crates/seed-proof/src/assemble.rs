//! The language of S2 as a specification: instructions by name, constants, memory, an ELF header.
//!
//! Invariant: for every text, [`assemble`] and the assembler agree, byte for byte or line for line of the
//! error. The instructions are described here a second time, in `table.rs`, not read from S2's own table.

mod scan;
mod table;

pub use table::{Form, Kind, Row, rows};

use crate::listing::BASE;
use scan::{Operand, Scanner};
use std::collections::HashMap;
use thiserror::Error;

/// The longest text that S2 reads is one byte shorter than this.
pub const LIMIT: usize = 0x40_0000;
/// The longest program.
const PROGRAM: usize = 0x10_0000;
/// The first address that `bss` gives.
const MEMORY: i64 = 0x50_0000;

/// Where and why the text leaves the language.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct AssembleError {
    /// Line, from 1; 0 if the text is too long to be read.
    pub line: usize,
    /// Why.
    pub problem: AssembleProblem,
}

/// Reasons.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AssembleProblem {
    /// The text does not fit.
    #[error("the text has {0} bytes; S2 reads fewer than {LIMIT}")]
    Long(usize),
    /// Something else stands where this is needed.
    #[error("expected {0}")]
    Expected(&'static str),
    /// No such instruction with such operands.
    #[error("no instruction `{0}` with these operands")]
    Instruction(String),
    /// A name that is not defined.
    #[error("`{0}` is not defined")]
    Undefined(String),
    /// A name that is defined before.
    #[error("`{0}` is defined twice")]
    Duplicate(String),
    /// A number that does not fit its place.
    #[error("the number {0} does not fit")]
    Range(i64),
    /// A number of more than 63 bits.
    #[error("the number is too large")]
    Large,
    /// More code than there is room for.
    #[error("the program has more than {PROGRAM} bytes")]
    Program,
}

type Result<T> = std::result::Result<T, AssembleProblem>;

/// What S2 writes for `text`.
pub fn assemble(text: &[u8]) -> std::result::Result<Vec<u8>, AssembleError> {
    if text.len() >= LIMIT {
        return Err(AssembleError {
            line: 0,
            problem: AssembleProblem::Long(text.len()),
        });
    }
    let mut pass = Pass {
        scanner: Scanner::new(text),
        names: HashMap::new(),
        output: Vec::new(),
        memory: MEMORY,
        second: false,
        unsettled: false,
        rows: rows(),
    };
    for second in [false, true] {
        pass.second = second;
        pass.scanner.at = 0;
        pass.output = header();
        while pass.line().map_err(|problem| pass.error(problem))? {}
    }
    if pass.output.len() > PROGRAM {
        return Err(pass.error(AssembleProblem::Program));
    }
    let size = pass.output.len() as u64;
    pass.output[96..104].copy_from_slice(&size.to_le_bytes());
    pass.output[104..112].copy_from_slice(&(pass.memory - BASE).to_le_bytes());
    Ok(pass.output)
}

/// The ELF header and program header, sizes still open (System V gABI, ELF-64).
fn header() -> Vec<u8> {
    let mut bytes = vec![0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut field = |size: usize, value: i64| bytes.extend_from_slice(&value.to_le_bytes()[..size]);
    for (size, value) in [
        (2, 2),
        (2, 62),
        (4, 1),
        (8, BASE + 120),
        (8, 64),
        (8, 0),
        (4, 0),
        (2, 64),
        (2, 56),
        (2, 1),
        (6, 0),
        (4, 1),
        (4, 7),
        (8, 0),
        (8, BASE),
        (8, BASE),
        (8, 0),
        (8, 0),
        (8, 0x1000),
    ] {
        field(size, value);
    }
    bytes
}

struct Pass<'text> {
    scanner: Scanner<'text>,
    names: HashMap<Vec<u8>, i64>,
    output: Vec<u8>,
    memory: i64,
    second: bool,
    unsettled: bool,
    rows: Vec<Row>,
}

impl Pass<'_> {
    fn error(&self, problem: AssembleProblem) -> AssembleError {
        AssembleError {
            line: self.scanner.line(),
            problem,
        }
    }

    /// One line; `false` at the end of the text.
    fn line(&mut self) -> Result<bool> {
        match self.scanner.blanks() {
            0 => return Ok(false),
            b'\n' => {
                self.scanner.at += 1;
                return Ok(true);
            }
            b';' => {
                self.scanner.comment();
                return Ok(true);
            }
            _ => {}
        }
        let word = self.scanner.word()?;
        if self.scanner.byte(0) == b':' {
            self.scanner.at += 1;
            let address = self.output.len() as i64 + BASE;
            self.define(word, address)?;
            return Ok(true);
        }
        if word.len() > 8 {
            return Err(AssembleProblem::Expected("an instruction"));
        }
        match word.as_slice() {
            b"def" => {
                let (name, value) = self.settled()?;
                self.define(name, value)?;
            }
            b"bss" => {
                let (name, size) = self.settled()?;
                if !(0..=0x4000_0000).contains(&size) {
                    return Err(AssembleProblem::Range(size));
                }
                self.define(name, self.memory)?;
                if !self.second {
                    if self.memory + size > 0x7000_0000 {
                        return Err(AssembleProblem::Range(size));
                    }
                    self.memory += size;
                }
            }
            b"db" => self.data()?,
            _ => self.instruction(&word)?,
        }
        match self.scanner.blanks() {
            b';' => self.scanner.comment(),
            0..=b'\n' => {}
            _ => return Err(AssembleProblem::Expected("the end of the line")),
        }
        Ok(true)
    }

    fn define(&mut self, name: Vec<u8>, value: i64) -> Result<()> {
        if self.second {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&name).into_owned();
        match self.names.insert(name, value) {
            Some(_) => Err(AssembleProblem::Duplicate(shown)),
            None => Ok(()),
        }
    }

    /// A name, and an expression whose names are all defined before.
    fn settled(&mut self) -> Result<(Vec<u8>, i64)> {
        self.scanner.blanks();
        let name = self.scanner.word()?;
        self.unsettled = false;
        let value = self.expression()?;
        if self.unsettled {
            return Err(AssembleProblem::Expected("names that are defined before"));
        }
        Ok((name, value))
    }

    fn data(&mut self) -> Result<()> {
        loop {
            if self.scanner.blanks() == b'"' {
                let string = self.scanner.string()?;
                self.output.extend(string);
            } else {
                let value = self.expression()?;
                if !(-256..256).contains(&value) {
                    return Err(AssembleProblem::Range(value));
                }
                self.output.push(value as u8);
            }
            if self.scanner.blanks() != b',' {
                return Ok(());
            }
            self.scanner.at += 1;
        }
    }

    fn expression(&mut self) -> Result<i64> {
        self.scanner.blanks();
        self.sum()
    }

    /// `[sign] term { sign term }`.
    fn sum(&mut self) -> Result<i64> {
        let mut sum: i64 = 0;
        let mut sign = self.scanner.byte(0);
        loop {
            if matches!(sign, b'+' | b'-') {
                self.scanner.at += 1;
            }
            let term = self.term()?;
            sum = match sign {
                b'-' => sum.wrapping_sub(term),
                _ => sum.wrapping_add(term),
            };
            sign = self.scanner.blanks();
            if !matches!(sign, b'+' | b'-') {
                return Ok(sum);
            }
        }
    }

    fn term(&mut self) -> Result<i64> {
        match self.scanner.blanks() {
            b'\'' => self.scanner.character(),
            b'0'..=b'9' => self.scanner.number(),
            _ => {
                let name = self.scanner.word()?;
                match self.names.get(&name) {
                    Some(value) => Ok(*value),
                    None if self.second => Err(AssembleProblem::Undefined(
                        String::from_utf8_lossy(&name).into_owned(),
                    )),
                    None => {
                        self.unsettled = true;
                        Ok(0)
                    }
                }
            }
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        let start = self.scanner.at;
        self.scanner.blanks();
        let begin = self.scanner.at;
        let mut kind = Kind::Memory;
        if self.scanner.byte(0) != b'[' {
            if self.scanner.letters() == b"byte" {
                if self.scanner.blanks() != b'[' {
                    return Err(AssembleProblem::Expected("`[` behind `byte`"));
                }
                kind = Kind::ByteMemory;
            } else {
                self.scanner.at = begin;
                return match self.scanner.register() {
                    Some(number) if number < 16 => Ok(Operand::new(Kind::Register, number, 0)),
                    Some(number) => Ok(Operand::new(Kind::ByteRegister, number - 16, 0)),
                    None => Ok(Operand::new(Kind::Number, 0, self.expression()?)),
                };
            }
        }
        debug_assert!(self.scanner.at >= start);
        self.scanner.at += 1;
        self.scanner.blanks();
        let (base, distance) = match self.scanner.register() {
            Some(number) if number < 16 => match self.scanner.blanks() {
                b']' => (number, 0),
                b'+' | b'-' => (number, self.sum()?),
                _ => return Err(AssembleProblem::Expected("`]`, `+` or `-`")),
            },
            Some(_) => return Err(AssembleProblem::Expected("a register of 64 bits")),
            None => (Operand::NO_BASE, self.expression()?),
        };
        if self.scanner.blanks() != b']' {
            return Err(AssembleProblem::Expected("`]`"));
        }
        self.scanner.at += 1;
        Ok(Operand::new(kind, base, distance))
    }

    fn instruction(&mut self, name: &[u8]) -> Result<()> {
        let mut operands = Vec::new();
        if !matches!(self.scanner.blanks(), b';' | 0..=b'\n') {
            operands.push(self.operand()?);
            if self.scanner.blanks() == b',' {
                self.scanner.at += 1;
                operands.push(self.operand()?);
            }
        }
        let kinds: Vec<Kind> = operands.iter().map(|operand| operand.kind).collect();
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.name.as_bytes() == name && row.kinds == kinds);
        let row = row.ok_or_else(|| {
            AssembleProblem::Instruction(String::from_utf8_lossy(name).into_owned())
        })?;
        // A shift counts by `cl` alone.
        if kinds == [Kind::Register, Kind::ByteRegister]
            && matches!(row.form, Form::Field(_))
            && operands[1].register != 1
        {
            return Err(AssembleProblem::Expected("`cl`"));
        }
        let number = operands
            .iter()
            .rev()
            .find(|operand| operand.kind == Kind::Number);
        let number = number.map_or(0, |operand| operand.value);
        let (form, opcode) = (row.form, row.opcode);
        let (field, place) = match form {
            Form::Plain | Form::Distance | Form::Immediate => {
                self.output.extend_from_slice(opcode);
                return match form {
                    Form::Distance => {
                        let next = self.output.len() as i64 + BASE + 4;
                        self.four(number.wrapping_sub(next))
                    }
                    Form::Immediate => self.four(number),
                    _ => Ok(()),
                };
            }
            Form::Store => (operands[1].register, &operands[0]),
            Form::Load => (operands[0].register, &operands[1]),
            Form::Field(field) | Form::Field8(field) | Form::Field32(field) => {
                (field, &operands[0])
            }
        };
        let place = *place;
        let extended = u8::from(place.register < 16 && place.register >= 8);
        self.output
            .push(0x48 | u8::from(field >= 8) << 2 | extended);
        self.output.extend_from_slice(opcode);
        let field = (field & 7) << 3;
        let low = place.register & 7;
        match place.kind {
            Kind::Memory | Kind::ByteMemory => {
                if place.register == Operand::NO_BASE {
                    self.output.extend_from_slice(&[field | 4, 0x25]);
                } else {
                    self.output.push(0x80 | field | low);
                    if low == 4 {
                        self.output.push(0x24);
                    }
                }
                self.four(place.value)?;
            }
            _ => self.output.push(0xC0 | field | low),
        }
        match form {
            Form::Field8(_) => {
                let byte = i8::try_from(number).map_err(|_| AssembleProblem::Range(number))?;
                self.output.push(byte as u8);
                Ok(())
            }
            Form::Field32(_) => self.four(number),
            _ => Ok(()),
        }
    }

    fn four(&mut self, value: i64) -> Result<()> {
        let number = i32::try_from(value).map_err(|_| AssembleProblem::Range(value))?;
        self.output.extend_from_slice(&number.to_le_bytes());
        Ok(())
    }
}
