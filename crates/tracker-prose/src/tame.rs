//! Which Markdown is let through: no raw HTML, no pictures, no headings, nothing nested without end.
//!
//! Invariants: what is begun is ended, in order; the cost of what is let through passes [`MAX_OUTPUT`] by one event at
//! most, however much a short text asks for.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Tag, TagEnd};
use std::collections::VecDeque;
use std::ops::Range;

/// Bytes of a text that are read: the longest description of an advisory.
pub const MAX_INPUT: usize = 64 << 10;
/// What is let through, in bytes of HTML: a reference can be named again and again, and a table filled up.
pub const MAX_OUTPUT: usize = 256 << 10;
/// Quotations, lists and spans within one another.
pub const MAX_DEPTH: usize = 12;

/// What a tag with its end costs.
const TAG: usize = 24;
/// What a link costs besides its address.
const LINK: usize = 64;
/// Longest address of a link that is one.
const MAX_ADDRESS: usize = 2_000;

/// The beginning of a text that is within [`MAX_INPUT`], and whether it is the whole.
pub(crate) fn whole_or_begin(text: &str) -> (&str, bool) {
    let begin = &text[..text.floor_char_boundary(MAX_INPUT)];
    (begin, begin.len() == text.len())
}

/// How an open element is ended.
#[derive(Debug)]
enum Open {
    /// As Markdown has it.
    As(TagEnd),
    /// A heading: a paragraph of strong words, since the page has headings of its own.
    Heading,
    /// A link; with its address as long as it has no text.
    Link(Option<String>),
    /// By a text: what an underscore began, which in a name is no emphasis.
    Mark(&'static str),
    /// By nothing: only its text is shown.
    Hidden,
}

/// The events of a text, tamed.
#[derive(Debug)]
pub(crate) struct Tame<'t, I> {
    text: &'t str,
    events: I,
    open: Vec<Open>,
    ready: VecDeque<Event<'t>>,
    spent: usize,
    is_over: bool,
}

