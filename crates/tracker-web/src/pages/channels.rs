//! `/channels`: every channel, how it stands and how old it is.

use super::{Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{
    Day, Distribution, Icon, Part, count, status_class, status_icon, status_label,
};
use crate::error::Error;
use crate::path;
use crate::query::STATES;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_store::view::ChannelSummary;

#[derive(Debug, Template)]
#[template(path = "channels.html")]
struct ChannelsPage {
    shell: Shell,
    channels: Vec<ChannelCard>,
}

/// The twin: an object, so that it can grow.
#[derive(Debug, Serialize)]
struct ChannelsView<'a> {
    channels: &'a [ChannelSummary],
}

/// A channel, as a card.
#[derive(Debug)]
pub(crate) struct ChannelCard {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) distribution_name: String,
    pub(crate) revision: String,
    pub(crate) revision_short: String,
    pub(crate) released: Day,
    /// The last day on which it gets fixes, and whether that has passed.
    pub(crate) support: Option<(Day, bool)>,
    pub(crate) packages: String,
    pub(crate) bar: Distribution,
    pub(crate) counts: Vec<StatusCount>,
}

/// A status with how many vulnerabilities have it on a channel.
#[derive(Debug)]
pub(crate) struct StatusCount {
    pub(crate) icon: Icon,
    pub(crate) class: &'static str,
    pub(crate) label: &'static str,
    pub(crate) href: String,
    pub(crate) count: String,
}

impl ChannelCard {
    /// The card of a channel.
    pub(crate) fn new(channel: &ChannelSummary, now: Timestamp) -> ChannelCard {
        let of = |status| {
            let found = channel.counts.iter().find(|(known, _)| *known == status);
            u64::from(found.map_or(0, |(_, count)| *count))
        };
        let parts: Vec<Part> = STATES
            .iter()
            .map(|(status, _)| Part {
                class: status_class(*status),
                label: status_label(*status),
                count: of(*status),
            })
            .collect();
        ChannelCard {
            href: path::channel(&channel.name),
            name: channel.name.clone(),
            distribution_name: channel.distribution.clone(),
            revision: channel.revision.clone(),
            revision_short: short_revision(&channel.revision),
            released: Day::new(channel.released, now),
            support: channel.supported_until.map(|until| {
                let second = jiff::SignedDuration::from_secs(1);
                let last = until.checked_sub(second).unwrap_or(until);
                (Day::new(last, now), until <= now)
            }),
            packages: count(channel.packages),
            bar: Distribution::new(&parts),
            counts: STATES
                .iter()
                .map(|(status, word)| StatusCount {
                    icon: status_icon(*status),
                    class: status_class(*status),
                    label: status_label(*status),
                    href: format!(
                        "/vulnerabilities?channel={}&state={word}",
                        path::query_value(&channel.name)
                    ),
                    count: count(of(*status)),
                })
                .collect(),
        }
    }
}

/// The cards of several channels.
pub(crate) fn cards(channels: &[ChannelSummary], now: Timestamp) -> Vec<ChannelCard> {
    channels
        .iter()
        .map(|channel| ChannelCard::new(channel, now))
        .collect()
}

/// A commit as it is usually cut; any other name whole.
pub(crate) fn short_revision(revision: &str) -> String {
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit {
        revision[..12].to_owned()
    } else {
        revision.to_owned()
    }
}

/// Answers `/channels`.
pub(crate) async fn channels(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let channels = app.store.channels().await?;
    ask.answer(
        &ChannelsView {
            channels: &channels,
        },
        || ChannelsPage {
            shell: Shell::new(Section::Channels, &ask),
            channels: cards(&channels, ask.now),
        },
    )
}
