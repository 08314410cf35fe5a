//! New key pairs, in a file or in a token.

use crate::{Error, Pins, Pkcs11Uri, Result, Tokens};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use der::Encode;
use der::asn1::ObjectIdentifier;
use getrandom::SysRng;
use rsa::Generate;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use zeroize::Zeroizing;

/// Kinds of keys that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKey {
    /// RSA with 2048 bits: what every firmware takes.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits: some firmware is slow with it or refuses it.
    Rsa4096,
    /// P-256: for PCR and verity keys; little firmware takes it for Secure Boot.
    P256,
    /// P-384.
    P384,
}

/// A new key as PKCS#8 PEM; wiped when dropped.
pub fn create_in_file(kind: NewKey) -> Result<Zeroizing<String>> {
    let rsa = |bits| rsa::PrivateKey::new(&mut SysRng, bits).map_err(Error::algorithm);
    match kind {
        NewKey::Rsa2048 => rsa(2048)?.to_pkcs8_pem(LineEnding::LF),
        NewKey::Rsa3072 => rsa(3072)?.to_pkcs8_pem(LineEnding::LF),
        NewKey::Rsa4096 => rsa(4096)?.to_pkcs8_pem(LineEnding::LF),
        NewKey::P256 => p256::SecretKey::try_generate_from_rng(&mut SysRng)
            .map_err(Error::algorithm)?
            .to_pkcs8_pem(LineEnding::LF),
        NewKey::P384 => p384::SecretKey::try_generate_from_rng(&mut SysRng)
            .map_err(Error::algorithm)?
            .to_pkcs8_pem(LineEnding::LF),
    }
    .map_err(Error::algorithm)
}

/// Makes a pair in the token that `uri` names; its `object` and `id` become label and identifier. The private key is
/// sensitive and not extractable. An object that fits the URI already is an error.
pub fn create_in_token(
    uri: &Pkcs11Uri,
    kind: NewKey,
    tokens: &mut Tokens,
    pins: &mut Pins,
) -> Result<()> {
    let Some(label) = &uri.object else {
        return Err(Error::NotFound {
            uri: uri.to_string(),
            why: "a new key needs a label: object=NAME".to_owned(),
        });
    };
    let session = tokens.session(uri, true, pins)?;
    let existing = session
        .find_objects(&[
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Label(label.clone().into_bytes()),
        ])
        .map_err(Error::token("objects can't be searched"))?;
    if !existing.is_empty() {
        return Err(Error::NotFound {
            uri: uri.to_string(),
            why: "there is a private key of this label already; it is not replaced".to_owned(),
        });
    }
    let id = uri.id.clone().unwrap_or_else(|| label.clone().into_bytes());
    let common = [
        Attribute::Token(true),
        Attribute::Label(label.clone().into_bytes()),
        Attribute::Id(id),
    ];
    let mut public = common.to_vec();
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    let mut private = common.to_vec();
    private.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ]);
    let mut rsa = |bits: u64| {
        public.push(Attribute::ModulusBits(bits.into()));
        public.push(Attribute::PublicExponent(vec![1, 0, 1]));
        Mechanism::RsaPkcsKeyPairGen
    };
    let mechanism = match kind {
        NewKey::Rsa2048 => rsa(2048),
        NewKey::Rsa3072 => rsa(3072),
        NewKey::Rsa4096 => rsa(4096),
        NewKey::P256 | NewKey::P384 => {
            let oid = ObjectIdentifier::new_unwrap(match kind {
                NewKey::P256 => "1.2.840.10045.3.1.7",
                _ => "1.3.132.0.34",
            });
            public.push(Attribute::EcParams(oid.to_der().map_err(Error::algorithm)?));
            Mechanism::EccKeyPairGen
        }
    };
    session
        .generate_key_pair(&mechanism, &public, &private)
        .map_err(Error::token("key pair can't be made"))?;
    Ok(())
}
