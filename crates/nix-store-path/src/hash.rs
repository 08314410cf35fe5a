//! A digest with its algorithm, its text forms, and a hasher for each algorithm.
//!
//! Invariant: a [`struct@Hash`] always holds exactly as many bytes as its algorithm makes.

use crate::encoding::{self, base32_len, base64_len};
use crate::{Error, error::shown};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::fmt;
use std::io;
use std::str::FromStr;

/// The hash algorithms that Nix names. SHA-256 is what store paths are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 16 bytes; broken, read for old fixed outputs only.
    Md5,
    /// 20 bytes; broken, read for old fixed outputs and git trees.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 64 bytes.
    Sha512,
    /// 32 bytes; experimental in Nix since 2.30.
    Blake3,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Algorithm; 5] = [
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
        Algorithm::Blake3,
    ];

    /// Its name as Nix writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
            Algorithm::Blake3 => "blake3",
        }
    }

    /// How many bytes a digest has.
    pub const fn size(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 | Algorithm::Blake3 => 32,
            Algorithm::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Algorithm, Error> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| Error::Algorithm(shown(text)))
    }
}

/// A digest and the algorithm that made it. `Display` is `ALGO:BASE32`, as in a narinfo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    algorithm: Algorithm,
    /// Zero past the algorithm's size.
    bytes: [u8; 64],
}

impl Hash {
    /// The hash of a byte string.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Hash {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// A SHA-256 digest that is at hand.
    pub fn sha256(digest: [u8; 32]) -> Hash {
        Hash::filled(Algorithm::Sha256, &digest)
    }

    /// A digest of any algorithm.
    ///
    /// # Errors
    /// [`Error::Length`] when the number of bytes is not the algorithm's.
    pub fn new(algorithm: Algorithm, digest: &[u8]) -> Result<Hash, Error> {
        if digest.len() == algorithm.size() {
            return Ok(Hash::filled(algorithm, digest));
        }
        Err(Error::Length {
            encoding: "binary",
            text: shown(&encoding::to_base16(&digest[..digest.len().min(64)])),
            length: digest.len(),
            bytes: algorithm.size(),
        })
    }

    fn filled(algorithm: Algorithm, digest: &[u8]) -> Hash {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Hash { algorithm, bytes }
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.size()]
    }

    /// Digits only, base16.
    pub fn base16(&self) -> String {
        encoding::to_base16(self.bytes())
    }

    /// Digits only, Nix base32.
    pub fn base32(&self) -> String {
        encoding::to_base32(self.bytes())
    }

    /// Digits only, base64.
    pub fn base64(&self) -> String {
        encoding::to_base64(self.bytes())
    }

    /// Subresource integrity: `sha256-BASE64`.
    pub fn sri(&self) -> String {
        format!("{}-{}", self.algorithm, self.base64())
    }

    /// Reads digits of a known algorithm in whichever encoding their number tells.
    pub fn from_digits(algorithm: Algorithm, digits: &str) -> Result<Hash, Error> {
        let size = algorithm.size();
        let mut bytes = [0; 64];
        let out = &mut bytes[..size];
        match digits.len() {
            length if length == size * 2 => encoding::from_base16(digits, out)?,
            length if length == base32_len(size) => encoding::from_base32(digits, out)?,
            length if length == base64_len(size) => encoding::from_base64(digits, out)?,
            length => {
                return Err(Error::Length {
                    encoding: "base16, base32 or base64",
                    text: shown(digits),
                    length,
                    bytes: size,
                });
            }
        }
        Ok(Hash { algorithm, bytes })
    }

    /// Reads what Nix expressions may hold: SRI, `ALGO:DIGITS`, or bare digits of `algorithm`.
    /// When `algorithm` is given, any other is [`Error::OtherAlgorithm`].
    pub fn parse(text: &str, algorithm: Option<Algorithm>) -> Result<Hash, Error> {
        let typed = text
            .split_once('-')
            .map(|(name, digits)| (name, digits, true));
        let typed = typed.or_else(|| text.split_once(':').map(|(n, d)| (n, d, false)));
        let Some((name, digits, sri)) = typed else {
            let algorithm = algorithm.ok_or_else(|| Error::Untyped(shown(text)))?;
            return Hash::from_digits(algorithm, text);
        };
        let found: Algorithm = name.parse()?;
        if let Some(expected) = algorithm.filter(|expected| *expected != found) {
            return Err(Error::OtherAlgorithm {
                text: shown(text),
                found: found.name(),
                expected: expected.name(),
            });
        }
        if !sri {
            return Hash::from_digits(found, digits);
        }
        let mut bytes = [0; 64];
        encoding::from_base64(digits, &mut bytes[..found.size()])?;
        Ok(Hash {
            algorithm: found,
            bytes,
        })
    }

    /// Folds the digest to `N` bytes by exclusive or, as store paths do with `N` = 20.
    pub fn fold<const N: usize>(&self) -> [u8; N] {
        let mut folded = [0; N];
        for (i, byte) in self.bytes().iter().enumerate() {
            folded[i % N] ^= byte;
        }
        folded
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.base32())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sri())
    }
}

impl FromStr for Hash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Hash, Error> {
        Hash::parse(text, None)
    }
}

/// Hashes a stream; also an [`io::Write`], so that archives can be written into it.
#[derive(Debug, Clone)]
pub struct Hasher(State);

#[derive(Debug, Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// An empty hash of the algorithm.
    pub fn new(algorithm: Algorithm) -> Hasher {
        Hasher(match algorithm {
            Algorithm::Md5 => State::Md5(Md5::new()),
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
            Algorithm::Blake3 => State::Blake3(Box::default()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
            State::Blake3(state) => {
                state.update(bytes);
            }
        }
    }

    /// The hash of everything that was added.
    pub fn finish(self) -> Hash {
        match self.0 {
            State::Md5(state) => Hash::filled(Algorithm::Md5, &state.finalize()),
            State::Sha1(state) => Hash::filled(Algorithm::Sha1, &state.finalize()),
            State::Sha256(state) => Hash::filled(Algorithm::Sha256, &state.finalize()),
            State::Sha512(state) => Hash::filled(Algorithm::Sha512, &state.finalize()),
            State::Blake3(state) => Hash::filled(Algorithm::Blake3, state.finalize().as_bytes()),
        }
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
