//! A match's row in the queue: what a query can ask of it, in columns.
//!
//! Invariant: a function of the match, its findings, its vulnerability and the decisions about it, first sight aside.

use super::{rules, statements as sql};
use crate::derive::held::{HeldMatch, HeldVulnerability};
use crate::error::Result;
use crate::listing;
use crate::session::Session;
use crate::value::{Row, Value, values};
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use std::collections::BTreeMap;
use tracker_record::Severity;
use tracker_triage::rank::{self, Rank, RankInputs};
use tracker_triage::{Decisions, FindingState, MatchState, Subject};

/// States that leave something to do.
const OPEN: i64 = (FindingState::Affected.bit() | FindingState::UnderInvestigation.bit()) as i64;

/// What a row needs of the vulnerability; -1 is unknown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    severity: i64,
    score: i64,
    exploited: i64,
    epss: i64,
}

impl Facts {
    /// Reads severity, exploitation, score and EPSS, in this order.
    pub(crate) fn read(row: &Row, first: usize) -> Result<Facts> {
        Ok(Facts {
            severity: listing::severity_of(row.integer(first)?) as i64,
            exploited: row.integer(first + 1)?,
            score: row.optional_integer(first + 2)?.unwrap_or(-1),
            epss: row.optional_integer(first + 3)?.unwrap_or(-1),
        })
    }
}

/// A row, without what rules hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemRow {
    pub(crate) key: i64,
    pub(crate) subject: Subject,
    package_match: i64,
    pub(crate) state: i64,
    severity: i64,
    score: i64,
    exploited: i64,
    epss: i64,
    confidence: i64,
    pub(crate) dependents: i64,
    default_install: i64,
    since: i64,
    states: i64,
    pub(crate) contradicted: i64,
    pub(crate) added: i64,
    open: i64,
    rank: i64,
    pub(crate) assignee: String,
    pub(crate) snoozed: i64,
    pub(crate) suggested: i64,
}

/// A probability in millionths.
pub(crate) fn millionths(score: f64) -> u32 {
    (score.clamp(0.0, 1.0) * 1e6).round() as u32
}

impl ItemRow {
    /// When it was first matched, in microseconds.
    pub(crate) fn since(&self) -> i64 {
        self.since
    }

    /// Severity of the vulnerability.
    pub(crate) fn severity(&self) -> Severity {
        let severities = listing::SEVERITIES.into_iter();
        let mut severities = severities.filter(|one| *one as i64 == self.severity);
        severities.next().unwrap_or_default()
    }

    fn read(row: &Row) -> Result<ItemRow> {
        Ok(ItemRow {
            key: row.integer(0)?,
            subject: Subject::new(row.text(2)?, row.text(3)?),
            package_match: row.integer(4)?,
            state: row.integer(5)?,
            severity: row.integer(6)?,
            score: row.integer(7)?,
            exploited: row.integer(8)?,
            epss: row.integer(9)?,
            confidence: row.integer(10)?,
            dependents: row.integer(11)?,
            default_install: row.integer(12)?,
            since: row.integer(13)?,
            states: row.integer(14)?,
            contradicted: row.integer(15)?,
            added: row.integer(16)?,
            open: row.integer(17)?,
            rank: row.integer(18)?,
            assignee: row.text(19)?,
            snoozed: row.integer(20)?,
            suggested: row.integer(21)?,
        })
    }

