//! A vulnerability as a row, wherever a list of them stands.

use super::Link;
use crate::components::{Day, SeverityBadge, StatusBadge, percent_ppm, record_state_label};
use crate::path;
use jiff::Timestamp;
use tracker_store::view::VulnerabilityRow;

/// A row, ready to be placed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: SeverityBadge,
    pub(crate) exploited: bool,
    /// EPSS, as a percentage.
    pub(crate) epss: Option<String>,
    /// A state worth a word.
    pub(crate) state: Option<&'static str>,
    pub(crate) published: Option<Day>,
    pub(crate) families: Vec<Link>,
    /// How many families more than those listed.
    pub(crate) more: usize,
    pub(crate) channels: Vec<StatusBadge>,
}

impl Row {
    /// The row of a view.
    pub(crate) fn new(row: &VulnerabilityRow, now: Timestamp) -> Row {
        Row {
            href: path::vulnerability(&row.id),
            id: row.id.clone(),
            title: row.title.clone(),
            severity: SeverityBadge::new(row.severity, row.score_tenths),
            exploited: row.exploited,
            epss: row.epss_ppm.map(percent_ppm),
            state: record_state_label(row.state),
            published: row.published.map(|at| Day::new(at, now)),
            families: row
                .families
                .iter()
                .map(|family| Link::new(path::vulnerabilities_of(family), family))
                .collect(),
            more: (row.family_count as usize).saturating_sub(row.families.len()),
            channels: row
                .channels
                .iter()
                .map(|channel| StatusBadge::named(channel.status, &channel.channel))
                .collect(),
        }
    }

    /// The rows of several views.
    pub(crate) fn all(rows: &[VulnerabilityRow], now: Timestamp) -> Vec<Row> {
        rows.iter().map(|row| Row::new(row, now)).collect()
    }
}
