//! Policies carried out: the commands that `boot-policy` answers, on a session of the TPM, and what they release.
//!
//! Invariant: the session's digest is compared with the policy's before a secret is asked for, so a refusal is found before
//! it counts as a wrong PIN.

use crate::crypt::sha256;
use crate::frame::{Command, Writer};
use crate::session::{Authorisation, Hide, Kind, Session};
use crate::{Error, Handle, OWNER, Parent, Result, Sealed, Tpm, Transport};
use boot_policy::{Approved, Command as Step, Policy, PolicyDigest, State};
use zeroize::Zeroizing;

impl<T: Transport> Tpm<T> {
    /// Releases a sealed secret to a machine in this state. `approved` is what the policy's base has approved; `pin` the
    /// object's authorisation value, where the policy wants one.
    ///
    /// # Errors
    /// [`Error::Refusal`] when the state does not satisfy the policy; [`Error::Refused`] when the TPM sees it otherwise,
    /// the PIN is wrong, or the object is another TPM's.
    pub fn unseal(
        &mut self,
        parent: &Parent,
        sealed: &Sealed,
        policy: &Policy,
        approved: &[Approved],
        state: &State,
        pin: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let steps = policy.satisfy(state, approved)?.map_err(Error::Refusal)?;
        self.unseal_by(parent, sealed, &steps, policy.digest()?, pin)
    }

    /// Releases a sealed secret by these steps, which must lead to this digest: as an owner's signature does
    /// ([`boot_policy::Owner::commands`]).
    ///
    /// # Errors
    /// As for [`Tpm::unseal`].
    pub fn unseal_by(
        &mut self,
        parent: &Parent,
        sealed: &Sealed,
        steps: &[Step],
        digest: PolicyDigest,
        pin: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let object = self.load(parent, sealed)?;
        let secret = self.with_policy(parent, steps, |tpm, session| {
            if tpm.digest(session)? != digest {
                return Err(Error::Unusable {
                    what: "policy session".to_owned(),
                    why: "it came to another digest than was foreseen: the machine's state has changed meanwhile",
                });
            }
            let answer = tpm.run(
                Command::UNSEAL,
                std::slice::from_ref(&object),
                Authorisation::Session {
                    session,
                    value: pin,
                    hide: Hide::Answer,
                },
                Writer::new(),
            )?;
            let mut reader = answer.reader();
            let secret = Zeroizing::new(reader.sized()?.to_vec());
            reader.end()?;
            Ok(secret)
        });
        let flushed = self.flush(object.number);
        let secret = secret?;
        flushed?;
        Ok(secret)
    }

    /// The digest that the steps come to on this TPM: a trial in earnest, which releases nothing.
    ///
    /// # Errors
    /// When a step fails.
    pub fn attempt(&mut self, parent: &Parent, steps: &[Step]) -> Result<PolicyDigest> {
        self.with_policy(parent, steps, |tpm, session| tpm.digest(session))
    }

    fn with_policy<A>(
        &mut self,
        parent: &Parent,
        steps: &[Step],
        then: impl FnOnce(&mut Tpm<T>, &mut Session) -> Result<A>,
    ) -> Result<A> {
        let mut session = self.start(parent, Kind::Policy)?;
        let outcome = steps
            .iter()
            .try_for_each(|step| self.step(&mut session, step))
            .and_then(|()| then(self, &mut session));
        let flushed = self.flush(session.handle);
        let outcome = outcome?;
        flushed?;
        Ok(outcome)
    }

    fn digest(&mut self, session: &Session) -> Result<PolicyDigest> {
        let handle = Handle::plain(session.handle);
        let answer = self.run(
            Command::POLICY_DIGEST,
            &[handle],
            Authorisation::None,
            Writer::new(),
        )?;
        let mut reader = answer.reader();
        let digest = PolicyDigest::from_bytes(reader.sized()?)?;
        reader.end()?;
        Ok(digest)
    }

    fn step(&mut self, session: &mut Session, step: &Step) -> Result<()> {
        let handle = Handle::plain(session.handle);
        let none = Authorisation::None;
        match step {
            Step::Pcr(set) => {
                // The TPM takes the values that its registers have; a digest of ours would only make it fail earlier.
                let parameters = Writer::new().sized(&[]).bytes(&set.selection());
                self.run(Command::POLICY_PCR, &[handle], none, parameters)
            }
            Step::Or(list) => {
                let start = Writer::new().u32(list.len() as u32);
                let parameters = list.iter().fold(start, |to, digest| to.sized(&digest.0));
                self.run(Command::POLICY_OR, &[handle], none, parameters)
            }
            Step::AuthValue => {
                session.wants_value = true;
                self.run(Command::POLICY_AUTH_VALUE, &[handle], none, Writer::new())
            }
            Step::Nv {
                index,
                comparison,
                number,
            } => {
                let index = Handle::named(index.index, &index.name());
                let parameters = Writer::new()
                    .sized(&number.to_be_bytes())
                    .u16(0)
                    .u16(comparison.operation());
                let handles = [index.clone(), index, handle];
                self.run(
                    Command::POLICY_NV,
                    &handles,
                    Authorisation::Password(&[]),
                    parameters,
                )
            }
            Step::AuthorizeNv(index) => {
                let index = Handle::named(index.index, &index.name());
                let handles = [Handle::plain(OWNER), index, handle];
                let password = Authorisation::Password(&[]);
                self.run(
                    Command::POLICY_AUTHORIZE_NV,
                    &handles,
                    password,
                    Writer::new(),
                )
            }
            Step::Signed {
                key,
                reference,
                signature,
            } => {
                let key = self.external(key.as_bytes())?;
                // No nonce, no command, no end.
                let parameters = Writer::new()
                    .sized(&[])
                    .sized(&[])
                    .sized(reference)
                    .u32(0)
                    .u16(0x0014)
                    .u16(0x000b)
                    .sized(signature);
                let handles = [Handle::plain(key), handle];
                let answer = self.run(Command::POLICY_SIGNED, &handles, none, parameters);
                let flushed = self.flush(key);
                let answer = answer?;
                flushed?;
                Ok(answer)
            }
            Step::Authorize {
                key,
                reference,
                approved,
                signature,
            } => {
                let ticket = self.verified(key.as_bytes(), approved, reference, signature)?;
                let parameters = Writer::new()
                    .sized(&approved.0)
                    .sized(reference)
                    .sized(key.name().as_bytes())
                    .bytes(&ticket);
                self.run(Command::POLICY_AUTHORIZE, &[handle], none, parameters)
            }
        }
        .map(drop)
    }

    /// Loads a public key; whoever does flushes it.
    fn external(&mut self, key: &[u8]) -> Result<u32> {
        let parameters = Writer::new().sized(&[]).sized(key).u32(OWNER);
        let loaded = self.run(Command::LOAD_EXTERNAL, &[], Authorisation::None, parameters)?;
        loaded.made()
    }

    /// Has the TPM verify an RSA signature over a policy, and answers its ticket.
    fn verified(
        &mut self,
        key: &[u8],
        approved: &PolicyDigest,
        reference: &[u8],
        signature: &[u8],
    ) -> Result<Vec<u8>> {
        let key = self.external(key)?;
        let digest = sha256(&[&approved.0, reference]);
        let parameters = Writer::new()
            .sized(&digest)
            .u16(0x0014)
            .u16(0x000b)
            .sized(signature);
        let handles = [Handle::plain(key)];
        let answer = self.run(Command::VERIFY, &handles, Authorisation::None, parameters);
        let flushed = self.flush(key);
        let answer = answer?;
        flushed?;
        Ok(answer.parameters)
    }
}
