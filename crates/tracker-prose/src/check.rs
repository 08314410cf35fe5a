//! What the HTML of foreign texts is held to, by the property test, by the fuzz target and by whoever doubts it.
//!
//! A strict reader of the small language that is let through, which shares no code with what writes it.

/// The elements that there are.
pub const TAGS: &[&str] = &[
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Those of them that have no end.
const VOID: &[&str] = &["br", "hr"];
/// What every link says of itself: it vouches for nothing, and learns nothing.
pub const REL: &str = "noopener nofollow ugc";

/// The first thing that is not as it has to be: an element or attribute that is not let through, an address that is not
/// the web's, an element that is not closed.
pub fn problem(html: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = tag_end(rest);
        let Some(tag) = end.map(|end| &rest[..end]) else {
            return Some(format!("`<{rest}` is not ended"));
        };
        rest = &rest[tag.len() + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Some(format!("`</{name}>` ends what was not begun"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !TAGS.contains(&name) {
            return Some(format!("there is `<{name}>`"));
        }
        if let Some(problem) = attribute_problem(name, attributes) {
            return Some(problem);
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    open.pop().map(|name| format!("`<{name}>` is not closed"))
}

/// Where the `>` of a tag is that stands outside quotes.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quoted = false;
    rest.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })
}

fn attribute_problem(name: &str, attributes: &str) -> Option<String> {
    let mut rest = attributes;
    while !rest.is_empty() {
        let parts = rest.split_once("=\"").and_then(|(key, rest)| {
            let (value, rest) = rest.split_once('"')?;
            Some((key, value, rest.trim_start_matches(' ')))
        });
        let Some((key, value, after)) = parts else {
            return Some(format!("`{rest}` of `<{name}>` is no attribute"));
        };
        let is_right = match (name, key) {
            ("a", "href") => value.len() > 7 && is_web(value),
            ("a", "rel") => value == REL,
            ("ol", "start") => value.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        if !is_right {
            return Some(format!("`<{name} {key}=\"{value}\">`"));
        }
        rest = after;
    }
    None
}

fn is_web(address: &str) -> bool {
    let lower = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}
