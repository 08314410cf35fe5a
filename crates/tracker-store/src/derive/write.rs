//! Writing matches and findings: only what differs from what is held, and an event for what a person would notice.
//!
//! Invariant: writing the same derivation twice writes nothing the second time, the position aside.

use super::basis::Basis;
use super::held::{Anew, Cell, HeldFinding, HeldMatch, HeldVulnerability, held};
use super::statements as sql;
use super::{ChannelFinding, DerivationOutcome, Derived, DerivedMatch, Mark};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::listing::{self, NO_FINDING, SCOPE_ALL, SCOPE_MATCHED};
use crate::session::Session;
use crate::triage::item::{self, ItemRows};
use crate::value::{Value, json, values};
use crate::view::ChannelStatus;
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tracker_match::{Finding, FindingStatus, Match};
use tracker_triage::event::Cells;
use tracker_triage::{Decisions, Event, Evidence, FindingState, FixedBy, derive};

/// Families that a list row names.
const ROW_FAMILIES: usize = 5;

/// Least change of a score that is an event.
const TOLD_SCORE: f64 = 0.05;

/// Attributes by channel, the state that their findings moved from, and the state after.
type Moves = BTreeMap<(i64, i64, i64), Vec<String>>;

/// What is looked up once for a batch.
pub(crate) struct Names {
    distribution: String,
    /// Key and date of the latest release, by channel.
    channels: HashMap<String, (i64, i64)>,
    /// Every channel's name, for the rows of lists.
    channel_names: BTreeMap<i64, String>,
    attributes: HashMap<String, i64>,
    /// Channels whose support has ended.
    ended: BTreeSet<i64>,
    /// Why matches are derived again; none where only decisions are laid over them.
    basis: Option<Basis>,
    /// Why they are where that is no matter of matching.
    pub(crate) because: Option<String>,
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

    /// A finding whose package the channel's latest release has no more.
    fn removed(&self, (_, channel): Cell, before: HeldFinding) -> HeldFinding {
        let released = self.channels.values().find(|(key, _)| *key == channel);
        HeldFinding {
            version: None,
            status: listing::status_bit(FindingState::Removed.status()),
            evidence: json(&["removed: the channel's latest release has the package no more"]),
            since: released.map(|(_, released)| *released),
            state: i64::from(FindingState::Removed.bit()),
            decided: None,
            contradicted: false,
            ..before
        }
    }

    fn channel_name(&self, key: i64) -> String {
        let name = self.channel_names.get(&key);
        name.cloned().unwrap_or_else(|| "?".to_owned())
    }

    fn fix(&self, statuses: &BTreeMap<i64, i64>) -> Event {
        let names = self.supported(statuses).map(|(name, _)| name.to_owned());
        let mut channels: Vec<String> = names.collect();
        channels.sort_unstable();
        Event::FixedEverywhere { channels }
    }
}

/// What a batch will write, gathered so that each table is written in few statements.
#[derive(Default)]
pub(crate) struct Rows {
    matches: Vec<Value>,
    matches_gone: Vec<Value>,
    findings: Vec<Value>,
    findings_gone: Vec<(i64, Cell)>,
    listings: Vec<Value>,
    listings_gone: Vec<(i64, i64)>,
    summaries: Vec<Value>,
    /// By how much the count of vulnerabilities that affect an attribute changes.
    affected: BTreeMap<i64, i64>,
    items: ItemRows,
    pub(crate) outcome: DerivationOutcome,
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
        let mut names = names(&mut writer, distribution, &derived).await?;
        names.basis = Basis::load(&mut writer.session, distribution).await?;
        let ids = derived.iter().map(|one| one.vulnerability.as_str());
        let mut held = held(&mut writer, ids, &Anew::new()).await?;
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

pub(crate) async fn names(
    writer: &mut Writer,
    distribution: &str,
    derived: &[Derived],
) -> Result<Names> {
    let session = &mut writer.session;
    let mut channels = HashMap::new();
    for row in session
        .rows(&sql::CHANNELS_OF, values![distribution])
        .await?
    {
        channels.insert(row.text(1)?, (row.integer(0)?, row.integer(2)?));
    }
    let channel_names = channel_names(writer).await?;
    let now = writer.now;
    let ended = ended(&mut writer.session, now).await?;
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
        basis: None,
        because: None,
    })
}

