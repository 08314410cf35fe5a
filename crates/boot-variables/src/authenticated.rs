//! Time-authenticated updates: what is signed, how the file looks (`.auth`), and reading one back.

use crate::error::{take, u32_at};
use crate::variable::vendor_of;
use crate::{Error, Guid, Result, attributes, guids};
use boot_signature::{
    Certificate, DetachedForm, HashAlgorithm, SignedMessage, Signer, sign_detached,
};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

/// `WIN_CERT_TYPE_EFI_GUID`.
const TYPE_GUID: u16 = 0x0ef1;

/// EFI_TIME in UTC, to the second, as updates use it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EfiTime {
    /// Year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl EfiTime {
    /// The sixteen bytes; nanoseconds, zone and daylight are zero, as authentication demands.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&self.year.to_le_bytes());
        bytes[2..7].copy_from_slice(&[self.month, self.day, self.hour, self.minute, self.second]);
        bytes
    }

    /// Reads sixteen bytes, leaving out what authentication demands to be zero.
    pub fn from_bytes(bytes: &[u8; 16]) -> EfiTime {
        EfiTime {
            year: u16::from_le_bytes([bytes[0], bytes[1]]),
            month: bytes[2],
            day: bytes[3],
            hour: bytes[4],
            minute: bytes[5],
            second: bytes[6],
        }
    }
}

impl From<Timestamp> for EfiTime {
    fn from(at: Timestamp) -> EfiTime {
        let civil = Offset::UTC.to_datetime(at);
        EfiTime {
            year: civil.year().unsigned_abs(),
            month: civil.month().unsigned_abs(),
            day: civil.day().unsigned_abs(),
            hour: civil.hour().unsigned_abs(),
            minute: civil.minute().unsigned_abs(),
            second: civil.second().unsigned_abs(),
        }
    }
}

/// An update that is to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Name of the variable.
    pub name: String,
    /// Its vendor.
    pub vendor: Guid,
    /// With [`attributes::APPEND`] for an appending write.
    pub attributes: u32,
    /// Must be later than that of the last write, except for appending.
    pub time: EfiTime,
    /// Signature lists; empty deletes the variable.
    pub payload: Vec<u8>,
}

impl Update {
    /// An update of PK, KEK, db or dbx.
    pub fn secure_boot(name: &str, payload: Vec<u8>, append: bool, time: EfiTime) -> Update {
        let append = if append { attributes::APPEND } else { 0 };
        Update {
            name: name.to_owned(),
            vendor: vendor_of(name),
            attributes: attributes::SECURE_BOOT | append,
            time,
            payload,
        }
    }

    /// Name without NUL, vendor, attributes, time, payload: the bytes that are signed.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self
            .name
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        bytes.extend(self.vendor.0);
        bytes.extend(self.attributes.to_le_bytes());
        bytes.extend(self.time.to_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// The `.auth` file: EFI_VARIABLE_AUTHENTICATION_2, then the payload. SHA-256 always: firmware takes no other.
    pub fn sign(&self, signer: &dyn Signer, certificate: &Certificate) -> Result<Vec<u8>> {
        let signature = sign_detached(
            &self.to_be_signed(),
            DetachedForm::Variable,
            HashAlgorithm::Sha256,
            signer,
            certificate,
            &format!("update of variable {}", self.name),
        )?;
        let mut bytes = self.time.to_bytes().to_vec();
        bytes.extend((signature.len() as u32 + 24).to_le_bytes());
        bytes.extend(0x0200_u16.to_le_bytes());
        bytes.extend(TYPE_GUID.to_le_bytes());
        bytes.extend(guids::PKCS7.0);
        bytes.extend(signature);
        bytes.extend(&self.payload);
        Ok(bytes)
    }
}

/// An `.auth` file that was read.
#[derive(Debug, Clone)]
pub struct SignedUpdate {
    /// When it was made.
    pub time: EfiTime,
    /// Its signature.
    pub signature: SignedMessage,
    /// Signature lists.
    pub payload: Vec<u8>,
}

impl SignedUpdate {
    /// Reads a file; the variable's name and attributes are not in it.
    pub fn read(bytes: &[u8]) -> Result<SignedUpdate> {
        const WHAT: &str = "authenticated update";
        let time: &[u8; 16] = take(bytes, 0, 16, WHAT)?.try_into().expect("sixteen bytes");
        let length = u32_at(bytes, 16, WHAT)?;
        let kind = take(bytes, 20, 20, WHAT)?;
        let wrong = |why| Error::Invalid {
            what: WHAT,
            offset: 16,
            why,
        };
        if kind[2..4] != TYPE_GUID.to_le_bytes() || kind[4..] != guids::PKCS7.0 {
            return Err(wrong("its certificate is not of the PKCS#7 GUID type"));
        }
        let signature = length
            .checked_sub(24)
            .ok_or_else(|| wrong("its certificate is shorter than its header"))?;
        let signature = take(bytes, 40, signature, WHAT)?;
        Ok(SignedUpdate {
            time: EfiTime::from_bytes(time),
            signature: SignedMessage::read(signature)?,
            payload: bytes[16 + length..].to_vec(),
        })
    }

    /// The update that this file is for variable `name`, appending or not.
    pub fn update(&self, name: &str, append: bool) -> Update {
        Update::secure_boot(name, self.payload.clone(), append, self.time)
    }

    /// True when `certificate` signed this as an update of `name`.
    pub fn is_signed_by(&self, certificate: &Certificate, name: &str, append: bool) -> bool {
        let message = self.update(name, append).to_be_signed();
        self.signature.is_signed_by(certificate, &message)
    }
}
