//! The storage root key, and secrets sealed under it.
//!
//! Invariants: a storage root key that is there is used as it is, never replaced; a secret that is sealed is encrypted on its
//! way; whatever is loaded is flushed.

use crate::frame::{Answer, Command, Reader, Writer};
use crate::session::{Authorisation, Hide, Kind};
use crate::{Code, Error, Handle, OWNER, Result, Tpm, Transport};
use boot_policy::{Name, PolicyDigest};
use zeroize::Zeroizing;

/// Where the storage root key is, by the TCG's provisioning guidance.
pub const SRK: u32 = 0x8100_0001;
/// Longest secret that is sealed (MAX_SYM_DATA).
const MAX_SECRET: usize = 128;

/// TPMA_OBJECT.
mod attribute {
    pub(super) const FIXED_TPM: u32 = 1 << 1;
    pub(super) const FIXED_PARENT: u32 = 1 << 4;
    pub(super) const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    pub(super) const USER_WITH_AUTH: u32 = 1 << 6;
    pub(super) const NO_DA: u32 = 1 << 10;
    pub(super) const RESTRICTED: u32 = 1 << 16;
    pub(super) const DECRYPT: u32 = 1 << 17;
}

/// A storage key on P-256, under which secrets are sealed and sessions salted.
#[derive(Debug, Clone)]
pub struct Parent {
    pub(crate) handle: u32,
    pub(crate) name: Name,
    pub(crate) x: Vec<u8>,
    pub(crate) y: Vec<u8>,
    area: Vec<u8>,
}

impl Parent {
    /// Its name, which is another one after the TPM was cleared.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// True when it lives in the TPM's permanent memory.
    pub fn is_persistent(&self) -> bool {
        self.handle >> 24 == 0x81
    }

    fn as_handle(&self) -> Handle {
        Handle::named(self.handle, &self.name)
    }

    /// As the TPM software stack serialises it (`Esys_TR_Serialize` 3.2): handle, name, kind of resource, public area. systemd
    /// keeps it in tokens to know the key again.
    pub fn to_bytes(&self) -> Vec<u8> {
        const KEY: u32 = 1;
        Writer::new()
            .u32(self.handle)
            .sized(self.name.as_bytes())
            .u32(KEY)
            .sized(&self.area)
            .into_bytes()
    }

    /// Reads a public area (TPMT_PUBLIC).
    fn read(handle: u32, name: Name, command: &'static str, area: &[u8]) -> Result<Parent> {
        let mut reader = Reader::new(command, area);
        let unusable = |why| Error::Unusable {
            what: format!("storage root key {handle:#010x}"),
            why,
        };
        if reader.u16()? != 0x0023 {
            return Err(unusable("it is no elliptic curve key"));
        }
        let _name_algorithm = reader.u16()?;
        let attributes = reader.u32()?;
        let _policy = reader.sized()?;
        if attributes & (attribute::RESTRICTED | attribute::DECRYPT)
            != attribute::RESTRICTED | attribute::DECRYPT
        {
            return Err(unusable("it is no storage key"));
        }
        if (reader.u16()?, reader.u16()?, reader.u16()?) != (0x0006, 128, 0x0043) {
            return Err(unusable("it does not encrypt by AES-128 in CFB"));
        }
        if reader.u16()? != 0x0010 || reader.u16()? != 0x0003 || reader.u16()? != 0x0010 {
            return Err(unusable("it is not on P-256"));
        }
        let (x, y) = (reader.sized()?.to_vec(), reader.sized()?.to_vec());
        reader.end()?;
        if x.len() != 32 || y.len() != 32 {
            return Err(unusable("its point has not 32 bytes each way"));
        }
        Ok(Parent {
            handle,
            name,
            x,
            y,
            area: area.to_vec(),
        })
    }
}

/// A sealed object: what a LUKS2 token holds as `tpm2-blob`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// TPM2B_PRIVATE, without its size.
    pub private: Vec<u8>,
    /// TPM2B_PUBLIC, without its size.
    pub public: Vec<u8>,
}

impl Sealed {
    /// Both parts, with their sizes.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::new()
            .sized(&self.private)
            .sized(&self.public)
            .into_bytes()
    }

    /// Reads both parts.
    ///
    /// # Errors
    /// When they end early, or something follows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Sealed> {
        let mut reader = Reader::new("sealed object", bytes);
        let sealed = Sealed {
            private: reader.sized()?.to_vec(),
            public: reader.sized()?.to_vec(),
        };
        reader.end()?;
        Ok(sealed)
    }

    /// The policy that it was sealed with.
    ///
    /// # Errors
    /// When the public area is no sealed object's.
    pub fn policy(&self) -> Result<PolicyDigest> {
        let mut reader = Reader::new("sealed object", &self.public);
        if reader.u16()? != 0x0008 {
            return Err(reader.wrong("it is no sealed data"));
        }
        let _ = (reader.u16()?, reader.u32()?);
        Ok(PolicyDigest::from_bytes(reader.sized()?)?)
    }
}

/// Which key is made when none is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// The storage root key of the TCG's EK credential profile (H-2 with AES-128), which systemd uses since 253.
    Standard,
    /// systemd's up to 252: the same, but subject to the lock-out.
    Systemd252,
}

