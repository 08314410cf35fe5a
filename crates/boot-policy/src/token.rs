//! LUKS2 tokens of type `systemd-tpm2`: how a disk says with which object, policy and key of a TPM a keyslot is unlocked.
//!
//! Invariants: fields that are not known are kept as they are; what is read and written again says the same.
//!
//! Source: systemd's `cryptsetup-util`, `tpm2-util` (`tpm2_make_luks2_json`, `tpm2_parse_luks2_json`) and the LUKS2 on-disk
//! format, 3.3 (tokens). Debian's systemd 252 writes the fields without `tpm2_srk`, `tpm2_pcrlock` and lists.

use crate::{Error, PolicyDigest, Result};
use base64ct::{Base64, Encoding};
use boot_measure::Bank;
use serde_json::{Map, Value, json};

/// The token's type.
pub const TOKEN_TYPE: &str = "systemd-tpm2";
/// Longest token that is read.
pub const MAX_TOKEN: usize = 128 * 1024;
/// Most shards that a secret is split into, and most keyslots.
const MAX_ITEMS: usize = 32;

/// What the storage root key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrimaryKey {
    /// NIST P-256.
    Ecc,
    /// RSA of 2048 bits.
    Rsa,
}

/// A key whose signed policies are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The registers that its policies are about: 11.
    pub pcrs: Vec<u8>,
    /// The public key, PEM.
    pub pem: Vec<u8>,
}

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Keyslots that the secret opens; one, as systemd writes.
    pub keyslots: Vec<u32>,
    /// The sealed object, private part then public part (TPM2B_PRIVATE, TPM2B_PUBLIC); several where the secret is split.
    pub blobs: Vec<Vec<u8>>,
    /// The policy that each blob is sealed with.
    pub policies: Vec<PolicyDigest>,
    /// Registers whose values at enrolment are part of the policy.
    pub pcrs: Vec<u8>,
    /// Their bank, and that of signed policies.
    pub bank: Bank,
    /// The parent key.
    pub primary: PrimaryKey,
    /// True when a PIN is part of the policy.
    pub pin: bool,
    /// The key whose signed policies are part of the policy.
    pub signing_key: Option<SigningKey>,
    /// Salt of the PIN.
    pub salt: Option<Vec<u8>>,
    /// The parent key as serialised by the TPM software stack, to know it again.
    pub srk: Option<Vec<u8>>,
    /// True when pcrlock's policy is part of the policy.
    pub pcrlock: bool,
    /// Its NV index, serialised.
    pub pcrlock_nv: Option<Vec<u8>>,
    /// Fields that are not known.
    pub other: Map<String, Value>,
}

fn wrong(what: &str, why: &'static str) -> Error {
    Error::Invalid {
        what: format!("token: {what}"),
        why,
    }
}

/// A field of one text or a list of texts.
fn texts(value: Value, what: &str) -> Result<Vec<String>> {
    let text = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong(what, "it is not a text")),
    };
    match value {
        Value::Array(list) if list.len() > MAX_ITEMS => {
            Err(wrong(what, "it has more than 32 items"))
        }
        Value::Array(list) => list.into_iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn bytes(text: &str, what: &str) -> Result<Vec<u8>> {
    Base64::decode_vec(text).map_err(|_| wrong(what, "it is not base64"))
}

/// Numbers of registers.
fn pcrs(value: Value, what: &str) -> Result<Vec<u8>> {
    let list: Vec<u8> =
        serde_json::from_value(value).map_err(|_| wrong(what, "it is not a list of registers"))?;
    if list.iter().any(|pcr| *pcr > 23) {
        return Err(wrong(what, "a TPM has registers 0 to 23"));
    }
    Ok(list)
}

/// The fields of a token that were not yet looked at.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn wanted(&mut self, name: &str) -> Result<Value> {
        self.take(name).ok_or_else(|| wrong(name, "it is missing"))
    }

    fn flag(&mut self, name: &str) -> Result<bool> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(wrong(name, "it is neither true nor false")),
        }
    }

    fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(bytes(&text, name)?)),
            Some(_) => Err(wrong(name, "it is not a text")),
        }
    }
}

