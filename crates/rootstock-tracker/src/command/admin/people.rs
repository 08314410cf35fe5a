//! `admin people`, `admin sessions`, `admin tokens`: who there is, what role they have, and what proves who they are.

use crate::arguments::admin::{
    AdminPeople, AdminProofs, PeopleList, PersonChange, PersonRole, PersonShow, ProofEnd,
};
use crate::command::open_existing;
use crate::command::show::plain;
use crate::command::triage::print;
use crate::command::who::{one_called, role};
use crate::output::{self, Outcome, Refusal};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use tracker_people::{KeepAccount, PersonId, Principal, Role, Scope, SessionRules, SessionState};
use tracker_store::{Giver, HeldPerson, Store};

/// The longest reason, in bytes.
const MAX_REASON: usize = 500;

/// Runs a command about people.
pub(crate) async fn people(command: AdminPeople) -> anyhow::Result<Outcome> {
    match command {
        AdminPeople::List(arguments) => list(arguments).await,
        AdminPeople::Show(arguments) => show(arguments).await,
        AdminPeople::Role(arguments) => give(arguments).await,
        AdminPeople::Block(change) => block(change, true).await,
        AdminPeople::Unblock(change) => block(change, false).await,
        AdminPeople::SignOut(change) => {
            let (store, held) = begin(&change.person).await?;
            let mut ended = 0;
            if !change.dry_run {
                ended = store
                    .end_sessions(held.person.id, None, Timestamp::now())
                    .await?;
            }
            told(&change, "signed out", &json!({ "sessions": ended }))
        }
    }
}

async fn begin(arguments: &PersonShow) -> anyhow::Result<(Store, HeldPerson)> {
    let store = open_existing(&arguments.database.database).await?;
    let held = one_called(&store, &arguments.handle).await?;
    Ok((store, held))
}

fn value(held: &HeldPerson) -> Value {
    let standing = &held.standing;
    json!({
        "person": held.person.id,
        "handle": held.person.handle,
        "github": held.person.github,
        "role": role(held),
        "granted": standing.granted,
        "team": standing.membership.map(|one| one.role),
        "blocked": standing.blocked,
        "since": held.created,
    })
}

fn line(held: &HeldPerson) -> String {
    let blocked = if held.standing.blocked {
        "  shut out"
    } else {
        ""
    };
    let handle = plain(&held.person.handle);
    format!(
        "{:>6}  {handle:<24} {}{blocked}\n",
        held.person.id.0,
        role(held)
    )
}

async fn list(arguments: PeopleList) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let held = store
        .people(PersonId(arguments.after), arguments.limit)
        .await?;
    let values: Vec<Value> = held.iter().map(value).collect();
    print(arguments.json.json, &values, || {
        held.iter().map(line).collect()
    })
}

async fn show(arguments: PersonShow) -> anyhow::Result<Outcome> {
    let (store, held) = begin(&arguments).await?;
    let grants = store.grants_of(held.person.id).await?;
    let mut whole = value(&held);
    whole["grants"] = json!(grants);
    print(arguments.json.json, &whole, || {
        let mut out = line(&held);
        for grant in &grants {
            let giver = grant.giver.as_deref().unwrap_or("the command line");
            let (giver, reason) = (plain(giver), plain(&grant.reason));
            let _ = writeln!(out, "{}  {} by {giver}: {reason}", grant.at, grant.role);
        }
        out
    })
}

async fn give(arguments: PersonRole) -> anyhow::Result<Outcome> {
    let reason = arguments.reason.trim();
    if reason.is_empty() || reason.len() > MAX_REASON {
        return Refusal::wrong(format!("a reason is needed, of at most {MAX_REASON} bytes"));
    }
    let change = &arguments.change;
    let (store, held) = begin(&change.person).await?;
    if !change.dry_run {
        let (to, giver) = (held.person.id, Giver::CommandLine);
        store
            .grant_role(to, arguments.role, giver, reason, None, Timestamp::now())
            .await?;
    }
    told(
        change,
        arguments.role.word(),
        &json!({ "role": arguments.role }),
    )
}

async fn block(change: PersonChange, blocked: bool) -> anyhow::Result<Outcome> {
    let (store, held) = begin(&change.person).await?;
    if !change.dry_run {
        store
            .set_blocked(
                Giver::CommandLine,
                held.person.id,
                blocked,
                None,
                Timestamp::now(),
            )
            .await?;
    }
    let word = if blocked { "shut out" } else { "let in" };
    told(&change, word, &json!({ "blocked": blocked }))
}

