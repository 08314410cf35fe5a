//! Inline pictures of 16 units, drawn in the colour of the text around them.

use askama::filters::HtmlSafe;
use std::fmt;

/// A picture; decoration only, the word stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Icon(&'static str);

/// The picture of a name; an unknown name is a mistake that `icons_exist` in the tests finds.
pub(crate) fn icon(name: &str) -> Icon {
    let body = ICONS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("", |(_, body)| body);
    Icon(body)
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">{}</svg>"#,
            self.0
        )
    }
}

impl HtmlSafe for Icon {}

/// Severities differ in outline (octagon, triangle, square, disc, ring), states in the sign inside.
pub(super) const ICONS: &[(&str, &str)] = &[
    (
        "critical",
        r#"<path fill="currentColor" d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z"/><path class="knock" d="M7.1 4h1.8l-.2 5H7.3zM7.1 10.3h1.8v1.8H7.1z"/>"#,
    ),
    (
        "high",
        r#"<path fill="currentColor" d="M8 1.2 15.4 14.6H.6z"/><path class="knock" d="M7.2 6h1.6l-.2 4H7.4zM7.2 11.2h1.6v1.6H7.2z"/>"#,
    ),
    (
        "medium",
        r#"<path fill="currentColor" d="M2 2h12v12H2z"/><path class="knock" d="M4.6 7.2h6.8v1.6H4.6z"/>"#,
    ),
    (
        "low",
        r#"<circle fill="currentColor" cx="8" cy="8" r="5.4"/>"#,
    ),
    (
        "none",
        r#"<circle fill="none" stroke="currentColor" stroke-width="1.8" cx="8" cy="8" r="5"/>"#,
    ),
    (
        "unknown",
        r#"<circle fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="2.6 2.6" cx="8" cy="8" r="5"/>"#,
    ),
    (
        "affected",
        r#"<circle fill="currentColor" cx="8" cy="8" r="7"/><path class="knock-line" d="m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6"/>"#,
    ),
    (
        "under-investigation",
        r#"<circle fill="none" stroke="currentColor" stroke-width="1.6" cx="8" cy="8" r="6.2"/><path fill="none" stroke="currentColor" stroke-width="1.6" d="M6 6.4a2 2 0 1 1 2.9 1.8c-.7.4-.9.7-.9 1.3"/><circle fill="currentColor" cx="8" cy="11.4" r="1"/>"#,
    ),
    (
        "fixed",
        r#"<path fill="currentColor" d="M8 .8 14 3v4.6c0 3.5-2.4 6-6 7.6-3.6-1.6-6-4.1-6-7.6V3z"/><path class="knock-line" d="m4.9 7.9 2.2 2.2 4-4.2"/>"#,
    ),
    (
        "not-affected",
        r#"<circle fill="none" stroke="currentColor" stroke-width="1.6" cx="8" cy="8" r="6.2"/><path fill="none" stroke="currentColor" stroke-width="1.6" d="M4.8 8h6.4"/>"#,
    ),
    (
        "exploited",
        r#"<path fill="currentColor" d="M8.9.6c.5 2.4-.6 3.6-1.9 5C5.6 7 4 8.5 4 10.9A4.4 4.4 0 0 0 8.2 15.4 4.3 4.3 0 0 0 12.5 11c0-2.1-1.1-3.3-1.5-4.8-.7.6-1 1.2-1.1 2.1C9 6.5 10.6 3.2 8.9.6z"/>"#,
    ),
    (
        "search",
        r#"<circle fill="none" stroke="currentColor" stroke-width="1.8" cx="7" cy="7" r="4.6"/><path stroke="currentColor" stroke-width="2" stroke-linecap="round" d="m10.5 10.5 3.7 3.7"/>"#,
    ),
    (
        "previous",
        r#"<path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" d="M10 3 5 8l5 5"/>"#,
    ),
    (
        "next",
        r#"<path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" d="m6 3 5 5-5 5"/>"#,
    ),
    (
        "remove",
        r#"<path stroke="currentColor" stroke-width="1.8" stroke-linecap="round" d="m4 4 8 8m0-8-8 8"/>"#,
    ),
    (
        "root",
        r#"<path fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" d="M8 1v6.5M8 7.5c0 3-1 4.5-5 7M8 7.5c0 3 1 4.5 5 7M8 8.5V15M8 4.5c1.5 0 3-.7 3.6-2.6"/>"#,
    ),
];
