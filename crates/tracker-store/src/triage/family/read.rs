//! A family as it is shown: its members, and what people made of it.

use super::change;
use crate::Store;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::triage::statements as sql;
use crate::value::values;
use jiff::Timestamp;
use serde::Serialize;
use tracker_triage::{Actor, FamilyChange, Subject};

/// An attribute that is counted to a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyMember {
    /// The attribute.
    pub attribute: String,
    /// Name without version.
    pub pname: String,
    /// The family that matching gives it.
    pub own_family: String,
    /// Vulnerabilities that affect it on some channel.
    pub affected: u32,
}

/// A merge or a split of a family, whether it holds or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyStep {
    /// What was done.
    #[serde(flatten)]
    pub change: FamilyChange,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// In words.
    pub text: String,
    /// Whether it holds, and was not undone.
    pub holds: bool,
    /// The last event that is it, undoes it or makes it anew: undo that to turn it round.
    pub last: u64,
}

/// A family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyDetail {
    /// Distribution.
    pub distribution: String,
    /// Name.
    pub family: String,
    /// Its members, by attribute; none of one that was merged into another.
    pub members: Vec<FamilyMember>,
    /// Where its decisions hold besides or instead: families that were split off, or that it was merged into.
    pub heirs: Vec<String>,
    /// What people made of it, oldest first.
    pub steps: Vec<FamilyStep>,
    /// The last event about it, 0 for none.
    pub last: u64,
}

impl Store {
    /// A family with its members; nothing if there is none of that name, and never was one that people made.
    pub async fn family(&self, subject: &Subject) -> Result<Option<FamilyDetail>> {
        let mut session = self.read().await?;
        let place = || values![subject.distribution.as_str(), subject.family.as_str()];
        let mut members = Vec::new();
        for row in session.rows(&sql::FAMILY_MEMBERS, place()).await? {
            members.push(FamilyMember {
                attribute: row.text(0)?,
                pname: row.text(1)?,
                own_family: row.text(2)?,
                affected: row.number(3)?,
            });
        }
        let steps = steps(&mut session, subject).await?;
        if members.is_empty() && steps.is_empty() {
            return Ok(None);
        }
        let heirs = super::families(&mut session).await?;
        let heirs = heirs.successors(subject);
        let others = heirs.into_iter().map(|heir| heir.family);
        Ok(Some(FamilyDetail {
            distribution: subject.distribution.clone(),
            family: subject.family.clone(),
            members,
            heirs: others.filter(|heir| *heir != subject.family).collect(),
            last: steps.iter().map(|step| step.last).max().unwrap_or(0),
            steps,
        }))
    }
}

async fn steps(session: &mut Session, subject: &Subject) -> Result<Vec<FamilyStep>> {
    let place = values![subject.distribution.as_str(), subject.family.as_str()];
    let mut steps = Vec::new();
    for row in session.rows(&sql::FAMILY_STEPS, place).await? {
        let (change, last, holds) = change(&row)?;
        let actor = row.text(9)?;
        let damaged = || {
            let what = format!("event {}", change.event);
            StoreError::damaged(what, format!("`{actor}` is no actor"))
        };
        steps.push(FamilyStep {
            at: row.instant(8)?,
            actor: Actor::of_text(&actor).ok_or_else(damaged)?,
            reason: row.optional_text(10)?,
            text: row.text(11)?,
            change,
            holds,
            last,
        });
    }
    Ok(steps)
}

/// The last event about a family, 0 for none.
pub(super) async fn last(session: &mut Session, subject: &Subject) -> Result<u64> {
    let steps = steps(session, subject).await?;
    Ok(steps.iter().map(|step| step.last).max().unwrap_or(0))
}
