//! `/channels/NAME`: a channel's current state, its releases and what each changed.

use super::channels::{ChannelCard, short_revision};
use super::{Link, Row, Section, Shell};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::{Day, count};
use crate::error::{Error, Suggestion};
use crate::path;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_store::view::{ChannelDetail, PackageMove, ReleaseRow};

/// Lines of a difference that a page shows; the twin has all.
const MOVES_SHOWN: usize = 500;

#[derive(Debug, Template)]
#[template(path = "channel.html")]
struct ChannelPage {
    shell: Shell,
    card: ChannelCard,
    releases: Vec<Release>,
    rows: Vec<Row>,
    list: String,
    affected: String,
    pipeline: String,
    events: String,
}

/// A release, as a line.
#[derive(Debug)]
struct Release {
    revision: String,
    short: String,
    released: Day,
    packages: String,
    /// Where its difference against the one before is shown, with its three figures; the first release has none.
    change: Option<Change>,
}

#[derive(Debug)]
struct Change {
    href: String,
    added: String,
    removed: String,
    moved: String,
}

impl ChannelPage {
    fn new(view: &ChannelDetail, ask: &Ask) -> ChannelPage {
        let older = view.releases.iter().skip(1).map(Some).chain([None]);
        ChannelPage {
            shell: Shell::new(Section::Channels, ask),
            card: ChannelCard::new(&view.summary, ask.now),
            releases: view
                .releases
                .iter()
                .zip(older)
                .map(|(release, before)| Release::new(&view.summary.name, release, before, ask.now))
                .collect(),
            rows: Row::all(&view.urgent, ask.now),
            affected: path::affected_of(&view.summary.name),
            pipeline: format!("/pipeline/{}", path::segment(&view.summary.name)),
            events: format!("/events?channel={}", path::query_value(&view.summary.name)),
            list: format!(
                "/vulnerabilities?channel={}",
                path::query_value(&view.summary.name)
            ),
        }
    }
}

impl Release {
    fn new(
        channel: &str,
        release: &ReleaseRow,
        before: Option<&ReleaseRow>,
        now: Timestamp,
    ) -> Release {
        let change = before.and_then(|before| {
            Some(Change {
                href: changes_address(channel, &before.revision, &release.revision),
                added: count(release.added?),
                removed: count(release.removed?),
                moved: count(release.moved?),
            })
        });
        Release {
            revision: release.revision.clone(),
            short: short_revision(&release.revision),
            released: Day::new(release.released, now),
            packages: count(release.packages),
            change,
        }
    }
}

fn changes_address(channel: &str, from: &str, to: &str) -> String {
    format!(
        "{}/changes/{}/{}",
        path::channel(channel),
        path::segment(from),
        path::segment(to)
    )
}

/// Answers `/channels/NAME`.
pub(crate) async fn channel(
    ask: Ask,
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    match app.store.channel(&name).await? {
        Some(view) => ask.answer(&view, || ChannelPage::new(&view, &ask)),
        None => Err(absent(&app, name).await?),
    }
}

/// A channel that is not there, with all that are: there are few.
async fn absent(app: &App, name: String) -> Result<Error, Error> {
    let near = app
        .store
        .channels()
        .await?
        .into_iter()
        .map(|channel| Suggestion {
            href: path::channel(&channel.name),
            text: channel.name,
        })
        .collect();
    Ok(Error::NotFound {
        kind: "channel",
        name,
        near,
    })
}

#[derive(Debug, Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    shell: Shell,
    channel: Link,
    from: String,
    to: String,
    added: usize,
    removed: usize,
    moved: usize,
    moves: Vec<Move>,
    hidden: usize,
}

/// A package that moved, as a line.
#[derive(Debug)]
struct Move {
    href: String,
    attribute: String,
    from: String,
    to: String,
    change: &'static str,
}

/// The twin of a difference.
#[derive(Debug, Serialize)]
struct ChangesView<'a> {
    channel: &'a str,
    from: &'a str,
    to: &'a str,
    changes: &'a [PackageMove],
}

/// Answers `/channels/NAME/changes/FROM/TO`.
pub(crate) async fn changes(
    ask: Ask,
    Names((name, from, to)): Names<(String, String, String)>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let Some(summary) = app
        .store
        .channels()
        .await?
        .into_iter()
        .find(|channel| channel.name == name)
    else {
        return Err(absent(&app, name).await?);
    };
    let Some(moves) = app.store.release_difference(&name, &from, &to).await? else {
        let near = vec![Suggestion {
            href: path::channel(&name),
            text: format!("releases of {name}"),
        }];
        return Err(Error::NotFound {
            kind: "pair of releases",
            name: format!("{from} to {to}"),
            near,
        });
    };
    let view = ChangesView {
        channel: &name,
        from: &from,
        to: &to,
        changes: &moves,
    };
    ask.answer(&view, || {
        let of = |change| moves.iter().filter(|one| one.change == change).count();
        ChangesPage {
            shell: Shell::new(Section::Channels, &ask),
            channel: Link::new(path::channel(&name), &name),
            from: short_revision(&from),
            to: short_revision(&to),
            added: of("added"),
            removed: of("removed"),
            moved: of("moved"),
            moves: moves
                .iter()
                .take(MOVES_SHOWN)
                .map(|one| Move {
                    href: path::package(&summary.distribution, &one.attribute),
                    attribute: one.attribute.clone(),
                    from: one.from.clone().unwrap_or_else(|| "–".to_owned()),
                    to: one.to.clone().unwrap_or_else(|| "–".to_owned()),
                    change: one.change,
                })
                .collect(),
            hidden: moves.len().saturating_sub(MOVES_SHOWN),
        }
    })
}
