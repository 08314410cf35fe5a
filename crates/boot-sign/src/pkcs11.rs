//! Keys in PKCS#11 tokens: smart cards, HSMs, SoftHSM2. The token signs; the private key never leaves it.

use crate::{Error, Pins, Pkcs11Uri, Result};
use boot_signature::{HashAlgorithm, KeyAlgorithm, PublicKey, Request, Signer};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use der::asn1::{AnyRef, BitString, ObjectIdentifier, OctetString, UintRef};
use der::{Decode, Encode, Sequence};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// The module that finds all others, where the system has p11-kit.
const DEFAULT_MODULE: &str = "p11-kit-proxy.so";

/// Modules that are loaded; each is initialised once a run.
#[derive(Debug, Default)]
pub struct Tokens {
    modules: BTreeMap<PathBuf, Pkcs11>,
}

impl Tokens {
    fn module(&mut self, path: Option<&Path>) -> Result<&Pkcs11> {
        let path = path.unwrap_or(Path::new(DEFAULT_MODULE)).to_owned();
        if !self.modules.contains_key(&path) {
            let module = Pkcs11::new(&path).map_err(Error::token("module can't be loaded"))?;
            module
                .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
                .map_err(Error::token("module can't be initialised"))?;
            self.modules.insert(path.clone(), module);
        }
        Ok(&self.modules[&path])
    }

    /// A logged-in session with the one token that fits the URI.
    pub(crate) fn session(
        &mut self,
        uri: &Pkcs11Uri,
        write: bool,
        pins: &mut Pins,
    ) -> Result<Session> {
        let module = self.module(uri.module_path.as_deref())?;
        let slots = module
            .get_slots_with_initialized_token()
            .map_err(Error::token("slots can't be listed"))?;
        let mut found = Vec::new();
        for slot in slots {
            let info = module
                .get_token_info(slot)
                .map_err(Error::token("token information can't be read"))?;
            let fits = |wanted: &Option<String>, actual: &str| {
                wanted
                    .as_deref()
                    .is_none_or(|wanted| wanted == actual.trim_end())
            };
            if fits(&uri.token, info.label())
                && fits(&uri.serial, info.serial_number())
                && fits(&uri.manufacturer, info.manufacturer_id())
                && fits(&uri.model, info.model())
            {
                found.push((slot, info));
            }
        }
        let [(slot, info)] = &found[..] else {
            return Err(Error::NotFound {
                uri: uri.to_string(),
                why: format!("{} tokens fit; name one by token= or serial=", found.len()),
            });
        };
        let session = if write {
            module.open_rw_session(*slot)
        } else {
            module.open_ro_session(*slot)
        }
        .map_err(Error::token("session can't be opened"))?;
        if info.login_required() {
            // A reader with its own keypad asks there.
            let pin = if info.protected_authentication_path() {
                None
            } else {
                let secret = pins.get(&format!("token {}", info.label().trim_end()))?;
                Some(AuthPin::new(secret.expose().to_owned().into()))
            };
            match session.login(UserType::User, pin.as_ref()) {
                Ok(())
                | Err(cryptoki::error::Error::Pkcs11(
                    cryptoki::error::RvError::UserAlreadyLoggedIn,
                    _,
                )) => {}
                Err(source) => {
                    return Err(Error::Token {
                        action: "login failed (a wrong PIN counts towards locking the token)",
                        source,
                    });
                }
            }
        }
        Ok(session)
    }
}

/// A private key in a token.
pub struct TokenKey {
    session: Session,
    handle: ObjectHandle,
    public: PublicKey,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({}, ..)", self.public.algorithm())
    }
}

/// The URI's object attributes as a search template.
fn template(uri: &Pkcs11Uri, class: ObjectClass) -> Vec<Attribute> {
    let mut template = vec![Attribute::Class(class)];
    if let Some(label) = &uri.object {
        template.push(Attribute::Label(label.clone().into_bytes()));
    }
    if let Some(id) = &uri.id {
        template.push(Attribute::Id(id.clone()));
    }
    template
}

impl TokenKey {
    /// Finds the one private key that fits the URI and reads its public half.
    pub fn open(uri: &Pkcs11Uri, tokens: &mut Tokens, pins: &mut Pins) -> Result<TokenKey> {
        let session = tokens.session(uri, false, pins)?;
        let find = |class| {
            session
                .find_objects(&template(uri, class))
                .map_err(Error::token("objects can't be searched"))
        };
        let keys = find(ObjectClass::PRIVATE_KEY)?;
        let [handle] = keys[..] else {
            return Err(Error::NotFound {
                uri: uri.to_string(),
                why: format!(
                    "{} private keys fit; name one by object= or id=",
                    keys.len()
                ),
            });
        };
        let publics = find(ObjectClass::PUBLIC_KEY)?;
        let public = public_key(&session, handle, publics.first().copied(), uri)?;
        Ok(TokenKey {
            session,
            handle,
            public,
        })
    }
}

