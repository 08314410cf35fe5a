//! `/`: what is urgent now, how the channels stand, how fresh the feeds are.

use super::channels::{ChannelCard, cards};
use super::{Row, Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{
    Day, Distribution, Icon, Part, count, severity_class, severity_icon, severity_label,
    source_label,
};
use crate::error::Error;
use crate::query::SEVERITIES;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tracker_store::view::{Overview, SourceStatus};

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    vulnerabilities: String,
    packages: String,
    matches: String,
    affected: String,
    severities: Vec<SeverityCount>,
    distribution: Distribution,
    channels: Vec<ChannelCard>,
    rows: Vec<Row>,
    sources: Vec<SourceRow>,
}

/// A severity with how many are open.
#[derive(Debug)]
struct SeverityCount {
    icon: Icon,
    class: &'static str,
    label: &'static str,
    href: String,
    count: String,
}

/// A feed, as a line.
#[derive(Debug)]
pub(crate) struct SourceRow {
    pub(crate) label: &'static str,
    pub(crate) records: String,
    pub(crate) imported: Option<Day>,
    pub(crate) newest: Option<Day>,
    pub(crate) rejected: u64,
}

impl SourceRow {
    /// The line of a feed.
    pub(crate) fn new(source: &SourceStatus, now: Timestamp) -> SourceRow {
        SourceRow {
            label: source_label(source.source),
            records: count(source.records),
            imported: source.imported.map(|at| Day::new(at, now)),
            newest: source.newest.map(|at| Day::new(at, now)),
            rejected: source.rejected,
        }
    }
}

impl OverviewPage {
    fn new(view: &Overview, ask: &Ask) -> OverviewPage {
        let of = |severity| {
            let found = view
                .affected_by_severity
                .iter()
                .find(|(known, _)| *known == severity);
            u64::from(found.map_or(0, |(_, count)| *count))
        };
        let parts: Vec<Part> = SEVERITIES
            .iter()
            .map(|(severity, _)| Part {
                class: severity_class(*severity),
                label: severity_label(*severity),
                count: of(*severity),
            })
            .collect();
        OverviewPage {
            shell: Shell::new(Section::Overview, ask),
            vulnerabilities: count(view.vulnerabilities),
            packages: count(view.packages),
            matches: count(view.matches),
            affected: count(parts.iter().map(|part| part.count).sum::<u64>()),
            severities: SEVERITIES
                .iter()
                .filter(|(severity, _)| of(*severity) > 0)
                .map(|(severity, word)| SeverityCount {
                    icon: severity_icon(*severity),
                    class: severity_class(*severity),
                    label: severity_label(*severity),
                    href: format!("/vulnerabilities?state=affected&severity={word}"),
                    count: count(of(*severity)),
                })
                .collect(),
            distribution: Distribution::new(&parts),
            channels: cards(&view.channels, ask.now),
            rows: Row::all(&view.urgent, ask.now),
            sources: view
                .sources
                .iter()
                .map(|source| SourceRow::new(source, ask.now))
                .collect(),
        }
    }
}

/// Answers `/`.
pub(crate) async fn overview(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    // Users know `?pr=` at the root of such a site.
    if let Some(to) = super::change::asked_for(&ask.query) {
        return Ok(Redirect::to(&to).into_response());
    }
    let view = app.store.overview().await?;
    ask.answer(&view, || OverviewPage::new(&view, &ask))
}
