//! A machine as far as booting is concerned: its platform and the lists and flags of its variables.

use crate::{Entry, Guid, Result, Variables, guids};
use boot_pe::Machine as Processor;
use boot_pe::sbat::SbatLevel;

/// What a machine can do; no variable tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// The instruction set of its boot files.
    pub processor: Processor,
    /// Whether its firmware verifies ECDSA signatures. Debian's OVMF and much older firmware do not: they were built with
    /// RSA alone.
    pub elliptic_curves: bool,
}

impl Default for Platform {
    /// A PC, and nothing that some firmware lacks.
    fn default() -> Platform {
        Platform {
            processor: Processor::X64,
            elliptic_curves: false,
        }
    }
}

/// What of a machine's variables decides about booting.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// What it can do.
    pub platform: Platform,
    /// Whether firmware checks signatures at all.
    pub secure_boot: bool,
    /// Allowed.
    pub db: Vec<Entry>,
    /// Forbidden.
    pub dbx: Vec<Entry>,
    /// Allowed by shim too.
    pub mok: Vec<Entry>,
    /// Forbidden by shim too.
    pub mokx: Vec<Entry>,
    /// False when shim was told not to check (MokSBState).
    pub mok_validation: bool,
    /// False when shim was told not to look into db (MokDBState).
    pub mok_uses_db: bool,
    /// The level in SbatLevel.
    pub sbat_level: Option<SbatLevel>,
}

impl Machine {
    /// Reads the lists and flags; the platform stays the default one. A live system has `SecureBoot`; in a store it follows from PK and SecureBootEnable.
    pub fn read(variables: &Variables) -> Result<Machine> {
        let list = |vendor: Guid, name: &str| variables.entries(vendor, name);
        let shim_list = |name: &str| {
            let own = list(guids::SHIM, name)?;
            // The running system sees shim's lists mirrored under another name.
            if own.is_empty() {
                list(guids::SHIM, &format!("{name}RT"))
            } else {
                Ok(own)
            }
        };
        let secure_boot = match variables.flag(guids::GLOBAL, "SecureBoot") {
            Some(flag) => flag == 1,
            None => {
                let owned = variables
                    .get(guids::GLOBAL, "PK")
                    .is_some_and(|pk| !pk.data.is_empty());
                owned && variables.flag(guids::SECURE_BOOT_ENABLE, "SecureBootEnable") != Some(0)
            }
        };
        let flag = |name: &str| {
            variables
                .flag(guids::SHIM, name)
                .or_else(|| variables.flag(guids::SHIM, &format!("{name}RT")))
        };
        let level = variables
            .get(guids::SHIM, "SbatLevel")
            .or_else(|| variables.get(guids::SHIM, "SbatLevelRT"));
        Ok(Machine {
            platform: Platform::default(),
            secure_boot,
            db: list(guids::SECURITY_DATABASE, "db")?,
            dbx: list(guids::SECURITY_DATABASE, "dbx")?,
            mok: shim_list("MokList")?,
            mokx: shim_list("MokListX")?,
            mok_validation: flag("MokSBState") != Some(1),
            mok_uses_db: flag("MokDBState") != Some(1),
            sbat_level: level
                .map(|level| SbatLevel::parse(&level.data))
                .transpose()?,
        })
    }
}