/// The names of all channels.
pub(crate) async fn channel_names(writer: &mut Writer) -> Result<BTreeMap<i64, String>> {
    let rows = writer.session.rows(&sql::CHANNEL_NAMES, Vec::new()).await?;
    rows.iter()
        .map(|row| Ok((row.integer(0)?, row.text(1)?)))
        .collect()
}

/// The channels whose support has ended.
pub(crate) async fn ended(session: &mut Session, now: Timestamp) -> Result<BTreeSet<i64>> {
    let rows = session.rows(&sql::ENDED, values![now]).await?;
    rows.iter().map(|row| row.integer(0)).collect()
}

impl Rows {
    /// Compares what was found for a vulnerability with what is held.
    pub(crate) fn vulnerability(
        &mut self,
        writer: &mut Writer,
        names: &Names,
        held: &mut HeldVulnerability,
        found: Vec<DerivedMatch>,
    ) -> Result<()> {
        let before = (self.outcome, self.matches.len(), self.findings.len());
        let key = held.key;
        let basis = names.basis.as_ref();
        let why = basis.map(|basis| basis.why(held.touched));
        let why = names.because.as_deref().or(why);
        let mut kept = BTreeSet::new();
        let mut reaches = BTreeMap::new();
        for DerivedMatch {
            matched,
            findings,
            dependents,
        } in found
        {
            let position = held.matches.iter().position(|held| {
                held.distribution == names.distribution && held.family == matched.family
            });
            let new = position.is_none();
            let position = position.unwrap_or_else(|| {
                self.outcome.matched += 1;
                held.matches.push(HeldMatch {
                    key: writer.next(Counter::Match),
                    distribution: names.distribution.clone(),
                    family: matched.family.clone(),
                    score: f64::NAN,
                    attributes: String::new(),
                    reasons: String::new(),
                    findings: BTreeMap::new(),
                    inherited: BTreeMap::new(),
                });
                held.matches.len() - 1
            });
            kept.insert(held.matches[position].key);
            reaches.insert(held.matches[position].key, dependents);
            let entry = &mut held.matches[position];
            if let Some(heritage) = held.heritage.get_mut(&entry.subject()) {
                entry.inherited = std::mem::take(&mut heritage.findings);
            }
            let decisions = held.decisions.get(&entry.subject());
            let decisions = decisions.cloned().unwrap_or_default();
            if !new {
                told_score(writer, (key, why), entry, matched.score);
            }
            self.matched(key, entry, &matched);
            let named = &matched.attributes;
            let moves = self.findings(names, entry, &decisions, findings, named, new)?;
            let subject = entry.subject();
            if new {
                let event = Event::Matched {
                    subject,
                    confidence_ppm: item::millionths(entry.score),
                    findings: cells(names, &entry.findings),
                };
                writer.derived(key, why, &event);
            } else {
                for (from, cells) in moves {
                    let subject = subject.clone();
                    writer.derived(
                        key,
                        why,
                        &Event::FindingChanged {
                            subject,
                            from,
                            cells,
                        },
                    );
                }
            }
        }
        held.matches.retain(|entry| {
            let subject = entry.subject();
            let added = held.decisions.get(&subject).is_some_and(|held| held.added);
            if entry.distribution != names.distribution || kept.contains(&entry.key) || added {
                return true;
            }
            writer.derived(key, why, &Event::Unmatched { subject });
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
        self.items
            .compare(writer, &names.distribution, held, &reaches);
        Ok(())
    }

    /// Writes a match, if anything of it differs.
    fn matched(&mut self, vulnerability: i64, entry: &mut HeldMatch, matched: &Match) {
        let (attributes, reasons) = (json(&matched.attributes), json(&matched.reasons));
        let same = entry.score.to_bits() == matched.score.to_bits()
            && entry.attributes == attributes
            && entry.reasons == reasons;
        if !same {
            self.matches.extend(values![
                entry.key,
                vulnerability,
                entry.distribution.as_str(),
                entry.family.as_str(),
                matched.score,
                attributes.as_str(),
                reasons.as_str()
            ]);
            (entry.score, entry.attributes, entry.reasons) = (matched.score, attributes, reasons);
        }
    }

    /// Compares the findings of a match; gives those that moved, each with the state that they moved from.
    fn findings(
        &mut self,
        names: &Names,
        entry: &mut HeldMatch,
        decisions: &Decisions,
        found: Vec<ChannelFinding>,
        named: &[String],
        new: bool,
    ) -> Result<Vec<(Option<FindingState>, Cells)>> {
        self.count_affected(&entry.findings, -1);
        let mut before = std::mem::take(&mut entry.findings);
        let mut moves = Moves::new();
        for ChannelFinding { channel, finding } in found {
            let decided = decisions.of(&channel, &finding.attribute);
            let patched = finding.is_patched();
            let Finding {
                attribute,
                version,
                status: derived,
                evidence,
            } = finding;
            let known = names.channels.get(&channel);
            let place = known.zip(names.attributes.get(&attribute));
            let ((channel, released), attribute_key) =
                place.ok_or_else(|| outdated(&names.distribution))?;
            let cell = (*attribute_key, *channel);
            let held = before.remove(&cell);
            let was = held.as_ref().map_or(0, |held| held.state);
            let laid = derive(
                Evidence {
                    status: derived,
                    fixed_by: if patched {
                        FixedBy::Patch
                    } else {
                        FixedBy::Version
                    },
                    present: true,
                    supported: !names.ended.contains(channel),
                },
                decided.as_ref(),
            );
            let state = i64::from(laid.state.bit());
            let stood = held.as_ref().or_else(|| entry.inherited.get(&cell));
            let since = since(stood, state, (!new).then_some(*released));
            if was != state {
                self.outcome.findings_changed += 1;
                let moved = moves.entry((cell.1, was, state)).or_default();
                moved.push(attribute.clone());
            }
            let finding = HeldFinding {
                attribute,
                version,
                status: listing::status_bit(laid.state.status()),
                evidence: json(&evidence),
                since,
                state,
                derived: listing::status_bit(derived),
                decided: laid.decided.map(|event| event as i64),
                contradicted: laid.contradiction.is_some(),
            };
            if held.as_ref() != Some(&finding) {
                self.findings.extend(finding.values(entry.key, cell));
            }
            entry.findings.insert(cell, finding);
        }
        for (cell, gone) in before {
            // What the match still names was in the channel's release before, and is in none of its now.
            let removed = i64::from(FindingState::Removed.bit());
            let state = if named.contains(&gone.attribute) {
                removed
            } else {
                0
            };
            if state != 0 && gone.state == state {
                entry.findings.insert(cell, gone);
                continue;
            }
            self.outcome.findings_changed += 1;
            let moved = moves.entry((cell.1, gone.state, state)).or_default();
            moved.push(gone.attribute.clone());
            if state == 0 {
                self.findings_gone.push((entry.key, cell));
                continue;
            }
            let finding = names.removed(cell, gone);
            self.findings.extend(finding.values(entry.key, cell));
            entry.findings.insert(cell, finding);
        }
        self.removed_before(entry, named, &mut moves);
        self.count_affected(&entry.findings, 1);
        let moved = moves
            .into_iter()
            .map(|((channel, was, state), attributes)| {
                let cells = Cells {
                    channel: names.channel_name(channel),
                    state: state_of(state),
                    attributes,
                };
                (state_of(was), cells)
            });
        Ok(moved.collect())
    }

    /// Takes over from other families what is in no release any more: it goes with its attribute.
    fn removed_before(&mut self, entry: &mut HeldMatch, named: &[String], moves: &mut Moves) {
        let removed = i64::from(FindingState::Removed.bit());
        for (cell, gone) in std::mem::take(&mut entry.inherited) {
            let here = entry.findings.contains_key(&cell);
            if gone.state == removed && named.contains(&gone.attribute) && !here {
                self.outcome.findings_changed += 1;
                let moved = moves.entry((cell.1, 0, removed)).or_default();
                moved.push(gone.attribute.clone());
                self.findings.extend(gone.values(entry.key, cell));
                entry.findings.insert(cell, gone);
            }
        }
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
    fn summary(&mut self, writer: &mut Writer, names: &Names, held: &HeldVulnerability) {
        let mut statuses: BTreeMap<i64, i64> = BTreeMap::new();
        for ((_, channel), finding) in held.matches.iter().flat_map(|entry| &entry.findings) {
            *statuses.entry(*channel).or_default() |= finding.status;
        }
        for (channel, status) in held.others.iter().flat_map(|other| &other.statuses) {
            *statuses.entry(*channel).or_default() |= status;
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
        let matches = held.matches.iter();
        let matches = matches.map(|entry| (entry.score, entry.family.as_str()));
        let others = held.others.iter();
        let others = others.map(|other| (other.score, other.family.as_str()));
        let mut scored: Vec<(f64, &str)> = matches.chain(others).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let mut families: Vec<&str> = Vec::new();
        for (_, family) in scored {
            if !families.contains(&family) {
                families.push(family);
            }
        }
        let count = families.len() as i64;
        families.truncate(ROW_FAMILIES);
        self.summaries
            .extend(values![held.key, count, json(&families), json(&channels)]);
        if names.open_somewhere(&held.listings) && names.fixed_everywhere(&statuses) {
            writer.event(held.key, &names.fix(&statuses));
        }
        let all = statuses.values().fold(0, |all, statuses| all | statuses);
        let all = if all == 0 { NO_FINDING } else { all };
        let mut wanted = statuses;
        wanted.insert(SCOPE_ALL, all);
        if !held.matches.is_empty() || !held.others.is_empty() {
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

    pub(crate) async fn write(self, writer: &mut Writer) -> Result<()> {
        self.items.write(writer).await?;
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
        session.insert(&sql::FINDING_PUT, 11, self.findings).await?;
        for (vulnerability, scope) in self.listings_gone {
            session
                .execute(&sql::LISTING_DROP, values![vulnerability, scope])
                .await?;
        }
        session.insert(&sql::LISTING_PUT, 8, self.listings).await?;
        let affected = self.affected.into_iter().filter(|(_, change)| *change != 0);
        let affected = affected.flat_map(|(attribute, change)| values![attribute, change]);
        session
            .insert(&sql::AFFECTED_ADD, 2, affected.collect())
            .await?;
        session
            .insert(&sql::VULNERABILITY_MATCHED, 4, self.summaries)
            .await?;
        Ok(())
    }
}

/// Since which release a finding stands as it does: as long as it did, or from the present one on; of a new match,
/// nobody knows.
fn since(known: Option<&HeldFinding>, state: i64, present: Option<i64>) -> Option<i64> {
    match known {
        Some(held) if held.state == state => held.since,
        _ => present,
    }
}

/// Tells that a held match's score moves; by less than what is told, it is not worth a line of history.
fn told_score(writer: &mut Writer, (key, why): (i64, Option<&str>), entry: &HeldMatch, score: f64) {
    if (entry.score - score).abs() >= TOLD_SCORE {
        let event = Event::Rescored {
            subject: entry.subject(),
            from_ppm: item::millionths(entry.score),
            to_ppm: item::millionths(score),
        };
        writer.derived(key, why, &event);
    }
}

/// The state of a bit.
pub(crate) fn state_of(bit: i64) -> Option<FindingState> {
    let mut states = FindingState::ALL.iter().copied();
    states.find(|state| i64::from(state.bit()) == bit)
}

/// Findings by channel and state.
fn cells(names: &Names, findings: &BTreeMap<Cell, HeldFinding>) -> Vec<Cells> {
    let mut all: BTreeMap<(String, i64), Vec<String>> = BTreeMap::new();
    for ((_, channel), finding) in findings {
        let place = (names.channel_name(*channel), finding.state);
        all.entry(place)
            .or_default()
            .push(finding.attribute.clone());
    }
    let cells = all.into_iter().map(|((channel, state), attributes)| Cells {
        channel,
        state: state_of(state),
        attributes,
    });
    cells.collect()
}
