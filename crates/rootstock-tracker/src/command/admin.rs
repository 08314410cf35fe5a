//! `admin`: what only whoever runs the program may do.

mod people;

pub(crate) use people::{people, sessions, tokens};

use super::open_existing;
use crate::arguments::AdminBootstrap;
use crate::output::{self, Outcome, Refusal};
use anyhow::Context;
use jiff::SignedDuration;
use serde::Serialize;
use tracker_people::Role;

/// How long the link holds.
const LIFE: SignedDuration = SignedDuration::from_hours(1);
/// The longest name of an account, in bytes.
const MAX_NAME: usize = 80;

#[derive(Serialize)]
struct Bootstrapped<'a> {
    account: &'a str,
    role: Role,
    link: &'a str,
}

/// Prints the link.
pub(crate) async fn bootstrap(arguments: AdminBootstrap) -> anyhow::Result<Outcome> {
    let account = arguments.account.trim();
    if account.is_empty() || account.len() > MAX_NAME || account.chars().any(char::is_control) {
        return Refusal::wrong(format!(
            "an account needs a name of one line, of at most {MAX_NAME} bytes"
        ));
    }
    let store = open_existing(&arguments.database.database).await?;
    let role = Role::Administrator;
    let public = &arguments.public_url;
    let link = tracker_web::sign_in_link(&store, public, account, role, LIFE);
    let link = link.await.context("the link is not made")?;
    store.close().await;
    if arguments.json.json {
        output::json(&Bootstrapped {
            account,
            role,
            link: &link,
        })?;
    } else {
        output::text(&format!("{link}\n"))?;
        output::note("it signs in once, within an hour");
    }
    Ok(Outcome::Done)
}
