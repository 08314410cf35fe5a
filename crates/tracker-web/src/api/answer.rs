//! What the API tells of the queue, of rules and views, and of what was done.
//!
//! Invariant: words are those of the query language and of the log; points and probabilities are decimal numbers.

use crate::query::{SEVERITIES, word_of};
use jiff::Timestamp;
use serde::Serialize;
use tracker_store::{
    ActOutcome, ItemId, QueueRow, RulePreview, RuleRow, TriageDetail, TriageFinding, ViewRow,
};
use tracker_triage::decisions::{self, MatchVerdict};
use tracker_triage::rank::Rank;
use tracker_triage::{Entry, Verdict};
use utoipa::ToSchema;

/// A match, by its names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchRef {
    /// Public id of the vulnerability.
    vulnerability: String,
    /// Distribution.
    distribution: String,
    /// Package family.
    family: String,
}

/// Why a match stands where it stands, in points.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RankParts {
    /// All of it: (severity + exploitation + reach) × confidence + age.
    total: f64,
    /// What severity adds.
    severity: f64,
    /// What exploitation, known or predicted, adds.
    exploitation: f64,
    /// What reach adds.
    reach: f64,
    /// By what their sum is multiplied.
    confidence: f64,
    /// What waiting adds.
    age: f64,
}

/// A match in the queue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueItem {
    /// Public id of the vulnerability.
    vulnerability: String,
    /// Distribution.
    distribution: String,
    /// Package family.
    family: String,
    /// Title of the vulnerability.
    title: String,
    /// `proposed`, `confirmed` or `dismissed`.
    state: &'static str,
    /// `critical`, `high`, `medium`, `low`, `none` or `unknown`.
    severity: &'static str,
    /// CVSS score, 0 to 10.
    score: Option<f64>,
    /// In the catalogue of exploited vulnerabilities.
    exploited: bool,
    /// EPSS probability, 0 to 1.
    epss: Option<f64>,
    /// How many packages depend on it.
    dependents: Option<u32>,
    /// Whether every installation has it.
    default_install: bool,
    /// When it was first matched.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Where its findings stand, each state once.
    states: Vec<&'static str>,
    /// Whether evidence speaks against a decision.
    contradicted: bool,
    /// Whether a person added it.
    added: bool,
    /// Whether a suggestion waits for an answer.
    suggested: bool,
    /// Who deals with it.
    assignee: Option<String>,
    /// Until when it is out of sight.
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    /// Until when a rule hides it.
    #[schema(value_type = Option<String>, format = DateTime)]
    suppressed_until: Option<Timestamp>,
    /// Its rank.
    rank: RankParts,
}

/// A finding, and what was decided about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidedFinding {
    /// Channel.
    channel: String,
    /// Attribute.
    attribute: String,
    /// Version there.
    version: Option<String>,
    /// Where it stands.
    state: &'static str,
    /// The event that decided it.
    decided: Option<u64>,
    /// Whether evidence speaks against that.
    contradicted: bool,
    /// Evidence; what decided first.
    evidence: Vec<String>,
}

/// A line of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogLine {
    /// Public id of the vulnerability that it is about.
    vulnerability: Option<String>,
    /// Distribution of the match that it is about.
    distribution: Option<String>,
    /// Package family of the match that it is about.
    family: Option<String>,
    /// Its position, by which it is undone.
    sequence: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `tracker`, `person`, `token` or `operator`.
    by: &'static str,
    /// Their name.
    name: String,
    /// The act that it is part of, where that has several lines.
    act: Option<u64>,
    /// What kind of event it is.
    kind: &'static str,
    /// What happened, in a sentence.
    text: String,
    /// Why.
    reason: Option<String>,
}

/// A match whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchWhole {
    /// As in the queue.
    #[serde(flatten)]
    row: QueueItem,
    /// Why it was dismissed, if it was.
    dismissal: Option<&'static str>,
    /// What is suggested and waits for an answer, the oldest first.
    suggestions: Vec<Suggestion>,
    /// Comments about it.
    comments: u32,
    /// Its findings.
    findings: Vec<DecidedFinding>,
    /// What people did about it, oldest first.
    log: Vec<LogLine>,
}

