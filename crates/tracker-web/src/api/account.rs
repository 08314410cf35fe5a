//! One's own sessions and tokens: seen and ended. Tokens are made on `/account` alone.
//!
//! Invariant: no answer holds a secret, or anything of somebody else.

use super::sent::{Bare, Conditional, tag};
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use tracker_people::{KeepAccount, Permit, Scope, SessionState, TokenState};
use tracker_store::Under;
use utoipa::ToSchema;

/// A session of the caller's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Its key, by which it is ended.
    session: i64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last noted to be used.
    #[schema(value_type = String, format = DateTime)]
    used: Timestamp,
    /// Who said who it is: `github`, `oidc` or `local`.
    provider: String,
    /// Network address from which it began.
    address: String,
    /// What the browser called itself.
    agent: String,
}

/// A token of the caller's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its key, by which it is ended.
    token: i64,
    /// What it is called.
    name: String,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// When it was last noted to be used.
    #[schema(value_type = Option<String>, format = DateTime)]
    used: Option<Timestamp>,
    /// `live`, `ended` or `revoked`.
    state: &'static str,
    /// Whether it is the one that asks.
    this: bool,
}

/// The caller's sessions that hold, the latest used first. The `ETag` is for `If-Match` of what ends them.
#[utoipa::path(
    get,
    path = "/api/v1/account/sessions",
    tag = "account",
    security(("token" = [])),
    responses((status = 200, body = Vec<Session>), Failures, Refusals)
)]
pub(crate) async fn sessions(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = ask.caller.permit()?;
    let rules = app.people.settings().sessions;
    // Asked for first: what is done in between makes the tag too old, which refuses too much and never too little.
    let version = app.store.sessions_version(permit.by()).await?;
    let held = app.store.sessions_of(permit).await?;
    let live = held
        .into_iter()
        .filter(|row| rules.state(&row.life, ask.now) == SessionState::Live);
    let sessions = live.map(|row| Session {
        session: row.key,
        created: row.life.created,
        used: row.life.used,
        provider: row.provider,
        address: row.address,
        agent: row.agent,
    });
    ask.data_tagged(&sessions.collect::<Vec<_>>(), |body| tag(version, body))
}

/// Ends all sessions of the caller's.
#[utoipa::path(
    delete,
    path = "/api/v1/account/sessions",
    tag = "account",
    security(("token" = [])),
    params(Conditional),
    responses((status = 204, description = "They ended"), Failures, Refusals)
)]
pub(crate) async fn end_sessions(
    ask: Ask,
    State(app): State<App>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = ask.caller.permit()?;
    let under = Under {
        actor: &permit.actor(),
        conditions: &conditions,
    };
    let (person, store) = (permit.by(), &app.store);
    store.end_sessions(person, Some(under), ask.now).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends a session of the caller's.
#[utoipa::path(
    delete,
    path = "/api/v1/account/sessions/{session}",
    tag = "account",
    security(("token" = [])),
    params(
        ("session" = i64, Path, description = "Its key"),
        Conditional,
    ),
    responses((status = 204, description = "It ended"), Failures, Refusals)
)]
pub(crate) async fn end_session(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = ask.caller.permit()?;
    let under = Under {
        actor: &permit.actor(),
        conditions: &conditions,
    };
    let (person, store) = (permit.by(), &app.store);
    let ended = store.end_session(person, key, Some(under), ask.now).await?;
    gone(ended, "session", key)
}

/// The caller's tokens, the newest first, those that ended, too. The `ETag` is for `If-Match` of what revokes one.
#[utoipa::path(
    get,
    path = "/api/v1/account/tokens",
    tag = "account",
    security(("token" = [])),
    responses((status = 200, body = Vec<Token>), Failures, Refusals)
)]
pub(crate) async fn tokens(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = ask.caller.permit()?;
    let version = app.store.tokens_version(permit).await?;
    let held = app.store.tokens_of(permit).await?;
    let tokens = held.into_iter().map(|row| Token {
        token: row.key,
        name: row.name,
        scopes: row.scopes.iter().map(Scope::word).collect(),
        created: row.life.created,
        expires: row.life.expires,
        used: row.used,
        state: match row.life.state(ask.now) {
            TokenState::Live => "live",
            TokenState::Expired => "ended",
            TokenState::Revoked => "revoked",
        },
        this: ask.caller.token() == Some(row.key),
    });
    ask.data_tagged(&tokens.collect::<Vec<_>>(), |body| tag(version, body))
}

/// Revokes a token of the caller's.
#[utoipa::path(
    delete,
    path = "/api/v1/account/tokens/{token}",
    tag = "account",
    security(("token" = [])),
    params(
        ("token" = i64, Path, description = "Its key"),
        Conditional,
    ),
    responses((status = 204, description = "It is revoked"), Failures, Refusals)
)]
pub(crate) async fn end_token(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = ask.caller.permit()?;
    let under = Under {
        actor: &permit.actor(),
        conditions: &conditions,
    };
    let store = &app.store;
    let ended = store.end_token(permit, key, Some(under), ask.now).await?;
    gone(ended, "token", key)
}

fn gone(ended: bool, kind: &'static str, key: i64) -> Result<Response, Error> {
    if ended {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Error::NotFound {
        kind,
        name: key.to_string(),
        near: Vec::new(),
    })
}
