//! Plain text: what a terminal or a feed reader may be given.
//!
//! Invariant: no character is left that a terminal obeys or that turns the direction of writing. Each is replaced, not
//! dropped, so that nobody hides a text by them.

/// What stands for a character that steers.
const REPLACEMENT: char = '\u{fffd}';

/// A text with its lines and tabs as they are.
pub fn plain(text: &str) -> String {
    let kept = |c: char| matches!(c, '\n' | '\t') || !is_steering(c);
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if kept(c) { c } else { REPLACEMENT })
        .collect()
}

/// A text on one line, its words one space apart.
pub fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(
            word.chars()
                .map(|c| if is_steering(c) { REPLACEMENT } else { c }),
        );
    }
    line
}

/// Control characters, those that turn the direction of writing, and the two that XML 1.0 cannot hold besides.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}