impl Token {
    /// Reads a token.
    ///
    /// # Errors
    /// When it is longer than 128 KiB, no JSON object, of another type, or a field breaks its rule; the error names the
    /// field.
    pub fn from_json(json: &[u8]) -> Result<Token> {
        if json.len() > MAX_TOKEN {
            return Err(wrong("document", "it is longer than 128 KiB"));
        }
        let mut fields = Fields(serde_json::from_slice(json).map_err(Error::Token)?);
        if fields.take("type") != Some(Value::String(TOKEN_TYPE.to_owned())) {
            return Err(wrong("type", "it is not systemd-tpm2"));
        }
        let keyslots = texts(fields.wanted("keyslots")?, "keyslots")?
            .iter()
            .map(|text| {
                text.parse()
                    .map_err(|_| wrong("keyslots", "one is not a number"))
            })
            .collect::<Result<_>>()?;
        let blobs: Vec<Vec<u8>> = texts(fields.wanted("tpm2-blob")?, "tpm2-blob")?
            .iter()
            .map(|text| bytes(text, "tpm2-blob"))
            .collect::<Result<_>>()?;
        let policies: Vec<PolicyDigest> =
            texts(fields.wanted("tpm2-policy-hash")?, "tpm2-policy-hash")?
                .iter()
                .map(|text| {
                    PolicyDigest::from_bytes(&crate::unhex(text, "token: tpm2-policy-hash")?)
                })
                .collect::<Result<_>>()?;
        if blobs.is_empty() || blobs.len() != policies.len() {
            return Err(wrong("tpm2-policy-hash", "there is not one for each blob"));
        }
        let bank = match fields.take("tpm2-pcr-bank") {
            None => Bank::Sha256,
            Some(name) => name
                .as_str()
                .and_then(Bank::parse)
                .ok_or_else(|| wrong("tpm2-pcr-bank", "it is not a bank's name"))?,
        };
        let primary = match fields.take("tpm2-primary-alg").as_ref().map(Value::as_str) {
            None | Some(Some("ecc")) => PrimaryKey::Ecc,
            Some(Some("rsa")) => PrimaryKey::Rsa,
            Some(_) => return Err(wrong("tpm2-primary-alg", "it is neither ecc nor rsa")),
        };
        let signed = fields.take("tpm2_pubkey_pcrs");
        let signed = signed.map_or(Ok(Vec::new()), |value| pcrs(value, "tpm2_pubkey_pcrs"))?;
        let signing_key = match fields.bytes("tpm2_pubkey")? {
            Some(pem) => Some(SigningKey { pcrs: signed, pem }),
            None if signed.is_empty() => None,
            None => {
                return Err(wrong(
                    "tpm2_pubkey",
                    "it is missing, though registers are named for it",
                ));
            }
        };
        Ok(Token {
            keyslots,
            blobs,
            policies,
            pcrs: pcrs(fields.wanted("tpm2-pcrs")?, "tpm2-pcrs")?,
            bank,
            primary,
            pin: fields.flag("tpm2-pin")?,
            signing_key,
            salt: fields.bytes("tpm2_salt")?,
            srk: fields.bytes("tpm2_srk")?,
            pcrlock: fields.flag("tpm2_pcrlock")?,
            pcrlock_nv: fields.bytes("tpm2_pcrlock_nv")?,
            other: fields.0,
        })
    }

    /// The token as cryptsetup stores it.
    pub fn to_json(&self) -> Value {
        let texts = |list: Vec<String>| match <[String; 1]>::try_from(list) {
            Ok([one]) => Value::String(one),
            Err(list) => json!(list),
        };
        let keyslots: Vec<String> = self.keyslots.iter().map(u32::to_string).collect();
        let blobs = self.blobs.iter().map(|blob| Base64::encode_string(blob));
        let policies = self.policies.iter().map(PolicyDigest::to_string);
        let mut fields = self.other.clone();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("type", json!(TOKEN_TYPE));
        put("keyslots", json!(keyslots));
        put("tpm2-blob", texts(blobs.collect()));
        put("tpm2-pcrs", json!(self.pcrs));
        put("tpm2-pcr-bank", json!(self.bank.as_str()));
        put(
            "tpm2-primary-alg",
            json!(match self.primary {
                PrimaryKey::Ecc => "ecc",
                PrimaryKey::Rsa => "rsa",
            }),
        );
        put("tpm2-policy-hash", texts(policies.collect()));
        put("tpm2-pin", json!(self.pin));
        put("tpm2_pcrlock", json!(self.pcrlock));
        if let Some(key) = &self.signing_key {
            put("tpm2_pubkey_pcrs", json!(key.pcrs));
            put("tpm2_pubkey", json!(Base64::encode_string(&key.pem)));
        }
        let optional = [
            ("tpm2_salt", &self.salt),
            ("tpm2_srk", &self.srk),
            ("tpm2_pcrlock_nv", &self.pcrlock_nv),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                put(name, json!(Base64::encode_string(value)));
            }
        }
        Value::Object(fields)
    }
}
