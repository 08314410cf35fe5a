//! What is decided about.
//!
//! Invariant: a name is bounded and has no control characters, so that it can stand in a log, a page and a query.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest name of an assignee or a view, in bytes.
pub const MAX_NAME: usize = 100;

/// Whether a text can be a name: neither empty nor too long, and without control characters.
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control)
}

/// A match: a vulnerability in a package family of a distribution. The vulnerability stands beside it, because its public
/// id can change while what was decided about it stays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// Distribution (`nixpkgs`).
    pub distribution: String,
    /// Package family.
    pub family: String,
}

impl Subject {
    /// A family of a distribution.
    pub fn new(distribution: impl Into<String>, family: impl Into<String>) -> Subject {
        Subject {
            distribution: distribution.into(),
            family: family.into(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.family, self.distribution)
    }
}

/// Which findings of a match a decision is about; what is left out stands for all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Place {
    /// One channel only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// One attribute of the family only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
}

impl Place {
    /// Everything of the match.
    pub const ALL: Place = Place {
        channel: None,
        attribute: None,
    };

    /// Whether a finding lies in it.
    pub fn covers(&self, channel: &str, attribute: &str) -> bool {
        let within =
            |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        within(&self.channel, channel) && within(&self.attribute, attribute)
    }

    /// How narrow it is: an attribute on a channel is 3, an attribute 2, a channel 1, everything 0.
    pub fn narrowness(&self) -> u8 {
        u8::from(self.channel.is_some()) + 2 * u8::from(self.attribute.is_some())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.channel, &self.attribute) {
            (None, None) => f.write_str("everywhere"),
            (Some(channel), None) => write!(f, "on {channel}"),
            (None, Some(attribute)) => write!(f, "for {attribute}"),
            (Some(channel), Some(attribute)) => write!(f, "for {attribute} on {channel}"),
        }
    }
}
