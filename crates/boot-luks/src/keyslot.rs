//! Key material: derived, encrypted, spread and gathered.
//!
//! Invariant: every intermediate key is wiped.

use crate::metadata::{Kdf, Keyslot, STRIPES, bytes};
use crate::{Result, SECTOR, VolumeKey, invalid};
use aes::cipher::KeyInit;
use aes::{Aes128, Aes256};
use base64ct::{Base64, Encoding};
use pbkdf2::pbkdf2_hmac;
use sha2::Digest;
use xts_mode::{Xts128, get_tweak_default};
use zeroize::Zeroizing;

/// How dear it is to try a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// For secrets of full entropy, such as a TPM releases: PBKDF2 with the least rounds that are allowed, as systemd uses it.
    Least,
    /// For what a person remembers: Argon2id.
    Passphrase {
        /// Rounds.
        time: u32,
        /// KiB.
        memory: u32,
        /// Threads.
        cpus: u32,
    },
}

/// Rounds of PBKDF2 for secrets of full entropy (systemd's `cryptsetup_set_minimal_pbkdf`).
const LEAST: u32 = 1000;

impl Cost {
    /// A key derivation with a new salt.
    pub(crate) fn kdf(self) -> Kdf {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).expect("the system gives random bytes");
        let salt = Base64::encode_string(&salt);
        match self {
            Cost::Least => Kdf::Pbkdf2 {
                hash: "sha512".to_owned(),
                iterations: LEAST,
                salt,
            },
            Cost::Passphrase { time, memory, cpus } => Kdf::Argon2id(crate::metadata::Argon2 {
                time,
                memory,
                cpus,
                salt,
            }),
        }
    }
}

/// PBKDF2 by a hash's name.
pub(crate) fn pbkdf2(
    hash: &str,
    secret: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; length]);
    match hash {
        "sha1" => pbkdf2_hmac::<sha1::Sha1>(secret, salt, iterations, &mut key),
        "sha256" => pbkdf2_hmac::<sha2::Sha256>(secret, salt, iterations, &mut key),
        "sha512" => pbkdf2_hmac::<sha2::Sha512>(secret, salt, iterations, &mut key),
        _ => return Err(invalid("hash", "it is not sha1, sha256 or sha512")),
    }
    Ok(key)
}

/// The key that a passphrase comes to.
fn derive(kdf: &Kdf, passphrase: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let (algorithm, cost) = match kdf {
        Kdf::Pbkdf2 {
            hash,
            iterations,
            salt,
        } => {
            let salt = bytes(salt, "kdf.salt")?;
            return pbkdf2(hash, passphrase, &salt, *iterations, length);
        }
        Kdf::Argon2i(cost) => (argon2::Algorithm::Argon2i, cost),
        Kdf::Argon2id(cost) => (argon2::Algorithm::Argon2id, cost),
    };
    let wrong = |_| invalid("kdf", "Argon2 does not take this cost or salt");
    let params = argon2::Params::new(cost.memory, cost.time, cost.cpus, Some(length));
    let argon = argon2::Argon2::new(algorithm, argon2::Version::V0x13, params.map_err(wrong)?);
    let mut key = Zeroizing::new(vec![0; length]);
    argon
        .hash_password_into(passphrase, &bytes(&cost.salt, "kdf.salt")?, &mut key)
        .map_err(wrong)?;
    Ok(key)
}

/// Which way.
#[derive(Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

/// AES-XTS over sectors that are numbered from zero.
fn xts(direction: Direction, key: &[u8], area: &mut [u8]) -> Result<()> {
    fn run<C>(direction: Direction, key: &[u8], area: &mut [u8]) -> Result<()>
    where
        C: KeyInit + aes::cipher::BlockCipherEncrypt + aes::cipher::BlockCipherDecrypt,
        C: aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
    {
        let (first, second) = key.split_at(key.len() / 2);
        let cipher = |half: &[u8]| {
            C::new_from_slice(half).map_err(|_| invalid("area.key_size", "it is no AES key's"))
        };
        let xts = Xts128::<C>::new(cipher(first)?, cipher(second)?);
        match direction {
            Direction::Encrypt => xts.encrypt_area(area, SECTOR, 0, get_tweak_default),
            Direction::Decrypt => xts.decrypt_area(area, SECTOR, 0, get_tweak_default),
        }
        Ok(())
    }
    match key.len() {
        32 => run::<Aes128>(direction, key, area),
        64 => run::<Aes256>(direction, key, area),
        _ => Err(invalid("area.key_size", "it is not 32 or 64")),
    }
}

/// Spreads a change of one bit over the whole block: each part of the digest's length is replaced by the digest of its
/// number and itself.
fn diffuse(hash: &str, block: &mut [u8]) -> Result<()> {
    fn run<D: Digest>(block: &mut [u8]) {
        for (number, part) in block.chunks_mut(<D as Digest>::output_size()).enumerate() {
            let mut state = D::new();
            state.update((number as u32).to_be_bytes());
            state.update(&*part);
            part.copy_from_slice(&state.finalize()[..part.len()]);
        }
    }
    match hash {
        "sha1" => run::<sha1::Sha1>(block),
        "sha256" => run::<sha2::Sha256>(block),
        "sha512" => run::<sha2::Sha512>(block),
        _ => return Err(invalid("af.hash", "it is not sha1, sha256 or sha512")),
    }
    Ok(())
}

fn xor(into: &mut [u8], from: &[u8]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into ^= from;
    }
}

/// The key of its stripes.
fn gather(hash: &str, material: &[u8], key_size: usize) -> Result<VolumeKey> {
    let mut state = Zeroizing::new(vec![0; key_size]);
    let (stripes, last) = material.split_at(key_size * (STRIPES - 1));
    for stripe in stripes.chunks_exact(key_size) {
        xor(&mut state, stripe);
        diffuse(hash, &mut state)?;
    }
    xor(&mut state, last);
    Ok(state)
}

/// Stripes of a key; all but the last are random.
fn spread(hash: &str, key: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut material = Zeroizing::new(vec![0; key.len() * STRIPES]);
    let (stripes, last) = material.split_at_mut(key.len() * (STRIPES - 1));
    getrandom::fill(stripes).expect("the system gives random bytes");
    let mut state = Zeroizing::new(vec![0; key.len()]);
    for stripe in stripes.chunks_exact(key.len()) {
        xor(&mut state, stripe);
        diffuse(hash, &mut state)?;
    }
    last.copy_from_slice(key);
    xor(last, &state);
    Ok(material)
}

impl Keyslot {
    /// The key that the area's bytes hold, if the passphrase is right; any other bytes if it is not.
    pub(crate) fn open(
        &self,
        passphrase: &[u8],
        mut area: Zeroizing<Vec<u8>>,
    ) -> Result<VolumeKey> {
        let key = derive(&self.kdf, passphrase, self.area.key_size())?;
        xts(Direction::Decrypt, &key, &mut area)?;
        gather(&self.af.hash, &area[..self.material()], self.key_size)
    }

    /// The area's bytes that hold a key, up to a whole sector.
    pub(crate) fn close(&self, passphrase: &[u8], volume_key: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let key = derive(&self.kdf, passphrase, self.area.key_size())?;
        let mut area = spread(&self.af.hash, volume_key)?;
        area.resize(self.material().next_multiple_of(SECTOR), 0);
        xts(Direction::Encrypt, &key, &mut area)?;
        Ok(area)
    }
}
