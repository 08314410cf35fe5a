//! What the TPM says of the machine: registers, and how near it is to a lock-out.

use crate::frame::{Command, Writer};
use crate::session::Authorisation;
use crate::{Error, Handle, Result, Tpm, Transport};
use boot_measure::{Bank, Registers};

/// Longest text that a register is extended with by [`Tpm::measure`]: TPM2B_EVENT.
const MAX_EVENT: usize = 1024;

/// How near the TPM is to refusing every PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// Wrong PINs counted now.
    pub failures: u32,
    /// At how many it locks.
    pub limit: u32,
    /// Seconds after which one is forgotten.
    pub interval: u32,
}

impl<T: Transport> Tpm<T> {
    /// Registers of a bank; those that the bank lacks are left out.
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn registers(&mut self, bank: Bank, pcrs: &[u8]) -> Result<Registers> {
        let mut registers = Registers::default();
        for pcr in pcrs.iter().copied().filter(|pcr| *pcr < 24) {
            let mut map = [0_u8; 3];
            map[usize::from(pcr / 8)] |= 1 << (pcr % 8);
            let parameters = Writer::new().u32(1).u16(bank.algorithm()).u8(3).bytes(&map);
            let answer = self.run(Command::PCR_READ, &[], Authorisation::None, parameters)?;
            let mut reader = answer.reader();
            let _updates = reader.u32()?;
            let selections = reader.u32()?;
            for _ in 0..selections.min(16) {
                let _bank = reader.u16()?;
                let length = usize::from(reader.u8()?);
                reader.take(length)?;
            }
            if reader.u32()? == 1 {
                let value = reader.sized()?;
                if value.len() != bank.length() {
                    return Err(reader.wrong("a register has not the length of its bank"));
                }
                registers.insert(bank, pcr, value.to_vec());
            }
        }
        Ok(registers)
    }

    /// Extends a register by the digest of a text, in every bank that is on (PCR_Event): as systemd measures the phases of a
    /// boot.
    ///
    /// # Errors
    /// When the text is longer than 1 KiB, or the TPM refuses.
    pub fn measure(&mut self, pcr: u8, text: &[u8]) -> Result<()> {
        if text.len() > MAX_EVENT {
            return Err(Error::Unusable {
                what: format!("event of {} bytes", text.len()),
                why: "a TPM takes 1024",
            });
        }
        let register = Handle::plain(u32::from(pcr));
        let parameters = Writer::new().sized(text);
        let password = Authorisation::Password(&[]);
        self.run(Command::PCR_EVENT, &[register], password, parameters)?;
        Ok(())
    }

    /// How near it is to a lock-out.
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn lockout(&mut self) -> Result<Lockout> {
        let mut property = |number: u32| -> Result<u32> {
            let parameters = Writer::new().u32(6).u32(number).u32(1);
            let answer = self.run(
                Command::GET_CAPABILITY,
                &[],
                Authorisation::None,
                parameters,
            )?;
            let mut reader = answer.reader();
            let _more = reader.u8()?;
            if (reader.u32()?, reader.u32()?, reader.u32()?) != (6, 1, number) {
                return Err(reader.wrong("it tells of another property"));
            }
            reader.u32()
        };
        Ok(Lockout {
            failures: property(0x20e)?,
            limit: property(0x20f)?,
            interval: property(0x210)?,
        })
    }
}
