//! `/events`: a fix is in every supported channel, a fix is late, the end of a channel's life is near; of all, or of a channel, a
//! package, a maintainer, a severity, or what has certain words. As a page, as JSON and as an Atom feed.
//!
//! Invariant: an event's id and time follow from what happened, whoever asks and whenever.

mod wanted;

use super::atom::{Entry, Feed, instant};
use super::pipeline::late_since;
use super::{Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::Day;
use crate::error::Error;
use crate::landings;
use crate::path;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tracker_landing::LandingIndex;
use wanted::{Known, Wanted};

/// Days before the end of a channel's support at which it is said to be near.
const NEAR_DAYS: i64 = 30;

/// Events that are looked through, and those that are shown.
const LOOKED: u32 = 500;
const SHOWN: usize = 100;

/// The longest value of a parameter.
const MAX_VALUE: usize = 200;

/// What is asked for.
#[derive(Debug, Default, Serialize)]
struct Asked {
    channel: Option<String>,
    package: Option<String>,
    maintainer: Option<String>,
    q: Option<String>,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
struct Event {
    id: String,
    kind: &'static str,
    at: Timestamp,
    title: String,
    text: String,
    href: String,
    channel: Option<String>,
    vulnerabilities: Vec<String>,
    #[serde(skip)]
    topic: Option<String>,
}

/// What the twin says.
#[derive(Debug, Serialize)]
struct EventsView {
    asked: Asked,
    events: Vec<Event>,
}

#[derive(Debug, Template)]
#[template(path = "events.html")]
struct EventsPage {
    shell: Shell,
    asked: Asked,
    feed: String,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    at: Day,
    title: String,
    text: String,
    href: String,
}

impl Asked {
    /// Reads a query; what is not understood is refused.
    fn read(query: &str) -> Result<Asked, Error> {
        let mut asked = Asked::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "channel" => &mut asked.channel,
                "package" => &mut asked.package,
                "maintainer" => &mut asked.maintainer,
                "q" => &mut asked.q,
                _ => {
                    return Err(Error::BadParameter {
                        name: name.into_owned(),
                        value: value.into_owned(),
                        expected: "channel, package, maintainer or q".to_owned(),
                    });
                }
            };
            if value.len() > MAX_VALUE {
                return Err(Error::BadParameter {
                    name: name.into_owned(),
                    value: value.chars().take(40).collect(),
                    expected: format!("at most {MAX_VALUE} bytes"),
                });
            }
            *place = (!value.is_empty()).then(|| value.into_owned());
        }
        Ok(asked)
    }

    /// What events must have: by the parameters, and by the text.
    fn wanted(&self) -> Result<[Wanted; 2], Error> {
        let (channel, package) = (self.channel.as_ref(), self.package.as_ref());
        Ok([
            Wanted::of_parameters(channel, package, self.maintainer.as_ref()),
            Wanted::read(self.q.as_deref().unwrap_or_default())?,
        ])
    }
}

