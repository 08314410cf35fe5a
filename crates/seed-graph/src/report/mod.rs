//! Reports of an audit: for people (text, a page with a picture), for programs (JSON), for CI (SARIF 2.1.0), and as
//! a bill of materials (CycloneDX 1.6). Invariant: all are made from the same [`Audit`](crate::Audit) and say of each verdict what it was
//! found by; foreign text is escaped for its format.

mod cyclonedx;
mod html;
mod json;
mod picture;
mod sarif;
mod text;

pub use cyclonedx::cyclonedx;
pub use html::html;
pub use json::json;
pub use sarif::sarif;
pub use text::{bytes, chain, text};

/// Seeds that are listed in reports for people; the others are counted.
pub(crate) const LISTED: usize = 40;

/// A share as a percentage with one decimal place.
pub(crate) fn percent(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    format!("{:.1} %", 100.0 * f64::from(part) / f64::from(whole))
}

/// A foreign text with control characters made visible, for terminals and pages.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