    fn new(
        key: i64,
        since: i64,
        dependents: i64,
        matched: &HeldMatch,
        facts: Facts,
        decisions: &Decisions,
    ) -> ItemRow {
        let states = matched
            .findings
            .values()
            .fold(0, |all, finding| all | finding.state);
        let contradicted = matched
            .findings
            .values()
            .any(|finding| finding.contradicted);
        let state = decisions.state();
        let default = rank::is_default_install(&matched.distribution, &matched.family);
        let confidence_ppm = millionths(matched.score);
        let inputs = RankInputs {
            score_tenths: u8::try_from(facts.score).ok(),
            exploited: facts.exploited != 0,
            epss_ppm: u32::try_from(facts.epss).ok(),
            confidence_ppm,
            dependents: u32::try_from(dependents).ok(),
            default_install: default,
            since: Timestamp::from_microsecond(since).unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let undecided = state == MatchState::Proposed && states & OPEN != 0;
        ItemRow {
            key,
            subject: Subject::new(matched.distribution.as_str(), matched.family.as_str()),
            package_match: matched.key,
            state: state as i64,
            severity: facts.severity,
            score: facts.score,
            exploited: facts.exploited,
            epss: facts.epss,
            confidence: i64::from(confidence_ppm),
            dependents,
            default_install: i64::from(default),
            since,
            states,
            contradicted: i64::from(contradicted),
            added: i64::from(decisions.added),
            open: i64::from(undecided || contradicted),
            rank: Rank::order(&inputs),
            assignee: decisions.assignee.clone().unwrap_or_default(),
            snoozed: decisions.snoozed_until.map_or(0, Timestamp::as_microsecond),
            suggested: i64::from(!decisions.suggestions.is_empty()),
        }
    }

    fn values(&self, vulnerability: i64) -> Vec<Value> {
        values![
            self.key,
            vulnerability,
            self.subject.distribution.as_str(),
            self.subject.family.as_str(),
            self.package_match,
            self.state,
            self.severity,
            self.score,
            self.exploited,
            self.epss,
            self.confidence,
            self.dependents,
            self.default_install,
            self.since,
            self.states,
            self.contradicted,
            self.added,
            self.open,
            self.rank,
            self.assignee.as_str(),
            self.snoozed,
            // Rules are laid over it once it is written.
            0_i64,
            self.suggested
        ]
    }
}

/// The rows of some vulnerabilities, each with its vulnerability's key.
pub(crate) async fn held(
    session: &mut Session,
    vulnerabilities: Vec<Value>,
) -> Result<Vec<(i64, ItemRow)>> {
    let rows = session
        .rows_in(&sql::ITEMS_HELD, &[], vulnerabilities)
        .await?;
    rows.iter()
        .map(|row| Ok((row.integer(1)?, ItemRow::read(row)?)))
        .collect()
}

/// Rows that a batch writes.
#[derive(Debug, Default)]
pub(crate) struct ItemRows {
    rows: Vec<Value>,
    keys: Vec<i64>,
    gone: Vec<Value>,
}

impl ItemRows {
    /// Compares the rows of a vulnerability's matches in a distribution with those held.
    pub(crate) fn compare(
        &mut self,
        writer: &mut Writer,
        distribution: &str,
        held: &mut HeldVulnerability,
        reaches: &BTreeMap<i64, Option<u32>>,
    ) {
        let mut before = std::mem::take(&mut held.items);
        for matched in &held.matches {
            if matched.distribution != distribution {
                continue;
            }
            let subject = Subject::new(distribution, matched.family.as_str());
            let held_row = before.remove(&subject);
            let decisions = held.decisions.get(&subject).cloned().unwrap_or_default();
            let reach = reaches.get(&matched.key).copied().flatten();
            let inherited = held
                .heritage
                .get(&subject)
                .and_then(|heritage| heritage.since);
            let row = match &held_row {
                Some(row) => {
                    let since = inherited.map_or(row.since, |since| since.min(row.since));
                    let dependents = reach.map_or(row.dependents, i64::from);
                    ItemRow::new(row.key, since, dependents, matched, held.facts, &decisions)
                }
                None => {
                    let key = writer.next(Counter::Item);
                    let since = inherited.unwrap_or_else(|| writer.now.as_microsecond());
                    let dependents = reach.map_or(-1, i64::from);
                    ItemRow::new(key, since, dependents, matched, held.facts, &decisions)
                }
            };
            if held_row.as_ref() != Some(&row) {
                self.rows.extend(row.values(held.key));
                self.keys.push(row.key);
            }
            held.items.insert(subject, row);
        }
        for (subject, row) in before {
            if subject.distribution == distribution {
                self.gone.push(Value::from(row.key));
            } else {
                held.items.insert(subject, row);
            }
        }
    }

    pub(crate) async fn write(self, writer: &mut Writer) -> Result<()> {
        if self.rows.is_empty() && self.gone.is_empty() {
            return Ok(());
        }
        writer.changed();
        let session = &mut writer.session;
        session.execute_in(&sql::ITEMS_DROP, &[], self.gone).await?;
        session.insert(&sql::ITEM_PUT, 23, self.rows).await?;
        rules::lay(session, Some(&self.keys)).await
    }
}
