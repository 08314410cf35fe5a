//! Opening the volume: by the TPM where it releases a secret to what was booted, to the owner's signature, or with a PIN, else by a passphrase or a
//! recovery key, which is asked for until it is right.
//!
//! Invariants: no error of the TPM, of a token or of what lies beside the image ends the asking; a wrong PIN is tried three
//! times at most, so that a lock-out is not brought about here.

use crate::cause::chain;
use crate::{Causes, Console, Result};
use boot_luks::{Storage, Volume, VolumeKey};
use boot_measure::{Bank, EventLog};
use boot_policy::{PcrSet, Refusal, SignedPolicies, StoredPolicy};
use boot_tpm::{Code, Tpm, Transport};
use boot_unlock::{
    Error, Evidence, RecoveryToken, each_token, generations, read_generations, recover,
    unlock_stored, unlock_typed,
};

/// How often a PIN is asked for.
const PINS: u32 = 3;

/// What lies beside the image and speaks for the machine, and what the machine itself says.
#[derive(Debug, Default)]
pub struct Beside {
    /// Signed policies of the image.
    pub signed: Option<SignedPolicies>,
    /// Policies that live in the TPM; of several for one index the TPM says which is true.
    pub stored: Vec<StoredPolicy>,
    /// Policies that can't be read: the file's name, and why.
    pub unread: Vec<(String, boot_policy::Error)>,
    /// Lists of generations, as they are.
    pub generations: Vec<Vec<u8>>,
    /// Firmware's log of this boot.
    pub log: Option<EventLog>,
    /// Logs of boots that were right.
    pub good_logs: Vec<EventLog>,
    /// Recovery tokens that the disk's owner signed.
    pub recovery: Vec<RecoveryToken>,
}

/// Opens volumes.
#[derive(Debug)]
pub struct Opener<'a, C> {
    /// Who is told and asked.
    pub console: &'a mut C,
    /// What speaks for the machine.
    pub beside: &'a Beside,
}

/// One token.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    number: u32,
    /// Bank of the list of generations that it was sealed for, where it was.
    list_of: Option<Bank>,
}

/// True when a PIN is what is missing.
fn wants_pin(error: &Error) -> bool {
    matches!(error, Error::Tpm(boot_tpm::Error::Refusal(refusal)) if *refusal.cause() == Refusal::Pin)
}

/// True when it was a PIN, and a wrong one.
fn wrong_pin(error: &Error) -> bool {
    let failure = match error {
        Error::Tpm(error) => error.failure(),
        _ => None,
    };
    failure.is_some_and(|failure| failure.code() == Code::Authorisation)
}

/// How much an error tells: of several lists the one counts whose error tells most.
fn tells(error: &Error) -> u8 {
    match error {
        Error::Generations { .. } => 0,
        Error::OtherAlternatives { .. } => 1,
        Error::Changed { pcrs, .. } if pcrs.is_empty() => 2,
        Error::Changed { .. } => 3,
        _ => 4,
    }
}

