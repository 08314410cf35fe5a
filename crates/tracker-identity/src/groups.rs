//! Which role somebody's groups give.
//!
//! Invariant: a role above that of a maintainer is given only by a group that the settings name, letter by letter.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use tracker_people::Role;

/// Groups of one person that are looked at.
const MAX_GROUPS: usize = 1_000;

/// Who comes in beside those in the groups named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Everybody whom the provider knows, as a maintainer.
    Maintainers,
    /// Nobody.
    Nobody,
}

/// Which groups give which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The claim that lists them; a path with dots if there is none of that whole name.
    pub claim: String,
    /// Those whose members are triagers.
    pub triagers: BTreeSet<String>,
    /// Those whose members are administrators.
    pub administrators: BTreeSet<String>,
    /// Who comes in besides.
    pub others: Others,
}

impl Groups {
    /// The groups that claims list; nothing if they say nothing of groups.
    pub fn of<'c>(&self, claims: &'c Map<String, Value>) -> Option<BTreeSet<&'c str>> {
        let mut parts = self.claim.split('.');
        let value = claims.get(&self.claim).or_else(|| {
            let first = claims.get(parts.next()?)?;
            parts.try_fold(first, |value, part| value.get(part))
        })?;
        match value {
            Value::String(one) => Some(BTreeSet::from([one.as_str()])),
            Value::Array(many) => {
                let texts = many.iter().take(MAX_GROUPS).filter_map(Value::as_str);
                Some(texts.collect())
            }
            _ => None,
        }
    }

    /// The role that groups give; nothing if whoever is in none of those named may not come in. A maintainer's is told as
    /// [`Role::Anonymous`], since it needs no group.
    pub fn role(&self, groups: &BTreeSet<&str>) -> Option<Role> {
        let any = |named: &BTreeSet<String>| groups.iter().any(|group| named.contains(*group));
        if any(&self.administrators) {
            Some(Role::Administrator)
        } else if any(&self.triagers) {
            Some(Role::Triager)
        } else {
            (self.others == Others::Maintainers).then_some(Role::Anonymous)
        }
    }
}
