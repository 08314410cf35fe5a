//! What is held of vulnerabilities before a batch is compared with it.
//!
//! Invariant: of a match that is not laid out anew, only what its vulnerability's place in lists needs is read, and nothing
//! of it is written.

use super::heritage::Heritage;
use super::statements as sql;
use crate::error::Result;
use crate::session::Session;
use crate::triage::item::{self, Facts, ItemRow};
use crate::triage::log;
use crate::value::{Value, values};
use crate::writer::Writer;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tracker_triage::{Decisions, Subject};

/// A finding's place: attribute and channel.
pub(crate) type Cell = (i64, i64);

/// A match as it is held.
pub(crate) struct HeldMatch {
    pub(crate) key: i64,
    pub(crate) distribution: String,
    pub(crate) family: String,
    pub(crate) score: f64,
    pub(crate) attributes: String,
    pub(crate) reasons: String,
    pub(crate) findings: BTreeMap<Cell, HeldFinding>,
    /// Findings that other families had of attributes that are its members now.
    pub(super) inherited: BTreeMap<Cell, HeldFinding>,
}

impl HeldMatch {
    pub(super) fn subject(&self) -> Subject {
        Subject::new(self.distribution.as_str(), self.family.as_str())
    }
}

/// A match that stays as it is: what the vulnerability's place in lists needs of it.
pub(super) struct OtherMatch {
    pub(super) family: String,
    pub(super) score: f64,
    /// By channel, the statuses of its findings.
    pub(super) statuses: BTreeMap<i64, i64>,
}

/// The matches that are laid out anew, by the key of their vulnerability; of one that is not named, all.
pub(crate) type Anew = BTreeMap<i64, BTreeSet<Subject>>;

/// A finding as it is held.
#[derive(Clone, PartialEq)]
pub(crate) struct HeldFinding {
    pub(crate) attribute: String,
    pub(crate) version: Option<String>,
    pub(crate) status: i64,
    pub(crate) evidence: String,
    pub(crate) since: Option<i64>,
    /// The bit of its state.
    pub(crate) state: i64,
    /// The status that evidence alone gives it.
    pub(crate) derived: i64,
    /// The event that decided it.
    pub(crate) decided: Option<i64>,
    pub(crate) contradicted: bool,
}

impl HeldFinding {
    pub(super) fn values(&self, entry: i64, (attribute, channel): Cell) -> Vec<Value> {
        values![
            entry,
            channel,
            attribute,
            self.version.as_deref(),
            self.status,
            self.evidence.as_str(),
            self.since,
            self.state,
            self.derived,
            self.decided,
            i64::from(self.contradicted)
        ]
    }
}

/// A vulnerability as it is held: its key and the columns of its place in lists.
pub(crate) struct HeldVulnerability {
    pub(crate) key: i64,
    /// Its position in the order of what was touched.
    pub(super) touched: i64,
    pub(super) place: Vec<Value>,
    pub(crate) facts: Facts,
    pub(crate) matches: Vec<HeldMatch>,
    pub(super) others: Vec<OtherMatch>,
    pub(super) listings: BTreeMap<i64, i64>,
    /// What was decided about each match, whether it is held or not.
    pub(crate) decisions: BTreeMap<Subject, Decisions>,
    pub(crate) items: BTreeMap<Subject, ItemRow>,
    /// What families get of others whose members they have now.
    pub(crate) heritage: BTreeMap<Subject, Heritage>,
}

/// Loads what is held of the vulnerabilities, by public id: of the matches that are laid out anew everything, of the others
/// what goes into the same lists.
pub(crate) async fn held<'a>(
    writer: &mut Writer,
    ids: impl Iterator<Item = &'a str>,
    anew: &Anew,
) -> Result<HashMap<String, HeldVulnerability>> {
    let session = &mut writer.session;
    let ids = ids.map(Value::from).collect();
    let mut held: BTreeMap<i64, HeldVulnerability> = BTreeMap::new();
    let mut ids_of: HashMap<i64, String> = HashMap::new();
    for row in session.rows_in(&sql::VULNERABILITIES, &[], ids).await? {
        let key = row.integer(1)?;
        let place = (2..7)
            .map(|column| row.integer(column).map(Value::from))
            .collect::<Result<_>>()?;
        ids_of.insert(key, row.text(0)?);
        let vulnerability = HeldVulnerability {
            key,
            touched: row.integer(9)?,
            place,
            facts: Facts::read(&row, 5)?,
            matches: Vec::new(),
            others: Vec::new(),
            listings: BTreeMap::new(),
            decisions: BTreeMap::new(),
            items: BTreeMap::new(),
            heritage: BTreeMap::new(),
        };
        held.insert(key, vulnerability);
    }
    let keys: Vec<Value> = held.keys().map(|key| Value::from(*key)).collect();
    matches(session, &mut held, keys.clone(), anew).await?;
    for row in session
        .rows_in(&sql::LISTINGS_HELD, &[], keys.clone())
        .await?
    {
        if let Some(vulnerability) = held.get_mut(&row.integer(0)?) {
            let statuses = row.integer(2)?;
            vulnerability.listings.insert(row.integer(1)?, statuses);
        }
    }
    for (key, decisions) in log::decisions(session, keys.clone()).await? {
        if let Some(vulnerability) = held.get_mut(&key) {
            let decisions = decisions.into_iter();
            let decisions = decisions.filter(|(subject, _)| is_anew(anew, key, subject));
            vulnerability.decisions = decisions.collect();
        }
    }
    for (key, item) in item::held(session, keys).await? {
        if let Some(vulnerability) = held.get_mut(&key)
            && is_anew(anew, key, &item.subject)
        {
            vulnerability.items.insert(item.subject.clone(), item);
        }
    }
    Ok(held
        .into_iter()
        .filter_map(|(key, held)| Some((ids_of.remove(&key)?, held)))
        .collect())
}

