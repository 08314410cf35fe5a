//! Writing matches and findings: only what differs from what is held, and an event for what a person would notice.
//!
//! Invariant: writing the same derivation twice writes nothing the second time, the position aside.

use super::statements as sql;
use super::{ChannelFinding, DerivationOutcome, Derived, DerivedMatch, Mark};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::landing::FIXED_EVERYWHERE;
use crate::listing::{self, NO_FINDING, SCOPE_ALL, SCOPE_MATCHED};
use crate::value::{Value, json, values};
use crate::view::ChannelStatus;
use crate::writer::{Counter, Writer};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tracker_match::{Finding, FindingStatus};

/// Families that a list row names.
const ROW_FAMILIES: usize = 5;

/// Attributes that an event names.
const EVENT_ATTRIBUTES: usize = 3;

/// A finding's place: attribute and channel.
type Cell = (i64, i64);

/// A match as it is held.
struct HeldMatch {
    key: i64,
    distribution: String,
    family: String,
    score: f64,
    attributes: String,
    reasons: String,
    findings: BTreeMap<Cell, HeldFinding>,
}

/// A finding as it is held.
#[derive(Clone)]
struct HeldFinding {
    attribute: String,
    version: Option<String>,
    status: i64,
    evidence: String,
    since: Option<i64>,
}

/// A vulnerability as it is held: its key and the columns of its place in lists.
struct HeldVulnerability {
    key: i64,
    place: Vec<Value>,
    matches: Vec<HeldMatch>,
    listings: BTreeMap<i64, i64>,
}

/// What is looked up once for a batch.
struct Names {
    distribution: String,
    /// Key and date of the latest release, by channel.
    channels: HashMap<String, (i64, i64)>,
    /// Every channel's name, for the rows of lists.
    channel_names: HashMap<i64, String>,
    attributes: HashMap<String, i64>,
    /// Channels whose support has ended.
    ended: HashSet<i64>,
}

/// The statuses that leave something to do.
const OPEN: i64 = listing::status_bit(FindingStatus::Affected)
    | listing::status_bit(FindingStatus::UnderInvestigation);

impl Names {
    /// The channels whose support has not ended, with their statuses.
    fn supported<'a>(
        &'a self,
        statuses: &'a BTreeMap<i64, i64>,
    ) -> impl Iterator<Item = (&'a str, i64)> {
        statuses.iter().filter_map(|(channel, statuses)| {
            let name = self.channel_names.get(channel)?;
            (!self.ended.contains(channel)).then_some((name.as_str(), *statuses))
        })
    }

    /// Whether any supported channel leaves something to do.
    fn open_somewhere(&self, statuses: &BTreeMap<i64, i64>) -> bool {
        self.supported(statuses)
            .any(|(_, statuses)| statuses & OPEN != 0)
    }

    /// Whether no supported channel leaves anything to do, and one has a fix.
    fn fixed_everywhere(&self, statuses: &BTreeMap<i64, i64>) -> bool {
        let fixed = listing::status_bit(FindingStatus::Fixed);
        !self.open_somewhere(statuses)
            && self
                .supported(statuses)
                .any(|(_, statuses)| statuses & fixed != 0)
    }

    fn supported_text(&self, statuses: &BTreeMap<i64, i64>) -> String {
        let mut channels: Vec<&str> = self.supported(statuses).map(|(name, _)| name).collect();
        channels.sort_unstable();
        format!("fixed in every supported channel: {}", channels.join(", "))
    }
}

/// What a batch will write, gathered so that each table is written in few statements.
#[derive(Default)]
struct Rows {
    matches: Vec<Value>,
    matches_gone: Vec<Value>,
    findings: Vec<Value>,
    findings_gone: Vec<(i64, Cell)>,
    listings: Vec<Value>,
    listings_gone: Vec<(i64, i64)>,
    summaries: Vec<Vec<Value>>,
    /// By how much the count of vulnerabilities that affect an attribute changes.
    affected: BTreeMap<i64, i64>,
    outcome: DerivationOutcome,
}

impl Store {
    /// Keeps what matching found for some vulnerabilities and moves the distribution's position to the mark.
    ///
    /// Matches of other distributions stay. Vulnerabilities that are gone meanwhile are passed over.
    pub async fn put_derivation(
        &self,
        distribution: &str,
        derived: Vec<Derived>,
        mark: Mark,
    ) -> Result<DerivationOutcome> {
        let mut writer = self.writer().await?;
        let advance = values![distribution, mark.generation, mark.position];
        if writer.session.execute(&sql::ADVANCE, advance).await? == 0 {
            return Err(outdated(distribution));
        }
        let names = names(&mut writer, distribution, &derived).await?;
        let mut held = held(&mut writer, &derived).await?;
        let mut rows = Rows::default();
        for Derived {
            vulnerability,
            matches,
        } in derived
        {
            if let Some(held) = held.get_mut(&vulnerability) {
                rows.vulnerability(&mut writer, &names, held, matches)?;
            }
        }
        let outcome = rows.outcome;
        rows.write(&mut writer).await?;
        writer.add(
            Counter::Matches,
            outcome.matched as i64 - outcome.unmatched as i64,
        );
        writer.commit().await?;
        Ok(outcome)
    }
}

