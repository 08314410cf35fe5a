//! API tokens: what they may be used for, and until when.
//!
//! Invariant: every token ends, and none may more than the person whose it is.

use crate::role::Role;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::str::FromStr;

/// The longest life of a token.
pub const MAX_TOKEN_DAYS: u16 = 366;

/// The longest name, in bytes.
const MAX_NAME: usize = 80;

/// A part of what a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Reading what is public, and who one is; counts against one's own rate.
    Read,
    /// Proposing and commenting.
    Propose,
    /// Deciding.
    Decide,
    /// Seeing and ending sessions and tokens of one's own.
    Account,
    /// Items under embargo.
    Embargo,
    /// Giving and taking roles, shutting people out.
    Administer,
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope; the scopes are read, propose, decide, account, embargo and administer")]
pub struct UnknownScope(pub String);

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 6] = [
        Scope::Read,
        Scope::Propose,
        Scope::Decide,
        Scope::Account,
        Scope::Embargo,
        Scope::Administer,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Propose => "propose",
            Scope::Decide => "decide",
            Scope::Account => "account",
            Scope::Embargo => "embargo",
            Scope::Administer => "administer",
        }
    }

    /// The least role whose tokens may have it.
    pub const fn role(self) -> Role {
        match self {
            Scope::Read | Scope::Propose | Scope::Account | Scope::Embargo => Role::Maintainer,
            Scope::Decide => Role::Triager,
            Scope::Administer => Role::Administrator,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(word: &str) -> Result<Scope, UnknownScope> {
        Scope::ALL
            .into_iter()
            .find(|scope| scope.word() == word)
            .ok_or_else(|| UnknownScope(word.chars().take(40).collect()))
    }
}

/// A set of scopes. Written as words in the order of [`Scope::ALL`], a blank between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether a scope is among them.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are among them.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Scopes {
        let bits = scopes.into_iter().map(|scope| 1 << scope as u8);
        Scopes(bits.fold(0, |set, bit: u8| set | bit))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{scope}")?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(words: &str) -> Result<Scopes, UnknownScope> {
        words.split_whitespace().map(Scope::from_str).collect()
    }
}

/// Why a token is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The name is empty, too long, or not one line.
    #[error("a token needs a name of one line, of at most {MAX_NAME} bytes")]
    Name,
    /// There is no scope.
    #[error("a token needs a scope")]
    NoScope,
    /// A scope that the person's role does not have.
    #[error("only a {} may make a token with the scope `{scope}`", scope.role())]
    Scope {
        /// The scope.
        scope: Scope,
    },
    /// The end is too far away, or there is none.
    #[error("a token lives from 1 to {MAX_TOKEN_DAYS} days")]
    Days,
}

/// A token that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    name: String,
    scopes: Scopes,
    created: Timestamp,
    expires: Timestamp,
}

impl NewToken {
    /// A token for somebody with a role, from now on.
    pub fn new(
        name: &str,
        scopes: Scopes,
        days: u16,
        role: Role,
        now: Timestamp,
    ) -> Result<NewToken, TokenError> {
        let name = name.trim();
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(TokenError::Name);
        }
        if scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        if let Some(scope) = scopes.iter().find(|scope| scope.role() > role) {
            return Err(TokenError::Scope { scope });
        }
        if !(1..=MAX_TOKEN_DAYS).contains(&days) {
            return Err(TokenError::Days);
        }
        let life = SignedDuration::from_hours(24 * i64::from(days));
        Ok(NewToken {
            name: name.to_owned(),
            scopes,
            created: now,
            expires: now.checked_add(life).map_err(|_| TokenError::Days)?,
        })
    }

    /// What the person calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it may be used for.
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Its life.
    pub fn lifetime(&self) -> TokenLifetime {
        TokenLifetime {
            created: self.created,
            expires: self.expires,
            revoked: None,
        }
    }
}

/// From when until when a token holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLifetime {
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It holds.
    Live,
    /// It ended.
    Expired,
    /// It was revoked.
    Revoked,
}

impl TokenLifetime {
    /// How it stands.
    pub fn state(&self, now: Timestamp) -> TokenState {
        if self.revoked.is_some() {
            TokenState::Revoked
        } else if now >= self.expires {
            TokenState::Expired
        } else {
            TokenState::Live
        }
    }
}
