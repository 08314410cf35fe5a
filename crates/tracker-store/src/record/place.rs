//! The vulnerabilities that a batch of records touches: their members, summaries, places in lists, words.
//!
//! Invariant: a vulnerability exists exactly as long as a record belongs to it.

use super::statements as sql;
use super::{Accepted, Change, IncomingRecord};
use crate::blob;
use crate::derive::statements::AFFECTED_ADD;
use crate::error::Result;
use crate::listing::{self, NO_FINDING, SCOPE_ALL};
use crate::value::{Value, clean, values};
use crate::words;
use crate::writer::{Counter, Writer};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tracker_record::{Record, Summary, Vulnerability};

/// A vulnerability while a batch is written.
struct Open {
    id: String,
    new: bool,
    /// Its records by key, once loaded or attached.
    records: BTreeMap<i64, Record>,
}

/// All vulnerabilities that a batch touches, by key.
pub(super) struct Touched {
    open: BTreeMap<i64, Open>,
    keys: HashMap<String, i64>,
    /// Which vulnerabilities the batch's records belonged to before.
    before: HashMap<i64, BTreeSet<i64>>,
    joined: Vec<Value>,
    left: Vec<(i64, i64)>,
    /// Who takes over the history of a vulnerability that its records left.
    heirs: HashMap<i64, i64>,
}

impl Touched {
    /// Loads what is held of the vulnerabilities that the records belong to, or belonged to before.
    pub(super) async fn load(writer: &mut Writer, accepted: &[Accepted]) -> Result<Touched> {
        let session = &mut writer.session;
        let mut before: HashMap<i64, BTreeSet<i64>> = HashMap::new();
        let changed = accepted
            .iter()
            .filter(|accepted| accepted.change != Change::Added);
        let changed = changed.map(|accepted| Value::from(accepted.key)).collect();
        for row in session
            .rows_in(&sql::MEMBERS_OF_RECORDS, &[], changed)
            .await?
        {
            before
                .entry(row.integer(0)?)
                .or_default()
                .insert(row.integer(1)?);
        }
        let ids: HashSet<&String> = accepted
            .iter()
            .flat_map(|accepted| &accepted.incoming.vulnerabilities)
            .collect();
        let ids = ids.into_iter().map(|id| id.as_str().into()).collect();
        let left = before.values().flatten().copied().collect::<BTreeSet<_>>();
        let left = left.into_iter().map(Value::from).collect();
        let mut open = BTreeMap::new();
        let mut rows = session
            .rows_in(&sql::VULNERABILITIES_BY_ID, &[], ids)
            .await?;
        rows.extend(
            session
                .rows_in(&sql::VULNERABILITIES_BY_KEY, &[], left)
                .await?,
        );
        for row in rows {
            let vulnerability = Open {
                id: row.text(1)?,
                new: false,
                records: BTreeMap::new(),
            };
            open.insert(row.integer(0)?, vulnerability);
        }
        let held = open.keys().map(|key| Value::from(*key)).collect();
        let rewritten: HashSet<i64> = accepted.iter().map(|accepted| accepted.key).collect();
        for row in session
            .rows_in(&sql::RECORDS_OF_VULNERABILITIES, &[], held)
            .await?
        {
            let record = row.integer(1)?;
            if let Some(vulnerability) = open.get_mut(&row.integer(0)?)
                && !rewritten.contains(&record)
            {
                let normal = blob::decode(record, &row.bytes(2)?)?;
                vulnerability.records.insert(record, normal);
            }
        }
        let keys = open
            .iter()
            .map(|(key, vulnerability)| (vulnerability.id.clone(), *key))
            .collect();
        Ok(Touched {
            open,
            keys,
            before,
            joined: Vec::new(),
            left: Vec::new(),
            heirs: HashMap::new(),
        })
    }

    /// Lets a record that was written belong to its vulnerabilities, and to no others any more.
    pub(super) fn attach(
        &mut self,
        writer: &mut Writer,
        record: i64,
        change: Change,
        incoming: IncomingRecord,
    ) {
        let mut before = self.before.remove(&record).unwrap_or_default();
        let source = incoming.record.source;
        let text = format!("{} {}", source.as_str(), incoming.record.id);
        let event = change.event(text);
        let mut heir = None;
        for id in incoming.vulnerabilities {
            let key = *self
                .keys
                .entry(clean(id))
                .or_insert_with_key(|_| writer.next(Counter::Vulnerability));
            // A key that is not open yet was given out in this line.
            let open = self.open.entry(key).or_insert_with(|| Open {
                id: String::new(),
                new: true,
                records: BTreeMap::new(),
            });
            heir.get_or_insert(key);
            let first = open.records.insert(record, incoming.record.clone());
            if first.is_none() {
                if !before.remove(&key) {
                    self.joined.extend(values![key, record]);
                }
                writer.event(key, &event);
            }
        }
        for vulnerability in &before {
            self.heirs.extend(heir.map(|heir| (*vulnerability, heir)));
        }
        self.left.extend(
            before
                .into_iter()
                .map(|vulnerability| (vulnerability, record)),
        );
    }

