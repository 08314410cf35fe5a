//! Feeds of a change, an entry for each merge and channel that it reached; and of a channel, an entry for each release.

use super::{address, answer, title};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use crate::landings;
use crate::pages::atom::{Entry, Feed, instant};
use crate::path;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use tracker_landing::answer::{Answer, Standing};

/// Entries of a channel's feed.
const ENTRIES: usize = 50;

/// Answers `/changes/NAME/feed.atom`.
pub(crate) async fn feed(
    ask: Ask,
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let answer = answer(&app, &name, ask.now)?;
    Feed::new(
        format!("urn:rootstock:change:{}", answer.commit),
        format!("{} on its way", title(&answer)),
        address(&answer),
        entries(&answer),
        answer.time,
    )
    .answer()
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
    Feed::new(
        format!("urn:rootstock:channel:{name}"),
        format!("Releases of {name}"),
        page,
        entries,
        Timestamp::UNIX_EPOCH,
    )
    .answer()
}
