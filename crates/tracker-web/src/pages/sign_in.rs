//! Signing in and out: through a provider, or by a link that an administrator was given.
//!
//! Invariants: a session begins only where its sign-in began, in the same browser, once, and in time; it has a secret
//! that no earlier session had; the one before it ends.

use super::Shell;
use crate::app::App;
use crate::ask::Moment;
use crate::error::Error;
use crate::fields::Fields;
use crate::guard::FormsLeadTo;
use crate::people::{
    Attempt, Caller, Known, Peer, Provider, ProviderError, SESSION, SIGN_IN, SIGN_IN_TIME,
    count_sign_in, fresh, next_path, seal_for,
};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tracker_people::{Membership, PersonId, Role, Secret, SecretKind};
use tracker_store::{Identity, NewProof};

/// The longest name of a browser that is kept.
const MAX_AGENT: usize = 200;
/// The longest code of a provider.
const MAX_CODE: usize = 2_048;
/// Between the secret and the path in the cookie of a sign-in.
const THEN: char = '|';

#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    shell: Shell,
    provider: Option<String>,
    next: String,
}

#[derive(Debug, Template)]
#[template(path = "sign-in-link.html")]
struct LinkPage {
    shell: Shell,
    secret: String,
}

/// `GET /sign-in`: what there is to sign in with.
pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let next = parameter(query.as_deref(), "next");
    let page = SignInPage {
        shell: Shell::own(&caller),
        provider: app.people.provider().map(|one| one.name().to_owned()),
        next: next_path(&next).to_owned(),
    };
    let mut response = own(&page)?;
    if let Some(provider) = app.people.provider() {
        // One that is silent now is told of when the form is sent.
        if let Ok(origin) = provider.origin().await {
            response.extensions_mut().insert(FormsLeadTo(origin));
        }
    }
    Ok(response)
}

/// `POST /sign-in`: to the provider.
pub(crate) async fn begin(
    State(app): State<App>,
    peer: Peer,
    Moment(now): Moment,
    fields: Fields,
) -> Result<Response, Error> {
    let provider = app.people.provider().ok_or(Error::SignIn {
        reason: "there is no provider to sign in through",
    })?;
    count_sign_in(&app, Attempt::From(&peer), now).await?;
    let secret = fresh(SecretKind::SignIn)?;
    let there = provider.sign_in(&secret).await;
    let there = there.map_err(|error| refused(&error, provider))?;
    let expires = now + SIGN_IN_TIME;
    app.store
        .begin_sign_in(secret.hash(), None, expires, now)
        .await?;
    let next = next_path(fields.get("next"));
    // A path can hold what ends a cookie's value.
    let value = format!(
        "{}{THEN}{}",
        secret.reveal(),
        crate::path::query_value(next)
    );
    let cookie = SIGN_IN.set(&value, SIGN_IN_TIME.as_secs(), app.people.is_secure());
    let mut response = redirect(&there);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `GET /sign-in/callback`: back from the provider.
pub(crate) async fn callback(
    State(app): State<App>,
    caller: Caller,
    peer: Peer,
    Moment(now): Moment,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let secure = app.people.is_secure();
    let cookie = SIGN_IN.read(&headers, secure).map(str::to_owned);
    let query = query.unwrap_or_default();
    if let Err(flood) = count_sign_in(&app, Attempt::Step(&peer), now).await {
        return flood.into_response();
    }
    let ended = returned(&app, &caller, &peer, &headers, cookie.as_deref(), &query).await;
    let mut response = ended.unwrap_or_else(IntoResponse::into_response);
    // Whatever came of it, that sign-in is over.
    let clear = SIGN_IN.clear(secure);
    response.headers_mut().append(header::SET_COOKIE, clear);
    response
}

async fn returned(
    app: &App,
    caller: &Caller,
    peer: &Peer,
    headers: &HeaderMap,
    cookie: Option<&str>,
    query: &str,
) -> Result<Response, Error> {
    let failed = |reason| Error::SignIn { reason };
    let provider = app.people.provider();
    let provider = provider.ok_or(failed("there is no provider to sign in through"))?;
    let (text, next) = cookie
        .and_then(|cookie| cookie.split_once(THEN))
        .ok_or(failed(
            "no sign-in was begun in this browser, or it took too long",
        ))?;
    let secret = Secret::read(SecretKind::SignIn, text)
        .map_err(|_| failed("no sign-in was begun in this browser"))?;
    if !secret.is_state(&parameter(Some(query), "state")) {
        return Err(failed("the answer belongs to another sign-in"));
    }
    let now = Timestamp::now();
    let started = app.store.end_sign_in(secret.hash(), now).await?;
    started.ok_or(failed("this sign-in is over, or took too long"))?;
    match parameter(Some(query), "error").as_str() {
        "" => {}
        "access_denied" => return Err(failed("you did not let the tracker know who you are")),
        error => {
            let error: String = error.chars().take(60).collect();
            tracing::warn!(%error, "the provider refuses to sign anybody in");
            return Err(failed("the provider refuses to sign you in"));
        }
    }
    let code = parameter(Some(query), "code");
    if code.is_empty() || code.len() > MAX_CODE {
        return Err(failed("the provider sent no code"));
    }
    let known = provider.identify(&code, &secret).await;
    let known = known.map_err(|error| refused(&error, provider))?;
    let person = person_of(app, provider, &known, now).await?;
    let next = form_urlencoded::parse(format!("next={next}").as_bytes())
        .next()
        .map(|(_, next)| next.into_owned())
        .unwrap_or_default();
    let begun = Begun {
        person,
        provider: provider.word(),
        credential: known.credential.as_deref(),
    };
    begin_session(app, caller, peer, headers, begun, next_path(&next)).await
}

fn refused(error: &ProviderError, provider: &dyn Provider) -> Error {
    tracing::warn!(%error, "nobody was signed in");
    match error {
        ProviderError::Silent(_) => Error::ProviderDown {
            provider: provider.name().to_owned(),
        },
        ProviderError::Code(_) => Error::SignIn {
            reason: "the provider's code was used already, or is too old",
        },
        ProviderError::NotAdmitted => Error::SignIn {
            reason: "you are in none of the groups that may come in here",
        },
        ProviderError::Withdrawn | ProviderError::Odd(_) => Error::SignIn {
            reason: "the provider does not say who you are",
        },
    }
}

/// The person whom a provider knows, with what it says of their teams.
async fn person_of(
    app: &App,
    provider: &dyn Provider,
    known: &Known,
    now: Timestamp,
) -> Result<PersonId, Error> {
    let identity = Identity {
        provider: provider.word(),
        subject: &known.subject,
        login: &known.login,
    };
    let person = app.store.person_of(&identity, now).await?;
    count_sign_in(app, Attempt::Of(person.0), now).await?;
    let membership = Membership {
        role: known.role,
        confirmed: now,
    };
    app.store.note_membership(person, membership).await?;
    Ok(person)
}

/// A sign-in that came to its end.
#[derive(Clone, Copy)]
struct Begun<'a> {
    person: PersonId,
    provider: &'a str,
    credential: Option<&'a str>,
}