fn is_anew(anew: &Anew, vulnerability: i64, subject: &Subject) -> bool {
    let subjects = anew.get(&vulnerability);
    subjects.is_none_or(|subjects| subjects.contains(subject))
}

/// The matches of vulnerabilities with their findings, and of the others what lists need.
async fn matches(
    session: &mut Session,
    held: &mut BTreeMap<i64, HeldVulnerability>,
    keys: Vec<Value>,
    anew: &Anew,
) -> Result<()> {
    let mut owner: HashMap<i64, (i64, usize)> = HashMap::new();
    let mut owner_of_other: HashMap<i64, (i64, usize)> = HashMap::new();
    for row in session.rows_in(&sql::MATCHES_HELD, &[], keys).await? {
        let Some(vulnerability) = held.get_mut(&row.integer(1)?) else {
            continue;
        };
        let (key, score) = (row.integer(0)?, row.real(4)?);
        let subject = Subject::new(row.text(2)?, row.text(3)?);
        if !is_anew(anew, vulnerability.key, &subject) {
            owner_of_other.insert(key, (vulnerability.key, vulnerability.others.len()));
            vulnerability.others.push(OtherMatch {
                family: subject.family,
                score,
                statuses: BTreeMap::new(),
            });
            continue;
        }
        owner.insert(key, (vulnerability.key, vulnerability.matches.len()));
        vulnerability.matches.push(HeldMatch {
            key,
            distribution: subject.distribution,
            family: subject.family,
            score,
            attributes: String::new(),
            reasons: String::new(),
            findings: BTreeMap::new(),
            inherited: BTreeMap::new(),
        });
    }
    let others = owner_of_other.keys().map(|key| Value::from(*key)).collect();
    for row in session.rows_in(&sql::STATUSES_HELD, &[], others).await? {
        if let Some((vulnerability, position)) = owner_of_other.get(&row.integer(0)?)
            && let Some(vulnerability) = held.get_mut(vulnerability)
        {
            let statuses = &mut vulnerability.others[*position].statuses;
            *statuses.entry(row.integer(1)?).or_default() |= row.integer(2)?;
        }
    }
    let matches: Vec<Value> = owner.keys().map(|key| Value::from(*key)).collect();
    for row in session
        .rows_in(&sql::MATCH_TEXTS, &[], matches.clone())
        .await?
    {
        if let Some((vulnerability, position)) = owner.get(&row.integer(0)?)
            && let Some(vulnerability) = held.get_mut(vulnerability)
        {
            let entry = &mut vulnerability.matches[*position];
            (entry.attributes, entry.reasons) = (row.text(1)?, row.text(2)?);
        }
    }
    for row in session.rows_in(&sql::FINDINGS_HELD, &[], matches).await? {
        let finding = HeldFinding {
            attribute: row.text(3)?,
            version: row.optional_text(4)?,
            status: row.integer(5)?,
            evidence: row.text(6)?,
            since: row.optional_integer(7)?,
            state: row.integer(8)?,
            derived: row.integer(9)?,
            decided: row.optional_integer(10)?,
            contradicted: row.integer(11)? != 0,
        };
        let cell = (row.integer(2)?, row.integer(1)?);
        if let Some((vulnerability, position)) = owner.get(&row.integer(0)?)
            && let Some(vulnerability) = held.get_mut(vulnerability)
        {
            vulnerability.matches[*position]
                .findings
                .insert(cell, finding);
        }
    }
    Ok(())
}
