//! What each instruction of the subset does to registers, flags and memory (Intel SDM volume 2).
//! Invariant: a 32-bit result clears the upper half of its register, an 8-bit one keeps the rest.

use super::decode::{Instruction, Operation, Place};
use super::machine::{Fault, Flags, Machine};

/// The `width` low bytes of a value.
fn low(value: u64, width: u8) -> u64 {
    match width {
        1 => value & 0xFF,
        4 => value & 0xFFFF_FFFF,
        _ => value,
    }
}

/// A value of that width as a signed number.
fn signed(value: u64, width: u8) -> i64 {
    match width {
        1 => i64::from(value as u8 as i8),
        4 => i64::from(value as u32 as i32),
        _ => value as i64,
    }
}

impl Machine {
    fn address(&self, place: Place) -> u64 {
        let Place::Memory {
            base,
            index,
            displacement,
        } = place
        else {
            return 0;
        };
        let base = base.map_or(0, |number| self.registers[usize::from(number)]);
        let index = index.map_or(0, |(number, scale)| {
            self.registers[usize::from(number)] << scale
        });
        base.wrapping_add(index)
            .wrapping_add(i64::from(displacement) as u64)
    }

    fn get(&self, at: u64, place: Place, width: u8) -> Result<u64, Fault> {
        Ok(match place {
            Place::Register(number) => low(self.registers[usize::from(number)], width),
            Place::High(number) => self.registers[usize::from(number)] >> 8 & 0xFF,
            Place::Number(value) => low(value as u64, width),
            Place::Memory { .. } => self.load_from(at, self.address(place), width)?,
            Place::None => 0,
        })
    }

    fn put(&mut self, at: u64, place: Place, width: u8, value: u64) -> Result<(), Fault> {
        match place {
            Place::Register(number) => {
                let register = &mut self.registers[usize::from(number)];
                *register = match width {
                    1 => *register & !0xFF | value & 0xFF,
                    _ => low(value, width),
                };
            }
            Place::High(number) => {
                let register = &mut self.registers[usize::from(number)];
                *register = *register & !0xFF00 | (value & 0xFF) << 8;
            }
            Place::Memory { .. } => {
                let address = self.address(place);
                self.store_to(at, address, width, value)?;
            }
            Place::Number(_) | Place::None => {}
        }
        Ok(())
    }

    fn push(&mut self, at: u64, value: u64) -> Result<(), Fault> {
        let pointer = self.registers[4].wrapping_sub(8);
        self.store_to(at, pointer, 8, value)?;
        self.registers[4] = pointer;
        Ok(())
    }

    fn pop(&mut self, at: u64) -> Result<u64, Fault> {
        let value = self.load_from(at, self.registers[4], 8)?;
        self.registers[4] = self.registers[4].wrapping_add(8);
        Ok(value)
    }

    fn result(&mut self, value: u64, width: u8) {
        let value = low(value, width);
        self.flags.zero = value == 0;
        self.flags.sign = signed(value, width) < 0;
    }

    fn logic(&mut self, value: u64, width: u8) {
        self.flags = Flags::default();
        self.result(value, width);
    }

    fn add(&mut self, a: u64, b: u64, carry: bool, width: u8) -> u64 {
        let wide = u128::from(a) + u128::from(b) + u128::from(carry);
        let value = low(wide as u64, width);
        self.flags.carry = wide >> (u32::from(width) * 8) != 0;
        let (sa, sb, sv) = (
            signed(a, width) < 0,
            signed(b, width) < 0,
            signed(value, width) < 0,
        );
        self.flags.overflow = sa == sb && sv != sa;
        self.result(value, width);
        value
    }

    fn subtract(&mut self, a: u64, b: u64, borrow: bool, width: u8) -> u64 {
        let value = low(a.wrapping_sub(b).wrapping_sub(u64::from(borrow)), width);
        self.flags.carry = u128::from(a) < u128::from(b) + u128::from(borrow);
        let (sa, sb, sv) = (
            signed(a, width) < 0,
            signed(b, width) < 0,
            signed(value, width) < 0,
        );
        self.flags.overflow = sa != sb && sv != sa;
        self.result(value, width);
        value
    }

    fn holds(&self, condition: u8) -> bool {
        let flags = self.flags;
        let holds = match condition >> 1 {
            0 => flags.overflow,
            1 => flags.carry,
            2 => flags.zero,
            3 => flags.carry || flags.zero,
            4 => flags.sign,
            6 => flags.sign != flags.overflow,
            7 => flags.zero || flags.sign != flags.overflow,
            // Parity is not in the subset; the encoder has no name for it that a stage uses.
            _ => false,
        };
        holds != (condition & 1 == 1)
    }

