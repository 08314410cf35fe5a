//! What proves who asks: sessions of browsers, and API tokens.
//!
//! Invariant: a proof is found by the hash of its secret, and the hash is compared once more in constant time.

use super::statements::{
    NEXT_SESSION, NEXT_TOKEN, PERSON_VERSION, SESSION, SESSION_ADD, SESSION_END, SESSION_USED,
    SESSIONS, SESSIONS_END, SESSIONS_FORGET, SESSIONS_VERSION, TOKEN, TOKEN_ADD, TOKEN_END,
    TOKEN_USED, TOKENS, TOKENS_LIVE, TOKENS_VERSION,
};
use super::{HeldPerson, held_person};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::statement::Statement;
use crate::triage::Under;
use crate::value::{Row, values};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracker_people::{
    Administer, KeepAccount, Lifetime, MakeTokens, NewToken, Permit, PersonId, Scopes, SecretHash,
    TokenLifetime,
};

/// How long a session that has ended is kept for its owner to see.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Live tokens that one person may have.
const MOST_TOKENS: i64 = 50;

/// What is stored of a new proof beside whose it is.
#[derive(Debug, Clone, Copy)]
pub struct NewProof<'a> {
    /// The hash of its secret.
    pub hash: SecretHash,
    /// The provider that said who it is (`github`, `oidc`, `local`).
    pub provider: &'a str,
    /// What the provider gave to ask about teams with, sealed with the secret; empty if nothing.
    pub sealed: &'a [u8],
}

/// A session with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSession {
    /// Key.
    pub key: i64,
    /// Whose it is.
    pub holder: HeldPerson,
    /// Its life.
    pub life: Lifetime,
    /// The provider that said who it is.
    pub provider: String,
    /// As it was stored.
    pub sealed: Vec<u8>,
}

/// A token with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldToken {
    /// Key.
    pub key: i64,
    /// Whose it is.
    pub holder: HeldPerson,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Its life.
    pub life: TokenLifetime,
    /// When it was last noted to be used.
    pub used: Option<Timestamp>,
    /// The provider that said who it is.
    pub provider: String,
    /// As it was stored.
    pub sealed: Vec<u8>,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    /// Key.
    pub key: i64,
    /// Its life.
    #[serde(skip)]
    pub life: Lifetime,
    /// The provider that said who it is.
    pub provider: String,
    /// Network address from which it began.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
}

/// A token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Key.
    pub key: i64,
    /// What they call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Its life.
    pub life: TokenLifetime,
    /// When it was last noted to be used.
    pub used: Option<Timestamp>,
}

impl Store {
    /// Begins a session; returns its key.
    pub async fn open_session(
        &self,
        person: PersonId,
        proof: NewProof<'_>,
        address: &str,
        agent: &str,
        now: Timestamp,
    ) -> Result<i64> {
        let mut session = self.write().await?;
        if let Ok(before) = now.checked_sub(KEPT) {
            session.execute(&SESSIONS_FORGET, values![before]).await?;
        }
        let key = session.count(&NEXT_SESSION, Vec::new()).await?;
        let given = values![
            key,
            proof.hash.as_bytes().to_vec(),
            person.0,
            now,
            now,
            proof.provider.to_owned(),
            address.to_owned(),
            agent.to_owned(),
            proof.sealed.to_vec()
        ];
        session.execute(&SESSION_ADD, given).await?;
        session.commit().await?;
        Ok(key)
    }

    /// The session of a secret, however it stands.
    pub async fn session_of(&self, hash: SecretHash) -> Result<Option<HeldSession>> {
        let Some((row, holder)) = self.proof_of(&SESSION, 7, hash).await? else {
            return Ok(None);
        };
        Ok(Some(HeldSession {
            key: row.integer(0)?,
            holder,
            life: Lifetime {
                created: row.instant(2)?,
                used: row.instant(3)?,
                revoked: row.optional_instant(4)?,
            },
            provider: row.text(5)?,
            sealed: row.bytes(6)?,
        }))
    }

    /// Notes that a session is used.
    pub async fn note_session(&self, key: i64, now: Timestamp) -> Result<()> {
        self.change(&SESSION_USED, values![key, now])
            .await
            .map(drop)
    }

    /// Somebody's sessions that nobody ended, latest used first.
    pub async fn sessions_of(&self, permit: Permit<'_, KeepAccount>) -> Result<Vec<SessionRow>> {
        let mut session = self.read().await?;
        let rows = session.rows(&SESSIONS, values![permit.by().0]).await?;
        let held = |row: &Row| {
            Ok(SessionRow {
                key: row.integer(0)?,
                life: Lifetime {
                    created: row.instant(1)?,
                    used: row.instant(2)?,
                    revoked: row.optional_instant(3)?,
                },
                provider: row.text(4)?,
                address: row.text(5)?,
                agent: row.text(6)?,
            })
        };
        rows.iter().map(held).collect()
    }

    /// What is done about the sessions of somebody, as a number: another one when one of them begins or is ended.
    pub async fn sessions_version(&self, person: PersonId) -> Result<u64> {
        let mut session = self.read().await?;
        let version = session.count(&SESSIONS_VERSION, values![person.0]).await?;
        Ok(version as u64)
    }

