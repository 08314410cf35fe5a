//! What triage prints for people.
//!
//! Invariant: foreign texts stand on one line, without characters that a terminal would obey.

use super::super::show::plain;
use std::fmt::Write as _;
use tracker_store::view::Page;
use tracker_store::{
    ActOutcome, ItemId, LogLine, Problem, QueueRow, RulePreview, RuleRow, TriageDetail, ViewRow,
};
use tracker_triage::Entry;
use tracker_triage::query::{Field, Kind};
use tracker_triage::rank::points;

/// Characters of a title in a list.
const TITLE: usize = 60;

/// Writing into a string cannot fail; this keeps that out of every line.
macro_rules! line {
    ($out:expr, $($part:tt)*) => {{
        writeln!($out, $($part)*).expect("a string takes any text");
    }};
}

pub(super) fn page(page: &Page<QueueRow>) -> String {
    let mut out = String::new();
    for row in &page.rows {
        let title: String = plain(&row.title).chars().take(TITLE).collect();
        line!(
            out,
            "{:>6}  {:<18} {:<24} {:<9} {}",
            points(row.rank.total),
            plain(&row.id.vulnerability),
            plain(&row.id.family),
            row.state.name(),
            title
        );
    }
    match page.total {
        Some(total) => line!(out, "{total} in all"),
        None => line!(out, "more than 1000 in all"),
    }
    if let Some(next) = &page.next {
        line!(out, "go on with --after {next}");
    }
    out
}

pub(super) fn detail(detail: &TriageDetail) -> String {
    let mut out = String::new();
    let row = &detail.row;
    line!(
        out,
        "{}  {} in {}: {}",
        plain(&row.id.vulnerability),
        plain(&row.id.family),
        plain(&row.id.distribution),
        row.state.name()
    );
    line!(out, "{}", plain(&row.title));
    let rank = &row.rank;
    line!(
        out,
        "\nrank {}: (severity {} + exploitation {} + reach {}) x confidence {}.{:02} + age {}",
        points(rank.total),
        points(rank.severity),
        points(rank.exploitation),
        points(rank.reach),
        rank.confidence_ppm / 1_000_000,
        rank.confidence_ppm % 1_000_000 / 10_000,
        points(rank.age)
    );
    if let Some(assignee) = &row.assignee {
        line!(out, "assigned to {}", plain(assignee));
    }
    if let Some(until) = row.snoozed_until {
        line!(out, "snoozed until {until}");
    }
    if let Some(until) = row.suppressed_until {
        line!(out, "hidden by a rule until {until}");
    }
    for finding in &detail.findings {
        let decided = finding.decided.map_or(String::new(), |event| {
            let against = if finding.contradicted {
                ", evidence speaks against it"
            } else {
                ""
            };
            format!(" (decided by event {event}{against})")
        });
        line!(
            out,
            "\n{}: {} {}: {}{decided}",
            plain(&finding.channel),
            plain(&finding.attribute),
            plain(finding.version.as_deref().unwrap_or("without version")),
            finding.state.name()
        );
        for evidence in &finding.evidence {
            line!(out, "    {}", plain(evidence));
        }
    }
    line!(out, "\nwhy");
    for reason in &detail.reasons {
        line!(out, "  {:+5.1}  {}", reason.weight, plain(&reason.text));
    }
    if !detail.log.is_empty() {
        line!(out, "\nwhat people did");
        out.push_str(&log(&detail.log));
    }
    out
}

pub(super) fn log(log: &[Entry]) -> String {
    let mut out = String::new();
    for entry in log {
        let reason = entry
            .reason
            .as_deref()
            .map_or(String::new(), |reason| format!(" ({})", plain(reason)));
        line!(
            out,
            "{:>8}  {}  {}: {}{reason}",
            entry.sequence,
            entry.at.strftime("%Y-%m-%d %H:%M"),
            plain(&entry.actor.to_string()),
            plain(&entry.event.sentence())
        );
    }
    out
}

