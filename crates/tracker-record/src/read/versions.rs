//! Versions of a CVE JSON 5 product: the structured fields, and the comparisons that many CNAs write as text.
//!
//! `>= 1.0, < 1.2`, `before 1.2` and `1.2 and earlier` say as much as `lessThan` does, so they are read; a
//! text that says something else is kept whole under the scheme [`PROSE`], which no version order knows.
//! Invariant: a placeholder (`n/a`, `unspecified`) never becomes a version.

use crate::json::{At, Warnings};
use nix_version::requirement::is_requirement;
use nix_version::{Bound, Range, Scheme, Status};

/// The scheme of a text that is no version, and so cannot be compared.
pub const PROSE: &str = "prose";

/// The scheme where the source names none.
pub const CUSTOM: &str = "custom";

/// Reads one element of `versions`; `None` if it says nothing.
pub(super) fn read(at: &At<'_, '_>, warnings: &mut Warnings) -> Option<Range> {
    let status = status(at, "status", warnings).unwrap_or(Status::Unknown);
    let scheme = at.text("versionType", warnings).unwrap_or(CUSTOM);
    let version = at
        .text("version", warnings)
        .filter(|text| !is_placeholder(text));
    let (below, up_to) = (
        at.text("lessThan", warnings),
        at.text("lessThanOrEqual", warnings),
    );
    let changes = changes(at, warnings);
    let upper = match (below, up_to) {
        (Some("*"), _) | (None, Some("*")) => Some(Bound::Unbounded),
        (Some(below), None) => Some(exclusive(below)),
        (None, Some(up_to)) => Some(Bound::Inclusive(up_to.to_owned())),
        (Some(below), Some(_)) => {
            let problem = "both lessThan and lessThanOrEqual: the first is used";
            warnings.push(at, "lessThanOrEqual", problem);
            Some(exclusive(below))
        }
        (None, None) => None,
    };
    let mut range = Range {
        scheme: scheme.to_owned(),
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
        status,
        changes,
    };
    match (version, upper) {
        (version, Some(upper)) => {
            range.lower = version.map_or(Bound::Unbounded, start);
            range.upper = upper;
        }
        // The whole life of the product.
        (Some("*"), None) => {}
        (Some(text), None) => match comparison(text) {
            Some((lower, upper)) => (range.lower, range.upper) = (lower, upper),
            None if text.contains(char::is_whitespace)
                && !is_requirement(Scheme::of(scheme), text) =>
            {
                PROSE.clone_into(&mut range.scheme);
                range.lower = Bound::Inclusive(text.to_owned());
                range.upper = range.lower.clone();
            }
            None => {
                range.lower = Bound::Inclusive(text.to_owned());
                // With changes but no end, the range goes on to the last change and beyond.
                if range.changes.is_empty() {
                    range.upper = range.lower.clone();
                }
            }
        },
        (None, None) if range.changes.is_empty() => return None,
        (None, None) => {}
    }
    Some(range)
}

/// A status field.
pub(super) fn status(at: &At<'_, '_>, key: &str, warnings: &mut Warnings) -> Option<Status> {
    match at.text(key, warnings)? {
        "affected" => Some(Status::Affected),
        "unaffected" => Some(Status::Unaffected),
        "unknown" => Some(Status::Unknown),
        other => {
            warnings.push(at, key, format!("{other:?} is no status"));
            None
        }
    }
}

fn changes(at: &At<'_, '_>, warnings: &mut Warnings) -> Vec<(String, Status)> {
    let mut found = Vec::new();
    for change in at.list("changes", warnings) {
        let version = change.text("at", warnings);
        let status = status(&change, "status", warnings);
        match (version, status) {
            (Some(version), Some(status)) => found.push((version.to_owned(), status)),
            _ => warnings.push(
                &change,
                "",
                "a change without version or status is left out",
            ),
        }
    }
    found
}

/// Texts by which a source says that it names no version.
pub(super) fn is_placeholder(text: &str) -> bool {
    [
        "n/a",
        "unspecified",
        "unknown",
        "-",
        "none",
        "not specified",
    ]
    .iter()
    .any(|placeholder| text.eq_ignore_ascii_case(placeholder))
}

/// A lower bound; `0` and `*` mean the first version there is (CVE JSON 5.1, `version`).
fn start(version: &str) -> Bound {
    match version {
        "0" | "*" => Bound::Unbounded,
        // `>= 1.0` beside an explicit end.
        _ => match comparison(version) {
            Some((lower, Bound::Unbounded)) => lower,
            _ => Bound::Inclusive(version.to_owned()),
        },
    }
}

fn exclusive(version: &str) -> Bound {
    Bound::Exclusive(version.trim_start_matches('<').trim().to_owned())
}

/// The two bounds that a text of comparisons states, if it states nothing else.
pub(super) fn comparison(text: &str) -> Option<(Bound, Bound)> {
    worded(text).or_else(|| {
        let mut bounds = (Bound::Unbounded, Bound::Unbounded);
        for clause in text.split(',') {
            let clause = clause.trim();
            let length = clause.bytes().take_while(|b| b"<>=".contains(b)).count();
            let (operator, version) = clause.split_at(length);
            let version = one_word(version)?;
            let (lower, upper) = match operator {
                "<" => (None, Some(Bound::Exclusive(version))),
                "<=" | "=<" => (None, Some(Bound::Inclusive(version))),
                ">" => (Some(Bound::Exclusive(version)), None),
                ">=" | "=>" => (Some(Bound::Inclusive(version)), None),
                "=" | "==" => {
                    let exact = Bound::Inclusive(version);
                    (Some(exact.clone()), Some(exact))
                }
                _ => return None,
            };
            set(&mut bounds.0, lower)?;
            set(&mut bounds.1, upper)?;
        }
        Some(bounds)
    })
}

/// Sets a bound that is still free; `None` if it is not.
fn set(bound: &mut Bound, to: Option<Bound>) -> Option<()> {
    if let Some(to) = to {
        if *bound != Bound::Unbounded {
            return None;
        }
        *bound = to;
    }
    Some(())
}

/// `before 1.2`, `through 1.2`, `1.2 and earlier`.
fn worded(text: &str) -> Option<(Bound, Bound)> {
    let lower_case = text.to_ascii_lowercase();
    let after = |words: &[&str]| {
        words
            .iter()
            .find(|word| lower_case.starts_with(**word))
            .and_then(|word| one_word(&text[word.len()..]))
    };
    let upper =
        if let Some(version) = after(&["before ", "prior to ", "earlier than ", "fixed in "]) {
            Bound::Exclusive(version)
        } else if let Some(version) = after(&["through ", "up to and including "]) {
            Bound::Inclusive(version)
        } else {
            let (version, tail) = text.split_once(' ')?;
            let tail = tail.trim().to_ascii_lowercase();
            let tail = tail
                .trim_end_matches(" versions")
                .trim_end_matches(" version");
            let earlier = [
                "and earlier",
                "and prior",
                "and below",
                "and older",
                "and previous",
                "or earlier",
                "and before",
            ];
            if !earlier.contains(&tail) {
                return None;
            }
            Bound::Inclusive(one_word(version)?)
        };
    Some((Bound::Unbounded, upper))
}

/// A version: one word that begins with a digit, or `v` and a digit.
pub(super) fn one_word(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let fine = digits.starts_with(|c: char| c.is_ascii_digit())
        && !text.contains(|c: char| c.is_whitespace() || "<>=,".contains(c));
    fine.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
