//! `/changes/NUMBER` and `/changes/COMMIT`: the way a change took, the branches and channels that have it, and when the others will;
//! with its feed and its badge.

mod badge;
mod feed;
mod naming;
mod request;
mod tree;

use super::{Link, Section, Shell};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::Day;
use crate::error::Error;
use crate::landings;
use crate::path;
use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Serialize;
use tracker_landing::answer::{Answer, AnswerError, Asked, Link as FoundBy, Release, Standing};
use tracker_landing::graph::GraphError;
use tree::{Node, tree};

pub(crate) use tree::has_ended;

pub(crate) use badge::badge;
pub(crate) use feed::{channel_feed, feed};
pub(crate) use naming::{ChangeCard, naming};

/// Where a pull request or commit of Nixpkgs is discussed.
pub(crate) const NIXPKGS: &str = "https://github.com/NixOS/nixpkgs";

#[derive(Debug, Template)]
#[template(path = "change.html")]
struct ChangePage {
    shell: Shell,
    title: String,
    outside: String,
    summary: String,
    commit: String,
    made: Day,
    vulnerabilities: Vec<Link>,
    way: Vec<Way>,
    nodes: Vec<Node>,
    hidden: usize,
    notes: Vec<String>,
    feed: String,
    badge: String,
}

/// A step of the way, as a line.
#[derive(Debug)]
struct Way {
    at: Day,
    href: String,
    short: String,
    what: String,
}

/// The first digits of a commit's name.
fn short(name: impl ToString) -> String {
    name.to_string().chars().take(12).collect()
}

/// What a change is called.
pub(crate) fn title(answer: &Answer) -> String {
    match answer.pull_request {
        Some(number) => format!("Pull request #{number}"),
        None => format!("Commit {}", short(answer.commit)),
    }
}

/// The address of a change's page: by its number where it has one.
pub(crate) fn address(answer: &Answer) -> String {
    match answer.pull_request {
        Some(number) => format!("/changes/{number}"),
        None => format!("/changes/{}", answer.commit),
    }
}

impl ChangePage {
    fn new(answer: &Answer, ask: &Ask) -> ChangePage {
        let landed = answer
            .channels
            .iter()
            .filter(|channel| channel.standing == Standing::Landed)
            .count();
        let outside = match answer.pull_request {
            Some(number) => format!("{NIXPKGS}/pull/{number}"),
            None => format!("{NIXPKGS}/commit/{}", answer.commit),
        };
        let (nodes, hidden) = tree(answer, ask.now);
        let here = address(answer);
        ChangePage {
            shell: Shell::new(Section::Changes, ask),
            title: title(answer),
            outside,
            summary: match answer.channels.len() {
                0 => "No release of any channel is known.".to_owned(),
                1 => format!("In {landed} of 1 channel."),
                all => format!("In {landed} of {all} channels."),
            },
            commit: answer.commit.to_string(),
            made: Day::new(answer.time, ask.now),
            vulnerabilities: answer
                .vulnerabilities
                .iter()
                .map(|id| Link::new(path::vulnerability(id), id))
                .collect(),
            way: way(answer, ask.now),
            nodes,
            hidden,
            notes: notes(answer),
            feed: format!("{here}/feed.atom"),
            badge: format!("{here}/badge.svg"),
        }
    }
}

fn way(answer: &Answer, now: Timestamp) -> Vec<Way> {
    let line = |step: &tracker_landing::answer::PathStep| Way {
        at: Day::new(step.time, now),
        href: format!("{NIXPKGS}/commit/{}", step.commit),
        short: short(step.commit),
        what: step.words(),
    };
    let release = |(release, what): (&Release, String)| Way {
        at: Day::new(release.time, now),
        href: format!("{NIXPKGS}/commit/{}", release.commit),
        short: short(release.commit),
        what,
    };
    let releases = answer.releases().into_iter().map(release);
    answer.path.iter().map(line).chain(releases).collect()
}