fn outdated(distribution: &str) -> StoreError {
    StoreError::Outdated {
        distribution: distribution.to_owned(),
    }
}

async fn names(writer: &mut Writer, distribution: &str, derived: &[Derived]) -> Result<Names> {
    let session = &mut writer.session;
    let mut channels = HashMap::new();
    for row in session
        .rows(&sql::CHANNELS_OF, values![distribution])
        .await?
    {
        channels.insert(row.text(1)?, (row.integer(0)?, row.integer(2)?));
    }
    let mut channel_names = HashMap::new();
    for row in session.rows(&sql::CHANNEL_NAMES, Vec::new()).await? {
        channel_names.insert(row.integer(0)?, row.text(1)?);
    }
    let mut ended = HashSet::new();
    let now = writer.now;
    for row in writer.session.rows(&sql::ENDED, values![now]).await? {
        ended.insert(row.integer(0)?);
    }
    let session = &mut writer.session;
    let wanted: HashSet<&str> = derived
        .iter()
        .flat_map(|derived| &derived.matches)
        .flat_map(|derived| &derived.findings)
        .map(|found| found.finding.attribute.as_str())
        .collect();
    let wanted = wanted.into_iter().map(Value::from).collect();
    let mut attributes = HashMap::new();
    for row in session
        .rows_in(&sql::ATTRIBUTES_BY_NAME, &[distribution.into()], wanted)
        .await?
    {
        attributes.insert(row.text(1)?, row.integer(0)?);
    }
    Ok(Names {
        distribution: distribution.to_owned(),
        channels,
        channel_names,
        attributes,
        ended,
    })
}

