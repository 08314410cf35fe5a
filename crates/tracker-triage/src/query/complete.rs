//! What may come next in a query that is being typed, as whole queries: a list for an input field.
//!
//! Invariant: each suggestion begins with what was typed up to the word under way.

use super::field::{Field, Kind};

/// The most suggestions.
const MOST: usize = 30;

/// Names that stand in this database, for fields whose values are names.
pub trait Vocabulary {
    /// Names for a field that begin with something, the likely first.
    fn names(&self, field: Field, beginning: &str) -> Vec<String>;
}

impl Vocabulary for () {
    fn names(&self, _: Field, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Completes the last word of a text.
pub fn complete(text: &str, vocabulary: &dyn Vocabulary) -> Vec<String> {
    if text.len() > super::MAX_BYTES || text.matches('"').count() % 2 == 1 {
        return Vec::new();
    }
    let start = text
        .rfind(|c: char| c.is_whitespace() || c == '(')
        .map_or(0, |at| {
            at + text[at..].chars().next().map_or(1, char::len_utf8)
        });
    let (before, word) = text.split_at(start);
    let bare = word.trim_start_matches('-');
    let kept = format!("{before}{}", &word[..word.len() - bare.len()]);
    let Some(sign) = bare.find([':', '=', '<', '>']) else {
        return fields(&kept, bare);
    };
    let Some(field) = Field::of(&bare[..sign].to_lowercase()) else {
        return Vec::new();
    };
    let behind_sign =
        sign + bare[sign..].len() - bare[sign..].trim_start_matches([':', '=', '<', '>']).len();
    let behind_comma = bare.rfind(',').map_or(behind_sign, |comma| comma + 1);
    let (head, begun) = bare.split_at(behind_comma.max(behind_sign));
    values(field, begun, vocabulary)
        .into_iter()
        .filter(|value| value.starts_with(begun) && value != begun)
        .take(MOST)
        .map(|value| format!("{kept}{head}{value}"))
        .collect()
}

fn fields(kept: &str, begun: &str) -> Vec<String> {
    let begun = begun.to_lowercase();
    Field::ALL
        .into_iter()
        .filter(|field| field.name().starts_with(&begun) && *field != Field::Text)
        .map(|field| {
            let sign = match field.kind() {
                Kind::Ordered(_) | Kind::Decimal { .. } => ">=",
                Kind::Age => "<",
                _ => ":",
            };
            format!("{kept}{}{sign}", field.name())
        })
        .collect()
}

fn values(field: Field, begun: &str, vocabulary: &dyn Vocabulary) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match field.kind() {
        Kind::Ordered(names) => {
            let mut names: Vec<String> = owned(names);
            names.reverse();
            names
        }
        Kind::OneOf(names) => owned(names),
        Kind::Age => owned(&["1d", "7d", "2w", "4w"]),
        Kind::Decimal { .. } | Kind::Words => Vec::new(),
        Kind::Person => named(&["@me"], field, begun, vocabulary),
        Kind::PersonOrNone => named(&["@me", "none"], field, begun, vocabulary),
        Kind::Name => named(&[], field, begun, vocabulary),
    }
}

/// Fixed words, then names that need no quotes.
fn named(fixed: &[&str], field: Field, begun: &str, vocabulary: &dyn Vocabulary) -> Vec<String> {
    let plain = |name: &String| {
        let allowed = |c: char| c.is_alphanumeric() || "._+-/~@:".contains(c);
        name.chars().all(allowed)
    };
    let names = vocabulary.names(field, begun).into_iter().filter(plain);
    fixed
        .iter()
        .map(|name| (*name).to_owned())
        .chain(names)
        .collect()
}
