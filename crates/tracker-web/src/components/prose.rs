//! What strangers and people wrote, as Markdown: made harmless by `tracker-prose`.

use super::Marked;
use askama::Template;
use askama::filters::HtmlSafe;
use std::fmt;

/// A text of several paragraphs, set as a block.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<div class="markdown">{{ html|safe }}</div>"#
)]
pub(crate) struct Prose {
    html: String,
}

impl HtmlSafe for Prose {}

impl Prose {
    pub(crate) fn new(markdown: &str) -> Prose {
        Prose {
            html: tracker_prose::html(markdown),
        }
    }
}

/// A line of a history: a sentence of ours, or what somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Words {
    Ours(Marked),
    Theirs(Prose),
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Words::Ours(text) => write!(f, "<span class=\"foreign\">{text}</span>"),
            Words::Theirs(text) => text.fmt(f),
        }
    }
}

impl HtmlSafe for Words {}

impl Words {
    /// The text of an event of a kind.
    pub(crate) fn of(kind: &str, text: &str) -> Words {
        match kind {
            "commented" | "comment" => Words::Theirs(Prose::new(text)),
            _ => Words::Ours(Marked::new(text)),
        }
    }
}
