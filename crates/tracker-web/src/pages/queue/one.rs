//! `/vulnerabilities/ID/DISTRIBUTION/FAMILY`: one match, all that can be decided about it, and its history.
//!
//! Invariant: each line of the history that can be taken back has a button that does it.

use super::act::{self, Group, KEYS};
use super::{Done, RankLine, decides, here, notes, with, with_script};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::{Day, Gauge, Reasons, SeverityBadge, StatusBadge, Words};
use crate::deciding;
use crate::error::Error;
use crate::fields::Fields;
use crate::pages::family::moved;
use crate::pages::sign_in::redirect;
use crate::pages::{Section, Shell};
use crate::path;
use crate::people::Caller;
use crate::query::QueueQuery;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use std::collections::BTreeSet;
use tracker_people::{Comment, Decide, Permission};
use tracker_store::view::PageRequest;
use tracker_store::{Act, ItemId, Targets, TriageDetail};
use tracker_triage::decisions::undone;
use tracker_triage::query::Query;
use tracker_triage::{Action, Entry, Event, Subject};

/// Events of a vulnerability that are read at once, and lines of the history that are shown, the latest.
const EVENTS: u32 = 1000;

#[derive(Debug, Template)]
#[template(path = "match.html")]
struct MatchPage {
    shell: Shell,
    vulnerability: String,
    vulnerability_href: String,
    family: String,
    family_href: String,
    distribution: String,
    title: String,
    severity: SeverityBadge,
    exploited: bool,
    notes: Vec<String>,
    rank: RankLine,
    gauge: Gauge,
    reasons: Reasons,
    findings: Vec<FindingLine>,
    channels: Vec<String>,
    attributes: Vec<String>,
    siblings: Vec<Sibling>,
    history: Vec<HistoryLine>,
    done: Option<Done>,
    decides: bool,
    comments: bool,
    groups: Vec<Group>,
    dismissals: Vec<act::Choice>,
    keys: &'static [act::Key],
    name: String,
    action: String,
    back: String,
}

#[derive(Debug)]
struct FindingLine {
    channel: String,
    attribute: String,
    version: Option<String>,
    state: StatusBadge,
    word: String,
    decided: Option<u64>,
    contradicted: bool,
    evidence: Vec<String>,
}

/// A match of the same vulnerability.
#[derive(Debug)]
struct Sibling {
    name: String,
    href: String,
    family: String,
    distribution: String,
    state: &'static str,
    this: bool,
}

#[derive(Debug)]
struct HistoryLine {
    sequence: u64,
    at: Day,
    who: String,
    kind: String,
    text: Words,
    reason: Option<String>,
    undone: bool,
    /// Whether there is a button that takes it back.
    undoable: bool,
}

impl HistoryLine {
    fn new(entry: &Entry, undone: &BTreeSet<u64>, now: Timestamp) -> HistoryLine {
        let is_undone = undone.contains(&entry.sequence);
        HistoryLine {
            sequence: entry.sequence,
            at: Day::new(entry.at, now),
            who: entry.actor.to_string(),
            kind: entry.event.kind().replace('-', " "),
            text: Words::of(entry.event.kind(), &entry.event.sentence()),
            reason: entry.reason.clone(),
            undone: is_undone,
            undoable: entry.event.is_decision() && !is_undone,
        }
    }
}

/// What concerns one match of a vulnerability's log, by whatever family it was then, oldest first; `own` is what people
/// did about it.
fn history(log: &[Entry], own: &[Entry], subject: &Subject, now: Timestamp) -> Vec<HistoryLine> {
    let undone = undone(log.iter());
    let mut mine: BTreeSet<u64> = own.iter().map(|entry| entry.sequence).collect();
    let mut lines = Vec::new();
    for entry in log {
        let about = match entry.event {
            _ if mine.contains(&entry.sequence) => true,
            Event::Undone { event } => mine.contains(&event),
            // What concerns no match in particular concerns each.
            _ => entry.event.subject().is_none_or(|about| about == subject),
        };
        if about {
            mine.insert(entry.sequence);
            lines.push(HistoryLine::new(entry, &undone, now));
        }
    }
    lines
}

async fn detail(app: &App, id: &ItemId, now: Timestamp) -> Result<TriageDetail, Error> {
    if let Some(found) = app.store.triage_item(id, now).await? {
        return Ok(found);
    }
    let subject = Subject::new(id.distribution.as_str(), id.family.as_str());
    let near = moved(&app.store, &subject, |heir| {
        act::address(&ItemId {
            family: heir.to_owned(),
            ..id.clone()
        })
    });
    Err(Error::NotFound {
        kind: "match",
        name: format!("{} {}", id.vulnerability, id.family),
        near: near.await?,
    })
}

/// All events of a vulnerability: what an undo is about is known from what stands before it.
async fn events(app: &App, vulnerability: &str) -> Result<Vec<Entry>, Error> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let last = all.last().map_or(0, |entry| entry.sequence);
        let log = app.store.triage_log(vulnerability, last, EVENTS).await?;
        let some = log.unwrap_or_default();
        let whole = some.len() < EVENTS as usize;
        all.extend(some);
        if whole {
            return Ok(all);
        }
    }
}