fn template(template: Template) -> Writer {
    use attribute::{
        DECRYPT, FIXED_PARENT, FIXED_TPM, NO_DA, RESTRICTED, SENSITIVE_DATA_ORIGIN, USER_WITH_AUTH,
    };
    let no_lockout = match template {
        Template::Standard => NO_DA,
        Template::Systemd252 => 0,
    };
    Writer::new()
        .u16(0x0023)
        .u16(0x000b)
        .u32(
            FIXED_TPM
                | FIXED_PARENT
                | SENSITIVE_DATA_ORIGIN
                | USER_WITH_AUTH
                | no_lockout
                | RESTRICTED
                | DECRYPT,
        )
        .sized(&[])
        .u16(0x0006)
        .u16(128)
        .u16(0x0043)
        .u16(0x0010)
        .u16(0x0003)
        .u16(0x0010)
        .sized(&[])
        .sized(&[])
}

impl<T: Transport> Tpm<T> {
    /// The storage root key: the persistent one when it is there and usable, else one made anew from the owner's seed, which
    /// is the same each time. Flush it by [`Tpm::release`].
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn parent(&mut self) -> Result<Parent> {
        match self.persistent(SRK) {
            Ok(parent) => Ok(parent),
            Err(Error::Unusable { .. }) => self.primary(Template::Standard),
            Err(error)
                if error
                    .failure()
                    .is_some_and(|failure| failure.code() == Code::Handle) =>
            {
                self.primary(Template::Standard)
            }
            Err(error) => Err(error),
        }
    }

    /// A persistent storage key.
    ///
    /// # Errors
    /// When there is none at the handle, or it is of another kind.
    pub fn persistent(&mut self, handle: u32) -> Result<Parent> {
        let answer = self.run(
            Command::READ_PUBLIC,
            &[Handle::plain(handle)],
            Authorisation::None,
            Writer::new(),
        )?;
        let mut reader = answer.reader();
        let area = reader.sized()?;
        let name = Name::from_bytes(reader.sized()?)?;
        if Name::of_public(area) != name {
            return Err(reader.wrong("the name is not that of the public area"));
        }
        Parent::read(handle, name, "ReadPublic", area)
    }

    /// The key that a template comes to, from the owner's seed. Flush it by [`Tpm::release`].
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn primary(&mut self, of: Template) -> Result<Parent> {
        let sensitive = Writer::new().sized(&[]).sized(&[]).into_bytes();
        let parameters = Writer::new()
            .sized(&sensitive)
            .sized(&template(of).into_bytes())
            .sized(&[])
            .u32(0);
        let answer = self.run(
            Command::CREATE_PRIMARY,
            &[Handle::plain(OWNER)],
            Authorisation::Password(&[]),
            parameters,
        )?;
        let handle = answer.made()?;
        let area = answer.reader().sized()?.to_vec();
        let name = Name::of_public(&area);
        Parent::read(handle, name, "CreatePrimary", &area)
    }

    /// Lets go of a parent that was made anew.
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn release(&mut self, parent: Parent) -> Result<()> {
        if parent.is_persistent() {
            return Ok(());
        }
        self.flush(parent.handle)
    }

    pub(crate) fn flush(&mut self, handle: u32) -> Result<()> {
        let parameters = Writer::new().u32(handle);
        self.run(Command::FLUSH, &[], Authorisation::None, parameters)
            .map(drop)
    }

    /// Seals a secret of up to 128 bytes so that it is released to whoever satisfies the policy; `pin` is the authorisation
    /// value that PolicyAuthValue asks for, empty for none. Wrong PINs count towards the TPM's lock-out.
    ///
    /// # Errors
    /// When the secret is too long, or the TPM refuses.
    pub fn seal(
        &mut self,
        parent: &Parent,
        policy: &PolicyDigest,
        secret: &[u8],
        pin: &[u8],
    ) -> Result<Sealed> {
        if secret.len() > MAX_SECRET {
            return Err(Error::Unusable {
                what: "secret".to_owned(),
                why: "it is longer than 128 bytes",
            });
        }
        let sensitive = Zeroizing::new(Writer::new().sized(pin).sized(secret).into_bytes());
        let public = Writer::new()
            .u16(0x0008)
            .u16(0x000b)
            .u32(attribute::FIXED_TPM | attribute::FIXED_PARENT)
            .sized(&policy.0)
            .u16(0x0010)
            .sized(&[])
            .into_bytes();
        let parameters = Writer::new()
            .sized(&sensitive)
            .sized(&public)
            .sized(&[])
            .u32(0);
        let mut session = self.start(parent, Kind::Hmac)?;
        let answer = self.run(
            Command::CREATE,
            &[parent.as_handle()],
            Authorisation::Session {
                session: &mut session,
                value: &[],
                hide: Hide::Command,
            },
            parameters,
        );
        let flushed = self.flush(session.handle);
        let answer = answer?;
        flushed?;
        let mut reader = answer.reader();
        Ok(Sealed {
            private: reader.sized()?.to_vec(),
            public: reader.sized()?.to_vec(),
        })
    }

    pub(crate) fn load(&mut self, parent: &Parent, sealed: &Sealed) -> Result<Handle> {
        let parameters = Writer::new().sized(&sealed.private).sized(&sealed.public);
        let answer: Answer = self.run(
            Command::LOAD,
            &[parent.as_handle()],
            Authorisation::Password(&[]),
            parameters,
        )?;
        let name = Name::of_public(&sealed.public);
        Ok(Handle::named(answer.made()?, &name))
    }
}
