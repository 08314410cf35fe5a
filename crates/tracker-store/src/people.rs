//! People, as the database holds them: who they are, what role they were given, and what proves who asks.
//!
//! Reading order: this (people and roles), `proofs` (sessions and tokens), `sign_in` (how a session begins, and how
//! often that may be tried), `statements`.
//! Invariants: no secret is stored, only its hash; what only an administrator may takes a [`Permit`] of one. None of
//! it counts as a change of what readers see.

mod proofs;
mod sign_in;
pub(crate) mod statements;

pub use proofs::{HeldSession, HeldToken, NewProof, SessionRow, TokenRow};
pub use sign_in::StartedSignIn;

use crate::Store;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::statement::Statement;
use crate::triage::Under;
use crate::value::{Row, Value, values};
use jiff::Timestamp;
use serde::Serialize;
use statements::{
    BLOCK, CLAIM_REFRESH, GRANT_ADD, GRANTS, HANDLE_TAKEN, IDENTITY, IDENTITY_ADD, LOGIN_PUT,
    MEMBERSHIP_PUT, NEXT_GRANT, NEXT_PERSON, PEOPLE, PEOPLE_CALLED, PERSON, PERSON_ADD,
    PERSON_RENAME, PERSON_VERSION, SESSIONS_END, TOKENS_END,
};
use tracker_people::{Administer, Membership, Permit, Person, PersonId, Role, Standing};

/// By what a provider knows somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The provider (`github`, `oidc`, `local`).
    pub provider: &'a str,
    /// What never changes there.
    pub subject: &'a str,
    /// What they are called there now.
    pub login: &'a str,
}

/// Somebody, with all that decides about their role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPerson {
    /// Who it is.
    pub person: Person,
    /// What decides about their role.
    pub standing: Standing,
    /// When their provider was last asked about their teams.
    pub asked: Option<Timestamp>,
    /// When they were first here.
    pub created: Timestamp,
}

/// A role that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantRow {
    /// The role; `anonymous` where one was taken.
    pub role: Role,
    /// Handle of the administrator; absent where the command line gave it.
    pub giver: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Who gives a role, or shuts somebody out.
#[derive(Debug, Clone, Copy)]
pub enum Giver<'a> {
    /// Whoever runs the program on the database.
    CommandLine,
    /// An administrator.
    Administrator(Permit<'a, Administer>),
}

impl Store {
    /// The person behind an identity, who is made if they were never here. They keep the name that they came with: the
    /// log, saved views and second words know people by it. Of two who come with one name, the later gets another.
    pub async fn person_of(&self, identity: &Identity<'_>, now: Timestamp) -> Result<PersonId> {
        let mut session = self.write().await?;
        let (provider, subject) = (identity.provider.to_owned(), identity.subject.to_owned());
        let key = values![provider.clone(), subject.clone()];
        let login = identity.login.to_owned();
        let person = if let Some(row) = session.row(&IDENTITY, key).await? {
            let person = row.integer(0)?;
            if row.text(1)? != login {
                let given = values![provider, subject, login.clone()];
                session.execute(&LOGIN_PUT, given).await?;
            }
            // Two of one name may be from before names were kept apart.
            let handle = row.text(2)?;
            let own = own_name(&mut session, person, &handle).await?;
            if own != handle {
                session
                    .execute(&PERSON_RENAME, values![person, own])
                    .await?;
            }
            person
        } else {
            let person = session.count(&NEXT_PERSON, Vec::new()).await?;
            let handle = own_name(&mut session, person, &login).await?;
            let given = values![person, handle, now];
            session.execute(&PERSON_ADD, given).await?;
            let given = values![provider, subject, person, login];
            session.execute(&IDENTITY_ADD, given).await?;
            person
        };
        session.commit().await?;
        Ok(PersonId(person))
    }

    /// Somebody by their key.
    pub async fn person(&self, id: PersonId) -> Result<Option<HeldPerson>> {
        let mut session = self.read().await?;
        held_person(&mut session, id).await
    }

    /// People after a key, in the order in which they came.
    pub async fn people(&self, after: PersonId, limit: u32) -> Result<Vec<HeldPerson>> {
        let mut session = self.read().await?;
        let rows = session.rows(&PEOPLE, values![after.0, limit]).await?;
        rows.iter().map(person_row).collect()
    }

    /// People of a handle: several only where both came before names were kept apart, and not since.
    pub async fn people_called(&self, handle: &str) -> Result<Vec<HeldPerson>> {
        let mut session = self.read().await?;
        let rows = session.rows(&PEOPLE_CALLED, values![handle]).await?;
        rows.iter().map(person_row).collect()
    }

