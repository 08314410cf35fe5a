//! The metadata: keyslots, segments, digests, tokens (specification, 3).
//!
//! Invariant: what is not known stays as it is, in any object.

use crate::{Error, Result, invalid};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most keyslots and most tokens.
pub(crate) const MAX_ITEMS: u32 = 32;
/// Longest key, in bytes: two AES-256 keys.
const MAX_KEY: usize = 64;
/// Most memory that deriving a key may take, in KiB, as libcryptsetup's limit.
const MAX_MEMORY: u32 = 4 << 20;
/// Stripes of the anti-forensic splitter: the format knows one number.
pub(crate) const STRIPES: usize = 4000;

/// A number that JSON holds as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Number(pub(crate) u64);

impl TryFrom<String> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> std::result::Result<Number, Self::Error> {
        text.parse().map(Number)
    }
}

impl From<Number> for String {
    fn from(number: Number) -> String {
        number.0.to_string()
    }
}

/// Where a keyslot's key material is, and how it is encrypted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Area {
    #[serde(rename = "type")]
    kind: String,
    offset: Number,
    size: Number,
    encryption: String,
    key_size: usize,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// How a key is made of a passphrase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Kdf {
    /// PBKDF2.
    Pbkdf2 {
        /// `sha1`, `sha256` or `sha512`.
        hash: String,
        /// Rounds.
        iterations: u32,
        /// Base64.
        salt: String,
    },
    /// Argon2i.
    Argon2i(Argon2),
    /// Argon2id.
    Argon2id(Argon2),
}

/// The cost of Argon2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argon2 {
    pub(crate) time: u32,
    pub(crate) memory: u32,
    pub(crate) cpus: u32,
    pub(crate) salt: String,
}

/// How the key material is spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Splitter {
    #[serde(rename = "type")]
    kind: String,
    stripes: usize,
    pub(crate) hash: String,
}

/// A keyslot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keyslot {
    #[serde(rename = "type")]
    kind: String,
    pub(crate) key_size: usize,
    pub(crate) af: Splitter,
    pub(crate) area: Area,
    pub(crate) kdf: Kdf,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// A part of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// `crypt`, or another that is not opened here.
    #[serde(rename = "type")]
    pub kind: String,
    offset: Number,
    /// Bytes, or `dynamic` to the end of the device.
    pub size: String,
    iv_tweak: Option<Number>,
    /// As dm-crypt names it.
    pub encryption: Option<String>,
    /// Bytes of a sector.
    pub sector_size: Option<u32>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What tells a right volume key from a wrong one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeyDigest {
    #[serde(rename = "type")]
    kind: String,
    pub(crate) keyslots: Vec<String>,
    pub(crate) segments: Vec<String>,
    pub(crate) hash: String,
    pub(crate) iterations: u32,
    pub(crate) salt: String,
    pub(crate) digest: String,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    json_size: Number,
    pub(crate) keyslots_size: Number,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    pub(crate) keyslots: BTreeMap<u32, Keyslot>,
    pub(crate) tokens: BTreeMap<u32, Value>,
    pub(crate) segments: BTreeMap<u32, Segment>,
    pub(crate) digests: BTreeMap<u32, KeyDigest>,
    pub(crate) config: Config,
    #[serde(flatten)]
    other: Map<String, Value>,
}

pub(crate) fn bytes(text: &str, what: impl Into<String>) -> Result<Vec<u8>> {
    Base64::decode_vec(text).map_err(|_| invalid(what, "it is not base64"))
}

impl Area {
    pub(crate) fn new(offset: u64, size: u64) -> Area {
        Area {
            kind: "raw".to_owned(),
            offset: Number(offset),
            size: Number(size),
            encryption: "aes-xts-plain64".to_owned(),
            key_size: MAX_KEY,
            other: Map::new(),
        }
    }

    /// First byte.
    pub fn offset(&self) -> u64 {
        self.offset.0
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size.0
    }

    /// Bytes of the key that encrypts it.
    pub(crate) fn key_size(&self) -> usize {
        self.key_size
    }