/// What somebody suggested, and nobody answered yet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suggestion {
    /// Sequence of its event, by which it is answered.
    suggestion: u64,
    /// `confirm`, `dismiss` or `set-state`.
    r#do: &'static str,
    /// Why it should be dismissed.
    why: Option<&'static str>,
    /// The state that its findings should have.
    state: Option<String>,
    /// On this channel only.
    channel: Option<String>,
    /// For this attribute only.
    attribute: Option<String>,
    /// Who.
    name: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why, in their words.
    reason: Option<String>,
    /// Whether they may decide, so that one more of the team is enough where two have to agree.
    decides: bool,
}

/// What was done, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// The act; undo takes it back. Absent where nothing changed.
    act: Option<u64>,
    /// Matches about which something was written.
    changed: Vec<MatchRef>,
    /// How many stand so already.
    unchanged: u64,
    /// Of those that changed, how many hold only when a second person agrees.
    awaiting: u64,
    /// Findings that moved to another state.
    findings: u64,
    /// Whether it was only tried.
    dry_run: bool,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rule {
    /// Its number.
    rule: u64,
    /// What it hides.
    query: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// Who made it.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why.
    reason: Option<String>,
    /// Whether its time is over, so that it hides nothing and is to be looked at.
    due: bool,
}

/// Something that was done, if anything was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Noted {
    /// Its event, which an undo takes back; absent where it stood so already.
    pub(super) event: Option<u64>,
}

/// A rule that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleMade {
    /// Its number.
    pub(super) rule: u64,
}

/// What a rule would hide.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// How many matches.
    total: u64,
    /// How many of them are severe: high, critical or exploited, and not dismissed. Hiding them needs `hide_severe`.
    severe: u64,
    /// The most urgent of it, at most 1,000.
    would_hide: Vec<MatchRef>,
    /// The most urgent of the severe, at most 1,000.
    would_hide_severe: Vec<MatchRef>,
    /// Whether there is more than is listed.
    more: bool,
}

impl From<RulePreview> for Preview {
    fn from(preview: RulePreview) -> Preview {
        let list = |items: Vec<ItemId>| items.into_iter().map(MatchRef::from).collect();
        Preview {
            total: preview.total,
            severe: preview.severe,
            would_hide: list(preview.would_hide),
            would_hide_severe: list(preview.would_hide_severe),
            more: preview.more,
        }
    }
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct View {
    /// Name.
    view: String,
    /// Whose it is.
    owner: String,
    /// Its query.
    query: String,
    /// Whether everybody sees it.
    shared: bool,
}

/// A field of queries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldHelp {
    /// Its name.
    pub(super) field: &'static str,
    /// What it asks.
    pub(super) about: &'static str,
    /// The words that it takes, where they are few.
    pub(super) values: Vec<&'static str>,
}

impl From<ItemId> for MatchRef {
    fn from(id: ItemId) -> MatchRef {
        MatchRef {
            vulnerability: id.vulnerability,
            distribution: id.distribution,
            family: id.family,
        }
    }
}

