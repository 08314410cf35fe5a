//! The mapping of an unlocked volume: the target's table, and requests to the device mapper as the kernel reads them.
//!
//! Invariants: the table holds the key, so it and every request are wiped when they are dropped; the kernel is told to wipe
//! its copies; only what dm-crypt does as LUKS2 says is mapped.
//!
//! Source: `include/uapi/linux/dm-ioctl.h` (version 4), `Documentation/admin-guide/device-mapper/dm-crypt.rst`.

use crate::{Error, Result};
use boot_luks::Segment;
use std::fmt::Write;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a request: its header, one target and the table's text.
pub const REQUEST: usize = 4096;
/// Bytes of the header (`struct dm_ioctl`) and of a target (`struct dm_target_spec`).
const HEADER: usize = 312;
const SPEC: usize = 40;
/// Room for a name and for a UUID, each with a zero at its end.
const MAX_NAME: usize = 127;
const MAX_UUID: usize = 128;
/// DM_SECURE_DATA_FLAG: the kernel wipes its copy of the request.
const SECURE: u32 = 1 << 15;
/// Bytes of a sector of the device mapper.
const SECTOR: u64 = 512;

/// A volume as it is to be mapped.
#[derive(Debug, Clone, Copy)]
pub struct Mapping<'a> {
    /// Name, under `/dev/mapper`.
    pub name: &'a str,
    /// UUID of the volume.
    pub volume: &'a str,
    /// The device beneath, major and minor number.
    pub device: (u32, u32),
    /// Its size in bytes.
    pub size: u64,
    /// The volume's data.
    pub segment: &'a Segment,
    /// Tell the disk which blocks are free.
    pub discard: bool,
}

/// What dm-crypt gets.
pub struct Target {
    /// Sectors of 512 bytes.
    pub sectors: u64,
    /// The table's text, with the key.
    pub table: Zeroizing<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("sectors", &self.sectors)
            .finish_non_exhaustive()
    }
}

impl Mapping<'_> {
    fn wrong(&self, why: &'static str) -> Error {
        Error::Mapping {
            name: self.name.to_owned(),
            why,
        }
    }

    /// UUID of the mapping, by which cryptsetup knows it again.
    pub fn uuid(&self) -> String {
        format!("CRYPT-LUKS2-{}-{}", self.volume.replace('-', ""), self.name)
    }

    /// The table for a key.
    ///
    /// # Errors
    /// When the volume wants what is not done here, or does not fit onto the device.
    pub fn target(&self, key: &[u8]) -> Result<Target> {
        let segment = self.segment;
        if segment.is_authenticated() {
            return Err(self.wrong("its data are authenticated, which is not done here"));
        }
        let encryption = segment.encryption.as_deref().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-:()_".contains(&byte);
        if encryption.is_empty() || encryption.len() > 64 || !encryption.bytes().all(plain) {
            return Err(self.wrong("it does not name how it is encrypted"));
        }
        let sector = segment.sector_size.unwrap_or(512);
        if !matches!(sector, 512 | 1024 | 2048 | 4096) {
            return Err(self.wrong("its sectors are not of 512 to 4096 bytes"));
        }
        let offset = segment.offset();
        let room = self.size.checked_sub(offset);
        let room = room.ok_or_else(|| self.wrong("its data begin behind the device's end"))?;
        let size = match segment.size.as_str() {
            "dynamic" => room - room % u64::from(sector),
            text => text
                .parse()
                .ok()
                .filter(|size| *size <= room)
                .ok_or_else(|| self.wrong("its data do not fit onto the device"))?,
        };
        if size == 0 || !size.is_multiple_of(u64::from(sector)) || !offset.is_multiple_of(SECTOR) {
            return Err(self.wrong("its data are not whole sectors"));
        }
        let mut options = Vec::new();
        if self.discard {
            options.push("allow_discards".to_owned());
        }
        if sector != 512 {
            options.push(format!("sector_size:{sector}"));
        }
        // As long as it gets from the start, so that growing leaves no copies of the key behind.
        let mut table = Zeroizing::new(String::with_capacity(512 + 2 * key.len()));
        let (major, minor) = self.device;
        let _ = write!(table, "{encryption} ");
        for byte in key {
            let _ = write!(table, "{byte:02x}");
        }
        let _ = write!(
            table,
            " {} {major}:{minor} {}",
            segment.iv_tweak(),
            offset / SECTOR
        );
        if !options.is_empty() {
            let _ = write!(table, " {} {}", options.len(), options.join(" "));
        }
        Ok(Target {
            sectors: size / SECTOR,
            table,
        })
    }
}

/// A request to the device mapper, and its answer. It is laid out as the kernel reads it.
#[repr(C, align(8))]
pub struct Request([u8; REQUEST]);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request(not shown)")
    }
}

impl Request {
    /// About the mapping of this name; the UUID is for making it.
    ///
    /// # Errors
    /// When one of them is too long.
    pub fn new(name: &str, uuid: Option<&str>) -> Result<Request> {
        let uuid = uuid.unwrap_or_default();
        if name.is_empty() || name.len() > MAX_NAME || uuid.len() > MAX_UUID {
            return Err(Error::Mapping {
                name: name.to_owned(),
                why: "its name is too long, or empty",
            });
        }
        let mut request = Request([0; REQUEST]);
        request.u32(0, 4);
        request.u32(12, REQUEST as u32);
        request.u32(16, HEADER as u32);
        request.u32(28, SECURE);
        request.0[48..][..name.len()].copy_from_slice(name.as_bytes());
        request.0[176..][..uuid.len()].copy_from_slice(uuid.as_bytes());
        Ok(request)
    }

    fn u32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }

    /// With one target of dm-crypt.
    ///
    /// # Errors
    /// When the table does not fit.
    pub fn with(mut self, target: &Target) -> Result<Request> {
        let text = target.table.as_bytes();
        let end = HEADER + SPEC + text.len();
        // A zero ends the text.
        if end >= REQUEST {
            return Err(Error::Mapping {
                name: "table".to_owned(),
                why: "it is longer than a request",
            });
        }
        self.u32(20, 1);
        self.0[HEADER + 8..][..8].copy_from_slice(&target.sectors.to_ne_bytes());
        // Where the next target would stand.
        self.u32(HEADER + 20, (end + 1 - HEADER).next_multiple_of(8) as u32);
        self.0[HEADER + 24..][..5].copy_from_slice(b"crypt");
        self.0[HEADER + SPEC..][..text.len()].copy_from_slice(text);
        Ok(self)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; REQUEST] {
        &self.0
    }

    /// Major and minor number of the mapping, in an answer.
    pub fn device(&self) -> (u32, u32) {
        let bytes = self.0[40..48].try_into().expect("eight bytes");
        device_number(u64::from_ne_bytes(bytes))
    }
}

/// Major and minor number, as the kernel packs them (`huge_encode_dev`).
pub fn device_number(packed: u64) -> (u32, u32) {
    let minor = packed & 0xff | (packed >> 12) & 0xfff00;
    let major = (packed >> 8) & 0xfff;
    (major as u32, minor as u32)
}
