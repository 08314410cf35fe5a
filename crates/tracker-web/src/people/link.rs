//! A link that signs in once: for the first administrator, before any provider is set up, and for the demonstration.
//!
//! Invariant: a link is for a local account, which has no other way in.

use super::{address::PublicAddress, fresh};
use jiff::{SignedDuration, Timestamp};
use tracker_people::{Role, SecretKind};
use tracker_store::{Giver, Identity, Store, StoreError};

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// Makes a link that signs a local account in once, within `life`, and gives it a role if it does not have it.
pub async fn sign_in_link(
    store: &Store,
    public: &PublicAddress,
    account: &str,
    role: Role,
    life: SignedDuration,
) -> Result<String, LinkError> {
    let now = Timestamp::now();
    let identity = Identity {
        provider: "local",
        subject: account,
        login: account,
    };
    let person = store.person_of(&identity, now).await?;
    let held = store.person(person).await?;
    if held.is_none_or(|held| held.standing.granted != Some(role)) {
        let reason = "a link made on the command line";
        store
            .grant_role(person, role, Giver::CommandLine, reason, None, now)
            .await?;
    }
    let secret = fresh(SecretKind::Link).map_err(|_| LinkError::Random)?;
    let expires = now.saturating_add(life).unwrap_or(Timestamp::MAX);
    store
        .begin_sign_in(secret.hash(), Some(person), expires, now)
        .await?;
    Ok(public.of(&format!("/sign-in/link?secret={}", secret.reveal())))
}