    pub(crate) fn end(&self) -> Option<u64> {
        self.offset.0.checked_add(self.size.0)
    }
}

impl Segment {
    /// First byte of the data.
    pub fn offset(&self) -> u64 {
        self.offset.0
    }

    /// True when the data are authenticated too, which needs another target beneath.
    pub fn is_authenticated(&self) -> bool {
        self.other.contains_key("integrity")
    }

    /// The first sector's number for the initial vectors.
    pub fn iv_tweak(&self) -> u64 {
        self.iv_tweak.map_or(0, |number| number.0)
    }
}

impl Keyslot {
    pub(crate) fn new(area: Area, kdf: Kdf, key_size: usize) -> Keyslot {
        Keyslot {
            kind: "luks2".to_owned(),
            key_size,
            af: Splitter {
                kind: "luks1".to_owned(),
                stripes: STRIPES,
                hash: "sha256".to_owned(),
            },
            area,
            kdf,
            other: Map::new(),
        }
    }

    /// Where its key material is.
    pub fn area(&self) -> &Area {
        &self.area
    }

    /// What makes a key of a passphrase.
    pub fn kdf(&self) -> &Kdf {
        &self.kdf
    }

    /// Bytes that the split key takes.
    pub(crate) fn material(&self) -> usize {
        self.key_size * STRIPES
    }

    /// True when it is one that is opened here, and within what is allowed.
    pub(crate) fn check(&self, number: u32, keyslots: &std::ops::Range<u64>) -> Result<()> {
        let wrong = |field: &str, why| Err(invalid(format!("keyslots.{number}.{field}"), why));
        if self.kind != "luks2" {
            return wrong("type", "it is not luks2");
        }
        if !matches!(self.key_size, 16 | 32 | MAX_KEY) {
            return wrong("key_size", "it is not 16, 32 or 64");
        }
        if self.af.kind != "luks1" || self.af.stripes != STRIPES {
            return wrong("af", "it is not luks1 with 4000 stripes");
        }
        if self.area.kind != "raw" || self.area.encryption != "aes-xts-plain64" {
            return wrong("area", "it is not raw and encrypted by aes-xts-plain64");
        }
        if !matches!(self.area.key_size, 32 | MAX_KEY) {
            return wrong("area.key_size", "it is not 32 or 64");
        }
        let inside = self.area.end().is_some_and(|end| end <= keyslots.end)
            && self.area.offset() >= keyslots.start;
        if !inside {
            return wrong("area", "it is outside of the keyslots' space");
        }
        if self.area.size() < self.material().next_multiple_of(crate::SECTOR) as u64 {
            return wrong("area.size", "the split key does not fit");
        }
        match &self.kdf {
            Kdf::Pbkdf2 { iterations: 0, .. } => wrong("kdf.iterations", "it is zero"),
            Kdf::Argon2i(cost) | Kdf::Argon2id(cost) if cost.memory > MAX_MEMORY => {
                wrong("kdf.memory", "it is more than 4 GiB")
            }
            _ => Ok(()),
        }
    }
}

impl KeyDigest {
    pub(crate) fn is_pbkdf2(&self) -> bool {
        self.kind == "pbkdf2" && self.iterations > 0
    }
}

impl Metadata {
    /// Reads the text.
    pub(crate) fn from_json(json: &[u8]) -> Result<Metadata> {
        serde_json::from_slice(json).map_err(Error::Json)
    }

    /// The text.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("metadata are plain values")
    }

    /// Keyslots by number.
    pub fn keyslots(&self) -> &BTreeMap<u32, Keyslot> {
        &self.keyslots
    }

    /// Tokens by number, as they are.
    pub fn tokens(&self) -> &BTreeMap<u32, Value> {
        &self.tokens
    }

    /// Segments by number.
    pub fn segments(&self) -> &BTreeMap<u32, Segment> {
        &self.segments
    }

    /// The first number that is free, of keyslots or tokens.
    pub(crate) fn free<T>(items: &BTreeMap<u32, T>) -> Option<u32> {
        (0..MAX_ITEMS).find(|number| !items.contains_key(number))
    }
}
