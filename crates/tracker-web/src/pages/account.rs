//! `/account`: one's own role, sessions and tokens.
//!
//! Invariant: a token's text is in one answer only, that to the request which made it.

use super::Shell;
use super::sign_in::{own, redirect};
use crate::app::App;
use crate::ask::Names;
use crate::components::Day;
use crate::error::Error;
use crate::fields::Fields;
use crate::people::{Caller, SESSION, fresh, seal_for};
use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use jiff::Timestamp;
use tracker_people::{
    KeepAccount, MakeTokens, NewToken, Permit, Role, Scope, SecretKind, TokenState,
};
use tracker_store::{NewProof, SessionRow, TokenRow};

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    handle: String,
    role: Role,
    administrator: bool,
    sessions: Vec<SessionLine>,
    tokens: Vec<TokenLine>,
    scopes: Vec<ScopeChoice>,
    days: [u16; 4],
    /// A token that was just made: shown now and never again.
    made: Option<String>,
}

#[derive(Debug)]
struct SessionLine {
    key: i64,
    agent: String,
    address: String,
    since: Day,
    used: Day,
    current: bool,
}

#[derive(Debug)]
struct TokenLine {
    key: i64,
    name: String,
    scopes: String,
    created: Day,
    expires: Day,
    used: Option<Day>,
    state: &'static str,
    live: bool,
}

#[derive(Debug)]
struct ScopeChoice {
    word: &'static str,
    about: &'static str,
    chosen: bool,
}

impl SessionLine {
    fn new(row: SessionRow, current: Option<i64>, now: Timestamp) -> SessionLine {
        SessionLine {
            current: current == Some(row.key),
            key: row.key,
            agent: if row.agent.is_empty() {
                "A browser without a name".to_owned()
            } else {
                row.agent
            },
            address: row.address,
            since: Day::new(row.life.created, now),
            used: Day::new(row.life.used, now),
        }
    }
}

impl TokenLine {
    fn new(row: TokenRow, now: Timestamp) -> TokenLine {
        let state = row.life.state(now);
        TokenLine {
            key: row.key,
            name: row.name,
            scopes: row.scopes.to_string(),
            created: Day::new(row.life.created, now),
            expires: Day::new(row.life.expires, now),
            used: row.used.map(|used| Day::new(used, now)),
            state: match state {
                TokenState::Live => "live",
                TokenState::Expired => "ended",
                TokenState::Revoked => "revoked",
            },
            live: state == TokenState::Live,
        }
    }
}

fn about(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read, at your own rate",
        Scope::Propose => "propose verdicts and comment",
        Scope::Decide => "decide",
        Scope::Account => "see and end your sessions and tokens",
        Scope::Embargo => "see embargoes that name you, and handle them if you may",
        Scope::Administer => "give and take roles, shut people out",
    }
}

async fn show(app: &App, caller: &Caller, made: Option<String>) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = caller.permit()?;
    let now = Timestamp::now();
    let current = caller.session().map(|session| session.key);
    let sessions = app.store.sessions_of(permit).await?;
    let rules = app.people.settings().sessions;
    let sessions = sessions
        .into_iter()
        .filter(|row| rules.state(&row.life, now) == tracker_people::SessionState::Live);
    let tokens = app.store.tokens_of(permit).await?;
    let scopes = Scope::ALL
        .into_iter()
        .filter(|scope| scope.role() <= permit.role());
    own(&AccountPage {
        shell: Shell::own(caller),
        handle: permit.person().handle.clone(),
        role: permit.role(),
        administrator: permit.role() == Role::Administrator,
        sessions: sessions
            .map(|row| SessionLine::new(row, current, now))
            .collect(),
        tokens: tokens
            .into_iter()
            .map(|row| TokenLine::new(row, now))
            .collect(),
        scopes: scopes
            .map(|scope| ScopeChoice {
                word: scope.word(),
                about: about(scope),
                chosen: scope == Scope::Read,
            })
            .collect(),
        days: [7, 30, 90, 366],
        made,
    })
}

/// `GET /account`.
pub(crate) async fn account(State(app): State<App>, caller: Caller) -> Result<Response, Error> {
    show(&app, &caller, None).await
}

/// `POST /account/sessions/{key}`: ends a session of one's own.
pub(crate) async fn end_session(
    State(app): State<App>,
    caller: Caller,
    Names(key): Names<i64>,
) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = caller.permit()?;
    app.store
        .end_session(permit.by(), key, None, Timestamp::now())
        .await?;
    Ok(redirect("/account"))
}

/// `POST /account/sessions`: ends all of them, this one too.
pub(crate) async fn end_all_sessions(
    State(app): State<App>,
    caller: Caller,
) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = caller.permit()?;
    app.store
        .end_sessions(permit.by(), None, Timestamp::now())
        .await?;
    let mut response = redirect("/");
    let clear = SESSION.clear(app.people.is_secure());
    response.headers_mut().append(header::SET_COOKIE, clear);
    Ok(response)
}

/// `POST /account/tokens`: makes a token, and shows it.
pub(crate) async fn add_token(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    let permit: Permit<'_, MakeTokens> = caller.permit()?;
    let wrong = |reason: &dyn std::fmt::Display| Error::BadForm {
        reason: reason.to_string(),
    };
    let scopes = fields.all("scope").map(str::parse);
    let scopes = scopes
        .collect::<Result<_, tracker_people::UnknownScope>>()
        .map_err(|error| wrong(&error))?;
    let days = fields.get("days").parse().unwrap_or(0);
    let name = fields.get("name");
    let token = NewToken::new(name, scopes, days, permit.role(), Timestamp::now())
        .map_err(|error| wrong(&error))?;
    let secret = fresh(SecretKind::Token)?;
    let session = caller.session();
    let sealed = seal_for(&secret, session.and_then(|one| one.credential.as_deref()));
    let proof = NewProof {
        hash: secret.hash(),
        provider: session.map_or("local", |one| &one.provider),
        sealed: &sealed,
    };
    if app.store.add_token(permit, &token, proof).await?.is_none() {
        return Err(wrong(&"you have as many tokens as anybody may; revoke one"));
    }
    show(&app, &caller, Some(secret.reveal())).await
}

/// `POST /account/tokens/{key}`: revokes a token of one's own.
pub(crate) async fn end_token(
    State(app): State<App>,
    caller: Caller,
    Names(key): Names<i64>,
) -> Result<Response, Error> {
    let permit: Permit<'_, KeepAccount> = caller.permit()?;
    app.store
        .end_token(permit, key, None, Timestamp::now())
        .await?;
    Ok(redirect("/account"))
}
