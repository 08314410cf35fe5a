//! Who asks, and the proof that they may.
//!
//! Invariant: a [`Permit`] exists only for a principal whose role, and scopes if a token speaks, allow it.

use crate::actor::{Actor, ActorKind};
use crate::permission::{Capability, Permission};
use crate::role::Role;
use crate::token::Scopes;
use serde::Serialize;
use std::marker::PhantomData;

/// The key of a person in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PersonId(pub i64);

/// A person as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Key.
    pub id: PersonId,
    /// The name they go by: on GitHub, or the one given to a local account.
    pub handle: String,
    /// Their handle on GitHub, by which package metadata names maintainers.
    pub github: Option<String>,
}

/// By what somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A session of a browser, which may all that the role may.
    Session,
    /// A token, which may what both its scopes and the role allow.
    Token(Scopes),
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principal {
    known: Option<(Person, Proof)>,
    role: Role,
}

/// What a principal lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// They are nobody that is known: signing in may help.
    SignIn,
    /// Their role: only an administrator helps.
    Role,
    /// Their token's scope: another token, or the pages, help.
    Scope,
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Denied {
    /// What was asked for.
    pub permission: Permission,
    /// What is missing.
    pub lacks: Lacks,
}

impl Denied {
    fn message(self) -> String {
        let (words, role) = (self.permission.words(), self.permission.role());
        match (self.lacks, self.permission.scope()) {
            (Lacks::SignIn, _) => format!("only those who are signed in may {words}"),
            (Lacks::Role, _) => format!("only a {role} may {words}"),
            (Lacks::Scope, Some(scope)) => {
                format!("a token needs the scope `{scope}` to {words}")
            }
            (Lacks::Scope, None) => format!("no token may {words}, only a session"),
        }
    }
}

impl Principal {
    /// Nobody that is known.
    pub fn anonymous() -> Principal {
        Principal::default()
    }

    /// Somebody in a session. Whoever is known is at least a maintainer, unless blocked: then they are nobody.
    pub fn in_session(person: Person, role: Role) -> Principal {
        Principal::known(person, role, Proof::Session)
    }

    /// Somebody whose token speaks.
    pub fn by_token(person: Person, role: Role, scopes: Scopes) -> Principal {
        Principal::known(person, role, Proof::Token(scopes))
    }

    fn known(person: Person, role: Role, proof: Proof) -> Principal {
        if role == Role::Anonymous {
            return Principal::anonymous();
        }
        Principal {
            known: Some((person, proof)),
            role,
        }
    }

    /// Their role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Who they are, if they are known.
    pub fn person(&self) -> Option<&Person> {
        self.known.as_ref().map(|(person, _)| person)
    }

    /// By what they are known.
    pub fn proof(&self) -> Option<Proof> {
        self.known.as_ref().map(|(_, proof)| *proof)
    }

    /// Whether they may.
    pub fn check(&self, permission: Permission) -> Result<(), Denied> {
        let lacks = |lacks| Err(Denied { permission, lacks });
        let Some((_, proof)) = &self.known else {
            return lacks(Lacks::SignIn);
        };
        if self.role < permission.role() {
            return lacks(Lacks::Role);
        }
        match (proof, permission.scope()) {
            (Proof::Session, _) => Ok(()),
            (Proof::Token(scopes), Some(scope)) if scopes.contains(scope) => Ok(()),
            (Proof::Token(_), _) => lacks(Lacks::Scope),
        }
    }

    /// Whether they may, without the reason: for what a page offers.
    pub fn may(&self, permission: Permission) -> bool {
        self.check(permission).is_ok()
    }

    /// The proof that they may.
    pub fn permit<C: Capability>(&self) -> Result<Permit<'_, C>, Denied> {
        self.check(C::PERMISSION)?;
        let (person, proof) = self
            .known
            .as_ref()
            .expect("only the known have permissions");
        Ok(Permit {
            person,
            proof: *proof,
            role: self.role,
            capability: PhantomData,
        })
    }
}

/// The proof that somebody may do something; what does it takes this.
#[derive(Debug, Clone, Copy)]
pub struct Permit<'a, C: Capability> {
    person: &'a Person,
    proof: Proof,
    role: Role,
    capability: PhantomData<C>,
}

impl<'a, C: Capability> Permit<'a, C> {
    /// Who has it.
    pub fn person(&self) -> &'a Person {
        self.person
    }

    /// Who acts, as the log names them: the person, or their token.
    pub fn actor(&self) -> Actor {
        let kind = match self.proof {
            Proof::Session => ActorKind::Person,
            Proof::Token(_) => ActorKind::Token,
        };
        Actor::new(kind, self.person.handle.as_str())
    }

    /// Their key.
    pub fn by(&self) -> PersonId {
        self.person.id
    }

    /// Their role.
    pub fn role(&self) -> Role {
        self.role
    }
}