async fn collect(app: &App, asked: &Asked, now: Timestamp) -> Result<Vec<Event>, Error> {
    let wanted = asked.wanted()?;
    let mut events: Vec<Event> = Vec::new();
    for fixed in app.store.fixed_events(LOOKED).await? {
        let families = fixed.families.join(", ");
        events.push(Event {
            id: format!("urn:rootstock:event:{}:{}", fixed.key, fixed.vulnerability),
            kind: "fixed-everywhere",
            at: fixed.at,
            title: format!(
                "{} is fixed in every supported channel",
                fixed.vulnerability
            ),
            text: format!("{families}: {}. {}.", fixed.title, fixed.text),
            href: path::vulnerability(&fixed.vulnerability),
            channel: None,
            vulnerabilities: vec![fixed.vulnerability],
            topic: None,
        });
    }
    let late = landings::ask_aside(app, move |index| late(index, now)).await?;
    events.extend(late.unwrap_or_default());
    for (channel, ends) in app.store.channel_support().await? {
        let near = ends.checked_sub((NEAR_DAYS * 24).hours()).unwrap_or(ends);
        if near <= now {
            let day = ends.strftime("%Y-%m-%d");
            events.push(Event {
                id: format!("urn:rootstock:end-of-life:{channel}:{day}"),
                kind: "end-of-life-near",
                at: near,
                title: format!("The support of {channel} ends on {day}"),
                text: "From then on it gets no fixes.".to_owned(),
                href: path::channel(&channel),
                channel: Some(channel),
                vulnerabilities: Vec::new(),
                topic: None,
            });
        }
    }
    let mut ids: Vec<String> = events
        .iter()
        .flat_map(|event| event.vulnerabilities.iter().cloned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut known = Known::default();
    if wanted.iter().any(Wanted::needs_concerned) {
        known.concerned = app.store.concerned(ids).await?;
    }
    if events.iter().any(|event| event.vulnerabilities.is_empty()) {
        let [packages, maintainers] = Wanted::names(&wanted);
        known.having = having(app, packages).await?;
        for name in maintainers {
            let channels = app.store.channels_maintained_by(&name).await?;
            known.maintaining.insert(name, channels);
        }
    }
    events.retain(|event| wanted.iter().all(|wanted| wanted.holds(event, &known)));
    events.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    events.truncate(SHOWN);
    Ok(events)
}

/// Of each package, the channels whose newest release has it.
async fn having(
    app: &App,
    packages: BTreeSet<String>,
) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
    let mut having: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if packages.is_empty() {
        return Ok(having);
    }
    let channels = app.store.channels().await?;
    let distributions: BTreeSet<String> = channels
        .into_iter()
        .map(|channel| channel.distribution)
        .collect();
    for package in packages {
        for distribution in &distributions {
            let detail = app.store.package(distribution, &package).await?;
            let versions = detail.into_iter().flat_map(|detail| detail.versions);
            let there = having.entry(package.clone()).or_default();
            there.extend(versions.map(|version| version.channel));
        }
    }
    Ok(having)
}

/// Fixes that came, or come, later than was promised.
fn late(index: &LandingIndex, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    for channel in index.channels().keys() {
        for fix in index.fixes_of(channel, late_since(now), now) {
            let Some(at) = fix.late(now) else {
                continue;
            };
            let (name, href) = match fix.pull_request {
                Some(number) => (
                    format!("Pull request #{number}"),
                    format!("/changes/{number}"),
                ),
                None => {
                    let short: String = fix.commit.to_string().chars().take(12).collect();
                    (
                        format!("Commit {short}"),
                        format!("/changes/{}", fix.commit),
                    )
                }
            };
            let topic = fix.topic.clone().unwrap_or_default();
            events.push(Event {
                id: format!("urn:rootstock:late:{channel}:{}", fix.commit),
                kind: "late",
                at,
                title: format!("{name} is late for {channel}"),
                text: format!(
                    "{topic}: it names {} and reached {} on {}; it was promised by {}.",
                    fix.vulnerabilities.join(", "),
                    fix.branch,
                    fix.since.strftime("%Y-%m-%d"),
                    at.strftime("%Y-%m-%d %H:%M UTC")
                ),
                href,
                channel: Some(channel.clone()),
                vulnerabilities: fix.vulnerabilities,
                topic: fix.topic,
            });
        }
    }
    events
}

/// Answers `/events`.
pub(crate) async fn events(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let asked = Asked::read(&ask.query)?;
    let events = collect(&app, &asked, ask.now).await?;
    let view = EventsView { asked, events };
    ask.answer(&view, || EventsPage {
        shell: Shell::new(Section::Pipeline, &ask),
        feed: with_query("/events/feed.atom", &ask.query),
        lines: view
            .events
            .iter()
            .map(|event| Line {
                at: Day::new(event.at, ask.now),
                title: event.title.clone(),
                text: event.text.clone(),
                href: event.href.clone(),
            })
            .collect(),
        asked: Asked::read(&ask.query).unwrap_or_default(),
    })
}

pub(crate) fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Answers `/events/feed.atom`.
pub(crate) async fn feed(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let asked = Asked::read(&ask.query)?;
    let events = collect(&app, &asked, ask.now).await?;
    let entries = events.into_iter().map(|event| Entry {
        id: event.id,
        title: event.title,
        at: instant(event.at),
        href: event.href,
        text: event.text,
    });
    Feed::new(
        format!("urn:rootstock:events:{}", ask.query),
        "Security fixes on their way".to_owned(),
        with_query("/events", &ask.query),
        entries.collect(),
        Timestamp::UNIX_EPOCH,
    )
    .answer()
}