/// What else the commits say.
fn notes(answer: &Answer) -> Vec<String> {
    let mut notes = Vec::new();
    for revert in &answer.reverts {
        notes.push(format!(
            "Commit {} of {} says that it reverts {}.",
            short(revert.commit),
            revert.time.strftime("%Y-%m-%d"),
            if revert.whole {
                "this change"
            } else {
                "a part of this change"
            }
        ));
    }
    for origin in &answer.picked_from {
        notes.push(format!("It was picked from {}.", short(origin)));
    }
    for backport in &answer.backports {
        let request = backport.pull_request.map_or(String::new(), |number| {
            format!(" by pull request #{number}")
        });
        notes.push(format!(
            "It was brought to another branch as {}{request}{}.",
            short(backport.commit),
            match backport.by {
                FoundBy::Message => ", which says so",
                FoundBy::Patch => ", which makes the same change",
                FoundBy::Request => ", whose pull request says so",
            }
        ));
    }
    notes
}

/// The answer for a name in an address.
fn answer(app: &App, name: &str, now: Timestamp) -> Result<Answer, Error> {
    let absent = |kind: &'static str| Error::NotFound {
        kind,
        name: name.to_owned(),
        near: Vec::new(),
    };
    let index = app
        .landings
        .as_deref()
        .ok_or_else(|| absent("landing index for"))?;
    let asked = Asked::read(name);
    match landings::ask(index, |index| index.answer(&asked, now)) {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error @ AnswerError::Commit(GraphError::Ambiguous { .. }))) => {
            Err(Error::BadParameter {
                name: "change".to_owned(),
                value: name.to_owned(),
                expected: error.to_string(),
            })
        }
        Some(Err(AnswerError::NoPullRequest(_))) => Err(absent("merged pull request")),
        Some(Err(_)) | None => Err(absent("commit")),
    }
}

/// Answers `/changes/NAME`.
pub(crate) async fn change(
    ask: Ask,
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    match answer(&app, &name, ask.now) {
        Ok(answer) => ask.answer(&answer, || ChangePage::new(&answer, &ask)),
        Err(absent) => request::answer(&app, &ask, &name, absent).await,
    }
}

/// What the twin of `/changes` says.
#[derive(Debug, Serialize)]
struct ChangesView {
    /// Commits that can be asked about.
    commits: u64,
    /// Channels that are followed.
    channels: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "lookup.html")]
struct LookupPage {
    shell: Shell,
    commits: String,
    channels: Vec<Link>,
}

/// Answers `/changes`: a field to ask in, or with `?pr=` the way to what was asked for.
pub(crate) async fn lookup(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    if let Some(to) = asked_for(&ask.query) {
        return Ok(Redirect::to(&to).into_response());
    }
    let view = app
        .landings
        .as_deref()
        .and_then(|index| {
            landings::ask(index, |index| ChangesView {
                commits: index.graph().len() as u64,
                channels: index.channels().keys().cloned().collect(),
            })
        })
        .unwrap_or(ChangesView {
            commits: 0,
            channels: Vec::new(),
        });
    ask.answer(&view, || LookupPage {
        shell: Shell::new(Section::Changes, &ask),
        commits: crate::components::count(view.commits),
        channels: view
            .channels
            .iter()
            .map(|name| Link::new(format!("/channels/{}/feed.atom", path::segment(name)), name))
            .collect(),
    })
}

/// Where `?pr=` in a query leads: a number, a commit, or the address of either.
pub(crate) fn asked_for(query: &str) -> Option<String> {
    let value = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "pr")?
        .1;
    let name = match Asked::read(&value) {
        Asked::PullRequest(number) => number.to_string(),
        Asked::Digits(_, text) | Asked::Commit(text) => text,
    };
    (!name.is_empty()).then(|| format!("/changes/{}", path::segment(&name)))
}

/// Bytes of another kind than a page, with a tag.
pub(crate) fn bytes(kind: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, body).into_response()
}
