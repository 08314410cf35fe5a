//! Where private keys are. A key is named by one text: a file, a PKCS#11 URI, or `offline:FOLDER` for a person or machine
//! that signs request files. [`Keys::open`] turns the name into a [`boot_signature::Signer`].
//!
//! Invariants: a PIN is asked for once a run, kept in memory that is wiped, and never printed, logged or put on a command
//! line; keys made in a token are not extractable; signatures are deterministic wherever the algorithm allows it.

mod create;
mod error;
mod file_key;
mod offline;
mod pin;
mod pkcs11;
mod reference;

#[cfg(test)]
mod tests;

pub use create::{NewKey, create_in_file, create_in_token};
pub use error::Error;
pub use file_key::FileKey;
pub use offline::{OfflineKey, RequestFile};
pub use pin::{PinSource, Pins, Secret};
pub use pkcs11::{TokenKey, Tokens};
pub use reference::{KeyReference, Pkcs11Uri};

use boot_signature::{Certificate, PublicKey, Signer};

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;

/// All keys of one run: remembers tokens that are open and the PIN.
#[derive(Debug)]
pub struct Keys {
    pins: Pins,
    tokens: Tokens,
    asks: bool,
}

impl Keys {
    /// Keys whose PINs and passphrases come from `source`.
    pub fn new(source: PinSource) -> Keys {
        Keys {
            pins: Pins::new(source),
            tokens: Tokens::default(),
            asks: true,
        }
    }

    /// The same, whose offline keys write no requests: for a dry run.
    #[must_use]
    pub fn without_asking(self) -> Keys {
        Keys {
            asks: false,
            ..self
        }
    }

    /// Opens a key. `certificate` is the one that belongs to it; an offline key has its public half from there.
    pub fn open(
        &mut self,
        reference: &KeyReference,
        certificate: Option<&Certificate>,
    ) -> Result<Box<dyn Signer>> {
        match reference {
            KeyReference::File(path) => Ok(Box::new(FileKey::read(path, &mut self.pins)?)),
            KeyReference::Pkcs11(uri) => Ok(Box::new(TokenKey::open(
                uri,
                &mut self.tokens,
                &mut self.pins,
            )?)),
            KeyReference::Offline(folder) => {
                let key: PublicKey = certificate
                    .ok_or_else(|| Error::Offline {
                        path: folder.clone(),
                        why: "an offline key needs the certificate that belongs to it",
                    })?
                    .public_key()
                    .map_err(Error::Signature)?;
                let key = OfflineKey::new(folder, key);
                Ok(Box::new(if self.asks { key } else { key.without_asking() }))
            }
        }
    }

    /// The PIN source of this run.
    pub fn pins(&mut self) -> &mut Pins {
        &mut self.pins
    }

    /// Makes a key pair in a token and leaves it there.
    pub fn create_in_token(&mut self, uri: &Pkcs11Uri, kind: NewKey) -> Result<Box<dyn Signer>> {
        create_in_token(uri, kind, &mut self.tokens, &mut self.pins)?;
        Ok(Box::new(TokenKey::open(
            uri,
            &mut self.tokens,
            &mut self.pins,
        )?))
    }
}
