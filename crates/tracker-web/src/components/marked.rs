//! A sentence whose names stand between backticks, as our own messages and reasons write them.

use askama::Template;
use askama::filters::HtmlSafe;

/// A text with its backticked parts set as code; everything in it is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"{% for (code, text) in parts %}{% if *code %}<code>{{ text }}</code>{% else %}{{ text }}{% endif %}{% endfor %}"#
)]
pub(crate) struct Marked {
    parts: Vec<(bool, String)>,
}

impl HtmlSafe for Marked {}

impl Marked {
    /// The parts of a text that may not be there.
    pub(crate) fn unless_empty(text: &str) -> Option<Marked> {
        (!text.is_empty()).then(|| Marked::new(text))
    }

    /// The parts of a text. A backtick without a partner stays one.
    pub(crate) fn new(text: &str) -> Marked {
        let pieces: Vec<&str> = text.split('`').collect();
        // With an even number of backticks the pieces at odd places lie between two of them.
        let (paired, rest) = match pieces.len() % 2 {
            1 => (pieces.len(), None),
            _ => (pieces.len() - 1, pieces.last()),
        };
        let mut parts: Vec<(bool, String)> = pieces[..paired]
            .iter()
            .enumerate()
            .map(|(index, piece)| (index % 2 == 1, (*piece).to_owned()))
            .collect();
        if let Some(rest) = rest {
            parts.push((false, format!("`{rest}")));
        }
        parts.retain(|(_, piece)| !piece.is_empty());
        Marked { parts }
    }
}
