//! A link out of the site, to an address that a stranger wrote.

use crate::path::is_clickable;
use askama::Template;
use askama::filters::HtmlSafe;

/// A foreign address: a link if it is a web address, plain text otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"{% if clickable %}<a class="out" href="{{ url }}" rel="noopener nofollow ugc">{{ text }}</a>{% else %}<span class="out">{{ text }}</span>{% endif %}"#
)]
pub(crate) struct External {
    url: String,
    text: String,
    clickable: bool,
}

impl HtmlSafe for External {}

impl External {
    /// A link that shows its own address, without the scheme.
    pub(crate) fn new(url: &str) -> External {
        let clickable = is_clickable(url);
        let shown = url
            .split_once("://")
            .filter(|_| clickable)
            .map_or(url, |(_, rest)| rest.trim_end_matches('/'));
        External {
            url: url.to_owned(),
            text: shown.to_owned(),
            clickable,
        }
    }

    /// A link that shows a text.
    pub(crate) fn titled(url: &str, text: &str) -> External {
        External {
            url: url.to_owned(),
            text: text.to_owned(),
            clickable: is_clickable(url),
        }
    }
}
