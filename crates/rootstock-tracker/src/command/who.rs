//! People at the command line: found by the name that the tracker knows them by.
//!
//! Invariant: whoever acts has the role that the database gives them, no more, though whoever runs the program could.

use crate::output::Refusal;
use anyhow::bail;
use jiff::Timestamp;
use tracker_people::{Principal, Role, StandingRules};
use tracker_store::{HeldPerson, Store};

/// The one person of a name.
pub(super) async fn one_called(store: &Store, handle: &str) -> anyhow::Result<HeldPerson> {
    let mut called = store.people_called(handle).await?;
    match (called.pop(), called.pop()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            let nobody = format!("nobody called `{handle}` ever signed in");
            Err(Refusal::Absent(nobody).into())
        }
        (Some(_), Some(_)) => bail!("several people are called `{handle}`"),
    }
}

/// The role that somebody has now.
pub(super) fn role(held: &HeldPerson) -> Role {
    StandingRules::default().role(&held.standing, Timestamp::now())
}

/// Somebody as one who acts.
pub(super) async fn principal(store: &Store, handle: &str) -> anyhow::Result<Principal> {
    let held = one_called(store, handle).await?;
    let role = role(&held);
    Ok(Principal::in_session(held.person, role))
}
