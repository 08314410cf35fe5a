//! The four roles, each of which may all that those before it may.
//!
//! Invariant: the words are the same in the database, in addresses and on screen, and never change.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What somebody is to the tracker. Ordered: a later role may all that an earlier one may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nobody that is known: reads what is public.
    #[default]
    Anonymous,
    /// Signed in: proposes verdicts and comments.
    Maintainer,
    /// Of the security team: decides.
    Triager,
    /// Gives and takes roles.
    Administrator,
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role; the roles are anonymous, maintainer, triager and administrator")]
pub struct UnknownRole(pub String);

impl Role {
    /// All of them, from the least on.
    pub const ALL: [Role; 4] = [
        Role::Anonymous,
        Role::Maintainer,
        Role::Triager,
        Role::Administrator,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Anonymous => "anonymous",
            Role::Maintainer => "maintainer",
            Role::Triager => "triager",
            Role::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Role, UnknownRole> {
        Role::ALL
            .into_iter()
            .find(|role| role.word() == word)
            .ok_or_else(|| UnknownRole(word.chars().take(40).collect()))
    }
}
