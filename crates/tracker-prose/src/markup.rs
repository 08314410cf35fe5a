//! Markdown as HTML, sanitised once more after it is made.
//!
//! Invariant: the second guard alone would do; the first keeps what is shown readable, and small enough to look at.

use crate::check::{REL, TAGS};
use crate::plain::plain;
use crate::tame::{Tame, whole_or_begin};
use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Options, Parser, html as render};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

static GUARD: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut guard = Builder::empty();
    guard
        .tags(TAGS.iter().copied().collect())
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::from(["http", "https"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(REL));
    guard
});

/// Markdown as HTML that may stand inside any block of a page. A text beyond the limits ends with `…`.
pub fn html(markdown: &str) -> String {
    let (begin, is_whole) = whole_or_begin(markdown);
    let text = plain(begin);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(&text, options).into_offset_iter();
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    render::push_html(&mut html, Tame::new(&text, events));
    if !is_whole {
        html.push_str("<p>…</p>");
    }
    GUARD.clean(&html).to_string()
}
