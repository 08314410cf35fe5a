//! `/log`: what people did, the latest first, or with `?q=ID` everything that happened to a vulnerability, with `actor` and
//! `kind` narrowed down; as a page, as JSON and as an Atom feed.
//!
//! Invariant: a line's id is its place in the log, so that a reader of the feed never sees it twice.

use super::atom::{Entry, Feed, instant};
use super::events::with_query;
use super::{Neighbours, Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{Moment, Words};
use crate::error::Error;
use crate::path;
use crate::query::LogQuery;
use crate::twin::twin_of;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_store::LogLine;
use tracker_store::view::{Order, Page};
use tracker_triage::Event;

const PATH: &str = "/log";

#[derive(Debug, Template)]
#[template(path = "log.html")]
struct LogPage {
    shell: Shell,
    of: Option<String>,
    feed: String,
    lines: Vec<Line>,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Debug)]
struct Line {
    sequence: u64,
    at: Moment,
    actor: String,
    vulnerability: Option<(String, String)>,
    /// The package of what somebody said, which is shown beside their words, not in them.
    about: Option<String>,
    text: Words,
    reason: Option<String>,
}

/// The twin.
#[derive(Debug, Serialize)]
struct LogView<'a> {
    #[serde(flatten)]
    page: &'a Page<LogLine>,
    links: Neighbours,
}

impl Line {
    fn new(line: &LogLine, now: Timestamp) -> Line {
        let entry = &line.entry;
        let (about, text) = match &entry.event {
            Event::Commented { subject, text } => (Some(subject.family.clone()), text),
            _ => (None, &line.text),
        };
        Line {
            about,
            sequence: entry.sequence,
            at: Moment::new(entry.at, now),
            actor: entry.actor.to_string(),
            vulnerability: entry
                .vulnerability
                .as_ref()
                .map(|id| (path::vulnerability(id), id.clone())),
            text: Words::of(entry.event.kind(), text),
            reason: entry.reason.clone(),
        }
    }
}

/// Lines of the log.
pub(crate) async fn lines(app: &App, list: &LogQuery) -> Result<Page<LogLine>, Error> {
    let request = list.paging.request(Order::default());
    let found = app.store.log_page(&list.filter, &request).await?;
    found.ok_or_else(|| Error::NotFound {
        kind: "vulnerability",
        name: list.filter.vulnerability.clone().unwrap_or_default(),
        near: Vec::new(),
    })
}

/// Answers `/log`.
pub(crate) async fn log(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = LogQuery::read(&ask.query, "q")?;
    let page = lines(&app, &list).await?;
    let neighbours = |path: &str| {
        Neighbours::new(&page, &list.paging, |paging| {
            list.address_at(&paging, path, "q")
        })
    };
    let view = LogView {
        page: &page,
        links: neighbours(&twin_of(PATH)),
    };
    ask.answer(&view, || {
        let Neighbours { next, previous } = neighbours(PATH);
        LogPage {
            shell: Shell::new(Section::Vulnerabilities, &ask),
            feed: with_query("/log/feed.atom", &list.first("q")),
            of: list.filter.vulnerability.clone(),
            lines: page
                .rows
                .iter()
                .map(|line| Line::new(line, ask.now))
                .collect(),
            previous,
            next,
        }
    })
}

/// Answers `/log/feed.atom`, which is paged as the page is.
pub(crate) async fn feed(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = LogQuery::read(&ask.query, "q")?;
    let page = lines(&app, &list).await?;
    let entries = page.rows.iter().map(|line| {
        let entry = &line.entry;
        let id = entry.vulnerability.as_deref();
        let reason = entry.reason.as_deref();
        Entry {
            id: format!("urn:rootstock:log:{}", entry.sequence),
            title: id.map_or_else(|| line.text.clone(), |id| format!("{id}: {}", line.text)),
            at: instant(entry.at),
            href: id.map_or_else(|| PATH.to_owned(), path::vulnerability),
            text: reason.map_or_else(
                || format!("by {}", entry.actor),
                |reason| format!("by {}: {reason}", entry.actor),
            ),
        }
    });
    Feed::new(
        format!(
            "urn:rootstock:log:feed:{}",
            list.first("q")
                .strip_prefix("q=")
                .unwrap_or(&list.first("q"))
        ),
        "What people decided".to_owned(),
        with_query(PATH, &ask.query),
        entries.collect(),
        Timestamp::UNIX_EPOCH,
    )
    .answer()
}
