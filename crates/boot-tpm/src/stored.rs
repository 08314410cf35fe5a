//! Policies that live in an NV index: defined, written, read and removed as systemd-pcrlock does.
//!
//! The index is written by whoever knows a recovery PIN: its policy is PolicySigned by an HMAC key that is the PIN's digest. The
//! digest is sealed to the index's own policy, so that the machine writes a new one while it is in a state that the old one lets
//! pass.
//!
//! Invariants: an index is written and removed only when its public area is the very one that it was defined with; one that
//! somebody else defined is refused by its number; the PIN's digest crosses to the TPM encrypted.
//!
//! Sources: systemd's `tpm2-util` (`tpm2_define_policy_nv_index`, `tpm2_write_policy_nv_index`, `tpm2_hmac_key_from_pin`,
//! `tpm2_policy_signed_hmac_sha256`); TPM 2.0 library part 3, 23.3 (PolicySigned), 31.3 and 31.7 (NV_DefineSpace, NV_Write).

use crate::crypt::{hmac, sha256};
use crate::frame::{Command, Writer};
use crate::session::{Authorisation, Hide, Kind, random};
use crate::{Code, Error, Handle, NULL, OWNER, Parent, Result, Tpm, Transport};
use boot_policy::{KeyArea, NvPublic, PolicyDigest};
use hmac::Mac;
use zeroize::Zeroizing;

/// Where owners may define indices that no specification assigns (TCG registry of reserved handles, 2.2).
pub const STORED_INDICES: std::ops::RangeInclusive<u32> = 0x0180_0000..=0x01bf_ffff;
/// How many indices are tried before giving up on finding a free one.
const TRIES: usize = 25;
/// TPM_ALG_SHA256 and TPM_ALG_HMAC.
const SHA256: u16 = 0x000b;
const HMAC: u16 = 0x0005;
const KEYED_HASH: u16 = 0x0008;

/// What an index is written with: the digest of a recovery PIN.
pub struct WriteKey(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for WriteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WriteKey(not shown)")
    }
}

impl WriteKey {
    /// Of a recovery PIN: SHA-256 without zeros at its end, as TPMs take authorisation values.
    pub fn of_pin(pin: &str) -> WriteKey {
        let mut value = Zeroizing::new(sha256(&[pin.as_bytes()]).to_vec());
        while value.last() == Some(&0) {
            value.pop();
        }
        WriteKey(value)
    }

    /// As a TPM released it.
    ///
    /// # Errors
    /// When it has not one to 32 bytes.
    pub fn of_released(value: Zeroizing<Vec<u8>>) -> Result<WriteKey> {
        if value.is_empty() || value.len() > 32 {
            return Err(Error::Unusable {
                what: "recovery PIN as the TPM released it".to_owned(),
                why: "it has not one to 32 bytes",
            });
        }
        Ok(WriteKey(value))
    }

    /// What is sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key's public area: no seed, so that the same PIN has the same name.
    pub fn area(&self) -> KeyArea {
        KeyArea::hmac(&sha256(&[&[0; 32], &self.0]))
    }

    /// The policy of an index that is written with it.
    pub fn policy(&self) -> PolicyDigest {
        PolicyDigest::START.signed(&self.area().name(), b"")
    }

    /// The private area (TPMT_SENSITIVE).
    fn sensitive(&self) -> Zeroizing<Vec<u8>> {
        let area = Writer::new()
            .u16(KEYED_HASH)
            .sized(&[])
            .sized(&[0; 32])
            .sized(&self.0);
        Zeroizing::new(area.into_bytes())
    }
}

fn foreign(index: u32) -> Error {
    Error::Unusable {
        what: format!("NV index {index:#010x}"),
        why: "it is somebody else's; name another index",
    }
}

