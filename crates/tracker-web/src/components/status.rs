//! Where a vulnerability stands in a package: sign and word, then colour.

use super::icon::{Icon, icon};
use askama::Template;
use askama::filters::HtmlSafe;
use tracker_match::FindingStatus;

/// A status, or the name of what has it (a channel) with the status read out.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="status {{ class }}"{% if named %} title="{{ text }}: {{ label }}"{% endif %}>{{ icon }}<span class="word">{{ text }}</span>{% if named %}<span class="unseen">: {{ label }}</span>{% endif %}</span>"#
)]
pub(crate) struct StatusBadge {
    class: &'static str,
    label: &'static str,
    icon: Icon,
    text: String,
    named: bool,
}

impl HtmlSafe for StatusBadge {}

impl StatusBadge {
    /// The status in its own word.
    pub(crate) fn new(status: FindingStatus) -> StatusBadge {
        StatusBadge {
            class: status_class(status),
            label: status_label(status),
            icon: status_icon(status),
            text: status_label(status).to_owned(),
            named: false,
        }
    }

    /// The name of a channel, marked with its status.
    pub(crate) fn named(status: FindingStatus, name: &str) -> StatusBadge {
        StatusBadge {
            text: name.to_owned(),
            named: true,
            ..StatusBadge::new(status)
        }
    }
}

/// The word shown.
pub(crate) fn status_label(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Affected => "Affected",
        FindingStatus::UnderInvestigation => "Under investigation",
        FindingStatus::Fixed => "Fixed",
        FindingStatus::NotAffected => "Not affected",
    }
}

/// The word in class names and addresses.
pub(crate) fn status_class(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Affected => "affected",
        FindingStatus::UnderInvestigation => "under-investigation",
        FindingStatus::Fixed => "fixed",
        FindingStatus::NotAffected => "not-affected",
    }
}

/// The sign.
pub(crate) fn status_icon(status: FindingStatus) -> Icon {
    icon(status_class(status))
}
