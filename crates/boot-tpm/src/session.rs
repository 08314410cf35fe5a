//! Sessions: salted with a key of the TPM, so that whoever listens on the bus learns neither the session's key nor what is
//! encrypted with it (part 1, 19.6 and 21).
//!
//! Invariant: every answer to a command with a session is authenticated before it is used.

use crate::crypt::{Direction, cfb, hmac, kdfa, sha256};
use crate::frame::{Answer, Command, Reader, Writer};
use crate::{Error, Handle, NULL, Parent, Result, Tpm, Transport};
use hmac::Mac;
use zeroize::Zeroizing;

/// TPM_RS_PW.
const PASSWORD: u32 = 0x4000_0009;
/// Bytes of a nonce.
const NONCE: usize = 32;
/// TPMA_SESSION: continueSession, decrypt, encrypt.
const CONTINUE: u8 = 1;
const DECRYPT: u8 = 1 << 5;
const ENCRYPT: u8 = 1 << 6;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// TPM_SE_HMAC.
    Hmac,
    /// TPM_SE_POLICY.
    Policy,
}

/// A session. It is flushed by whoever started it.
pub(crate) struct Session {
    pub(crate) handle: u32,
    kind: Kind,
    key: Zeroizing<[u8; 32]>,
    pub(crate) newest: Vec<u8>,
    caller: [u8; NONCE],
    /// True after PolicyAuthValue.
    pub(crate) wants_value: bool,
}

/// Which side's first parameter is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hide {
    Command,
    Answer,
}

/// How a command is authorised.
pub(crate) enum Authorisation<'a> {
    /// Not at all.
    None,
    /// By the entity's authorisation value in clear; for empty values only, or where no secret is at stake.
    Password(&'a [u8]),
    /// By a session.
    Session {
        session: &'a mut Session,
        /// The entity's authorisation value.
        value: &'a [u8],
        hide: Hide,
    },
}

/// Fills a nonce.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// Authorisation values are compared without the zeros at their end (part 1, 19.6.4.3).
fn trimmed(value: &[u8]) -> &[u8] {
    let end = value
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    &value[..end]
}

impl Session {
    /// The key of the HMAC. In a policy session the value belongs to it after PolicyAuthValue only.
    fn hmac_key(&self, value: &[u8]) -> Zeroizing<Vec<u8>> {
        let with = self.kind == Kind::Hmac || self.wants_value;
        let value = if with { trimmed(value) } else { &[] };
        Zeroizing::new([self.key.as_slice(), value].concat())
    }

    /// The key of parameter encryption, to which the value belongs always (part 1, 21.2).
    fn hide_key(&self, value: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.key.as_slice(), trimmed(value)].concat())
    }
}

/// The first parameter's contents, which is a sized buffer.
fn first(parameters: &mut [u8]) -> Option<&mut [u8]> {
    let (length, rest) = parameters.split_first_chunk_mut::<2>()?;
    rest.get_mut(..usize::from(u16::from_be_bytes(*length)))
}

impl Authorisation<'_> {
    /// The authorisation area, without its size; hides the first parameter where it is asked to.
    pub(crate) fn command_area(
        &mut self,
        command: &Command,
        handles: &[Handle],
        parameters: &mut [u8],
    ) -> Option<Vec<u8>> {
        match self {
            Authorisation::None => None,
            Authorisation::Password(value) => {
                let area = Writer::new()
                    .u32(PASSWORD)
                    .sized(&[])
                    .u8(CONTINUE)
                    .sized(value);
                Some(area.into_bytes())
            }
            Authorisation::Session {
                session,
                value,
                hide,
            } => {
                session.caller = random();
                if *hide == Hide::Command {
                    let data = first(parameters).expect("hidden parameters are sized buffers");
                    let key = session.hide_key(value);
                    cfb(
                        Direction::Encrypt,
                        &key,
                        &session.caller,
                        &session.newest,
                        data,
                    );
                }
                let names: Vec<u8> = handles
                    .iter()
                    .flat_map(|handle| handle.name.clone())
                    .collect();
                let hash = sha256(&[&command.code.to_be_bytes(), &names, parameters]);
                let attributes = CONTINUE
                    | match hide {
                        Hide::Command => DECRYPT,
                        Hide::Answer => ENCRYPT,
                    };
                let mac = hmac(
                    &session.hmac_key(value),
                    &[&hash, &session.caller, &session.newest, &[attributes]],
                );
                let area = Writer::new()
                    .u32(session.handle)
                    .sized(&session.caller)
                    .u8(attributes)
                    .sized(&mac.finalize().into_bytes());
                Some(area.into_bytes())
            }
        }
    }

    /// Authenticates an answer, and makes its first parameter readable.
    pub(crate) fn check_answer(&mut self, command: &Command, answer: &mut Answer) -> Result<()> {
        let Authorisation::Session {
            session,
            value,
            hide,
        } = self
        else {
            return Ok(());
        };
        let area = std::mem::take(&mut answer.area);
        let mut reader = Reader::new(command.name, &area);
        let nonce = reader.sized()?.to_vec();
        let attributes = reader.u8()?;
        let mac = reader.sized()?;
        reader.end()?;
        let hash = sha256(&[
            &0_u32.to_be_bytes(),
            &command.code.to_be_bytes(),
            &answer.parameters,
        ]);
        let key = session.hmac_key(value);
        hmac(&key, &[&hash, &nonce, &session.caller, &[attributes]])
            .verify_slice(mac)
            .map_err(|_| {
                reader.wrong("its authentication is wrong: somebody is between us and the TPM")
            })?;
        if *hide == Hide::Answer {
            let wrong = || Error::Answer {
                command: command.name,
                why: "its first parameter ends early",
            };
            let data = first(&mut answer.parameters).ok_or_else(wrong)?;
            let key = session.hide_key(value);
            cfb(Direction::Decrypt, &key, &nonce, &session.caller, data);
        }
        session.newest = nonce;
        Ok(())
    }
}

impl<T: Transport> Tpm<T> {
    /// Starts a session whose key only this TPM and we know.
    pub(crate) fn start(&mut self, salt: &Parent, kind: Kind) -> Result<Session> {
        let secret = salt.salt()?;
        let caller = random::<NONCE>();
        let parameters = Writer::new()
            .sized(&caller)
            .sized(&secret.encrypted)
            .u8(match kind {
                Kind::Hmac => 0,
                Kind::Policy => 1,
            })
            .u16(0x0006)
            .u16(128)
            .u16(0x0043)
            .u16(0x000b);
        let answer = self.run(
            Command::START_SESSION,
            &[Handle::plain(salt.handle), Handle::plain(NULL)],
            Authorisation::None,
            parameters,
        )?;
        let mut reader = answer.reader();
        let newest = reader.sized()?.to_vec();
        reader.end()?;
        Ok(Session {
            handle: answer.made()?,
            kind,
            key: kdfa(&*secret.value, b"ATH", &newest, &caller),
            newest,
            caller,
            wants_value: false,
        })
    }
}
