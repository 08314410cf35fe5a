//! Texts of strangers as a reader may see them: Markdown as harmless HTML, and plain text for terminals and feeds.
//! Layer: tracker, pure.
//!
//! CVE records, GitHub advisories and people's comments are Markdown that nobody here has written. Reading order: `tame`
//! (which Markdown is let through, and how much), `markup` (the second guard), `plain`, `check` (what the first two are
//! held to).
//! Invariants: what [`html`] returns is closed, holds no markup but [`check::TAGS`], links to the web only, and is never
//! longer than a fixed multiple of [`MAX_OUTPUT`], whatever it is given; raw HTML is shown, not obeyed.

pub mod check;
mod markup;
mod plain;
mod tame;

pub use markup::html;
pub use plain::{line, plain};
pub use tame::{MAX_DEPTH, MAX_INPUT, MAX_OUTPUT};

#[cfg(test)]
mod tests;