/// Loads what is held of the vulnerabilities, by public id.
async fn held(
    writer: &mut Writer,
    derived: &[Derived],
) -> Result<HashMap<String, HeldVulnerability>> {
    let session = &mut writer.session;
    let ids = derived
        .iter()
        .map(|derived| Value::from(derived.vulnerability.as_str()))
        .collect();
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
            place,
            matches: Vec::new(),
            listings: BTreeMap::new(),
        };
        held.insert(key, vulnerability);
    }
    let keys: Vec<Value> = held.keys().map(|key| Value::from(*key)).collect();
    let mut owner: HashMap<i64, (i64, usize)> = HashMap::new();
    for row in session
        .rows_in(&sql::MATCHES_HELD, &[], keys.clone())
        .await?
    {
        let Some(vulnerability) = held.get_mut(&row.integer(1)?) else {
            continue;
        };
        let key = row.integer(0)?;
        owner.insert(key, (vulnerability.key, vulnerability.matches.len()));
        vulnerability.matches.push(HeldMatch {
            key,
            distribution: row.text(2)?,
            family: row.text(3)?,
            score: row.real(4)?,
            attributes: row.text(5)?,
            reasons: row.text(6)?,
            findings: BTreeMap::new(),
        });
    }
    let matches = owner.keys().map(|key| Value::from(*key)).collect();
    for row in session.rows_in(&sql::FINDINGS_HELD, &[], matches).await? {
        let finding = HeldFinding {
            attribute: row.text(3)?,
            version: row.optional_text(4)?,
            status: row.integer(5)?,
            evidence: row.text(6)?,
            since: row.optional_integer(7)?,
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
    for row in session.rows_in(&sql::LISTINGS_HELD, &[], keys).await? {
        if let Some(vulnerability) = held.get_mut(&row.integer(0)?) {
            let statuses = row.integer(2)?;
            vulnerability.listings.insert(row.integer(1)?, statuses);
        }
    }
    Ok(held
        .into_iter()
        .filter_map(|(key, held)| Some((ids_of.remove(&key)?, held)))
        .collect())
}

impl Rows {
    /// Compares what was found for a vulnerability with what is held.
    fn vulnerability(
        &mut self,
        writer: &mut Writer,
        names: &Names,
        held: &mut HeldVulnerability,
        found: Vec<DerivedMatch>,
    ) -> Result<()> {
        let before = (self.outcome, self.matches.len(), self.findings.len());
        let key = held.key;
        let mut kept = BTreeSet::new();
        for DerivedMatch { matched, findings } in found {
            let position = held.matches.iter().position(|held| {
                held.distribution == names.distribution && held.family == matched.family
            });
            let new = position.is_none();
            let position = position.unwrap_or_else(|| {
                let place = format!("{} in {}", matched.family, names.distribution);
                let text = format!("matched to {place}, score {:.2}", matched.score);
                writer.event(key, "matched", text);
                self.outcome.matched += 1;
                held.matches.push(HeldMatch {
                    key: writer.next(Counter::Match),
                    distribution: names.distribution.clone(),
                    family: matched.family.clone(),
                    score: f64::NAN,
                    attributes: String::new(),
                    reasons: String::new(),
                    findings: BTreeMap::new(),
                });
                held.matches.len() - 1
            });
            kept.insert(held.matches[position].key);
            let entry = &mut held.matches[position];
            let (attributes, reasons) = (json(&matched.attributes), json(&matched.reasons));
            let same = entry.score.to_bits() == matched.score.to_bits()
                && entry.attributes == attributes
                && entry.reasons == reasons;
            if !same {
                self.matches.extend(values![
                    entry.key,
                    key,
                    entry.distribution.as_str(),
                    entry.family.as_str(),
                    matched.score,
                    attributes.as_str(),
                    reasons.as_str()
                ]);
                (entry.score, entry.attributes, entry.reasons) =
                    (matched.score, attributes, reasons);
            }
            self.findings(writer, names, key, entry, findings, new)?;
        }
        held.matches.retain(|entry| {
            if entry.distribution != names.distribution || kept.contains(&entry.key) {
                return true;
            }
            let text = format!(
                "no longer matched to {} in {}",
                entry.family, entry.distribution
            );
            writer.event(key, "unmatched", text);
            self.outcome.unmatched += 1;
            self.count_affected(&entry.findings, -1);
            self.outcome.findings_changed += entry.findings.len() as u64;
            self.matches_gone.push(Value::from(entry.key));
            false
        });
        if before == (self.outcome, self.matches.len(), self.findings.len()) {
            self.outcome.unchanged += 1;
        } else {
            self.summary(writer, names, held);
        }
        Ok(())
    }

    /// Compares the findings of a match; a new match's findings are no events of their own.
    fn findings(
        &mut self,
        writer: &mut Writer,
        names: &Names,
        vulnerability: i64,
        entry: &mut HeldMatch,
        found: Vec<ChannelFinding>,
        new: bool,
    ) -> Result<()> {
        self.count_affected(&entry.findings, -1);
        let mut before = std::mem::take(&mut entry.findings);
        let mut moves: BTreeMap<(i64, i64, i64), Vec<String>> = BTreeMap::new();
        for ChannelFinding { channel, finding } in found {
            let Finding {
                attribute,
                version,
                status,
                evidence,
            } = finding;
            let known = names.channels.get(&channel);
            let place = known.zip(names.attributes.get(&attribute));
            let ((channel, released), attribute_key) =
                place.ok_or_else(|| outdated(&names.distribution))?;
            let cell = (*attribute_key, *channel);
            let held = before.remove(&cell);
            let was = held.as_ref().map_or(0, |held| held.status);
            let status = listing::status_bit(status);
            let evidence = json(&evidence);
            let same = held.as_ref().is_some_and(|held| {
                held.status == status && held.version == version && held.evidence == evidence
            });
            let since = match &held {
                Some(held) if held.status == status => held.since,
                None if new => None,
                _ => Some(*released),
            };
            if was != status {
                self.outcome.findings_changed += 1;
                let moved = moves.entry((cell.1, was, status)).or_default();
                moved.push(attribute.clone());
            }
            if !same {
                self.findings.extend(values![
                    entry.key,
                    cell.1,
                    cell.0,
                    version.as_deref(),
                    status,
                    evidence.as_str(),
                    since
                ]);
            }
            let finding = HeldFinding {
                attribute,
                version,
                status,
                evidence,
                since,
            };
            entry.findings.insert(cell, finding);
        }
        self.count_affected(&entry.findings, 1);
        for (cell, gone) in before {
            self.outcome.findings_changed += 1;
            self.findings_gone.push((entry.key, cell));
            moves
                .entry((cell.1, gone.status, 0))
                .or_default()
                .push(gone.attribute);
        }
        for ((channel, was, status), attributes) in moves.into_iter().filter(|_| !new) {
            let channel = names
                .channel_names
                .get(&channel)
                .map_or("?", String::as_str);
            let text = moved_text(channel, was, status, &attributes);
            writer.event(vulnerability, "finding-changed", text);
        }
        Ok(())
    }

    /// Counts the attributes that a match's findings affect, each once.
    fn count_affected(&mut self, findings: &BTreeMap<Cell, HeldFinding>, by: i64) {
        let affected = listing::status_bit(FindingStatus::Affected);
        let mut last = None;
        for ((attribute, _), finding) in findings {
            if finding.status == affected && last != Some(*attribute) {
                last = Some(*attribute);
                *self.affected.entry(*attribute).or_default() += by;
            }
        }
    }

    /// What lists show of a vulnerability, and in which scopes it stands.
    fn summary(&mut self, writer: &mut Writer, names: &Names, held: &mut HeldVulnerability) {
        let mut statuses: BTreeMap<i64, i64> = BTreeMap::new();
        for ((_, channel), finding) in held.matches.iter().flat_map(|entry| &entry.findings) {
            *statuses.entry(*channel).or_default() |= finding.status;
        }
        let mut channels: Vec<ChannelStatus> = statuses
            .iter()
            .filter_map(|(channel, statuses)| {
                Some(ChannelStatus {
                    channel: names.channel_names.get(channel)?.clone(),
                    status: listing::worst(*statuses)?,
                })
            })
            .collect();
        channels.sort_unstable_by(|a, b| a.channel.cmp(&b.channel));
        held.matches.sort_by(|a, b| {
            let score = b.score.total_cmp(&a.score);
            score.then_with(|| a.family.cmp(&b.family))
        });
        let mut families: Vec<&str> = Vec::new();
        for entry in &held.matches {
            if !families.contains(&entry.family.as_str()) {
                families.push(&entry.family);
            }
        }
        let count = families.len() as i64;
        families.truncate(ROW_FAMILIES);
        self.summaries
            .push(values![held.key, count, json(&families), json(&channels)]);
        if names.open_somewhere(&held.listings) && names.fixed_everywhere(&statuses) {
            let text = names.supported_text(&statuses);
            writer.event(held.key, FIXED_EVERYWHERE, text);
        }
        let all = statuses.values().fold(0, |all, statuses| all | statuses);
        let all = if all == 0 { NO_FINDING } else { all };
        let mut wanted = statuses;
        wanted.insert(SCOPE_ALL, all);
        if !held.matches.is_empty() {
            wanted.insert(SCOPE_MATCHED, all);
        }
        for (scope, statuses) in &wanted {
            if held.listings.get(scope) != Some(statuses) {
                self.listings.extend(values![held.key, *scope]);
                self.listings.extend(held.place.iter().cloned());
                self.listings.push(Value::from(*statuses));
            }
        }
        let gone = held
            .listings
            .keys()
            .filter(|scope| !wanted.contains_key(scope));
        self.listings_gone
            .extend(gone.map(|scope| (held.key, *scope)));
    }

    async fn write(self, writer: &mut Writer) -> Result<()> {
        let session = &mut writer.session;
        let gone = self.matches_gone;
        session
            .execute_in(&sql::FINDINGS_DROP, &[], gone.clone())
            .await?;
        session.execute_in(&sql::MATCHES_DROP, &[], gone).await?;
        for (entry, (attribute, channel)) in self.findings_gone {
            let cell = values![entry, channel, attribute];
            session.execute(&sql::FINDING_DROP, cell).await?;
        }
        session.insert(&sql::MATCH_PUT, 7, self.matches).await?;
        session.insert(&sql::FINDING_PUT, 7, self.findings).await?;
        for (vulnerability, scope) in self.listings_gone {
            session
                .execute(&sql::LISTING_DROP, values![vulnerability, scope])
                .await?;
        }
        session.insert(&sql::LISTING_PUT, 8, self.listings).await?;
        for (attribute, change) in self.affected.into_iter().filter(|(_, change)| *change != 0) {
            session
                .execute(&sql::AFFECTED_ADD, values![attribute, change])
                .await?;
        }
        for row in self.summaries {
            session.execute(&sql::VULNERABILITY_MATCHED, row).await?;
        }
        Ok(())
    }
}

/// `nixos-19.09: fixed, was affected: musl, musl-dev and 3 more`.
fn moved_text(channel: &str, was: i64, status: i64, attributes: &[String]) -> String {
    let name = |status| listing::worst(status).map(status_text);
    let change = match (name(was), name(status)) {
        (Some(was), Some(status)) => format!("{status}, was {was}"),
        (None, Some(status)) => format!("{status}, new there"),
        (Some(was), None) => format!("gone, was {was}"),
        (None, None) => "gone".to_owned(),
    };
    let shown = attributes.len().min(EVENT_ATTRIBUTES);
    let more = match attributes.len() - shown {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{channel}: {change}: {}{more}",
        attributes[..shown].join(", ")
    )
}

fn status_text(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Affected => "affected",
        FindingStatus::UnderInvestigation => "under investigation",
        FindingStatus::Fixed => "fixed",
        FindingStatus::NotAffected => "not affected",
    }
}