impl<T: Transport> Tpm<T> {
    /// An index that nothing is at, by chance.
    ///
    /// # Errors
    /// When none is found, or the TPM refuses.
    pub fn free_index(&mut self) -> Result<u32> {
        let (first, last) = (*STORED_INDICES.start(), *STORED_INDICES.end());
        for _ in 0..TRIES {
            let index = first + u32::from_be_bytes(random()) % (last - first + 1);
            match self.index(index) {
                Ok(None) => return Ok(index),
                Ok(Some(_)) | Err(Error::Policy(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unusable {
            what: "NV indices".to_owned(),
            why: "25 in a row are taken; name a free one",
        })
    }

    /// Which of the forms an index has: not there, defined, or written.
    fn stored_area(&mut self, place: &NvPublic) -> Result<Option<NvPublic>> {
        let found = match self.index(place.index) {
            // An area that is not even read is none of ours.
            Err(Error::Policy(_)) => return Err(foreign(place.index)),
            found => found?,
        };
        match found {
            Some(area) if area != *place && area != place.written() => Err(foreign(place.index)),
            area => Ok(area),
        }
    }

    /// Defines an index for a policy that is written with `key`; one that was defined so before stays.
    ///
    /// # Errors
    /// When something else is at the index, the TPM's memory is full, or the TPM refuses.
    pub fn define_stored(&mut self, place: &NvPublic, owner: &[u8]) -> Result<()> {
        if self.stored_area(place)?.is_some() {
            return Ok(());
        }
        let parameters = Writer::new().sized(&[]).sized(&place.to_bytes());
        let defined = self.run(
            Command::NV_DEFINE,
            &[Handle::plain(OWNER)],
            Authorisation::Password(owner),
            parameters,
        );
        match defined {
            // Somebody was faster.
            Err(error)
                if error
                    .failure()
                    .is_some_and(|failure| failure.code() == Code::NvDefined) =>
            {
                Err(foreign(place.index))
            }
            defined => defined.map(drop),
        }
    }

    /// Writes a policy's digest into its index.
    ///
    /// # Errors
    /// When the index is not defined or somebody else's, the key is another than it was defined with, or the TPM refuses.
    pub fn write_stored(
        &mut self,
        parent: &Parent,
        place: &NvPublic,
        key: &WriteKey,
        digest: &PolicyDigest,
    ) -> Result<()> {
        let unusable = |why| Error::Unusable {
            what: format!("NV index {:#010x}", place.index),
            why,
        };
        if place.policy != key.policy().0 {
            return Err(unusable(
                "the recovery PIN is another than it was defined with",
            ));
        }
        let area = self
            .stored_area(place)?
            .ok_or_else(|| unusable("it is not defined"))?;
        let signer = self.load_secret(parent, key)?;
        let written = self.write_signed(parent, &area, signer, key, digest);
        let flushed = self.flush(signer);
        written?;
        flushed
    }

    /// Loads a key with its private part, which crosses encrypted; whoever does flushes it.
    fn load_secret(&mut self, parent: &Parent, key: &WriteKey) -> Result<u32> {
        let mut session = self.start(parent, Kind::Hmac)?;
        let parameters = Writer::new()
            .sized(&key.sensitive())
            .sized(key.area().as_bytes())
            .u32(NULL);
        let loaded = self.run(
            Command::LOAD_EXTERNAL,
            &[],
            Authorisation::Session {
                session: &mut session,
                value: &[],
                hide: Hide::Command,
            },
            parameters,
        );
        let flushed = self.flush(session.handle);
        let loaded = loaded?.made()?;
        flushed?;
        Ok(loaded)
    }

    fn write_signed(
        &mut self,
        parent: &Parent,
        area: &NvPublic,
        signer: u32,
        key: &WriteKey,
        digest: &PolicyDigest,
    ) -> Result<()> {
        let mut session = self.start(parent, Kind::Policy)?;
        let signed = self.sign_session(&session.newest.clone(), session.handle, signer, key);
        let written = signed.and_then(|()| {
            let index = Handle::named(area.index, &area.name());
            // TPMT_HA of SHA-256.
            let held = [&SHA256.to_be_bytes()[..], &digest.0].concat();
            self.run(
                Command::NV_WRITE,
                &[index.clone(), index],
                Authorisation::Session {
                    session: &mut session,
                    value: &[],
                    hide: Hide::Command,
                },
                Writer::new().sized(&held).u16(0),
            )
            .map(drop)
        });
        let flushed = self.flush(session.handle);
        written?;
        flushed
    }

    /// PolicySigned with the session's nonce, for no command in particular and without an end.
    fn sign_session(
        &mut self,
        nonce: &[u8],
        session: u32,
        signer: u32,
        key: &WriteKey,
    ) -> Result<()> {
        let message = sha256(&[nonce, &0_u32.to_be_bytes()]);
        let signature = hmac(&key.0, &[&message]).finalize().into_bytes();
        let parameters = Writer::new()
            .sized(nonce)
            .sized(&[])
            .sized(&[])
            .u32(0)
            .u16(HMAC)
            .u16(SHA256)
            .bytes(&signature);
        self.run(
            Command::POLICY_SIGNED,
            &[Handle::plain(signer), Handle::plain(session)],
            Authorisation::None,
            parameters,
        )
        .map(drop)
    }

    /// The digest that an index holds; none when it is not defined or was never written.
    ///
    /// # Errors
    /// When the index is somebody else's, holds no SHA-256 digest, or the TPM refuses.
    pub fn stored(&mut self, place: &NvPublic, owner: &[u8]) -> Result<Option<PolicyDigest>> {
        let written = place.written();
        if self.stored_area(place)?.as_ref() != Some(&written) {
            return Ok(None);
        }
        let index = Handle::named(place.index, &written.name());
        let answer = self.run(
            Command::NV_READ,
            &[Handle::plain(OWNER), index],
            Authorisation::Password(owner),
            Writer::new().u16(place.size).u16(0),
        )?;
        let mut reader = answer.reader();
        let mut held = reader.sized()?;
        reader.end()?;
        if held.split_off(..2) != Some(&SHA256.to_be_bytes()) {
            return Err(reader.wrong("the index holds no SHA-256 digest"));
        }
        Ok(Some(PolicyDigest::from_bytes(held)?))
    }

    /// Removes an index; one that is not there is removed already.
    ///
    /// # Errors
    /// When it is somebody else's, or the TPM refuses.
    pub fn remove_stored(&mut self, place: &NvPublic, owner: &[u8]) -> Result<()> {
        let Some(area) = self.stored_area(place)? else {
            return Ok(());
        };
        let index = Handle::named(place.index, &area.name());
        self.run(
            Command::NV_UNDEFINE,
            &[Handle::plain(OWNER), index],
            Authorisation::Password(owner),
            Writer::new(),
        )
        .map(drop)
    }
}