fn points(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

impl From<Rank> for RankParts {
    fn from(rank: Rank) -> RankParts {
        RankParts {
            total: points(rank.total),
            severity: points(rank.severity),
            exploitation: points(rank.exploitation),
            reach: points(rank.reach),
            confidence: f64::from(rank.confidence_ppm) / 1e6,
            age: points(rank.age),
        }
    }
}

impl From<QueueRow> for QueueItem {
    fn from(row: QueueRow) -> QueueItem {
        QueueItem {
            vulnerability: row.id.vulnerability,
            distribution: row.id.distribution,
            family: row.id.family,
            title: row.title,
            state: row.state.name(),
            severity: word_of(row.severity, SEVERITIES),
            score: row.score_tenths.map(|tenths| f64::from(tenths) / 10.0),
            exploited: row.exploited,
            epss: row.epss_ppm.map(|ppm| f64::from(ppm) / 1e6),
            dependents: row.dependents,
            default_install: row.default_install,
            since: row.since,
            states: row.states.iter().map(|state| state.name()).collect(),
            contradicted: row.contradicted,
            added: row.added,
            suggested: row.suggested,
            assignee: row.assignee,
            snoozed_until: row.snoozed_until,
            suppressed_until: row.suppressed_until,
            rank: row.rank.into(),
        }
    }
}

impl From<TriageFinding> for DecidedFinding {
    fn from(finding: TriageFinding) -> DecidedFinding {
        DecidedFinding {
            channel: finding.channel,
            attribute: finding.attribute,
            version: finding.version,
            state: finding.state.name(),
            decided: finding.decided,
            contradicted: finding.contradicted,
            evidence: finding.evidence,
        }
    }
}

impl From<&Entry> for LogLine {
    fn from(entry: &Entry) -> LogLine {
        let subject = entry.event.subject();
        LogLine {
            vulnerability: entry.vulnerability.clone(),
            distribution: subject.map(|subject| subject.distribution.clone()),
            family: subject.map(|subject| subject.family.clone()),
            sequence: entry.sequence,
            at: entry.at,
            by: entry.actor.kind.name(),
            name: entry.actor.name.clone(),
            act: entry.group,
            kind: entry.event.kind(),
            text: entry.event.sentence(),
            reason: entry.reason.clone(),
        }
    }
}

impl From<TriageDetail> for MatchWhole {
    fn from(detail: TriageDetail) -> MatchWhole {
        let verdict = detail.decisions.verdict.map(|decided| decided.value);
        let mut log = detail.log;
        for entry in &mut log {
            entry.vulnerability = Some(detail.row.id.vulnerability.clone());
        }
        let suggestions = detail.decisions.suggestions;
        MatchWhole {
            row: detail.row.into(),
            dismissal: match verdict {
                Some(MatchVerdict::Dismissed(why)) => Some(why.name()),
                _ => None,
            },
            suggestions: suggestions.into_iter().map(Suggestion::from).collect(),
            comments: detail.decisions.comments,
            findings: detail
                .findings
                .into_iter()
                .map(DecidedFinding::from)
                .collect(),
            log: log.iter().map(LogLine::from).collect(),
        }
    }
}

impl From<decisions::Suggestion> for Suggestion {
    fn from(waiting: decisions::Suggestion) -> Suggestion {
        let held = waiting.suggested;
        let (word, why, state, place) = match held.value {
            Verdict::Confirm => ("confirm", None, None, None),
            Verdict::Dismiss { why } => ("dismiss", Some(why.name()), None, None),
            Verdict::State { place, state } => ("set-state", None, Some(state.name()), Some(place)),
        };
        let place = place.unwrap_or_default();
        Suggestion {
            suggestion: held.event,
            r#do: word,
            why,
            state,
            channel: place.channel,
            attribute: place.attribute,
            name: held.actor.name,
            at: held.at,
            reason: held.reason,
            decides: waiting.decides,
        }
    }
}

impl From<ActOutcome> for Done {
    fn from(outcome: ActOutcome) -> Done {
        Done {
            act: outcome.act.filter(|_| !outcome.dry_run),
            changed: outcome.changed.into_iter().map(MatchRef::from).collect(),
            unchanged: outcome.unchanged,
            awaiting: outcome.awaiting,
            findings: outcome.findings,
            dry_run: outcome.dry_run,
        }
    }
}

impl From<RuleRow> for Rule {
    fn from(row: RuleRow) -> Rule {
        Rule {
            rule: row.rule,
            query: row.state.query,
            expires: row.state.expires,
            by: row.state.actor.to_string(),
            at: row.state.at,
            reason: row.state.reason,
            due: row.due,
        }
    }
}

impl From<ViewRow> for View {
    fn from(row: ViewRow) -> View {
        View {
            view: row.view,
            owner: row.owner.to_string(),
            query: row.query,
            shared: row.shared,
        }
    }
}
