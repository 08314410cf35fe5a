//! The queue as it is read: a page by rank, counts, one match whole, and what completion offers.
//!
//! Invariant: where a page's matches stand is found first (see `find`); of the matches themselves those of the page are
//! read, and no others.

use super::decide::{ItemId, instant, vulnerability};
use super::find::{self, Asked, FEW, Span};
use super::{family, log, statements as sql};
use crate::error::{Result, StoreError};
use crate::listing;
use crate::read::list::Seek;
use crate::read::token::Position;
use crate::session::Session;
use crate::value::{Row, values};
use crate::view::{Page, PageRequest};
use crate::{Store, derive::write::state_of};
use jiff::Timestamp;
use serde::Serialize;
use tracker_match::{FindingStatus, Reason};
use tracker_record::Severity;
use tracker_triage::query::{Field, Query, Vocabulary};
use tracker_triage::rank::{Rank, RankInputs};
use tracker_triage::{Decisions, Entry, FindingState, MatchState, Subject};

/// Events that one match's page shows.
const MAX_LOG: u32 = 500;

/// Names that completion offers.
const MOST_NAMES: i64 = 30;

/// A match in the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueRow {
    /// Which.
    #[serde(flatten)]
    pub id: ItemId,
    /// Title of the vulnerability.
    pub title: String,
    /// Where the match stands.
    pub state: MatchState,
    /// Severity.
    pub severity: Severity,
    /// CVSS base score in tenths.
    pub score_tenths: Option<u8>,
    /// In the KEV catalogue.
    pub exploited: bool,
    /// EPSS probability in millionths.
    pub epss_ppm: Option<u32>,
    /// Probability of the match in millionths.
    pub confidence_ppm: u32,
    /// How many packages depend on it.
    pub dependents: Option<u32>,
    /// Whether every installation has it.
    pub default_install: bool,
    /// When it was first matched.
    pub since: Timestamp,
    /// Where its findings stand, each state once.
    pub states: Vec<FindingState>,
    /// Whether evidence speaks against a decision.
    pub contradicted: bool,
    /// Whether a person added it.
    pub added: bool,
    /// Whether a suggestion waits for an answer.
    pub suggested: bool,
    /// Who deals with it.
    pub assignee: Option<String>,
    /// Until when it is out of sight.
    pub snoozed_until: Option<Timestamp>,
    /// Until when a rule hides it.
    pub suppressed_until: Option<Timestamp>,
    /// Its rank, with the parts.
    pub rank: Rank,
}

/// A finding of a match, with what was decided about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriageFinding {
    /// Channel.
    pub channel: String,
    /// Attribute.
    pub attribute: String,
    /// Version there.
    pub version: Option<String>,
    /// Where it stands.
    pub state: FindingState,
    /// What evidence alone says.
    pub derived: FindingStatus,
    /// The event that decided it.
    pub decided: Option<u64>,
    /// Whether evidence speaks against that.
    pub contradicted: bool,
    /// Evidence, what decided first.
    pub evidence: Vec<String>,
    /// Since which release.
    pub since: Option<Timestamp>,
}

/// A match whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriageDetail {
    /// The row.
    #[serde(flatten)]
    pub row: QueueRow,
    /// Why it was matched.
    pub reasons: Vec<Reason>,
    /// Its findings, by channel and attribute.
    pub findings: Vec<TriageFinding>,
    /// What was decided and holds.
    pub decisions: Decisions,
    /// What people did about it, oldest first.
    pub log: Vec<Entry>,
}

/// Columns of `triage_item AS i` joined to `vulnerability AS v`.
const COLUMNS: &str = "i.rank, i.key, v.id, v.title, i.distribution, i.family, i.state, v.severity, i.score, i.exploited, i.epss, i.confidence, i.dependents, i.default_install, i.since, i.states, i.contradicted, i.added, i.assignee, i.snoozed, i.suppressed, i.suggested";