    /// Gives somebody a role, or takes it ([`Role::Anonymous`]). False if there is nobody of this key.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn grant_role(
        &self,
        to: PersonId,
        role: Role,
        giver: Giver<'_>,
        reason: &str,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut session = self.write().await?;
        if let Some(under) = under
            && let Some(given) = under
                .answered(&mut session, &PERSON_VERSION, values![to.0])
                .await?
        {
            return Ok(given);
        }
        if held_person(&mut session, to).await?.is_none() {
            return Ok(false);
        }
        let key = session.count(&NEXT_GRANT, Vec::new()).await?;
        let giver = match giver {
            Giver::CommandLine => None,
            Giver::Administrator(permit) => Some(permit.by().0),
        };
        let given = values![key, to.0, role.word(), giver, now, reason.to_owned()];
        session.execute(&GRANT_ADD, given).await?;
        if let Some(under) = under {
            under.keep(&mut session, now, &true).await?;
        }
        session.commit().await?;
        Ok(true)
    }

    /// The roles that somebody was given, newest first.
    pub async fn grants_of(&self, person: PersonId) -> Result<Vec<GrantRow>> {
        let mut session = self.read().await?;
        let rows = session.rows(&GRANTS, values![person.0]).await?;
        let grant = |row: &Row| {
            Ok(GrantRow {
                role: role(&row.text(0)?)?,
                giver: row.optional_text(1)?,
                at: row.instant(2)?,
                reason: row.text(3)?,
            })
        };
        rows.iter().map(grant).collect()
    }

    /// What is done about somebody, as a number: another one when they are given a role, shut out or let in again.
    pub async fn person_version(&self, id: PersonId) -> Result<u64> {
        let mut session = self.read().await?;
        let version = session.count(&PERSON_VERSION, values![id.0]).await?;
        Ok(version as u64)
    }

    /// Shuts somebody out, and ends all their sessions and tokens; or lets them in again.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn set_blocked(
        &self,
        _by: Giver<'_>,
        person: PersonId,
        blocked: bool,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<bool> {
        let since = blocked.then_some(now);
        let mut changes = vec![(&BLOCK, values![person.0, since])];
        if blocked {
            for statement in [&SESSIONS_END, &TOKENS_END] {
                changes.push((statement, values![person.0, now]));
            }
        }
        let version = (&PERSON_VERSION, values![person.0]);
        let changed = self.change_under(under, version, changes, now).await?;
        Ok(changed > 0)
    }

    /// Notes what a provider said of somebody's teams.
    pub async fn note_membership(&self, person: PersonId, membership: Membership) -> Result<()> {
        let given = values![person.0, membership.role.word(), membership.confirmed];
        self.change(&MEMBERSHIP_PUT, given).await.map(drop)
    }

    /// Takes on the task of asking a provider about somebody's teams again: one caller of many gets it, if all of them
    /// saw that it was last done at `seen`.
    pub async fn claim_refresh(
        &self,
        person: PersonId,
        seen: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        let seen = seen.map_or(0, Timestamp::as_microsecond);
        let given = values![person.0, now, seen];
        Ok(self.change(&CLAIM_REFRESH, given).await? > 0)
    }

    /// Statements in one transaction, if what is asked holds; how many rows the first changed. What was carried out
    /// before is not carried out again.
    async fn change_under(
        &self,
        under: Option<Under<'_>>,
        (version, about): (&Statement, Vec<Value>),
        changes: Vec<(&Statement, Vec<Value>)>,
        now: Timestamp,
    ) -> Result<u64> {
        let mut session = self.write().await?;
        if let Some(under) = under
            && let Some(changed) = under.answered(&mut session, version, about).await?
        {
            return Ok(changed);
        }
        let mut first = None;
        for (statement, given) in changes {
            let changed = session.execute(statement, given).await?;
            first.get_or_insert(changed);
        }
        let changed = first.unwrap_or_default();
        if let Some(under) = under {
            under.keep(&mut session, now, &changed).await?;
        }
        session.commit().await?;
        Ok(changed)
    }

    /// One statement in a transaction of its own.
    async fn change(&self, statement: &Statement, given: Vec<Value>) -> Result<u64> {
        let mut session = self.write().await?;
        let changed = session.execute(statement, given).await?;
        session.commit().await?;
        Ok(changed)
    }
}

/// The name that somebody goes by: the wanted one, unless somebody had it before them.
async fn own_name(session: &mut Session, person: i64, wanted: &str) -> Result<String> {
    let mut name = wanted.to_owned();
    while session
        .count(&HANDLE_TAKEN, values![name.as_str(), person])
        .await?
        > 0
    {
        name = format!("{name}-{person}");
    }
    Ok(name)
}

async fn held_person(session: &mut Session, id: PersonId) -> Result<Option<HeldPerson>> {
    let row = session.row(&PERSON, values![id.0]).await?;
    row.as_ref().map(person_row).transpose()
}

fn person_row(row: &Row) -> Result<HeldPerson> {
    let optional = |index| {
        let word = row.optional_text(index)?;
        word.as_deref().map(role).transpose()
    };
    let (team, confirmed) = (optional(3)?, row.optional_instant(4)?);
    let membership = team.zip(confirmed);
    Ok(HeldPerson {
        person: Person {
            id: PersonId(row.integer(0)?),
            handle: row.text(1)?,
            github: row.optional_text(8)?,
        },
        created: row.instant(2)?,
        standing: Standing {
            blocked: row.optional_instant(6)?.is_some(),
            granted: optional(7)?,
            membership: membership.map(|(role, confirmed)| Membership { role, confirmed }),
        },
        asked: row.optional_instant(5)?,
    })
}

fn role(word: &str) -> Result<Role> {
    word.parse()
        .map_err(|error| StoreError::damaged("role", error))
}
