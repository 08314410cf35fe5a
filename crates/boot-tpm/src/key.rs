//! Secrets sealed under the storage root key.
//!
//! Invariants: a secret that is sealed is encrypted on its way; whatever is loaded is flushed.

use crate::frame::{Answer, Command, Reader, Writer};
use crate::parent::attribute;
use crate::session::{Authorisation, Hide, Kind};
use crate::{Error, Handle, Parent, Result, Tpm, Transport};
use boot_policy::{Name, PolicyDigest};
use zeroize::Zeroizing;

/// Longest secret that is sealed (MAX_SYM_DATA).
const MAX_SECRET: usize = 128;

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
    /// When they end early, or something follows. A seed does where the secret was sealed away from the TPM (systemd 254's
    /// `--tpm2-device-key`), to be imported; the error says what to do then.
    pub fn from_bytes(bytes: &[u8]) -> Result<Sealed> {
        let mut reader = Reader::new("sealed object", bytes);
        let sealed = Sealed {
            private: reader.sized()?.to_vec(),
            public: reader.sized()?.to_vec(),
        };
        if let Err(error) = reader.end() {
            let seeded = reader.sized().is_ok() && reader.end().is_ok();
            return Err(if seeded {
                Error::Unusable {
                    what: "sealed object".to_owned(),
                    why: "it was sealed away from the TPM and has a seed, which is not taken: enrol again on the machine itself",
                }
            } else {
                error
            });
        }
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

impl<T: Transport> Tpm<T> {
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