    fn jump_to(&mut self, at: u64, target: Place) -> Result<(), Fault> {
        self.at = match target {
            Place::Number(distance) => self.at.wrapping_add(distance as u64),
            other => self.get(at, other, 8)?,
        };
        Ok(())
    }

    fn shift(&mut self, operation: Operation, value: u64, by: u64, width: u8) -> u64 {
        let by = (by & if width == 8 { 63 } else { 31 }) as u32;
        if by == 0 {
            return value;
        }
        let bits = u32::from(width) * 8;
        let (value, carry) = match operation {
            Operation::Shl => {
                let wide = u128::from(value) << by;
                (wide as u64, wide >> bits & 1 == 1)
            }
            Operation::Shr => (value >> by, value >> (by - 1) & 1 == 1),
            _ => {
                let number = signed(value, width);
                ((number >> by) as u64, number >> (by - 1) & 1 == 1)
            }
        };
        self.flags.carry = carry;
        self.flags.overflow = false;
        self.result(value, width);
        low(value, width)
    }

    fn divide(&mut self, at: u64, by: u64, width: u8, sign: bool) -> Result<(), Fault> {
        let bits = u32::from(width) * 8;
        let (upper, lower) = (low(self.registers[2], width), low(self.registers[0], width));
        let value = u128::from(upper) << bits | u128::from(lower);
        let none = Fault::Division(at);
        let (quotient, rest) = if sign {
            let value = if width == 8 {
                value as i128
            } else {
                i128::from(value as u64 as i64)
            };
            let by = i128::from(signed(by, width));
            let quotient = value.checked_div(by).ok_or(none.clone())?;
            let most = 1_i128 << (bits - 1);
            if quotient < -most || quotient >= most {
                return Err(none);
            }
            (quotient as u64, value.wrapping_rem(by) as u64)
        } else {
            let quotient = value.checked_div(u128::from(by)).ok_or(none.clone())?;
            if quotient >> bits != 0 {
                return Err(none);
            }
            (quotient as u64, (value % u128::from(by)) as u64)
        };
        self.put(at, Place::Register(0), width, quotient)?;
        self.put(at, Place::Register(2), width, rest)
    }

    /// Moves the instruction pointer on and does what the instruction says.
    pub(super) fn execute(&mut self, instruction: Instruction) -> Result<Option<u8>, Fault> {
        let Instruction {
            operation,
            width,
            target,
            source,
            length,
        } = instruction;
        let at = self.at;
        self.at = at.wrapping_add(u64::from(length));
        match operation {
            Operation::Mov => {
                let value = self.get(at, source, width)?;
                self.put(at, target, width, value)?;
            }
            Operation::Movzx => {
                let value = self.get(at, source, 1)?;
                self.put(at, target, width, value)?;
            }
            Operation::Movsx => {
                let value = signed(self.get(at, source, 1)?, 1);
                self.put(at, target, width, value as u64)?;
            }
            Operation::Movsxd => {
                let value = signed(self.get(at, source, 4)?, 4);
                self.put(at, target, width, value as u64)?;
            }
            Operation::Lea => {
                let value = self.address(source);
                self.put(at, target, width, value)?;
            }
            Operation::Xchg => {
                let (a, b) = (self.get(at, target, width)?, self.get(at, source, width)?);
                self.put(at, target, width, b)?;
                self.put(at, source, width, a)?;
            }
            Operation::Push => {
                let value = match target {
                    Place::Number(value) => value as u64,
                    other => self.get(at, other, 8)?,
                };
                self.push(at, value)?;
            }
            Operation::Pop => {
                let value = self.pop(at)?;
                self.put(at, target, 8, value)?;
            }
            Operation::Jmp => self.jump_to(at, target)?,
            Operation::Jump(condition) if self.holds(condition) => self.jump_to(at, target)?,
            Operation::Jump(_) => {}
            Operation::Set(condition) => {
                let value = u64::from(self.holds(condition));
                self.put(at, target, 1, value)?;
            }
            Operation::Call => {
                let back = self.at;
                self.jump_to(at, target)?;
                self.push(at, back)?;
            }
            Operation::Ret => self.at = self.pop(at)?,
            Operation::Leave => {
                self.registers[4] = self.registers[5];
                self.registers[5] = self.pop(at)?;
            }
            Operation::Syscall => return self.system(),
            Operation::Cqo => self.registers[2] = (self.registers[0] as i64 >> 63) as u64,
            Operation::Lods | Operation::Stos | Operation::Movs => {
                self.string(at, operation, width)?;
            }
            Operation::RepMovs => {
                while self.registers[1] != 0 {
                    self.string(at, Operation::Movs, 1)?;
                    self.registers[1] -= 1;
                }
            }
            Operation::RepStos => {
                while self.registers[1] != 0 {
                    self.string(at, Operation::Stos, 1)?;
                    self.registers[1] -= 1;
                }
            }
            Operation::RepeCmps => {
                while self.registers[1] != 0 {
                    let a = self.load_from(at, self.registers[6], 1)?;
                    let b = self.load_from(at, self.registers[7], 1)?;
                    self.subtract(a, b, false, 1);
                    self.registers[6] = self.registers[6].wrapping_add(1);
                    self.registers[7] = self.registers[7].wrapping_add(1);
                    self.registers[1] -= 1;
                    if !self.flags.zero {
                        break;
                    }
                }
            }
            _ => self.compute(at, instruction)?,
        }
        Ok(None)
    }

