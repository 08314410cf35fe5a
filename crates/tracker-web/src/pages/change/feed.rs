//! Atom feeds (RFC 4287): of a change, an entry for each merge and channel that it reached; of a channel, an entry for each release.
//!
//! Invariant: an entry's id and time follow from what happened, so that a reader never shows it twice.

use super::{address, answer, bytes, title};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use crate::landings;
use crate::path;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use tracker_landing::answer::{Answer, Standing};

/// Entries of a channel's feed.
const ENTRIES: usize = 50;

#[derive(Debug, Template)]
#[template(
    ext = "xml",
    escape = "html",
    source = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>{{ id }}</id>
<title>{{ title }}</title>
<updated>{{ updated }}</updated>
<author><name>Rootstock tracker</name></author>
<link rel="alternate" type="text/html" href="{{ page }}"/>
{%- for entry in entries %}
<entry><id>{{ entry.id }}</id><title>{{ entry.title }}</title><updated>{{ entry.at }}</updated><link rel="alternate" type="text/html" href="{{ entry.href }}"/><content type="text">{{ entry.text }}</content></entry>
{%- endfor %}
</feed>
"#
)]
struct Feed {
    id: String,
    title: String,
    updated: String,
    page: String,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    title: String,
    at: String,
    href: String,
    text: String,
}

fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// Answers `/changes/NAME/feed.atom`.
pub(crate) async fn feed(
    ask: Ask,
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let answer = answer(&app, &name, ask.now)?;
    let mut entries = entries(&answer);
    entries.sort_by(|a, b| b.at.cmp(&a.at));
    let feed = Feed {
        id: format!("urn:rootstock:change:{}", answer.commit),
        title: format!("{} on its way", title(&answer)),
        updated: entries
            .first()
            .map_or_else(|| instant(answer.time), |entry| entry.at.clone()),
        page: address(&answer),
        entries,
    };
    Ok(bytes(
        "application/atom+xml; charset=utf-8",
        feed.render().map_err(Error::internal)?,
    ))
}

fn entries(answer: &Answer) -> Vec<Entry> {
    let title = title(answer);
    let page = address(answer);
    let steps = answer.path.iter().map(|step| {
        let into = step.into.as_deref().unwrap_or("an unnamed branch");
        Entry {
            id: format!(
                "urn:rootstock:change:{}:merge:{}",
                answer.commit, step.commit
            ),
            title: format!("{title} is in {into}"),
            at: instant(step.time),
            href: page.clone(),
            text: format!("Commit {} brought it there.", step.commit),
        }
    });
    let channels = answer
        .channels
        .iter()
        .filter(|landing| landing.standing == Standing::Landed)
        .filter_map(|landing| {
            let first = landing.first.as_ref()?;
            let seen = if first.observed {
                "was first seen"
            } else {
                "landed"
            };
            Some(Entry {
                id: format!(
                    "urn:rootstock:change:{}:channel:{}:{}",
                    answer.commit, landing.channel, first.commit
                ),
                title: format!("{title} {seen} in {}", landing.channel),
                at: instant(first.time),
                href: page.clone(),
                text: format!("Release {} has it.", first.name),
            })
        });
    steps.chain(channels).collect()
}

/// Answers `/channels/NAME/feed.atom`.
pub(crate) async fn channel_feed(
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let page = path::channel(&name);
    let entries = app.landings.as_deref().and_then(|index| {
        landings::ask(index, |index| {
            let releases = index.channels().get(&name)?.history().releases();
            let entry = |release: &tracker_landing::ChannelRelease| Entry {
                id: format!(
                    "urn:rootstock:channel:{name}:{}:{}",
                    release.commit,
                    release.time.as_second()
                ),
                title: format!("{name} moved to {}", release.name),
                at: instant(release.time),
                href: page.clone(),
                text: format!("Its revision is {}.", release.commit),
            };
            Some(
                releases
                    .iter()
                    .rev()
                    .take(ENTRIES)
                    .map(entry)
                    .collect::<Vec<_>>(),
            )
        })?
    });
    let Some(entries) = entries else {
        return Err(Error::NotFound {
            kind: "channel",
            name,
            near: Vec::new(),
        });
    };
    let feed = Feed {
        id: format!("urn:rootstock:channel:{name}"),
        title: format!("Releases of {name}"),
        updated: entries
            .first()
            .map_or_else(|| instant(Timestamp::UNIX_EPOCH), |entry| entry.at.clone()),
        page,
        entries,
    };
    Ok(bytes(
        "application/atom+xml; charset=utf-8",
        feed.render().map_err(Error::internal)?,
    ))
}
