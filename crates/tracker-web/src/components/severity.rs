//! A severity: outline, word and number, then colour.

use super::icon::{Icon, icon};
use super::wording::score;
use askama::Template;
use askama::filters::HtmlSafe;
use tracker_record::Severity;

/// A severity with its score.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="severity {{ class }}">{{ icon }}<span class="word">{{ label }}</span>{% if let Some(score) = score %}<span class="number">{{ score }}</span>{% endif %}</span>"#
)]
pub(crate) struct SeverityBadge {
    class: &'static str,
    label: &'static str,
    icon: Icon,
    score: Option<String>,
}

impl HtmlSafe for SeverityBadge {}

impl SeverityBadge {
    /// The badge of a severity and, where known, the score behind it.
    pub(crate) fn new(severity: Severity, score_tenths: Option<u8>) -> SeverityBadge {
        SeverityBadge {
            class: severity_class(severity),
            label: severity_label(severity),
            icon: severity_icon(severity),
            score: score_tenths.map(score),
        }
    }
}

/// The word shown.
pub(crate) fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::None => "None",
        Severity::Unknown => "Unscored",
    }
}

/// The word in class names and addresses.
pub(crate) fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::None => "none",
        Severity::Unknown => "unknown",
    }
}

/// The outline.
pub(crate) fn severity_icon(severity: Severity) -> Icon {
    icon(severity_class(severity))
}
