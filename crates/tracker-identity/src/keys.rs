//! The keys that a provider signs with (RFC 7517), and signatures by them (RFC 7515, RFC 7518 section 3).
//!
//! Invariant: a key is of one algorithm by its own kind, whatever a token says; a symmetric key is none.

use crate::{IdentityError, read_json};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

const WHAT: &str = "the provider's list of keys";
/// Most keys in a list.
const MAX_KEYS: usize = 64;

/// An algorithm that a token may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of a name; no other is taken.
    pub(crate) fn of(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    material: Material,
}

/// The keys of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a list. A key of another kind or purpose is passed over: a list may hold many.
    pub fn read(document: &[u8]) -> Result<Keys, IdentityError> {
        let document: Document = read_json(WHAT, document)?;
        if document.keys.len() > MAX_KEYS {
            return Err(IdentityError::Shape {
                what: WHAT,
                problem: format!("more than {MAX_KEYS} keys"),
            });
        }
        let read = |key| serde_json::from_value::<Jwk>(key).ok().and_then(Key::of);
        Ok(Keys(document.keys.into_iter().filter_map(read).collect()))
    }

    /// Whether a signature over a text holds, by the key of an id, or by the only one of its kind if there is no id.
    pub(crate) fn check(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        text: &[u8],
        signature: &[u8],
    ) -> Result<(), IdentityError> {
        let of_kind = self.0.iter().filter(|key| key.algorithm() == algorithm);
        let named = of_kind.filter(|key| id.is_none() || key.id.as_deref() == id);
        let named: Vec<&Key> = named.collect();
        match named.as_slice() {
            [] => Err(IdentityError::UnknownKey),
            [key] if key.holds(text, signature) => Ok(()),
            [_] => Err(IdentityError::Signature),
            // Which of them it was is not said, or they have one name: that is the provider's mistake.
            _ => Err(IdentityError::Shape {
                what: WHAT,
                problem: "several keys could be meant".to_owned(),
            }),
        }
    }
}

impl Key {
    fn of(jwk: Jwk) -> Option<Key> {
        if jwk.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| Base64UrlUnpadded::decode_vec(&text?).ok();
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", None) => Material::Rsa {
                modulus: whole(bytes(jwk.n)?),
                exponent: whole(bytes(jwk.e)?),
            },
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(jwk.x)?, bytes(jwk.y)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                // Uncompressed (SEC 1 section 2.3.3).
                Material::P256([vec![4], x, y].concat())
            }
            _ => return None,
        };
        let key = Key {
            id: jwk.kid,
            material,
        };
        let fits = |name: &String| Algorithm::of(name) == Some(key.algorithm());
        jwk.alg.as_ref().is_none_or(fits).then_some(key)
    }

    fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
        }
    }

    fn holds(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, text, signature)
                    .is_ok()
            }
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(text, signature)
                .is_ok(),
        }
    }
}

/// A number without the zeros before it, which some providers write.
fn whole(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}
