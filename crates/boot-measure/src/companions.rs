//! PCR 12 and 13: what the stub measures besides the image's sections: profile, command line of the boot loader, addons,
//! credentials, extensions. What is measured and in which order is the stub's own code, [`boot_stub_core::companions`].

use crate::{Bank, Error, Register, Result};
use boot_pe::Image;
use boot_stub_core::companions::{
    Addon, AddonError, Companions, EXTENSIONS, Effects, PARAMETERS, Settings, effects, utf16,
};

/// The two registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionRegisters {
    /// PCR 12: parameters, credentials, addons.
    pub parameters: Register,
    /// PCR 13: extensions of the system.
    pub extensions: Register,
    /// What follows from the companions, with the whole command line.
    pub effects: Effects,
}

/// Both registers in `bank` when the kernel starts. `line` is what the boot loader has measured itself by then
/// ([`handed_line`](crate::handed_line)).
pub fn companions(
    bank: Bank,
    settings: &Settings<'_>,
    found: &Companions,
    line: Option<&str>,
) -> Result<CompanionRegisters> {
    let effects = effects(settings, found).map_err(Error::Companions)?;
    let mut registers = [PARAMETERS, EXTENSIONS].map(|number| (number, Register::reset(bank)));
    if let Some(line) = line {
        registers[0].1.measure(&[&utf16(line)]);
    }
    for effect in &effects.list {
        for (number, register) in &mut registers {
            if *number == effect.register {
                register.measure(&[&effect.data]);
            }
        }
    }
    let [(_, parameters), (_, extensions)] = registers;
    Ok(CompanionRegisters {
        parameters,
        extensions,
        effects,
    })
}

/// An addon from its file; `release` is the `.uname` of the image that it completes.
pub fn addon(
    name: &str,
    file: &Image<'_>,
    release: Option<&[u8]>,
) -> std::result::Result<Addon, AddonError> {
    let section = |name: &str| file.section(name).map(boot_pe::Section::data);
    Addon::read(name, section, release)
}
