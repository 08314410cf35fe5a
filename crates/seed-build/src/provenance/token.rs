//! A P-256 key in a PKCS#11 token. The private key never leaves it; the PIN comes from a file and is never in the address.

use super::ProvenanceError;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::sync::Mutex;

/// The module that finds all others, where the system has p11-kit.
const DEFAULT_MODULE: &str = "p11-kit-proxy.so";

/// A key in a token, with an open session.
pub struct TokenKey {
    session: Mutex<Session>,
    handle: ObjectHandle,
    public: p256::ecdsa::VerifyingKey,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

/// `pkcs11:token=LABEL;object=LABEL?module-path=FILE`, less percent codes.
#[derive(Default)]
struct Address<'a> {
    token: Option<&'a str>,
    object: Option<&'a str>,
    module: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Result<Address<'a>, &'static str> {
        let body = text
            .strip_prefix("pkcs11:")
            .ok_or("it does not start with `pkcs11:`")?;
        let mut address = Address::default();
        for attribute in body.split([';', '?', '&']).filter(|part| !part.is_empty()) {
            let (name, value) = attribute.split_once('=').ok_or("an attribute has no `=`")?;
            if value.contains('%') {
                return Err("percent codes are not supported");
            }
            let place = match name {
                "token" => &mut address.token,
                "object" => &mut address.object,
                "module-path" => &mut address.module,
                "pin-value" | "pin-source" => {
                    return Err("a PIN does not belong into the address: use --pin-file");
                }
                _ => return Err("only token, object and module-path are supported"),
            };
            if place.replace(value).is_some() {
                return Err("an attribute occurs twice");
            }
        }
        Ok(address)
    }
}

impl TokenKey {
    pub(super) fn open(reference: &str, pin: Option<&Path>) -> Result<TokenKey, ProvenanceError> {
        let problem = |problem: &str| ProvenanceError::Reference {
            // What follows the question mark may hold a PIN.
            reference: reference.split('?').next().unwrap_or_default().to_owned(),
            problem: problem.to_owned(),
        };
        let address = Address::parse(reference).map_err(problem)?;
        let module = Pkcs11::new(address.module.unwrap_or(DEFAULT_MODULE))
            .map_err(token("the module cannot be loaded"))?;
        module
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .map_err(token("the module cannot be initialised"))?;
        let mut fitting = Vec::new();
        for slot in module
            .get_slots_with_initialized_token()
            .map_err(token("its slots cannot be listed"))?
        {
            let info = module
                .get_token_info(slot)
                .map_err(token("it cannot be described"))?;
            if address
                .token
                .is_none_or(|label| label == info.label().trim_end())
            {
                fitting.push(slot);
            }
        }
        let [slot] = fitting[..] else {
            return Err(problem(&format!("{} tokens fit", fitting.len())));
        };
        let session = module
            .open_ro_session(slot)
            .map_err(token("no session can be opened"))?;
        if let Some(path) = pin {
            let text = std::fs::read_to_string(path).map_err(|source| ProvenanceError::File {
                path: path.to_owned(),
                source,
            })?;
            let pin = AuthPin::new(text.lines().next().unwrap_or_default().to_owned().into());
            session.login(UserType::User, Some(&pin)).map_err(token(
                "login failed (a wrong PIN counts towards locking it)",
            ))?;
        }
        let find = |class| {
            let mut wanted = vec![Attribute::Class(class)];
            wanted.extend(
                address
                    .object
                    .map(|label| Attribute::Label(label.as_bytes().to_vec())),
            );
            session
                .find_objects(&wanted)
                .map_err(token("its objects cannot be searched"))
        };
        let (privates, publics) = (
            find(ObjectClass::PRIVATE_KEY)?,
            find(ObjectClass::PUBLIC_KEY)?,
        );
        let ([handle], [public]) = (&privates[..], &publics[..]) else {
            return Err(problem(&format!(
                "{} private and {} public keys fit",
                privates.len(),
                publics.len()
            )));
        };
        let found = session
            .get_attributes(*public, &[AttributeType::EcPoint])
            .map_err(token("the public key cannot be read"))?;
        let Some(Attribute::EcPoint(point)) = found.first() else {
            return Err(problem("it is no EC key"));
        };
        // The point is in an OCTET STRING, though some tokens leave the wrapping out.
        let point = point.strip_prefix(&[0x04, 0x41]).unwrap_or(point);
        let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map_err(|_| problem("it is no P-256 key"))?;
        Ok(TokenKey {
            handle: *handle,
            public,
            session: Mutex::new(session),
        })
    }

    pub(super) fn public(&self) -> p256::ecdsa::VerifyingKey {
        self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ProvenanceError> {
        let session = self.session.lock().expect("signing does not panic");
        let raw = session
            .sign(&Mechanism::Ecdsa, self.handle, &Sha256::digest(message))
            .map_err(token("signing failed"))?;
        let signature = p256::ecdsa::Signature::from_slice(&raw).map_err(|_| {
            ProvenanceError::Envelope("the token's signature is malformed".to_owned())
        })?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

fn token(action: &'static str) -> impl FnOnce(cryptoki::error::Error) -> ProvenanceError {
    move |source| ProvenanceError::Token { action, source }
}