fn read(row: &Row, now: Timestamp) -> Result<QueueRow> {
    let known = |index| {
        let value = row.integer(index)?;
        Ok::<_, StoreError>(u32::try_from(value).ok())
    };
    let state = row.integer(6)? as usize;
    let state = MatchState::ALL.get(state).copied();
    let states = row.integer(15)?;
    let score_tenths = known(8)?.and_then(|score| u8::try_from(score).ok());
    let inputs = RankInputs {
        score_tenths,
        exploited: row.integer(9)? != 0,
        epss_ppm: known(10)?,
        confidence_ppm: row.number(11)?,
        dependents: known(12)?,
        default_install: row.integer(13)? != 0,
        since: row.instant(14)?,
    };
    Ok(QueueRow {
        id: ItemId {
            vulnerability: row.text(2)?,
            distribution: row.text(4)?,
            family: row.text(5)?,
        },
        title: row.text(3)?,
        state: state.ok_or_else(|| StoreError::damaged("match", "its state is unknown"))?,
        severity: listing::severity_of(row.integer(7)?),
        score_tenths,
        exploited: inputs.exploited,
        epss_ppm: inputs.epss_ppm,
        confidence_ppm: inputs.confidence_ppm,
        dependents: inputs.dependents,
        default_install: inputs.default_install,
        since: inputs.since,
        states: (0..8)
            .filter_map(|bit| state_of(states & (1 << bit)))
            .collect(),
        contradicted: row.integer(16)? != 0,
        added: row.integer(17)? != 0,
        assignee: Some(row.text(18)?).filter(|name| !name.is_empty()),
        snoozed_until: instant(row.integer(19)?),
        suppressed_until: instant(row.integer(20)?),
        suggested: row.integer(21)? != 0,
        rank: Rank::at(&inputs, now),
    })
}

/// The matches that a query finds, at most so many, the most urgent first.
pub(super) async fn all(
    session: &mut Session,
    query: &Query,
    now: Timestamp,
    me: Option<&str>,
    limit: usize,
) -> Result<Vec<(i64, String, Subject)>> {
    let asked = Asked {
        query,
        now,
        me,
        few: FEW,
    };
    let found = asked.all(session, limit).await?;
    let (keys, list) = find::keys(session.dialect(), &found);
    let text = format!(
        "SELECT v.key, v.id, i.distribution, i.family FROM {list} AS page CROSS JOIN triage_item AS i CROSS JOIN vulnerability AS v WHERE i.key = page.item AND v.key = i.vulnerability ORDER BY i.rank DESC, i.key DESC"
    );
    let rows = session.select(text, values![keys]).await?;
    rows.iter()
        .map(|row| {
            let subject = Subject::new(row.text(2)?, row.text(3)?);
            Ok((row.integer(0)?, row.text(1)?, subject))
        })
        .collect()
}

/// How many matches a query finds that depends neither on who asks nor on when.
pub(super) async fn count(session: &mut Session, query: &Query) -> Result<u64> {
    let asked = Asked {
        query,
        now: Timestamp::UNIX_EPOCH,
        me: None,
        few: FEW,
    };
    asked.total(session).await
}

impl Store {
    /// A page of the matches that a query finds, the most urgent first; `me` is who asks.
    ///
    /// # Errors
    /// [`StoreError::Token`] for a position that this list did not give out.
    pub async fn queue(
        &self,
        query: &Query,
        now: Timestamp,
        me: Option<&str>,
        request: &PageRequest,
    ) -> Result<Page<QueueRow>> {
        let asked = Asked {
            query,
            now,
            me,
            few: FEW,
        };
        self.page_of_queue(asked, request).await
    }

    async fn page_of_queue(
        &self,
        asked: Asked<'_>,
        request: &PageRequest,
    ) -> Result<Page<QueueRow>> {
        let mut session = self.read().await?;
        let seek = Seek::at(request, 'q')?;
        let (found, total) = asked.page(&mut session, Span::of(&seek)).await?;
        let (keys, list) = find::keys(session.dialect(), &found);
        let order = if seek.backwards { "ASC" } else { "DESC" };
        let text = format!(
            "SELECT {COLUMNS} FROM {list} AS page CROSS JOIN triage_item AS i CROSS JOIN vulnerability AS v WHERE i.key = page.item AND v.key = i.vulnerability ORDER BY i.rank {order}, i.key {order}"
        );
        let mut rows = Vec::new();
        for row in session.select(text, values![keys]).await? {
            let position = Position {
                rank: row.integer(0)?,
                key: row.integer(1)?,
            };
            rows.push((position, read(&row, asked.now)?));
        }
        let mut page = seek.page(rows);
        page.total = total;
        Ok(page)
    }

