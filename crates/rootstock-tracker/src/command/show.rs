//! `show`: one vulnerability as text, or as the JSON that its page's twin has.

use super::open_existing;
use crate::arguments::Show;
use crate::output::{self, Outcome};
use std::fmt::Write;
use tracker_match::FindingStatus;
pub(super) use tracker_prose::line as plain;
use tracker_record::Source;
use tracker_store::view::{MatchView, VulnerabilityDetail};

/// Shows a vulnerability.
pub(crate) async fn run(arguments: Show) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let found = match store.vulnerability(&arguments.id).await? {
        None => store.vulnerability(&arguments.id.to_uppercase()).await?,
        found => found,
    };
    let Some(view) = found else {
        output::note(&format!(
            "there is no vulnerability `{}` in this database",
            arguments.id
        ));
        for id in store.similar_ids(&arguments.id, 5).await? {
            output::note(&format!("hint: there is {id}"));
        }
        return Ok(Outcome::Absent);
    };
    if arguments.json.json {
        output::json(&view)?;
    } else {
        output::text(&text(&view))?;
    }
    Ok(Outcome::Done)
}

/// A vulnerability as text: what it is, where it stands, why, and who says so.
fn text(view: &VulnerabilityDetail) -> String {
    let mut out = String::new();
    head(&mut out, view);
    channels(&mut out, view);
    for matched in &view.matches {
        reasons(&mut out, matched);
    }
    records(&mut out, view);
    out
}

/// Writing into a string cannot fail; this keeps that out of every line.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($part:tt)*) => {{
        writeln!($out, $($part)*).expect("a string takes any text");
    }};
}

fn head(out: &mut String, view: &VulnerabilityDetail) {
    let summary = &view.summary;
    let severity = format!("{:?}", summary.severity).to_lowercase();
    let score = summary.score_tenths.map_or(String::new(), |tenths| {
        format!(" {}.{}", tenths / 10, tenths % 10)
    });
    let exploited = if summary.exploited {
        ", known to be exploited"
    } else {
        ""
    };
    line!(out, "{}  {severity}{score}{exploited}", summary.id);
    line!(out, "{}", plain(&summary.title));
    if !view.aliases.is_empty() {
        line!(out, "also known as {}", view.aliases.join(", "));
    }
}

/// Where it stands: every channel with its packages, and what decided.
fn channels(out: &mut String, view: &VulnerabilityDetail) {
    let mut findings: Vec<_> = view
        .matches
        .iter()
        .flat_map(|matched| &matched.findings)
        .collect();
    findings.sort_by(|a, b| (&a.channel, &a.attribute).cmp(&(&b.channel, &b.attribute)));
    if findings.is_empty() {
        line!(out, "\nno package of any channel is matched to it");
    }
    let mut channel = None;
    for finding in findings {
        if channel != Some(&finding.channel) {
            line!(out, "\n{}", finding.channel);
            channel = Some(&finding.channel);
        }
        let version = finding.version.as_deref().unwrap_or("without version");
        line!(
            out,
            "  {} {version}: {}",
            finding.attribute,
            status(finding.status)
        );
        for evidence in &finding.evidence {
            line!(out, "    {}", plain(evidence));
        }
    }
}

/// Why a family was matched.
fn reasons(out: &mut String, matched: &MatchView) {
    let percent = matched.score * 100.0;
    line!(
        out,
        "\nmatch: {} ({}), {percent:.1} %",
        matched.family,
        matched.distribution
    );
    for reason in &matched.reasons {
        line!(out, "  {:+5.1}  {}", reason.weight, plain(&reason.text));
    }
}

fn records(out: &mut String, view: &VulnerabilityDetail) {
    line!(out, "\nrecords");
    for record in &view.records {
        let changed = record.record.modified.or(record.record.published);
        let changed = changed.map_or(String::new(), |at| {
            format!(", changed {}", at.strftime("%Y-%m-%d"))
        });
        line!(
            out,
            "  {} {}{changed}",
            source(record.record.source),
            record.record.id
        );
    }
}

fn status(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Affected => "affected",
        FindingStatus::UnderInvestigation => "under investigation",
        FindingStatus::Fixed => "fixed",
        FindingStatus::NotAffected => "not affected",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::CveList => "CVE List",
        Source::Nvd => "NVD",
        Source::Osv => "OSV",
        Source::Kev => "CISA KEV",
        Source::Epss => "EPSS",
        Source::CpeOverlay => "CPE overlay",
        Source::Euvd => "EUVD",
        Source::Csaf => "CSAF",
        Source::Debian => "Debian tracker",
        Source::Alpine => "Alpine secdb",
    }
}
