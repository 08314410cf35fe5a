//! `/labels`: pull requests that bear certain labels: opened, merged, landed in a channel. As a page, as JSON and as an Atom feed.
//!
//! Invariant: times are those of the pull request and of the channel's release, not of when somebody looked.

use super::atom::{Entry, Feed, instant};
use super::events::with_query;
use super::{Link, Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::Day;
use crate::error::Error;
use crate::landings;
use crate::path;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_landing::answer::{Asked as Change, Standing};
use tracker_landing::request::PullRequest;

/// Pull requests that are looked at, the latest updated first.
const PULLS: usize = 150;

/// Entries of a feed.
const ENTRIES: usize = 200;

/// Labels that the page offers.
const OFFERED: u32 = 60;

/// Labels of one question, and the longest.
const MAX_LABELS: usize = 10;
const MAX_VALUE: usize = 400;

/// What is asked for.
#[derive(Debug, Default)]
struct Asked {
    labels: Vec<String>,
    channel: Option<String>,
}

/// A channel that has a pull request.
#[derive(Debug, Clone, Serialize)]
struct Landed {
    channel: String,
    release: String,
    at: Timestamp,
}

/// A pull request with where it landed.
#[derive(Debug, Clone, Serialize)]
struct Labelled {
    #[serde(flatten)]
    pull: PullRequest,
    landed: Vec<Landed>,
}

/// What the twin says.
#[derive(Debug, Serialize)]
struct LabelsView {
    labels: Vec<String>,
    pull_requests: Vec<Labelled>,
}

#[derive(Debug, Template)]
#[template(path = "labels.html")]
struct LabelsPage {
    shell: Shell,
    asked: Vec<String>,
    feed: String,
    lines: Vec<Line>,
    offered: Vec<(Link, u32)>,
}

#[derive(Debug)]
struct Line {
    href: String,
    number: String,
    title: String,
    state: &'static str,
    base: String,
    opened: Day,
    landed: String,
}

impl Asked {
    fn read(query: &str) -> Result<Asked, Error> {
        let mut asked = Asked::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let fits = value.len() <= MAX_VALUE && asked.labels.len() < MAX_LABELS;
            match &*name {
                "label" if fits => {
                    if !value.is_empty() {
                        asked.labels.push(value.into_owned());
                    }
                }
                "channel" if fits => asked.channel = Some(value.into_owned()),
                _ => {
                    return Err(Error::BadParameter {
                        name: name.into_owned(),
                        value: value.chars().take(40).collect(),
                        expected: format!(
                            "channel, or up to {MAX_LABELS} times label, each of at most {MAX_VALUE} bytes"
                        ),
                    });
                }
            }
        }
        Ok(asked)
    }
}

async fn collect(app: &App, asked: &Asked, now: Timestamp) -> Result<Vec<Labelled>, Error> {
    let pulls = app.store.pulls_labelled(&asked.labels, PULLS).await?;
    let only = asked.channel.clone();
    let numbers: Vec<u32> = pulls.iter().map(|pull| pull.number).collect();
    let landings = landings::ask_aside(app, move |index| {
        let landed = |number: u32| {
            let Ok(answer) = index.answer(&Change::PullRequest(number), now) else {
                return Vec::new();
            };
            let channels = answer.channels.into_iter();
            channels
                .filter(|landing| landing.standing == Standing::Landed)
                .filter(|landing| only.as_ref().is_none_or(|only| *only == landing.channel))
                .filter_map(|landing| {
                    let first = landing.first?;
                    Some(Landed {
                        channel: landing.channel,
                        release: first.name,
                        at: first.time,
                    })
                })
                .collect()
        };
        numbers
            .into_iter()
            .map(landed)
            .collect::<Vec<Vec<Landed>>>()
    })
    .await?
    .unwrap_or_default();
    let mut landings = landings.into_iter();
    let with = |pull| Labelled {
        pull,
        landed: landings.next().unwrap_or_default(),
    };
    Ok(pulls.into_iter().map(with).collect())
}

/// Answers `/labels`.
pub(crate) async fn labels(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let asked = Asked::read(&ask.query)?;
    let found = collect(&app, &asked, ask.now).await?;
    let offered = app.store.pull_labels(OFFERED).await?;
    let view = LabelsView {
        labels: asked.labels,
        pull_requests: found,
    };
    ask.answer(&view, || LabelsPage {
        shell: Shell::new(Section::Changes, &ask),
        asked: view.labels.clone(),
        feed: with_query("/labels/feed.atom", &ask.query),
        lines: view
            .pull_requests
            .iter()
            .map(|one| Line {
                href: format!("/changes/{}", one.pull.number),
                number: format!("#{}", one.pull.number),
                title: one.pull.title.clone(),
                state: one.pull.state.word(),
                base: one.pull.base.clone(),
                opened: Day::new(one.pull.created, ask.now),
                landed: one
                    .landed
                    .iter()
                    .map(|landed| landed.channel.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
            .collect(),
        offered: offered
            .into_iter()
            .map(|(label, number)| {
                let href = format!("/labels?label={}", path::query_value(&label));
                (Link::new(href, label), number)
            })
            .collect(),
    })
}

/// Answers `/labels/feed.atom`.
pub(crate) async fn feed(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let asked = Asked::read(&ask.query)?;
    let found = collect(&app, &asked, ask.now).await?;
    let mut entries: Vec<Entry> = found.iter().flat_map(entries).collect();
    entries.sort_by(|a, b| b.at.cmp(&a.at));
    entries.truncate(ENTRIES);
    Feed::new(
        format!("urn:rootstock:labels:{}", ask.query),
        format!("Pull requests with {}", asked.labels.join(", ")),
        with_query("/labels", &ask.query),
        entries,
        Timestamp::UNIX_EPOCH,
    )
    .answer()
}

/// Opened, merged, landed.
fn entries(one: &Labelled) -> Vec<Entry> {
    let pull = &one.pull;
    let entry = |what: &str, words: &str, at: Timestamp, text: String| Entry {
        id: format!("urn:rootstock:pull-request:{}:{what}", pull.number),
        title: format!("[{words}] #{} {}", pull.number, pull.title),
        at: instant(at),
        href: format!("/changes/{}", pull.number),
        text,
    };
    let mut entries = vec![entry(
        "new",
        "new",
        pull.created,
        format!("{} opened it for {}.", pull.author, pull.base),
    )];
    if let Some(merged) = pull.merged {
        let text = format!("It was merged into {}.", pull.base);
        entries.push(entry("merged", "merged", merged, text));
    }
    for landed in &one.landed {
        entries.push(entry(
            &format!("landed:{}", landed.channel),
            &format!("landed in {}", landed.channel),
            landed.at,
            format!("Release {} has it.", landed.release),
        ));
    }
    entries
}