async fn siblings(app: &App, id: &ItemId, now: Timestamp) -> Result<Vec<Sibling>, Error> {
    let request = PageRequest {
        limit: 100,
        ..PageRequest::default()
    };
    let query = format!("id:\"{}\"", id.vulnerability.replace('"', ""));
    let Ok(query) = Query::parse(&query) else {
        return Ok(Vec::new());
    };
    let page = app.store.queue(&query, now, None, &request).await?;
    let rows = page.rows.into_iter().map(|row| Sibling {
        name: act::name(&row.id),
        href: act::address(&row.id),
        this: row.id == *id,
        state: row.state.name(),
        family: row.id.family,
        distribution: row.id.distribution,
    });
    Ok(rows.collect())
}

fn names(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// `GET /vulnerabilities/{id}/{distribution}/{family}`.
pub(crate) async fn one(
    ask: Ask,
    State(app): State<App>,
    Names((vulnerability, distribution, family)): Names<(String, String, String)>,
) -> Result<Response, Error> {
    let asked = ItemId {
        vulnerability,
        distribution,
        family,
    };
    let detail = detail(&app, &asked, ask.now).await?;
    let id = detail.row.id.clone();
    if id != asked {
        // Another id of the vulnerability.
        return Ok(redirect(&act::address(&id)));
    }
    let list = QueueQuery::read(&ask.query)?;
    let done = Done::of(&app, list.done, &ask.caller).await?;
    let siblings = siblings(&app, &id, ask.now).await?;
    let log = events(&app, &id.vulnerability).await?;
    let subject = Subject::new(id.distribution.as_str(), id.family.as_str());
    let mut history = history(&log, &detail.log, &subject, ask.now);
    history.reverse();
    history.truncate(EVENTS as usize);
    let back = here(&ask)?;
    let response = ask.answer(&detail, || {
        let row = &detail.row;
        MatchPage {
            shell: Shell::new(Section::Queue, &ask),
            vulnerability_href: path::vulnerability(&id.vulnerability),
            vulnerability: id.vulnerability.clone(),
            family: id.family.clone(),
            family_href: path::family(&id.distribution, &id.family),
            distribution: id.distribution.clone(),
            title: row.title.clone(),
            severity: SeverityBadge::new(row.severity, row.score_tenths),
            exploited: row.exploited,
            notes: notes(row),
            rank: RankLine::new(&row.rank),
            gauge: Gauge::new(f64::from(row.confidence_ppm) / 1e6),
            reasons: Reasons::new(&detail.reasons),
            findings: detail.findings.iter().map(FindingLine::new).collect(),
            channels: names(detail.findings.iter().map(|one| one.channel.clone())),
            attributes: names(detail.findings.iter().map(|one| one.attribute.clone())),
            siblings,
            history,
            done,
            decides: decides(&ask.caller),
            comments: ask.caller.may(Permission::Comment),
            groups: act::groups(),
            dismissals: act::dismissals(),
            keys: KEYS,
            name: act::name(&id),
            action: act::address(&id),
            back,
        }
    })?;
    Ok(with_script(response))
}

impl FindingLine {
    fn new(finding: &tracker_store::TriageFinding) -> FindingLine {
        FindingLine {
            channel: finding.channel.clone(),
            attribute: finding.attribute.clone(),
            version: finding.version.clone(),
            state: StatusBadge::new(finding.state.status()),
            word: finding.state.name().replace('-', " "),
            decided: finding.decided,
            contradicted: finding.contradicted,
            evidence: finding.evidence.clone(),
        }
    }
}

/// `POST /vulnerabilities/{id}/{distribution}/{family}`: what the form says.
pub(crate) async fn decide_one(
    State(app): State<App>,
    caller: Caller,
    Names((vulnerability, distribution, family)): Names<(String, String, String)>,
    fields: Fields,
) -> Result<Response, Error> {
    let now = Timestamp::now();
    let word = match fields.get("now").split_once('|') {
        Some((word, _)) => word,
        None => fields.get("do"),
    };
    let me = deciding::me(&caller).unwrap_or_default();
    let this = ItemId {
        vulnerability,
        distribution,
        family,
    };
    let mut target = this.clone();
    let (targets, action) = match word {
        "all-but" => {
            let kept = fields.all("keep").map(act::item);
            let kept: Vec<ItemId> = kept.collect::<Result<_, _>>()?;
            let keep = kept
                .into_iter()
                .map(|one| Subject::new(one.distribution, one.family))
                .collect();
            let targets = Targets::AllBut {
                vulnerability: this.vulnerability.clone(),
                keep,
            };
            (
                targets,
                Action::Dismiss(deciding::dismissal(fields.get("why"))?),
            )
        }
        word => {
            let action = act::action(word, &fields, me, now)?;
            if action == Action::AddPackage {
                target.family = fields.get("family").to_owned();
            }
            (Targets::Items(vec![target.clone()]), action)
        }
    };
    let actor = match action {
        Action::Comment(_) => deciding::actor::<Comment>(&caller)?,
        _ => deciding::actor::<Decide>(&caller)?,
    };
    let act = Act {
        targets,
        action,
        reason: act::reason(&fields),
        dry_run: false,
    };
    let outcome = app.store.decide(&actor, &act).await?;
    Ok(redirect(&with(&act::address(&target), outcome.act)))
}