/// A page of the log, each line with its vulnerability unless all are about the same.
pub(super) fn lines(page: &Page<LogLine>, same: bool) -> String {
    let mut out = String::new();
    for line in &page.rows {
        let entry = &line.entry;
        let id = entry.vulnerability.as_deref().filter(|_| !same);
        let about = id.map_or(String::new(), |id| format!("{}: ", plain(id)));
        let reason = entry
            .reason
            .as_deref()
            .map_or(String::new(), |reason| format!(" ({})", plain(reason)));
        line!(
            out,
            "{:>8}  {}  {}: {about}{}{reason}",
            entry.sequence,
            entry.at.strftime("%Y-%m-%d %H:%M"),
            plain(&entry.actor.to_string()),
            plain(&line.text)
        );
    }
    if let Some(next) = &page.next {
        line!(out, "go on with --after {next}");
    }
    out
}

/// A foreign text on one line.
pub(super) fn one_line(text: &str) -> String {
    plain(text)
}

pub(super) fn outcome(outcome: &ActOutcome) -> String {
    let mut out = String::new();
    let would = if outcome.dry_run {
        "would change"
    } else {
        "changed"
    };
    for item in &outcome.changed {
        line!(out, "{would} {}", name(item));
    }
    if outcome.awaiting > 0 {
        line!(
            out,
            "{} of them hold when a second person agrees",
            outcome.awaiting
        );
    }
    line!(
        out,
        "matches {would}: {}, that stood so already: {}, findings moved: {}",
        outcome.changed.len(),
        outcome.unchanged,
        outcome.findings
    );
    if let Some(act) = outcome.act.filter(|_| !outcome.dry_run) {
        let all = if outcome.changed.len() > 1 {
            "--act "
        } else {
            ""
        };
        line!(out, "take it back with: triage undo {all}{act}");
    }
    out
}

fn name(item: &ItemId) -> String {
    plain(&format!(
        "{} {} in {}",
        item.vulnerability, item.family, item.distribution
    ))
}

pub(super) fn preview(preview: &RulePreview) -> String {
    let mut out = String::new();
    for item in &preview.would_hide {
        line!(out, "would hide {}", name(item));
    }
    if preview.more {
        line!(out, "and more");
    }
    for item in &preview.would_hide_severe {
        line!(out, "severe: {}", name(item));
    }
    line!(
        out,
        "{} matches, {} of them severe (high, critical or exploited)",
        preview.total,
        preview.severe
    );
    if preview.severe > 0 {
        line!(out, "hiding those needs --hide-severe");
    }
    out
}

pub(super) fn rules(rules: &[RuleRow]) -> String {
    let mut out = String::new();
    for rule in rules {
        let due = if rule.due {
            ", its time is over: look at it again"
        } else {
            ""
        };
        let reason = rule.state.reason.as_deref().unwrap_or("no reason given");
        line!(
            out,
            "{:>6}  {}  until {}{due}  ({}, {})",
            rule.rule,
            plain(&rule.state.query),
            rule.state.expires,
            plain(&rule.state.actor.to_string()),
            plain(reason)
        );
    }
    out
}

pub(super) fn views(views: &[ViewRow]) -> String {
    let mut out = String::new();
    for view in views {
        let shared = if view.shared { "shared" } else { "own" };
        line!(
            out,
            "{:<20} {:<7} {}",
            plain(&view.view),
            shared,
            plain(&view.query)
        );
    }
    out
}

pub(super) fn fields() -> String {
    let mut out = String::new();
    for field in Field::ALL {
        line!(out, "{:<13} {}", field.name(), field.about());
        if let Kind::Ordered(names) | Kind::OneOf(names) = field.kind() {
            line!(out, "{:<13} {}", "", names.join(", "));
        }
    }
    out
}

pub(super) fn problems(vulnerabilities: u64, problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        line!(out, "{}", plain(&problem.what));
    }
    line!(
        out,
        "vulnerabilities looked at: {vulnerabilities}, problems: {}",
        problems.len()
    );
    out
}