    /// One string step; the direction flag is always clear.
    fn string(&mut self, at: u64, operation: Operation, width: u8) -> Result<(), Fault> {
        let value = match operation {
            Operation::Stos => low(self.registers[0], width),
            _ => self.load_from(at, self.registers[6], width)?,
        };
        if operation == Operation::Lods {
            self.put(at, Place::Register(0), width, value)?;
        } else {
            self.store_to(at, self.registers[7], width, value)?;
            self.registers[7] = self.registers[7].wrapping_add(width.into());
        }
        if operation != Operation::Stos {
            self.registers[6] = self.registers[6].wrapping_add(width.into());
        }
        Ok(())
    }

    /// Arithmetic and logic.
    fn compute(&mut self, at: u64, instruction: Instruction) -> Result<(), Fault> {
        let Instruction {
            operation,
            width,
            target,
            source,
            ..
        } = instruction;
        let a = self.get(at, target, width)?;
        let b = match operation {
            Operation::Shl | Operation::Shr | Operation::Sar => self.get(at, source, 1)?,
            _ => self.get(at, source, width)?,
        };
        let carry = self.flags.carry;
        let value = match operation {
            Operation::Add => self.add(a, b, false, width),
            Operation::Adc => self.add(a, b, carry, width),
            Operation::Sub => self.subtract(a, b, false, width),
            Operation::Sbb => self.subtract(a, b, carry, width),
            Operation::Cmp => {
                self.subtract(a, b, false, width);
                return Ok(());
            }
            Operation::Test => {
                self.logic(a & b, width);
                return Ok(());
            }
            Operation::And | Operation::Or | Operation::Xor => {
                let value = match operation {
                    Operation::And => a & b,
                    Operation::Or => a | b,
                    _ => a ^ b,
                };
                self.logic(value, width);
                value
            }
            Operation::Inc | Operation::Dec => {
                let value = match operation {
                    Operation::Inc => self.add(a, 1, false, width),
                    _ => self.subtract(a, 1, false, width),
                };
                self.flags.carry = carry;
                value
            }
            Operation::Not => !a,
            Operation::Neg => self.subtract(0, a, false, width),
            Operation::Shl | Operation::Shr | Operation::Sar => self.shift(operation, a, b, width),
            Operation::Imul | Operation::ImulBy(_) => {
                let (a, b) = match operation {
                    Operation::ImulBy(by) => (signed(b, width), i64::from(by)),
                    _ => (signed(a, width), signed(b, width)),
                };
                let wide = i128::from(a) * i128::from(b);
                let value = low(wide as u64, width);
                self.flags.overflow = i128::from(signed(value, width)) != wide;
                self.flags.carry = self.flags.overflow;
                value
            }
            Operation::Mul => {
                let wide = u128::from(low(self.registers[0], width)) * u128::from(a);
                let upper = (wide >> (u32::from(width) * 8)) as u64;
                self.put(at, Place::Register(0), width, wide as u64)?;
                self.put(at, Place::Register(2), width, upper)?;
                self.flags.carry = upper != 0;
                self.flags.overflow = upper != 0;
                return Ok(());
            }
            Operation::Div => return self.divide(at, a, width, false),
            Operation::Idiv => return self.divide(at, a, width, true),
            _ => return Ok(()),
        };
        self.put(at, target, width, value)
    }
}
