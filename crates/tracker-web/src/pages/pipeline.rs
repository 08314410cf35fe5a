//! `/pipeline` and `/pipeline/CHANNEL`: how old each channel is, what it waits for, which security fixes wait for it, and what was
//! promised against what came of it.

use super::change::has_ended;
use super::{Link, Section, Shell};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::{Day, Marked, count};
use crate::error::Error;
use crate::landings;
use crate::path;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::collections::BTreeMap;
use tracker_landing::LandingIndex;
use tracker_landing::answer::Eta;
use tracker_landing::eta::TrackRecord;
use tracker_landing::hydra::JobsetState;
use tracker_landing::pipeline::{ChannelBoard, Fix};
use tracker_store::ChannelWait;

/// How long a late fix stays on the board, in days.
pub(crate) const LATE_DAYS: i64 = 60;

/// Fixes of a channel on the page of all; its own page has all.
const FIXES_SHOWN: usize = 10;

/// What the twin says of a channel.
#[derive(Debug, Serialize)]
struct ChannelView {
    #[serde(flatten)]
    board: ChannelBoard,
    /// What it waits for, as Hydra last said.
    waits_for: Option<ChannelWait>,
    /// When its support ends, where that is known.
    supported_until: Option<Timestamp>,
}

/// What the twin says.
#[derive(Debug, Serialize)]
struct PipelineView {
    channels: Vec<ChannelView>,
}

#[derive(Debug, Template)]
#[template(path = "pipeline.html")]
struct PipelinePage {
    shell: Shell,
    title: String,
    alone: bool,
    channels: Vec<Card>,
    hidden: usize,
}

