//! The picture of a change: branches with the channels that are built from them, each with its tick and its time.
//!
//! Invariant: every sign of the picture has its word beside it.

use super::short;
use crate::components::{Day, Marked};
use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;
use tracker_landing::answer::{Answer, BranchTick, ChannelLanding, Eta, Standing};

/// Channels whose newest release is this much older than the newest of all are left to the twin: they have ended.
const ENDED: i64 = 200 * 86_400;

/// A line of the picture.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) rail: Rail,
    pub(crate) class: &'static str,
    pub(crate) name: String,
    pub(crate) word: &'static str,
    pub(crate) at: Option<Day>,
    pub(crate) note: Option<Marked>,
}

/// The line from a branch to its channels, with the sign of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="rail" viewBox="0 0 44 32" width="44" height="32" aria-hidden="true" focusable="false">{% if inner %}<path class="line" d="M10 16h16"/>{% endif %}{% if here %}<circle class="disc" cx="{% if inner %}30{% else %}10{% endif %}" cy="16" r="8"/><path class="tick" d="m{% if inner %}26{% else %}6{% endif %} 16 3 3 5-6"/>{% else %}<circle class="ring" cx="{% if inner %}30{% else %}10{% endif %}" cy="16" r="7"/>{% endif %}</svg>"#
)]
pub(crate) struct Rail {
    /// A channel, not a branch.
    inner: bool,
    /// Nothing follows below.
    last: bool,
    /// It has the change.
    here: bool,
}

impl HtmlSafe for Rail {}

impl Rail {
    /// Which part of the line down from the branch passes by: drawn by the style sheet, so that it is as tall as the text.
    pub(crate) fn line(self) -> &'static str {
        match (self.inner, self.last) {
            (false, true) => "alone",
            (false, false) => "begins",
            (true, false) => "passes",
            (true, true) => "ends",
        }
    }
}

/// The lines, and how many channels are left out.
pub(super) fn tree(answer: &Answer, now: Timestamp) -> (Vec<Node>, usize) {
    let newest = |channel: &ChannelLanding| channel.newest.as_ref().map(|release| release.time);
    let latest = answer.channels.iter().filter_map(newest).max();
    let ended = |channel: &&ChannelLanding| has_ended(newest(channel), latest);
    let hidden = answer.channels.iter().filter(ended).count();
    let mut nodes = Vec::new();
    for tick in &answer.branches {
        let channels: Vec<&ChannelLanding> = answer
            .channels
            .iter()
            .filter(|channel| !ended(channel) && channel.branch == tick.branch)
            .collect();
        // A release branch whose channels have ended is history; the twin has it.
        if channels.is_empty() && tick.branch.starts_with("release-") {
            continue;
        }
        nodes.push(branch(tick, channels.is_empty(), now));
        for (place, landing) in channels.iter().enumerate() {
            nodes.push(channel(landing, place + 1 == channels.len(), now));
        }
    }
    // Channels of branches that are not indexed stand alone.
    let alone = answer.channels.iter().filter(|channel| {
        !ended(channel)
            && answer
                .branches
                .iter()
                .all(|tick| tick.branch != channel.branch)
    });
    nodes.extend(alone.map(|landing| channel(landing, true, now)));
    (nodes, hidden)
}

/// Whether a channel whose newest release is of `own` has ended, where the newest of all is of `latest`.
pub(crate) fn has_ended(own: Option<Timestamp>, latest: Option<Timestamp>) -> bool {
    match (own, latest) {
        (Some(own), Some(latest)) => latest.as_second() - own.as_second() > ENDED,
        _ => false,
    }
}

fn via(name: Option<impl ToString>) -> String {
    name.map_or(String::new(), |name| {
        format!("by its backport {}", short(name))
    })
}

fn with_revert(note: String, revert: Option<impl ToString>) -> String {
    match revert {
        None => note,
        Some(revert) if note.is_empty() => format!("undone there by {}", short(revert)),
        Some(revert) => format!("{note}; undone there by {}", short(revert)),
    }
}

fn branch(tick: &BranchTick, last: bool, now: Timestamp) -> Node {
    Node {
        rail: Rail {
            inner: false,
            last,
            here: tick.contained,
        },
        class: if tick.contained { "landed" } else { "waiting" },
        name: tick.branch.clone(),
        word: if tick.contained {
            "has it since"
        } else {
            "does not have it"
        },
        at: tick.since.map(|at| Day::new(at, now)),
        note: Marked::unless_empty(&with_revert(via(tick.via), tick.reverted)),
    }
}

fn channel(landing: &ChannelLanding, last: bool, now: Timestamp) -> Node {
    let here = matches!(landing.standing, Standing::Landed | Standing::Reverted);
    let first = landing.first.as_ref();
    let mut at = first
        .filter(|_| here)
        .map(|first| Day::new(first.time, now));
    let word = match (landing.standing, first.is_some_and(|first| first.observed)) {
        (Standing::Landed | Standing::Reverted, false) => "has it since",
        (Standing::Landed | Standing::Reverted, true) => "first seen with it",
        (Standing::Lost, _) => "lost it again",
        (Standing::Waiting, _) => match &landing.eta {
            Some(Eta::Forecast { .. }) => "expected by",
            _ => "does not have it",
        },
    };
    let mut note = with_revert(via(landing.via), landing.reverted);
    match &landing.eta {
        Some(Eta::Forecast {
            low,
            median,
            high,
            record,
            ..
        }) => {
            at = Some(Day::new(*median, now));
            let day = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
            let high = high.map_or("an unknown time".to_owned(), day);
            note = format!(
                "80 % between {} and {high} UTC; of {} such forecasts {:.0} % came true",
                day(*low),
                record.changes,
                record.coverage * 100.0
            );
        }
        Some(Eta::Unknown { because }) => note = format!("when is unknown: {because}"),
        None => {}
    }
    Node {
        rail: Rail {
            inner: true,
            last,
            here,
        },
        class: if here { "landed" } else { "waiting" },
        name: landing.channel.clone(),
        word,
        at,
        note: Marked::unless_empty(&note),
    }
}
