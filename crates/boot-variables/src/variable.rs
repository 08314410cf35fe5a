//! Variables by vendor and name, wherever they were read from.

use crate::{EfiTime, Entry, Guid, Result, guids, read_lists};
use serde::Serialize;
use std::collections::BTreeMap;

/// Attribute bits.
pub mod attributes {
    /// Survives a reset.
    pub const NON_VOLATILE: u32 = 0x01;
    /// Visible to boot programs.
    pub const BOOT_SERVICE: u32 = 0x02;
    /// Visible to the operating system.
    pub const RUNTIME: u32 = 0x04;
    /// Writes are signed and dated.
    pub const TIME_AUTHENTICATED: u32 = 0x20;
    /// The write appends.
    pub const APPEND: u32 = 0x40;
    /// What PK, KEK, db and dbx have.
    pub const SECURE_BOOT: u32 = NON_VOLATILE | BOOT_SERVICE | RUNTIME | TIME_AUTHENTICATED;
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Who defined it.
    pub vendor: Guid,
    /// See [`attributes`].
    pub attributes: u32,
    /// When it was last written, for authenticated ones in a store.
    pub time: EfiTime,
    /// Its content.
    #[serde(skip)]
    pub data: Vec<u8>,
}

/// All variables of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<(Guid, String), Variable>);

impl Variables {
    /// Adds or replaces one.
    pub fn insert(&mut self, variable: Variable) {
        self.0
            .insert((variable.vendor, variable.name.clone()), variable);
    }

    /// Removes one.
    pub fn remove(&mut self, vendor: Guid, name: &str) -> Option<Variable> {
        self.0.remove(&(vendor, name.to_owned()))
    }

    /// Finds one.
    pub fn get(&self, vendor: Guid, name: &str) -> Option<&Variable> {
        self.0.get(&(vendor, name.to_owned()))
    }

    /// All, by vendor and name.
    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.0.values()
    }

    /// The entries of a list variable; none when it does not exist.
    pub fn entries(&self, vendor: Guid, name: &str) -> Result<Vec<Entry>> {
        self.get(vendor, name)
            .map_or(Ok(Vec::new()), |variable| read_lists(&variable.data))
    }

    /// The first byte of a flag variable.
    pub fn flag(&self, vendor: Guid, name: &str) -> Option<u8> {
        self.get(vendor, name)?.data.first().copied()
    }
}

/// The vendor of a Secure Boot list by its name: db and dbx have one of their own, shim's lists too.
pub(crate) fn vendor_of(name: &str) -> Guid {
    match name {
        "db" | "dbx" | "dbt" | "dbr" => guids::SECURITY_DATABASE,
        name if name.starts_with("Mok") || name.starts_with("Sbat") => guids::SHIM,
        _ => guids::GLOBAL,
    }
}

impl Variable {
    /// A variable with the vendor and attributes that its name implies.
    pub fn secure_boot(name: &str, data: Vec<u8>, time: EfiTime) -> Variable {
        let vendor = vendor_of(name);
        let attributes = if vendor == guids::SHIM {
            attributes::NON_VOLATILE | attributes::BOOT_SERVICE
        } else {
            attributes::SECURE_BOOT
        };
        Variable {
            name: name.to_owned(),
            vendor,
            attributes,
            time,
            data,
        }
    }
}