impl<C: Console> Opener<'_, C> {
    /// Opens a volume: its key. `what` names it in questions.
    ///
    /// # Errors
    /// [`crate::Error::Console`] when the TPM releases nothing and nobody can be asked.
    pub fn open<D: Storage, T: Transport>(
        &mut self,
        what: &str,
        volume: &mut Volume<D>,
        tpm: boot_tpm::Result<Tpm<T>>,
    ) -> Result<VolumeKey> {
        let mut causes = Causes::default();
        let has_tokens = each_token(volume.metadata()).next().is_some();
        match tpm {
            Ok(mut tpm) => {
                if let Some((token, key)) = self.by_tpm(volume, &mut tpm, &mut causes) {
                    self.console.say(&format!(
                        "the TPM released the key of {what} (token {token})"
                    ));
                    return Ok(key);
                }
            }
            // Where no token is for a TPM, nobody misses one.
            Err(error) => causes.no_tpm = has_tokens.then_some(error),
        }
        for line in causes.lines(self.beside) {
            self.console.say(&line);
        }
        self.by_hand(what, volume)
    }

    /// By the first token whose secret is released.
    fn by_tpm<D: Storage, T: Transport>(
        &mut self,
        volume: &mut Volume<D>,
        tpm: &mut Tpm<T>,
        causes: &mut Causes,
    ) -> Option<(u32, VolumeKey)> {
        let attempts: Vec<Attempt> = each_token(volume.metadata())
            .map(|(number, token)| Attempt {
                number,
                // A token of another form is refused by whoever reads it next, with the reason.
                list_of: token
                    .ok()
                    .filter(|token| generations(token) > 0)
                    .map(|token| token.bank),
            })
            .collect();
        let mut with_pin = Vec::new();
        for token in attempts {
            match self.by_token(volume, token, tpm, None) {
                Ok(key) => return Some((token.number, key)),
                Err(error) if wants_pin(&error) => with_pin.push(token),
                Err(error) => causes.tokens.push((token.number, error)),
            }
        }
        if let Some(opened) = self.by_owner(volume, tpm, causes) {
            return Some(opened);
        }
        for token in with_pin {
            for _ in 0..PINS {
                let typed = self.console.ask("PIN of the TPM:").ok()?;
                let Ok(pin) = std::str::from_utf8(&typed) else {
                    self.console.say("a PIN is text");
                    continue;
                };
                match self.by_token(volume, token, tpm, Some(pin)) {
                    Ok(key) => return Some((token.number, key)),
                    Err(error) if wrong_pin(&error) => self.console.say("the PIN is wrong"),
                    Err(error) => {
                        causes.tokens.push((token.number, error));
                        break;
                    }
                }
            }
        }
        None
    }

    /// By what the owner signed, before a PIN is asked for, which may be what was forgotten.
    fn by_owner<D: Storage, T: Transport>(
        &mut self,
        volume: &mut Volume<D>,
        tpm: &mut Tpm<T>,
        causes: &mut Causes,
    ) -> Option<(u32, VolumeKey)> {
        let uuid = volume.uuid();
        // Tokens for other disks of this machine may lie there too.
        let for_this = self.beside.recovery.iter().filter(|by| by.volume == uuid);
        for by in for_this {
            match recover(volume, tpm, by) {
                Ok(unlocked) => {
                    self.console.say("the owner's recovery token is accepted; seal the disk anew, which uses it up");
                    return Some((unlocked.token, unlocked.key));
                }
                Err(error) => causes.owner.push(error),
            }
        }
        None
    }

    /// By one token: with each list of generations, where there are some.
    fn by_token<D: Storage, T: Transport>(
        &mut self,
        volume: &mut Volume<D>,
        token: Attempt,
        tpm: &mut Tpm<T>,
        pin: Option<&str>,
    ) -> boot_unlock::Result<VolumeKey> {
        let mut attempt = |alternatives: &[PcrSet]| {
            let evidence = Evidence {
                signed: self.beside.signed.as_ref(),
                alternatives,
                pin,
            };
            let stored = &self.beside.stored;
            unlock_stored(volume, Some(token.number), tpm, &evidence, stored)
                .map(|unlocked| unlocked.key)
        };
        let Some(bank) = token.list_of else {
            return attempt(&[]);
        };
        let mut refusal = None;
        for list in &self.beside.generations {
            let key = read_generations(list, bank).and_then(|list| attempt(&list));
            match key {
                Ok(key) => return Ok(key),
                // A PIN that was tried once is not tried again with another list.
                Err(error) if wants_pin(&error) || wrong_pin(&error) => return Err(error),
                Err(error) => {
                    let tells_more = |known: &Error| tells(&error) > tells(known);
                    if refusal.as_ref().is_none_or(tells_more) {
                        refusal = Some(error);
                    }
                }
            }
        }
        refusal.map_or_else(|| attempt(&[]), Err)
    }

    /// By what somebody types.
    fn by_hand<D: Storage>(&mut self, what: &str, volume: &mut Volume<D>) -> Result<VolumeKey> {
        let question = format!("passphrase or recovery key of {what}:");
        loop {
            let typed = self.console.ask(&question)?;
            match unlock_typed(volume, &typed) {
                Ok((_, key)) => return Ok(key),
                Err(error) => self.console.say(&chain(&error)),
            }
        }
    }
}
