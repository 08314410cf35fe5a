//! Atom feeds (RFC 4287).
//!
//! Invariants: an entry's id and time follow from what happened, so that a reader never shows it twice; its texts are
//! plain, with no character that XML cannot hold.

use super::change::bytes;
use crate::error::Error;
use askama::Template;
use axum::response::Response;
use jiff::Timestamp;

/// A feed.
#[derive(Debug, Template)]
#[template(
    ext = "xml",
    escape = "html",
    source = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>{{ id }}</id>
<title>{{ title }}</title>
<updated>{{ updated }}</updated>
<author><name>Rootstock tracker</name></author>
<link rel="alternate" type="text/html" href="{{ page }}"/>
{%- for entry in entries %}
<entry><id>{{ entry.id }}</id><title>{{ entry.title }}</title><updated>{{ entry.at }}</updated><link rel="alternate" type="text/html" href="{{ entry.href }}"/><content type="text">{{ entry.text }}</content></entry>
{%- endfor %}
</feed>
"#
)]
pub(crate) struct Feed {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) updated: String,
    pub(crate) page: String,
    pub(crate) entries: Vec<Entry>,
}

/// An entry.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) at: String,
    pub(crate) href: String,
    pub(crate) text: String,
}

/// An instant as feeds write it.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

impl Feed {
    /// A feed of entries, the newest first; `otherwise` is its time while there are none.
    pub(crate) fn new(
        id: String,
        title: String,
        page: String,
        mut entries: Vec<Entry>,
        otherwise: Timestamp,
    ) -> Feed {
        entries.sort_by(|a, b| b.at.cmp(&a.at));
        for entry in &mut entries {
            entry.title = tracker_prose::line(&entry.title);
            entry.text = tracker_prose::plain(&entry.text);
        }
        Feed {
            id,
            title: tracker_prose::line(&title),
            updated: entries
                .first()
                .map_or_else(|| instant(otherwise), |entry| entry.at.clone()),
            page,
            entries,
        }
    }

    /// The answer.
    pub(crate) fn answer(&self) -> Result<Response, Error> {
        Ok(bytes(
            "application/atom+xml; charset=utf-8",
            self.render().map_err(Error::internal)?,
        ))
    }
}