    /// Ends a session of somebody. False if they have none of this key.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn end_session(
        &self,
        person: PersonId,
        key: i64,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<bool> {
        let version = (&SESSIONS_VERSION, values![person.0]);
        let end = vec![(&SESSION_END, values![person.0, key, now])];
        Ok(self.change_under(under, version, end, now).await? > 0)
    }

    /// Ends all sessions of somebody; returns how many. Conditions are about their sessions.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn end_sessions(
        &self,
        person: PersonId,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<u64> {
        let version = (&SESSIONS_VERSION, values![person.0]);
        let end = vec![(&SESSIONS_END, values![person.0, now])];
        self.change_under(under, version, end, now).await
    }

    /// Ends all sessions of somebody else, for whom conditions are about the person; returns how many.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn sign_out(
        &self,
        _by: Permit<'_, Administer>,
        person: PersonId,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<u64> {
        let version = (&PERSON_VERSION, values![person.0]);
        let end = vec![(&SESSIONS_END, values![person.0, now])];
        self.change_under(under, version, end, now).await
    }

    /// Makes a token; `None` if the person has as many as anybody may.
    pub async fn add_token(
        &self,
        permit: Permit<'_, MakeTokens>,
        token: &NewToken,
        proof: NewProof<'_>,
    ) -> Result<Option<i64>> {
        let mut session = self.write().await?;
        let (person, life) = (permit.by().0, token.lifetime());
        let live = session
            .count(&TOKENS_LIVE, values![person, life.created])
            .await?;
        if live >= MOST_TOKENS {
            return Ok(None);
        }
        let key = session.count(&NEXT_TOKEN, Vec::new()).await?;
        let given = values![
            key,
            proof.hash.as_bytes().to_vec(),
            person,
            token.name(),
            token.scopes().to_string(),
            life.created,
            life.expires,
            proof.provider.to_owned(),
            proof.sealed.to_vec()
        ];
        session.execute(&TOKEN_ADD, given).await?;
        session.commit().await?;
        Ok(Some(key))
    }

    /// The token of a secret, however it stands.
    pub async fn token_of(&self, hash: SecretHash) -> Result<Option<HeldToken>> {
        let Some((row, holder)) = self.proof_of(&TOKEN, 9, hash).await? else {
            return Ok(None);
        };
        Ok(Some(HeldToken {
            key: row.integer(0)?,
            holder,
            scopes: scopes(&row.text(2)?)?,
            life: TokenLifetime {
                created: row.instant(3)?,
                expires: row.instant(4)?,
                revoked: row.optional_instant(6)?,
            },
            used: row.optional_instant(5)?,
            provider: row.text(7)?,
            sealed: row.bytes(8)?,
        }))
    }

    /// Notes that a token is used.
    pub async fn note_token(&self, key: i64, now: Timestamp) -> Result<()> {
        self.change(&TOKEN_USED, values![key, now]).await.map(drop)
    }

    /// Somebody's tokens, newest first, ended ones too.
    pub async fn tokens_of(&self, permit: Permit<'_, KeepAccount>) -> Result<Vec<TokenRow>> {
        let mut session = self.read().await?;
        let rows = session.rows(&TOKENS, values![permit.by().0]).await?;
        let held = |row: &Row| {
            Ok(TokenRow {
                key: row.integer(0)?,
                name: row.text(1)?,
                scopes: scopes(&row.text(2)?)?,
                life: TokenLifetime {
                    created: row.instant(3)?,
                    expires: row.instant(4)?,
                    revoked: row.optional_instant(6)?,
                },
                used: row.optional_instant(5)?,
            })
        };
        rows.iter().map(held).collect()
    }

    /// What is done about somebody's own tokens, as a number: another one when one of them is made or ended.
    pub async fn tokens_version(&self, permit: Permit<'_, KeepAccount>) -> Result<u64> {
        let mut session = self.read().await?;
        let about = values![permit.by().0];
        Ok(session.count(&TOKENS_VERSION, about).await? as u64)
    }

    /// Ends a token of one's own. False if there is none of this key.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn end_token(
        &self,
        permit: Permit<'_, KeepAccount>,
        key: i64,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<bool> {
        let version = (&TOKENS_VERSION, values![permit.by().0]);
        let end = vec![(&TOKEN_END, values![permit.by().0, key, now])];
        Ok(self.change_under(under, version, end, now).await? > 0)
    }
}

impl Store {
    /// The row of a proof by the hash of its secret, which stands in the column `compared`, and whose it is: the key of
    /// its holder is the second column.
    async fn proof_of(
        &self,
        statement: &Statement,
        compared: usize,
        hash: SecretHash,
    ) -> Result<Option<(Row, HeldPerson)>> {
        let mut session = self.read().await?;
        let given = values![hash.as_bytes().to_vec()];
        let Some(row) = session.row(statement, given).await? else {
            return Ok(None);
        };
        if SecretHash::from_stored(&row.bytes(compared)?) != Some(hash) {
            return Ok(None);
        }
        let holder = held_person(&mut session, PersonId(row.integer(1)?)).await?;
        let holder = holder.ok_or_else(|| StoreError::damaged("proof", "nobody's"))?;
        Ok(Some((row, holder)))
    }
}

fn scopes(words: &str) -> Result<Scopes> {
    words
        .parse()
        .map_err(|error| StoreError::damaged("scopes", error))
}