    /// Writes members, summaries, places and words; gives the public ids, sorted.
    pub(super) async fn write(mut self, writer: &mut Writer) -> Result<Vec<String>> {
        for (id, key) in &self.keys {
            if let Some(open) = self.open.get_mut(key) {
                open.id.clone_from(id);
            }
        }
        writer
            .session
            .insert(&sql::MEMBER_ADD, 2, std::mem::take(&mut self.joined))
            .await?;
        for (vulnerability, record) in std::mem::take(&mut self.left) {
            writer
                .session
                .execute(&sql::MEMBER_DROP, values![vulnerability, record])
                .await?;
        }
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|(_, open)| open.records.is_empty());
        let mut ids: Vec<String> = Vec::with_capacity(gone.len() + kept.len());
        ids.extend(gone.iter().map(|(_, open)| open.id.clone()));
        self.remove(writer, gone).await?;
        ids.extend(write_summaries(writer, kept).await?);
        ids.sort_unstable();
        Ok(ids)
    }

    /// Removes vulnerabilities that no record belongs to any more.
    async fn remove(&self, writer: &mut Writer, gone: Vec<(i64, Open)>) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        for (key, _) in &gone {
            if let Some(heir) = self.heirs.get(key) {
                let session = &mut writer.session;
                session
                    .execute(&sql::EVENT_MOVE, values![*key, *heir])
                    .await?;
            }
        }
        let keys: Vec<Value> = gone.iter().map(|(key, _)| Value::from(*key)).collect();
        let counted = writer
            .session
            .rows_in(&sql::MATCHES_COUNT, &[], keys.clone())
            .await?;
        for row in counted {
            writer.add(Counter::Matches, -row.integer(0)?);
        }
        let affected = writer
            .session
            .rows_in(&sql::AFFECTED_GONE, &[], keys.clone())
            .await?;
        for row in affected {
            let less = values![row.integer(0)?, -row.integer(1)?];
            writer.session.execute(&AFFECTED_ADD, less).await?;
        }
        for statement in [
            &sql::FINDINGS_GONE,
            &sql::MATCHES_GONE,
            &sql::ITEMS_GONE,
            &sql::LISTINGS_GONE,
            &sql::ALIASES_DROP,
            &sql::WORDS_GONE,
            &sql::VULNERABILITIES_GONE,
        ] {
            writer
                .session
                .execute_in(statement, &[], keys.clone())
                .await?;
        }
        writer.add(Counter::Vulnerabilities, -(gone.len() as i64));
        Ok(())
    }
}

/// Writes what lists and search need of the vulnerabilities.
async fn write_summaries(writer: &mut Writer, kept: Vec<(i64, Open)>) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(kept.len());
    let (mut rows, mut places, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    let (mut aliases, mut texts, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for (key, open) in kept {
        let vulnerability = Vulnerability::merge(open.id, open.records.into_values());
        let summary = vulnerability.summary();
        let place = place(&summary);
        let touched = writer.next(Counter::Touched);
        rows.extend(values![
            key,
            vulnerability.id.as_str(),
            touched,
            summary.title.as_str(),
            listing::severity_bit(summary.severity),
            summary.score_tenths.map(i64::from),
            i64::from(summary.kev),
            summary.epss_ppm.map(i64::from),
            listing::state_name(summary.state),
            summary.published,
            summary.modified,
            0_i64,
            "[]",
            "[]",
        ]);
        if open.new {
            places.extend(values![key, SCOPE_ALL]);
            places.extend(place);
            places.push(Value::from(NO_FINDING));
            writer.add(Counter::Vulnerabilities, 1);
        } else {
            let mut row = values![key];
            row.extend(place);
            moves.push(row);
            known.push(Value::from(key));
        }
        for alias in &summary.aliases {
            aliases.extend(values![key, alias.as_str()]);
        }
        texts.extend(values![
            key,
            words::index(searchable(&vulnerability, &summary))
        ]);
        ids.push(vulnerability.id);
    }
    let session = &mut writer.session;
    session.insert(&sql::VULNERABILITY_PUT, 14, rows).await?;
    session.insert(&sql::LISTING_ADD, 8, places).await?;
    for row in moves {
        session.execute(&sql::LISTING_MOVE, row).await?;
    }
    session
        .execute_in(&sql::ALIASES_DROP, &[], known.clone())
        .await?;
    session.insert(&sql::ALIAS_ADD, 2, aliases).await?;
    session.execute_in(&sql::WORDS_GONE, &[], known).await?;
    session.insert(&sql::WORDS_ADD, 2, texts).await?;
    Ok(ids)
}

/// The columns of a place in the lists, from the rank of urgency to exploitation.
fn place(summary: &Summary) -> Vec<Value> {
    values![
        listing::urgency(
            summary.state,
            summary.kev,
            summary.severity,
            summary.published
        ),
        listing::instant_rank(summary.published),
        listing::instant_rank(summary.modified),
        listing::severity_bit(summary.severity),
        i64::from(summary.kev),
    ]
}

/// The words of a vulnerability made of records.
pub(crate) fn words_of(id: String, records: impl IntoIterator<Item = Record>) -> String {
    let vulnerability = Vulnerability::merge(id, records);
    let summary = vulnerability.summary();
    words::index(searchable(&vulnerability, &summary))
}

/// What can be searched for: ids, title, description, and who makes what.
fn searchable<'a>(
    vulnerability: &'a Vulnerability,
    summary: &'a Summary,
) -> impl Iterator<Item = &'a str> {
    let products = vulnerability.affected().flat_map(|statement| {
        let affected = statement.affected;
        [&affected.vendor, &affected.product, &affected.package_name]
            .into_iter()
            .flatten()
            .map(String::as_str)
    });
    std::iter::once(vulnerability.id.as_str())
        .chain(summary.aliases.iter().map(String::as_str))
        .chain([summary.title.as_str()])
        .chain(summary.description.as_deref())
        .chain(products)
}
