//! Frames: commands written, answers read.
//!
//! Invariant: no length of an answer is believed before it is compared with what is there.

use crate::{Error, Result, answer};

/// TPM_ST_NO_SESSIONS and TPM_ST_SESSIONS.
const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;

/// A command: its code, and what its answer begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command {
    /// As the specification names it, without `TPM2_`.
    pub(crate) name: &'static str,
    /// TPM_CC.
    pub(crate) code: u32,
    /// True when the answer has a handle.
    pub(crate) handle: bool,
}

macro_rules! commands {
    ($($constant:ident $name:ident $code:literal $handle:literal;)*) => {
        impl Command {
            $(pub(crate) const $constant: Command = Command { name: stringify!($name), code: $code, handle: $handle };)*
        }
    };
}

commands! {
    EVICT_CONTROL EvictControl 0x120 false;
    NV_UNDEFINE NV_UndefineSpace 0x122 false;
    NV_DEFINE NV_DefineSpace 0x12a false;
    CREATE_PRIMARY CreatePrimary 0x131 true;
    NV_INCREMENT NV_Increment 0x134 false;
    PCR_EVENT PCR_Event 0x13c false;
    NV_WRITE NV_Write 0x137 false;
    NV_READ NV_Read 0x14e false;
    POLICY_NV PolicyNV 0x149 false;
    CREATE Create 0x153 false;
    LOAD Load 0x157 true;
    UNSEAL Unseal 0x15e false;
    FLUSH FlushContext 0x165 false;
    POLICY_SIGNED PolicySigned 0x160 false;
    LOAD_EXTERNAL LoadExternal 0x167 true;
    NV_READ_PUBLIC NV_ReadPublic 0x169 false;
    POLICY_AUTHORIZE PolicyAuthorize 0x16a false;
    POLICY_AUTH_VALUE PolicyAuthValue 0x16b false;
    POLICY_OR PolicyOR 0x171 false;
    READ_PUBLIC ReadPublic 0x173 false;
    START_SESSION StartAuthSession 0x176 true;
    VERIFY VerifySignature 0x177 false;
    GET_CAPABILITY GetCapability 0x17a false;
    PCR_READ PCR_Read 0x17e false;
    POLICY_PCR PolicyPCR 0x17f false;
    POLICY_DIGEST PolicyGetDigest 0x189 false;
    POLICY_AUTHORIZE_NV PolicyAuthorizeNV 0x192 false;
}

/// Writes structures.
#[derive(Debug, Default, Clone)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer::default()
    }

    pub(crate) fn u8(mut self, value: u8) -> Writer {
        self.0.push(value);
        self
    }

    pub(crate) fn u16(mut self, value: u16) -> Writer {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Writer {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Writer {
        self.0.extend(bytes);
        self
    }

    /// A sized buffer (TPM2B). What is longer than its length can say is cut by no caller: frames are below 4 KiB.
    pub(crate) fn sized(self, bytes: &[u8]) -> Writer {
        let length = u16::try_from(bytes.len()).expect("buffers of commands are short");
        self.u16(length).bytes(bytes)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A whole command; `area` is the authorisation area without its size.
pub(crate) fn command(
    command: &Command,
    handles: &[u8],
    area: Option<&[u8]>,
    parameters: &[u8],
) -> Vec<u8> {
    let mut body = handles.to_vec();
    if let Some(area) = area {
        body.extend((area.len() as u32).to_be_bytes());
        body.extend(area);
    }
    body.extend(parameters);
    Writer::new()
        .u16(if area.is_some() {
            SESSIONS
        } else {
            NO_SESSIONS
        })
        .u32(body.len() as u32 + 10)
        .u32(command.code)
        .bytes(&body)
        .into_bytes()
}

/// Reads structures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    command: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(command: &'static str, bytes: &'a [u8]) -> Reader<'a> {
        Reader {
            command,
            rest: bytes,
        }
    }

    pub(crate) fn wrong(&self, why: &'static str) -> Error {
        Error::Answer {
            command: self.command,
            why,
        }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let parts = self.rest.split_at_checked(length);
        let (taken, rest) = parts.ok_or_else(|| self.wrong("it ends early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("as long as was taken"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn sized(&mut self) -> Result<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn end(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.wrong("something follows it"))
        }
    }
}

/// An answer that is no refusal.
#[derive(Debug)]
pub(crate) struct Answer {
    command: &'static str,
    /// The handle of what was made.
    pub(crate) handle: Option<u32>,
    /// Parameters; decrypted once the session looked at them.
    pub(crate) parameters: Vec<u8>,
    /// The authorisation area.
    pub(crate) area: Vec<u8>,
}

impl Answer {
    /// Takes an answer apart.
    pub(crate) fn read(command: &Command, bytes: &[u8], sessions: bool) -> Result<Answer> {
        let mut reader = Reader::new(command.name, bytes);
        let tag = reader.u16()?;
        let size = reader.u32()?;
        let code = reader.u32()?;
        if usize::try_from(size).ok() != Some(bytes.len()) {
            return Err(reader.wrong("its length is another than it says"));
        }
        if code != 0 {
            return Err(Error::Refused {
                command: command.name,
                failure: answer::Failure::new(code),
            });
        }
        if tag != if sessions { SESSIONS } else { NO_SESSIONS } {
            return Err(reader.wrong("its tag goes with another command"));
        }
        let handle = command.handle.then(|| reader.u32()).transpose()?;
        let parameters = if sessions {
            let length = reader.u32()?;
            let length = usize::try_from(length).map_err(|_| reader.wrong("it ends early"))?;
            reader.take(length)?
        } else {
            reader.rest()
        };
        let area = if sessions { reader.rest() } else { &[] };
        Ok(Answer {
            command: command.name,
            handle,
            parameters: parameters.to_vec(),
            area: area.to_vec(),
        })
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(self.command, &self.parameters)
    }

    /// The handle of what was made.
    pub(crate) fn made(&self) -> Result<u32> {
        self.handle
            .ok_or_else(|| self.reader().wrong("it has no handle"))
    }
}
