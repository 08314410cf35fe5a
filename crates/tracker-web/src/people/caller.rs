//! Who asks, found once for each request.
//!
//! Invariant: a session or token that has ended, is damaged or belongs to nobody who may come in gives nothing; a
//! request that tries one of the latter is told so.

use super::provider::ProviderError;
use super::{Peer, SESSION, seal};
use crate::app::App;
use crate::error::Error;
use crate::pages::Account;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use tracker_people::{Membership, Principal, Role, Secret, SecretKind, SessionState, TokenState};
use tracker_store::{HeldPerson, HeldToken};

/// A use of a token is noted this seldom: each is a write.
const NOTE_TOKEN: SignedDuration = SignedDuration::from_mins(10);

/// Who asks. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    principal: Principal,
    session: Option<InSession>,
    token: Option<i64>,
}

/// The session that speaks, for what is done to it.
#[derive(Debug, Clone)]
pub(crate) struct InSession {
    /// Key.
    pub(crate) key: i64,
    /// Its provider.
    pub(crate) provider: String,
    /// What the provider gave, opened.
    pub(crate) credential: Option<String>,
}

impl Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.inner.principal
    }
}

impl Caller {
    pub(crate) fn session(&self) -> Option<&InSession> {
        self.inner.session.as_ref()
    }

    pub(crate) fn token(&self) -> Option<i64> {
        self.inner.token
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Finds who asks.
pub(crate) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<IpAddr>().copied();
    let trusted = &app.people.settings().trusted_proxies;
    let peer = Peer::of(connection, request.headers(), trusted);
    request.extensions_mut().insert(peer);
    let found = if request.uri().path().starts_with("/api/") {
        by_token(&app, request.headers()).await
    } else {
        in_session(&app, request.headers(), request.method()).await
    };
    match found {
        Ok(caller) => {
            // An error is written outside of this, for whoever asks.
            let account = Account::from(&caller);
            request.extensions_mut().insert(caller);
            let mut response = next.run(request).await;
            response.extensions_mut().insert(account);
            response
        }
        Err(Error::BadCredential) => {
            let counted = app.people.rates().count_refused(&peer);
            counted
                .err()
                .unwrap_or(Error::BadCredential)
                .into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn in_session(app: &App, headers: &HeaderMap, method: &Method) -> Result<Caller, Error> {
    let Some(text) = SESSION.read(headers, app.people.is_secure()) else {
        return Ok(Caller::default());
    };
    // Whatever the browser says of where it comes from, it has to say something.
    let told = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if !method.is_safe() && !told {
        return Err(Error::CrossSite);
    }
    let Ok(secret) = Secret::read(SecretKind::Session, text) else {
        return Ok(Caller::default());
    };
    let Some(held) = app.store.session_of(secret.hash()).await? else {
        return Ok(Caller::default());
    };
    let now = Timestamp::now();
    let rules = app.people.settings().sessions;
    if rules.state(&held.life, now) != SessionState::Live {
        return Ok(Caller::default());
    }
    if rules.is_note_due(&held.life, now) {
        app.store.note_session(held.key, now).await?;
    }
    let credential = seal::open(&secret, &held.sealed);
    let person = held.holder.person.id;
    let Some(holder) =
        refresh(app, held.holder, credential.as_deref(), &held.provider, now).await?
    else {
        app.store.end_session(person, held.key, None, now).await?;
        return Ok(Caller::default());
    };
    let standing = app.people.settings().standing;
    let role = standing.role(&holder.standing, now);
    let session = InSession {
        key: held.key,
        provider: held.provider,
        credential,
    };
    let inner = Inner {
        principal: Principal::in_session(holder.person, role),
        session: Some(session),
        token: None,
    };
    Ok(Caller {
        inner: Arc::new(inner),
    })
}

async fn by_token(app: &App, headers: &HeaderMap) -> Result<Caller, Error> {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Ok(Caller::default());
    };
    let text = given.to_str().ok().and_then(|text| {
        let (scheme, text) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(text.trim())
    });
    let secret = text.and_then(|text| Secret::read(SecretKind::Token, text).ok());
    let secret = secret.ok_or(Error::BadCredential)?;
    let held = app.store.token_of(secret.hash()).await?;
    let now = Timestamp::now();
    let is_live = |held: &HeldToken| held.life.state(now) == TokenState::Live;
    let held = held.filter(is_live).ok_or(Error::BadCredential)?;
    let is_due = |used: Timestamp| now.duration_since(used) >= NOTE_TOKEN;
    if held.used.is_none_or(is_due) {
        app.store.note_token(held.key, now).await?;
    }
    let credential = seal::open(&secret, &held.sealed);
    let refreshed = refresh(app, held.holder, credential.as_deref(), &held.provider, now).await?;
    let holder = refreshed.ok_or(Error::BadCredential)?;
    let standing = app.people.settings().standing;
    let role = standing.role(&holder.standing, now);
    let inner = Inner {
        principal: Principal::by_token(holder.person, role, held.scopes),
        session: None,
        token: Some(held.key),
    };
    if inner.principal.person().is_none() {
        return Err(Error::BadCredential);
    }
    Ok(Caller {
        inner: Arc::new(inner),
    })
}

/// Asks the provider about somebody's teams again, if it is time; nothing if it says that the tracker may no longer
/// ask, which is how somebody there signs out of here.
async fn refresh(
    app: &App,
    mut holder: HeldPerson,
    credential: Option<&str>,
    provider: &str,
    now: Timestamp,
) -> Result<Option<HeldPerson>, Error> {
    let (Some(credential), Some(asked)) = (credential, app.people.provider()) else {
        return Ok(Some(holder));
    };
    let rules = app.people.settings().standing;
    if asked.word() != provider || !rules.is_refresh_due(holder.asked, now) {
        return Ok(Some(holder));
    }
    let id = holder.person.id;
    // One request asks; those beside it go on with what is known.
    if !app.store.claim_refresh(id, holder.asked, now).await? {
        return Ok(Some(holder));
    }
    match asked.role(credential).await {
        Ok(role) => {
            let membership = Membership {
                role,
                confirmed: now,
            };
            app.store.note_membership(id, membership).await?;
            holder.standing.membership = Some(membership);
        }
        Err(ProviderError::Withdrawn | ProviderError::NotAdmitted) => {
            let membership = Membership {
                role: Role::Anonymous,
                confirmed: now,
            };
            app.store.note_membership(id, membership).await?;
            return Ok(None);
        }
        Err(error) => tracing::warn!(%error, "teams are as they were last known"),
    }
    Ok(Some(holder))
}