fn told(change: &PersonChange, word: &str, value: &Value) -> anyhow::Result<Outcome> {
    let mut whole = value.clone();
    whole["handle"] = json!(change.person.handle);
    whole["dry_run"] = json!(change.dry_run);
    let would = if change.dry_run { "would be " } else { "" };
    print(change.person.json.json, &whole, || {
        format!("{}: {would}{word}\n", plain(&change.person.handle))
    })
}

/// Whoever runs the program looks after the account of somebody as they could themselves.
fn themselves(held: &HeldPerson) -> Principal {
    Principal::in_session(held.person.clone(), Role::Maintainer)
}

/// Runs a command about somebody's sessions.
pub(crate) async fn sessions(command: AdminProofs) -> anyhow::Result<Outcome> {
    match command {
        AdminProofs::List(arguments) => {
            let (store, held) = begin(&arguments).await?;
            let (rules, now) = (SessionRules::default(), Timestamp::now());
            let mut rows = store.sessions_of(themselves(&held).permit()?).await?;
            rows.retain(|row| rules.state(&row.life, now) == SessionState::Live);
            let values: Vec<Value> = rows
                .iter()
                .map(|row| {
                    json!({
                        "session": row.key, "created": row.life.created, "used": row.life.used,
                        "provider": row.provider, "address": row.address, "agent": row.agent,
                    })
                })
                .collect();
            print(arguments.json.json, &values, || {
                let line = |row: &tracker_store::SessionRow| {
                    let (agent, used) = (plain(&row.agent), row.life.used);
                    format!("{:>6}  {used}  {}  {agent}\n", row.key, plain(&row.address))
                };
                rows.iter().map(line).collect()
            })
        }
        AdminProofs::End(end) => {
            let (store, held) = begin(&end.change.person).await?;
            let rows = store.sessions_of(themselves(&held).permit()?).await?;
            if !rows.iter().any(|row| row.key == end.key) {
                return Ok(absent(&end));
            }
            if !end.change.dry_run {
                store
                    .end_session(held.person.id, end.key, None, Timestamp::now())
                    .await?;
            }
            told(
                &end.change,
                "signed out there",
                &json!({ "session": end.key }),
            )
        }
    }
}

/// Runs a command about somebody's tokens.
pub(crate) async fn tokens(command: AdminProofs) -> anyhow::Result<Outcome> {
    match command {
        AdminProofs::List(arguments) => {
            let (store, held) = begin(&arguments).await?;
            let rows = store.tokens_of(themselves(&held).permit()?).await?;
            let values: Vec<Value> = rows
                .iter()
                .map(|row| {
                    json!({
                        "token": row.key, "name": row.name,
                        "scopes": row.scopes.iter().map(Scope::word).collect::<Vec<_>>(),
                        "created": row.life.created, "expires": row.life.expires,
                        "revoked": row.life.revoked, "used": row.used,
                    })
                })
                .collect();
            print(arguments.json.json, &values, || {
                let line = |row: &tracker_store::TokenRow| {
                    let ends = row.life.revoked.unwrap_or(row.life.expires);
                    let name = plain(&row.name);
                    format!("{:>6}  {name:<24} {} until {ends}\n", row.key, row.scopes)
                };
                rows.iter().map(line).collect()
            })
        }
        AdminProofs::End(end) => {
            let (store, held) = begin(&end.change.person).await?;
            let owner = themselves(&held);
            let permit = owner.permit::<KeepAccount>()?;
            let rows = store.tokens_of(permit).await?;
            let live =
                |row: &tracker_store::TokenRow| row.key == end.key && row.life.revoked.is_none();
            if !rows.iter().any(live) {
                return Ok(absent(&end));
            }
            if !end.change.dry_run {
                store
                    .end_token(permit, end.key, None, Timestamp::now())
                    .await?;
            }
            told(
                &end.change,
                "without the token",
                &json!({ "token": end.key }),
            )
        }
    }
}

fn absent(end: &ProofEnd) -> Outcome {
    let handle = &end.change.person.handle;
    output::note(&format!("`{handle}` has none of the key {}", end.key));
    Outcome::Absent
}