#[derive(Sequence)]
struct RsaPublic<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// Reads the public half from the private object where it is there, else from the public one.
fn public_key(
    session: &Session,
    private: ObjectHandle,
    public: Option<ObjectHandle>,
    uri: &Pkcs11Uri,
) -> Result<PublicKey> {
    let missing = |why: &str| Error::NotFound {
        uri: uri.to_string(),
        why: why.to_owned(),
    };
    let attribute = |wanted: AttributeType| {
        [Some(private), public]
            .into_iter()
            .flatten()
            .find_map(|object| {
                let mut found = session.get_attributes(object, &[wanted]).ok()?;
                found.pop()
            })
    };
    let kind = attribute(AttributeType::KeyType);
    let (algorithm, bits) = match kind {
        Some(Attribute::KeyType(KeyType::RSA)) => {
            let (Some(Attribute::Modulus(modulus)), Some(Attribute::PublicExponent(exponent))) = (
                attribute(AttributeType::Modulus),
                attribute(AttributeType::PublicExponent),
            ) else {
                return Err(missing("the RSA key shows no modulus and exponent"));
            };
            let key = RsaPublic {
                modulus: UintRef::new(&modulus).map_err(Error::algorithm)?,
                exponent: UintRef::new(&exponent).map_err(Error::algorithm)?,
            };
            let algorithm = AlgorithmIdentifierOwned {
                oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
                parameters: Some(AnyRef::NULL.into()),
            };
            (algorithm, key.to_der().map_err(Error::algorithm)?)
        }
        Some(Attribute::KeyType(KeyType::EC)) => {
            let (Some(Attribute::EcParams(curve)), Some(Attribute::EcPoint(point))) = (
                attribute(AttributeType::EcParams),
                attribute(AttributeType::EcPoint),
            ) else {
                return Err(missing(
                    "the EC key shows no point; its public key object is needed too",
                ));
            };
            let curve = der::Any::from_der(&curve).map_err(Error::algorithm)?;
            // The point is an OCTET STRING, though some tokens leave the wrapping out.
            let point =
                OctetString::from_der(&point).map_or(point, |inner| inner.as_bytes().to_vec());
            let algorithm = AlgorithmIdentifierOwned {
                oid: ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"),
                parameters: Some(curve),
            };
            (algorithm, point)
        }
        _ => return Err(missing("the key is neither RSA nor EC")),
    };
    let info = SubjectPublicKeyInfoOwned {
        algorithm,
        subject_public_key: BitString::from_bytes(&bits).map_err(Error::algorithm)?,
    };
    PublicKey::from_der(&info.to_der().map_err(Error::algorithm)?).map_err(Error::Signature)
}

#[derive(Sequence)]
struct DigestInfo {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

impl TokenKey {
    fn sign_digest(&self, hash: HashAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
        const ACTION: &str = "signing failed";
        match self.public.algorithm() {
            KeyAlgorithm::Rsa { .. } => {
                // CKM_RSA_PKCS pads only; the digest's description is ours to add. Every token has this mechanism.
                let oid = match hash {
                    HashAlgorithm::Sha1 => "1.3.14.3.2.26",
                    HashAlgorithm::Sha256 => "2.16.840.1.101.3.4.2.1",
                    HashAlgorithm::Sha384 => "2.16.840.1.101.3.4.2.2",
                    HashAlgorithm::Sha512 => "2.16.840.1.101.3.4.2.3",
                };
                let info = DigestInfo {
                    algorithm: AlgorithmIdentifierOwned {
                        oid: ObjectIdentifier::new_unwrap(oid),
                        parameters: Some(AnyRef::NULL.into()),
                    },
                    digest: OctetString::new(digest).map_err(Error::algorithm)?,
                };
                let message = info.to_der().map_err(Error::algorithm)?;
                self.session
                    .sign(&Mechanism::RsaPkcs, self.handle, &message)
                    .map_err(Error::token(ACTION))
            }
            KeyAlgorithm::P256 => {
                let raw = self
                    .session
                    .sign(&Mechanism::Ecdsa, self.handle, digest)
                    .map_err(Error::token(ACTION))?;
                let signature =
                    p256::ecdsa::Signature::from_slice(&raw).map_err(Error::algorithm)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            KeyAlgorithm::P384 => {
                let raw = self
                    .session
                    .sign(&Mechanism::Ecdsa, self.handle, digest)
                    .map_err(Error::token(ACTION))?;
                let signature =
                    p384::ecdsa::Signature::from_slice(&raw).map_err(Error::algorithm)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}

impl Signer for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(
        &self,
        request: Request<'_>,
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.sign_digest(request.hash, &request.digest())?)
    }
}