    /// One match whole.
    pub async fn triage_item(&self, id: &ItemId, now: Timestamp) -> Result<Option<TriageDetail>> {
        let mut session = self.read().await?;
        let Some((vulnerability, public)) = vulnerability(&mut session, &id.vulnerability).await?
        else {
            return Ok(None);
        };
        let place = values![public, id.distribution.as_str(), id.family.as_str()];
        let Some(found) = session.row(&sql::ITEM, place).await? else {
            return Ok(None);
        };
        let key = found.integer(0)?;
        let text = format!(
            "SELECT {COLUMNS} FROM triage_item AS i JOIN vulnerability AS v ON v.key = i.vulnerability WHERE i.key = $1"
        );
        let rows = session.select(text, values![key]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let row = read(row, now)?;
        let reasons = session.row(&sql::REASONS_OF_ITEM, values![key]).await?;
        let reasons = reasons.map_or(Ok(Vec::new()), |row| row.json(0))?;
        let mut findings = Vec::new();
        for row in session.rows(&sql::FINDINGS_OF_ITEM, values![key]).await? {
            findings.push(finding(&row)?);
        }
        let subject = Subject::new(id.distribution.as_str(), id.family.as_str());
        let entries = log::entries(&mut session, values![vulnerability]).await?;
        let entries = entries.into_values().next().unwrap_or_default();
        let families = family::families(&mut session).await?;
        let mut all = Decisions::by_subject(&entries, &families);
        let about = log::about(&entries, &subject, &families);
        let mut log: Vec<Entry> = about.cloned().collect();
        log.drain(..log.len().saturating_sub(MAX_LOG as usize));
        Ok(Some(TriageDetail {
            row,
            reasons,
            findings,
            decisions: all.remove(&subject).unwrap_or_default(),
            log,
        }))
    }

    /// What completion of a query offers, by what stands in the database.
    pub async fn triage_names(&self, text: &str) -> Result<Names> {
        let mut names = Vec::new();
        let Some((field, begun)) = text
            .rsplit([' ', '('])
            .next()
            .and_then(|word| word.split_once(':'))
            .and_then(|(field, value)| {
                let field = Field::of(&field.trim_start_matches('-').to_lowercase())?;
                Some((
                    field,
                    value.rsplit(',').next().unwrap_or_default().to_owned(),
                ))
            })
        else {
            return Ok(Names { field: None, names });
        };
        let statement = match field {
            Field::Channel | Field::Affected | Field::Fixed => &sql::CHANNEL_NAMES_LIKE,
            Field::Maintainer => &sql::MAINTAINERS_LIKE,
            Field::Assignee => &sql::ASSIGNEES_LIKE,
            Field::Family => &sql::FAMILIES_LIKE,
            _ => return Ok(Names { field: None, names }),
        };
        let mut session = self.read().await?;
        let rows = session
            .rows(statement, values![begun.as_str(), MOST_NAMES])
            .await?;
        for row in rows {
            names.push(row.text(0)?);
        }
        names.retain(|name| name.starts_with(&begun));
        Ok(Names {
            field: Some(field),
            names,
        })
    }
}

fn finding(row: &Row) -> Result<TriageFinding> {
    let damaged = || StoreError::damaged("finding", "its state is unknown");
    Ok(TriageFinding {
        channel: row.text(0)?,
        attribute: row.text(1)?,
        version: row.optional_text(2)?,
        state: state_of(row.integer(6)?).ok_or_else(damaged)?,
        derived: listing::worst(row.integer(7)?).ok_or_else(damaged)?,
        decided: row.optional_integer(8)?.map(|event| event as u64),
        contradicted: row.integer(9)? != 0,
        evidence: row.json(4)?,
        since: row.optional_instant(5)?,
    })
}

/// Names that stand in the database for the field that is being typed.
#[derive(Debug, Clone, Default)]
pub struct Names {
    field: Option<Field>,
    names: Vec<String>,
}

impl Vocabulary for Names {
    fn names(&self, field: Field, beginning: &str) -> Vec<String> {
        if self.field != Some(field) {
            return Vec::new();
        }
        let begun = self.names.iter().filter(|name| name.starts_with(beginning));
        begun.cloned().collect()
    }
}