impl<'t, I: Iterator<Item = (Event<'t>, Range<usize>)>> Tame<'t, I> {
    pub(crate) fn new(text: &'t str, events: I) -> Tame<'t, I> {
        Tame {
            text,
            events,
            open: Vec::new(),
            ready: VecDeque::new(),
            spent: 0,
            is_over: false,
        }
    }

    fn take(&mut self, event: Event<'t>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.begin(tag, range),
            Event::End(_) => self.end(),
            Event::Html(text) | Event::InlineHtml(text) if is_line_break(&text) => {
                self.give(Event::HardBreak);
            }
            Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => {
                self.give(Event::Text(text));
            }
            // Who writes a new line means one.
            Event::SoftBreak => self.give(Event::HardBreak),
            Event::Code(_) | Event::HardBreak | Event::Rule => self.give(event),
            // Extensions that are not turned on.
            _ => {}
        }
    }

    /// Lets something through that is no element.
    fn give(&mut self, event: Event<'t>) {
        self.spent += match &event {
            // Escaped, a letter takes up to six bytes.
            Event::Text(text) | Event::Code(text) => TAG + text.len() * 6,
            _ => TAG,
        };
        if let Some(Open::Link(address)) = self.open.last_mut() {
            *address = None;
        }
        self.ready.push_back(event);
    }

    fn begin(&mut self, tag: Tag<'t>, range: Range<usize>) {
        self.spent += TAG;
        if let Some(Open::Link(address)) = self.open.last_mut() {
            *address = None;
        }
        let shown = |open: &&Open| !matches!(open, Open::Hidden);
        let depth = self.open.iter().filter(shown).count();
        let parent_is_shown = self.open.last().is_none_or(|open| shown(&open));
        let is_part = matches!(
            tag,
            Tag::Item | Tag::TableHead | Tag::TableRow | Tag::TableCell
        );
        let opened = if is_part && parent_is_shown {
            self.start(tag)
        } else if is_part || depth >= MAX_DEPTH {
            Open::Hidden
        } else {
            self.whole(tag, range)
        };
        self.open.push(opened);
    }

    /// An element that stands for itself.
    fn whole(&mut self, tag: Tag<'t>, range: Range<usize>) -> Open {
        let in_link = self.open.iter().any(|open| matches!(open, Open::Link(_)));
        match tag {
            Tag::Heading { .. } => {
                self.ready.push_back(Event::Start(Tag::Paragraph));
                self.ready.push_back(Event::Start(Tag::Strong));
                Open::Heading
            }
            Tag::HtmlBlock => self.start(Tag::Paragraph),
            Tag::CodeBlock(_) => self.start(Tag::CodeBlock(CodeBlockKind::Indented)),
            Tag::BlockQuote(_) => self.start(Tag::BlockQuote(None)),
            Tag::Table(columns) => {
                self.spent += columns.len() * TAG;
                let plain = vec![pulldown_cmark::Alignment::None; columns.len()];
                self.start(Tag::Table(plain))
            }
            Tag::Emphasis | Tag::Strong if self.text[range.clone()].starts_with('_') => {
                let mark = if tag == Tag::Strong { "__" } else { "_" };
                self.ready.push_back(Event::Text(mark.into()));
                Open::Mark(mark)
            }
            Tag::Paragraph | Tag::List(_) | Tag::Emphasis | Tag::Strong | Tag::Strikethrough => {
                self.start(tag)
            }
            Tag::Link { dest_url, .. } if is_web(&dest_url) && !in_link => self.link(&dest_url),
            Tag::Image { dest_url, .. } => {
                let opened = if is_web(&dest_url) && !in_link {
                    self.link(&dest_url)
                } else {
                    Open::Hidden
                };
                self.ready.push_back(Event::Text("picture: ".into()));
                opened
            }
            _ => Open::Hidden,
        }
    }

    fn start(&mut self, tag: Tag<'t>) -> Open {
        let end = tag.to_end();
        self.ready.push_back(Event::Start(tag));
        Open::As(end)
    }

    fn link(&mut self, address: &str) -> Open {
        self.spent += LINK + address.len() * 2;
        self.ready.push_back(Event::Start(Tag::Link {
            link_type: LinkType::Inline,
            dest_url: address.to_owned().into(),
            title: "".into(),
            id: "".into(),
        }));
        Open::Link(Some(address.to_owned()))
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::As(end)) => self.ready.push_back(Event::End(end)),
            Some(Open::Heading) => {
                self.ready.push_back(Event::End(TagEnd::Strong));
                self.ready.push_back(Event::End(TagEnd::Paragraph));
            }
            Some(Open::Link(untold)) => {
                if let Some(address) = untold {
                    self.spent += address.len() * 6;
                    self.ready.push_back(Event::Text(address.into()));
                }
                self.ready.push_back(Event::End(TagEnd::Link));
            }
            Some(Open::Mark(mark)) => self.ready.push_back(Event::Text(mark.into())),
            // Words of what is not shown as itself do not run together.
            Some(Open::Hidden) => self.ready.push_back(Event::Text(" ".into())),
            None => {}
        }
    }
}

impl<'t, I: Iterator<Item = (Event<'t>, Range<usize>)>> Iterator for Tame<'t, I> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Event<'t>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            match self.events.next() {
                Some((event, range)) if self.spent < MAX_OUTPUT => self.take(event, range),
                Some(_) => {
                    self.ready.push_back(Event::Text("…".into()));
                    while !self.open.is_empty() {
                        self.end();
                    }
                    self.is_over = true;
                }
                None => self.is_over = true,
            }
        }
    }
}

/// The one tag that many advisories use for what Markdown has no letter for, in a table.
fn is_line_break(html: &str) -> bool {
    matches!(html.trim(), "<br>" | "<br/>" | "<br />")
}

/// Whether an address leads to the web.
fn is_web(address: &str) -> bool {
    let begins = |scheme: &str| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && address.len() > scheme.len()
    };
    (begins("https://") || begins("http://"))
        && address.len() <= MAX_ADDRESS
        && !address.contains(|c: char| c.is_whitespace() || c.is_control())
}
