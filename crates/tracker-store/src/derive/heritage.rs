//! What a family gets of others where attributes moved between them.
//!
//! Invariant: it is taken before matches are compared, and only from what is held.

use super::held::{Cell, HeldFinding, HeldVulnerability};
use crate::triage::item::ItemRow;
use crate::triage::lay::Regrouped;
use std::collections::BTreeMap;
use tracker_triage::Subject;

/// What a family gets of others.
#[derive(Default)]
pub(crate) struct Heritage {
    pub(super) findings: BTreeMap<Cell, HeldFinding>,
    /// Since when they were in the queue.
    pub(crate) since: Option<i64>,
}

impl HeldVulnerability {
    /// Notes what families get of others, before it is compared with what is found.
    pub(crate) fn inherit(&mut self, regrouped: &Regrouped) {
        for held in &self.matches {
            let subject = held.subject();
            if held.distribution != regrouped.distribution {
                continue;
            }
            let since = self.items.get(&subject).map(ItemRow::since);
            for (cell, finding) in &held.findings {
                let family = regrouped.families.get(&finding.attribute);
                let Some(family) = family.filter(|family| **family != held.family) else {
                    continue;
                };
                let heir = Subject::new(held.distribution.as_str(), family.as_str());
                let heritage = self.heritage.entry(heir).or_default();
                heritage.findings.insert(*cell, finding.clone());
                heritage.since = match (heritage.since, since) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
        }
    }
}
