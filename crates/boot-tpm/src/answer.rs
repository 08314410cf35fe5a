//! Response codes: what the TPM said, and what a person can do.

use std::fmt;

/// A response code that is not success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    raw: u32,
}

/// What callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A policy's condition does not hold, or the session's digest is another than the object's.
    Policy,
    /// A wrong PIN or password; it counts towards the lock-out.
    Authorisation,
    /// The TPM is locked out after too many wrong PINs.
    Lockout,
    /// The object was made by another TPM, or this one was cleared.
    Integrity,
    /// There is no such handle or index.
    Handle,
    /// The NV index exists already.
    NvDefined,
    /// The NV memory is full.
    NvSpace,
    /// The index was never written.
    NvUninitialised,
    /// The memory for objects or sessions is full.
    Memory,
    /// Anything else.
    Other,
}

impl Failure {
    pub(crate) fn new(raw: u32) -> Failure {
        Failure { raw }
    }

    /// TPM_RC as the TPM sent it.
    pub fn raw(self) -> u32 {
        self.raw
    }

    /// True when the TPM did nothing and asks for the same command again (TPM_RC_YIELDED, TPM_RC_TESTING, TPM_RC_RETRY): so
    /// before the first use of what wrong PINs lock out, when it notes in its memory that it was used.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self.raw, 0x908 | 0x90a | 0x922)
    }

    /// The code without the number of the handle, session or parameter that it is about (part 2, 6.6.2).
    fn base(self) -> u32 {
        if self.raw & 0x80 != 0 {
            self.raw & 0xbf
        } else {
            self.raw & 0xfff
        }
    }

    /// What callers tell apart.
    pub fn code(self) -> Code {
        match self.base() {
            0x084 | 0x09d | 0x126 | 0x128 => Code::Policy,
            0x08e | 0x0a2 | 0x125 | 0x12f => Code::Authorisation,
            0x09f => Code::Integrity,
            0x08b | 0x910..=0x916 => Code::Handle,
            0x14a => Code::NvUninitialised,
            0x14b => Code::NvSpace,
            0x14c => Code::NvDefined,
            0x902..=0x906 => Code::Memory,
            0x921 => Code::Lockout,
            _ => Code::Other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.code() {
            Code::Policy => "the policy does not hold",
            Code::Authorisation => "the PIN or password is wrong",
            Code::Lockout => {
                "it is locked out after too many wrong PINs; wait, or reset the lock-out with its password"
            }
            Code::Integrity => "the object is not of this TPM, or the TPM was cleared since",
            Code::Handle => "there is no such object",
            Code::NvDefined => "the NV index exists already",
            Code::NvSpace => "its NV memory is full; remove an index that nobody needs",
            Code::NvUninitialised => "the NV index was never written",
            Code::Memory => "its memory is full of other objects or sessions",
            Code::Other => "it refused",
        };
        write!(f, "{advice} (")?;
        if let Ok(code) = tpm2_protocol::data::TpmRc::try_from(self.raw) {
            write!(f, "{code}, ")?;
        }
        write!(f, "{:#05x})", self.raw)
    }
}