async fn begin_session(
    app: &App,
    caller: &Caller,
    peer: &Peer,
    headers: &HeaderMap,
    begun: Begun<'_>,
    next: &str,
) -> Result<Response, Error> {
    let now = Timestamp::now();
    let held = app.store.person(begun.person).await?;
    let settings = app.people.settings();
    let role = held.map(|held| settings.standing.role(&held.standing, now));
    if role.is_none_or(|role| role == Role::Anonymous) {
        return Err(Error::SignIn {
            reason: "an administrator has shut you out",
        });
    }
    if let (Some(person), Some(session)) = (caller.person(), caller.session()) {
        app.store
            .end_session(person.id, session.key, None, now)
            .await?;
    }
    let secret = fresh(SecretKind::Session)?;
    let sealed = seal_for(&secret, begun.credential);
    let proof = NewProof {
        hash: secret.hash(),
        provider: begun.provider,
        sealed: &sealed,
    };
    let agent = headers.get(header::USER_AGENT);
    let agent = agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let agent: String = agent.chars().take(MAX_AGENT).collect();
    let address = peer.to_string();
    app.store
        .open_session(begun.person, proof, &address, &agent, now)
        .await?;
    let seconds = settings.sessions.cookie_seconds();
    let cookie = SESSION.set(&secret.reveal(), seconds, app.people.is_secure());
    let mut response = redirect(next);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `GET /sign-in/link?secret=…`: asks once more, because some programs follow every link that they see.
pub(crate) async fn link_page(
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let secret = parameter(query.as_deref(), "secret");
    own(&LinkPage {
        shell: Shell::own(&caller),
        secret,
    })
}

/// `POST /sign-in/link`: uses it up.
pub(crate) async fn link(
    State(app): State<App>,
    caller: Caller,
    peer: Peer,
    Moment(now): Moment,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    count_sign_in(&app, Attempt::From(&peer), now).await?;
    let over = Error::SignIn {
        reason: "this link was used already, or is too old",
    };
    let Ok(secret) = Secret::read(SecretKind::Link, fields.get("secret")) else {
        return Err(over);
    };
    let started = app.store.end_sign_in(secret.hash(), now).await?;
    let Some(person) = started.and_then(|started| started.person) else {
        return Err(over);
    };
    let begun = Begun {
        person,
        provider: "local",
        credential: None,
    };
    begin_session(&app, &caller, &peer, &headers, begun, "/account").await
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(State(app): State<App>, caller: Caller) -> Result<Response, Error> {
    if let (Some(person), Some(session)) = (caller.person(), caller.session()) {
        let now = Timestamp::now();
        app.store
            .end_session(person.id, session.key, None, now)
            .await?;
    }
    let mut response = redirect("/");
    let clear = SESSION.clear(app.people.is_secure());
    response.headers_mut().append(header::SET_COOKIE, clear);
    Ok(response)
}

/// A page that is kept nowhere.
pub(super) fn own(page: &impl Template) -> Result<Response, Error> {
    let body = Html(page.render().map_err(Error::internal)?);
    let mut response = body.into_response();
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}

/// On to another address, which is kept nowhere.
pub(super) fn redirect(to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}

/// A parameter of a query; empty if there is none.
fn parameter(query: Option<&str>, name: &str) -> String {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut values = pairs.filter(|(key, _)| key == name);
    values
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}
