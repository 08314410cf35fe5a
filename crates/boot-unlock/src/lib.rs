//! Disks that a TPM unlocks: enrolled, unlocked, sealed anew for the next generations, wiped; recovery keys for when it does
//! not.
//!
//! Invariants: a passphrase or recovery key that opens a volume goes on opening it, whatever is enrolled or wiped; a token is
//! on the disk only when its keyslot is, and a secret is replaced only by one that was just sealed; tokens are those of
//! systemd-cryptenroll, and what it does not know is in one field of its own.
//!
//! Sources: systemd's `cryptenroll-tpm2`, `tpm2-util` and `cryptenroll-recovery`.

mod enroll;
mod generations;
mod owner;
mod pin;
mod protection;
mod recovery;
mod stored;
mod unlock;

pub use enroll::{enroll, reseal, reseal_stored, wipe};
pub use generations::{MAX_GENERATIONS, read_generations};
pub use owner::{DiskOwner, RecoveryRequest, RecoveryToken, recover, reseal_as_owner};
pub use protection::{Protection, Tokens, each_token, generations, tokens};
pub use recovery::{RecoveryKey, enroll_recovery, unlock_typed};
pub use stored::{Renewal, Settled, install, prepare, remove, renew, settle};
pub use unlock::{Evidence, Unlocked, unlock, unlock_by, unlock_stored};

/// Why a disk is not enrolled or unlocked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The volume.
    #[error(transparent)]
    Volume(#[from] boot_luks::Error),
    /// The TPM.
    #[error(transparent)]
    Tpm(#[from] boot_tpm::Error),
    /// A policy or a token.
    #[error(transparent)]
    Policy(#[from] boot_policy::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] boot_signature::Error),
    /// No token of the volume is one that a TPM unlocks.
    #[error("no token of the volume is for a TPM; enrol one, or use a passphrase")]
    NoToken,
    /// The volume has tokens for a TPM, but not this one.
    #[error("token {token} is none of the volume's tokens for a TPM")]
    NotThisToken {
        /// The number that was asked for.
        token: u32,
    },
    /// The token is of a kind that is not unlocked here.
    #[error("token {token}: {why}")]
    Unsupported {
        /// Its number.
        token: u32,
        /// The rule.
        why: &'static str,
    },
    /// Registers have other values than when the disk was enrolled.
    #[error("token {token}: {}", changed(.pcrs))]
    Changed {
        /// Its number.
        token: u32,
        /// Which registers; empty when the token does not tell what they were.
        pcrs: Vec<u8>,
    },
    /// No signed policy is about what was booted.
    #[error(
        "token {token}: none of {count} signed policies is about what was booted: PCR 11 has a value that the key's holder did not sign"
    )]
    Unsigned {
        /// Its number.
        token: u32,
        /// How many policies of the key there are.
        count: usize,
    },
    /// A list of generations that is none.
    #[error("list of generations: {what}")]
    Generations {
        /// The rule that it breaks, and where.
        what: String,
    },
    /// The policy that an NV index holds is not at hand.
    #[error("token {token}: {why}")]
    Stored {
        /// Its number.
        token: u32,
        /// The rule.
        why: &'static str,
    },
    /// The owner's signature does not open it.
    #[error("token {token}: {why}")]
    Owner {
        /// Its number.
        token: u32,
        /// The rule.
        why: &'static str,
    },
    /// The alternatives that were given are not those that the token was sealed for.
    #[error("token {token}: the list of generations is not the one that it was sealed for")]
    OtherAlternatives {
        /// Its number.
        token: u32,
    },
}

fn changed(pcrs: &[u8]) -> String {
    if pcrs.is_empty() {
        return "the machine is in another state than when it was enrolled".to_owned();
    }
    let texts: Vec<String> = pcrs.iter().map(u8::to_string).collect();
    format!(
        "PCR {} has another value than when it was enrolled",
        texts.join(", ")
    )
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
