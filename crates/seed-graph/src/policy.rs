//! Policy: which seeds are known and accepted. TOML:
//!
//! ```toml
//! [[allow]]
//! hash = "sha256-..."          # or path = "DIGEST-NAME", or host = "/bin/sh"
//! name = "bootstrap-tools"     # optional: must then fit as well
//! reason = "pinned since 2019, rebuilt by three people"
//! expires = 2027-01-01         # optional
//! ```
//!
//! Invariants: a seed passes only by an entry with a reason that has not expired; by name alone nothing passes.

use crate::difference::identity;
use crate::{Audit, Key, Root};
use jiff::civil::Date;
use nix_derivation::Node;
use nix_store_path::Hash;
use serde::Deserialize;

/// Why a policy file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is no TOML of this form.
    #[error("policy")]
    Syntax(#[from] toml::de::Error),
    /// An entry is not usable; entries count from 1.
    #[error("policy entry {entry}: {problem}")]
    Entry {
        /// Which entry.
        entry: usize,
        /// What is wrong.
        problem: String,
    },
}

/// One accepted seed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// Its hash in any form that Nix reads.
    pub hash: Option<String>,
    /// Its store path's base name.
    pub path: Option<String>,
    /// Its path on the building machine.
    pub host: Option<String>,
    /// Its name; checked in addition.
    pub name: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The first day on which it is no longer accepted.
    #[serde(default, deserialize_with = "date")]
    pub expires: Option<Date>,
}

/// The accepted seeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Entries.
    #[serde(default)]
    pub allow: Vec<Allowed>,
}

/// What a policy says of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// An entry (by number from 0) accepts it.
    Known(usize),
    /// An entry accepted it until this day.
    Expired(usize, Date),
    /// No entry is about it.
    New,
}

/// What a policy says of an audit.
#[derive(Debug)]
pub struct Judgement {
    /// Each seed with its ruling.
    pub seeds: Vec<(Node, Ruling)>,
    /// Entries that no seed needed.
    pub unused: Vec<usize>,
}

impl Judgement {
    /// Is every seed known?
    pub fn passes(&self) -> bool {
        self.seeds
            .iter()
            .all(|(_, ruling)| matches!(ruling, Ruling::Known(_)))
    }
}

/// TOML has dates of its own; a quoted one is accepted too.
fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Toml(toml::value::Datetime),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Toml(date) => date.to_string(),
        Written::Text(text) => text,
    };
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] with the place.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let mut policy: Policy = toml::from_str(text)?;
        for (index, allowed) in policy.allow.iter_mut().enumerate() {
            let bad = |problem: String| PolicyError::Entry {
                entry: index + 1,
                problem,
            };
            if allowed.reason.trim().is_empty() {
                return Err(bad("it gives no reason".to_owned()));
            }
            if [&allowed.hash, &allowed.path, &allowed.host]
                .into_iter()
                .flatten()
                .count()
                != 1
            {
                return Err(bad("it needs exactly one of hash, path and host".to_owned()));
            }
            if let Some(text) = &allowed.hash {
                let hash: Hash = text
                    .parse()
                    .map_err(|error: nix_store_path::Error| bad(error.to_string()))?;
                allowed.hash = Some(hash.sri());
            }
        }
        Ok(policy)
    }

    /// Judges the seeds of an audit as of a day.
    pub fn judge(&self, audit: &Audit, today: Date) -> Judgement {
        let mut used = vec![false; self.allow.len()];
        let seeds = audit.seed_roots().into_iter().map(|root| {
            let mut ruling = Ruling::New;
            for (index, allowed) in self.allow.iter().enumerate() {
                if !fits(allowed, audit, root) {
                    continue;
                }
                used[index] = true;
                match allowed.expires.filter(|expires| *expires <= today) {
                    Some(expires) => ruling = Ruling::Expired(index, expires),
                    None => {
                        ruling = Ruling::Known(index);
                        break;
                    }
                }
            }
            (root.node, ruling)
        });
        let seeds = seeds.collect();
        let unused = (0..used.len()).filter(|index| !used[*index]).collect();
        Judgement { seeds, unused }
    }
}

fn fits(allowed: &Allowed, audit: &Audit, root: &Root) -> bool {
    let key = audit.graph.path(root.node);
    let item = audit.graph.data(root.node);
    let output = item
        .and_then(|item| item.output.as_ref())
        .map(ToString::to_string);
    let pinned = match (&allowed.hash, &allowed.path, &allowed.host) {
        (Some(hash), _, _) => identity(audit, root) == *hash,
        (_, Some(path), _) => Some(path) == output.as_ref() || key.to_string() == *path,
        (_, _, Some(host)) => matches!(key, Key::Host(path) if path == host),
        _ => false,
    };
    pinned
        && allowed
            .name
            .as_deref()
            .is_none_or(|name| name == audit.name(root.node))
}
