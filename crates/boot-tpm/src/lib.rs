//! Talks to a TPM 2.0: sessions that hide what is sealed and unsealed from the bus, policies of `boot-policy` carried out,
//! sealed objects, NV indices, registers.
//!
//! Invariants: a secret crosses to and from the TPM encrypted only; what was loaded is flushed, whatever fails; nothing that
//! is not ours is changed or removed; an answer is read within limits and never trusted for its lengths.
//!
//! The frames are our own, some thirty commands, because the values in them are those whose digests `boot-policy` computes;
//! `tpm2-protocol` names response codes and judges every frame in the tests.
//!
//! Sources: TPM 2.0 library part 1 (sessions 19, parameter encryption 21, key derivation 11.4.10), part 2 (structures) and
//! part 3 (commands); TCG Provisioning Guidance (storage root key at 0x81000001).

mod answer;
mod crypt;
mod frame;
mod index;
mod key;
mod machine;
mod parent;
mod policy;
mod session;
mod stored;
mod transport;

pub use answer::{Code, Failure};
pub use key::Sealed;
pub use machine::Lockout;
pub use parent::{Parent, SRK, Template};
pub use stored::{STORED_INDICES, WriteKey};
pub use transport::{Device, Socket, Transport};

use frame::Writer;
use session::Authorisation;

/// Longest command and answer.
pub const MAX_FRAME: usize = 4096;

/// How often a command is sent to a TPM that asks to try again, and the pause before it.
const RETRIES: u32 = 50;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// Why something could not be done with a TPM.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no TPM, or it can't be reached.
    #[error("TPM {path}")]
    Open {
        /// Where it should be.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Sending or receiving failed.
    #[error("TPM command {command}: the exchange failed")]
    Exchange {
        /// Which.
        command: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The TPM refused.
    #[error("TPM command {command}: {failure}")]
    Refused {
        /// Which.
        command: &'static str,
        /// Why.
        failure: Failure,
    },
    /// The TPM's answer is not what the specification says.
    #[error("TPM command {command}: the answer is malformed: {why}")]
    Answer {
        /// Which.
        command: &'static str,
        /// The rule.
        why: &'static str,
    },
    /// The policy is not satisfied on this machine.
    #[error("the policy is not satisfied: {0}")]
    Refusal(#[source] boot_policy::Refusal),
    /// The policy is none.
    #[error(transparent)]
    Policy(#[from] boot_policy::Error),
    /// What was asked can't be done with what there is.
    #[error("{what}: {why}")]
    Unusable {
        /// Which object.
        what: String,
        /// The rule.
        why: &'static str,
    },
}

impl Error {
    /// What the TPM said, where it said something.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Error::Refused { failure, .. } => Some(*failure),
            _ => None,
        }
    }
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;

/// A TPM.
#[derive(Debug)]
pub struct Tpm<T> {
    transport: T,
    /// Commands sent so far.
    commands: usize,
}

impl<T: Transport> Tpm<T> {
    /// The TPM at the end of a transport.
    pub fn new(transport: T) -> Tpm<T> {
        Tpm {
            transport,
            commands: 0,
        }
    }

    /// The transport, for other commands than these.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// How many commands were sent.
    pub fn commands(&self) -> usize {
        self.commands
    }

    /// Sends a command and reads the answer's handle, where it has one, and its parameters. With a session, parameters are
    /// authenticated, and the first of them is encrypted as the session says.
    fn run(
        &mut self,
        command: frame::Command,
        handles: &[Handle],
        mut authorisation: Authorisation<'_>,
        parameters: Writer,
    ) -> Result<frame::Answer> {
        let mut parameters = parameters.into_bytes();
        let handle_bytes: Vec<u8> = handles
            .iter()
            .flat_map(|handle| handle.number.to_be_bytes())
            .collect();
        let area = authorisation.command_area(&command, handles, &mut parameters);
        let bytes = frame::command(&command, &handle_bytes, area.as_deref(), &parameters);
        for _ in 0..RETRIES {
            self.commands += 1;
            let answer = self.transport.exchange(&bytes);
            let answer = answer.map_err(|source| Error::Exchange {
                command: command.name,
                source,
            })?;
            match frame::Answer::read(&command, &answer, area.is_some()) {
                // Nothing was done, and the nonces stay: the same bytes are sent again.
                Err(Error::Refused { failure, .. }) if failure.is_busy() => {}
                answer => {
                    let mut answer = answer?;
                    authorisation.check_answer(&command, &mut answer)?;
                    return Ok(answer);
                }
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::Unusable {
            what: format!("TPM command {}", command.name),
            why: "the TPM asked to try again too often",
        })
    }
}

/// A handle, with the name that authenticated commands cover.
#[derive(Debug, Clone)]
struct Handle {
    number: u32,
    /// The name; for sessions, registers and hierarchies the handle itself.
    name: Vec<u8>,
}

impl Handle {
    /// An entity whose name is its handle.
    fn plain(number: u32) -> Handle {
        Handle {
            number,
            name: number.to_be_bytes().to_vec(),
        }
    }

    fn named(number: u32, name: &boot_policy::Name) -> Handle {
        Handle {
            number,
            name: name.as_bytes().to_vec(),
        }
    }
}

/// TPM_RH_OWNER.
const OWNER: u32 = 0x4000_0001;
/// TPM_RH_NULL.
const NULL: u32 = 0x4000_0007;