/// A channel, as a card.
#[derive(Debug)]
struct Card {
    name: String,
    anchor: String,
    href: String,
    branch: String,
    moved: Option<Day>,
    age: String,
    facts: Vec<(&'static str, String)>,
    waits: String,
    blocking: Vec<(String, &'static str)>,
    fixes: Vec<FixLine>,
    more: usize,
    late: Vec<FixLine>,
    events: Link,
}

#[derive(Debug)]
struct FixLine {
    change: Link,
    vulnerabilities: Vec<Link>,
    place: String,
    since: Day,
    expected: Option<Day>,
    note: Marked,
}

/// The moment since when late fixes are shown.
pub(crate) fn late_since(now: Timestamp) -> Timestamp {
    now.checked_sub((LATE_DAYS * 24).hours())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn views(app: &App, only: Option<String>, now: Timestamp) -> Result<Vec<ChannelView>, Error> {
    let question = move |index: &LandingIndex| {
        let names = index.channels().keys();
        let wanted = names.filter(|name| only.as_ref().is_none_or(|only| only == *name));
        wanted
            .filter_map(|name| index.board(name, late_since(now), now))
            .collect::<Vec<_>>()
    };
    let boards = landings::ask_aside(app, question)
        .await?
        .unwrap_or_default();
    let mut waits: BTreeMap<String, ChannelWait> = app
        .store
        .channel_waits()
        .await?
        .into_iter()
        .map(|wait| (wait.channel.clone(), wait))
        .collect();
    let support = app.store.channel_support().await?;
    let view = |board: ChannelBoard| ChannelView {
        waits_for: waits.remove(&board.channel),
        supported_until: support.get(&board.channel).copied(),
        board,
    };
    Ok(boards.into_iter().map(view).collect())
}

/// Answers `/pipeline`.
pub(crate) async fn pipeline(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let view = PipelineView {
        channels: views(&app, None, ask.now).await?,
    };
    ask.answer(&view, || {
        let newest = |view: &ChannelView| view.board.newest.as_ref().map(|release| release.time);
        let latest = view.channels.iter().filter_map(newest).max();
        let (ended, running): (Vec<_>, Vec<_>) = view
            .channels
            .iter()
            .partition(|view| has_ended(newest(view), latest));
        PipelinePage {
            shell: Shell::new(Section::Pipeline, &ask),
            title: "Pipeline".to_owned(),
            alone: false,
            channels: running
                .into_iter()
                .map(|view| Card::new(view, FIXES_SHOWN, ask.now))
                .collect(),
            hidden: ended.len(),
        }
    })
}

/// Answers `/pipeline/NAME`.
pub(crate) async fn channel(
    ask: Ask,
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let mut views = views(&app, Some(name.clone()), ask.now).await?;
    let Some(view) = views.pop() else {
        return Err(Error::NotFound {
            kind: "channel",
            name,
            near: Vec::new(),
        });
    };
    ask.answer(&view, || PipelinePage {
        shell: Shell::new(Section::Pipeline, &ask),
        title: format!("Pipeline of {name}"),
        alone: true,
        channels: vec![Card::new(&view, usize::MAX, ask.now)],
        hidden: 0,
    })
}

/// A span in the unit that suits it.
fn span(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

impl Card {
    fn new(view: &ChannelView, shown: usize, now: Timestamp) -> Card {
        let board = &view.board;
        let mut facts = Vec::new();
        if let Some(gap) = board.usual_gap {
            facts.push(("Usually moves every", span(gap)));
        }
        if board.rollbacks > 0 {
            facts.push(("Went back", times(board.rollbacks)));
        }
        if board.unknown_releases > 0 {
            facts.push(("Releases not indexed", count(board.unknown_releases as u64)));
        }
        facts.push(("Promise", promise(board.record.as_ref())));
        if let Some(ends) = view.supported_until {
            let ended = if ends < now { "ended " } else { "" };
            facts.push(("Support", format!("{ended}{}", ends.strftime("%Y-%m-%d"))));
        }
        let state = view.waits_for.as_ref().map(|wait| &wait.state);
        Card {
            anchor: format!(
                "channel-{}",
                path::segment(&board.channel).replace('%', "_")
            ),
            href: format!("/pipeline/{}", path::segment(&board.channel)),
            name: board.channel.clone(),
            branch: board.branch.clone(),
            moved: board
                .newest
                .as_ref()
                .map(|newest| Day::new(newest.time, now)),
            age: board.age.map_or(String::new(), |age| span(age.max(0))),
            facts,
            waits: state.map_or("Not followed on Hydra.".to_owned(), waits),
            blocking: state.map_or(Vec::new(), |state| {
                let blocking = state.blocking.iter().take(shown);
                blocking
                    .map(|build| (build.job.clone(), build.state.words()))
                    .collect()
            }),
            fixes: board
                .waiting
                .iter()
                .take(shown)
                .map(|fix| FixLine::new(fix, now))
                .collect(),
            more: board.waiting.len().saturating_sub(shown),
            late: board
                .late
                .iter()
                .filter(|fix| fix.landed.is_some())
                .take(shown)
                .map(|fix| FixLine::new(fix, now))
                .collect(),
            events: Link::new(
                format!("/events?channel={}", path::query_value(&board.channel)),
                "Events",
            ),
        }
    }
}

fn times(number: usize) -> String {
    format!("{number} time{}", if number == 1 { "" } else { "s" })
}

/// What was promised, against what came of it.
fn promise(record: Option<&TrackRecord>) -> String {
    match record {
        None => "none yet: it has not been watched for long enough".to_owned(),
        Some(record) => format!(
            "80 %; kept for {:.0} % of {} changes, the middle one off by {}",
            record.coverage * 100.0,
            record.changes,
            span(record.median_error)
        ),
    }
}

/// What Hydra says, in a sentence.
fn waits(state: &JobsetState) -> String {
    let Some(evaluation) = &state.evaluation else {
        return format!("No evaluation of {} is known.", state.job);
    };
    let revision: String = evaluation
        .revision
        .as_deref()
        .unwrap_or("an unknown commit")
        .chars()
        .take(17)
        .collect();
    let build = state
        .aggregate
        .as_ref()
        .map_or("not seen yet", |build| build.state.words());
    format!(
        "{} in evaluation {} of {revision}: {build}. Of {} jobs {} failed and {} have not finished.",
        state.job, evaluation.id, state.constituents, state.failed, state.unfinished
    )
}

impl FixLine {
    fn new(fix: &Fix, now: Timestamp) -> FixLine {
        let name = match fix.pull_request {
            Some(number) => Link::new(format!("/changes/{number}"), format!("#{number}")),
            None => Link::new(
                format!("/changes/{}", fix.commit),
                fix.commit.to_string().chars().take(12).collect::<String>(),
            ),
        };
        let (expected, mut note) = match (&fix.landed, &fix.eta) {
            (Some(release), _) => (Some(Day::new(release.time, now)), "landed".to_owned()),
            (None, Some(Eta::Forecast { median, .. })) => {
                (Some(Day::new(*median, now)), "expected".to_owned())
            }
            (None, Some(Eta::Unknown { because })) => (None, format!("unknown: {because}")),
            (None, None) => (None, String::new()),
        };
        if let Some(late) = fix.late(now) {
            note = format!("{note}; late since {}", late.strftime("%Y-%m-%d"));
        }
        FixLine {
            change: name,
            vulnerabilities: fix
                .vulnerabilities
                .iter()
                .map(|id| Link::new(path::vulnerability(id), id))
                .collect(),
            place: fix.branch.clone(),
            since: Day::new(fix.since, now),
            expected,
            note: Marked::new(&note),
        }
    }
}
