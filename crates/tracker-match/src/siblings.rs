//! Siblings: what other distributions call the same project, by rules that an operator gives at run time.
//!
//! Read are Repology's rules, of which those count that rename plain names: `{ setname: apache, name: [apache2, httpd] }`
//! on one line, `$0` being the set's own name. A rule with a condition that is not about the name (version, ruleset,
//! category, home page) holds only for some packages and is passed over, as is a pattern. The rules are others' data
//! under another licence: none of them is in the program. Invariant: of two names in a set each is a sibling of the
//! other, and a file of any content is read without failing.

use crate::name::fold;
use std::collections::HashMap;
use std::sync::Arc;

/// Longest line that is read, in bytes.
pub const MAX_LINE: usize = 16 << 10;

/// Most names of one project; more are a family of packages, not names of one.
pub const MAX_NAMES: usize = 64;

/// Most projects that are kept.
pub const MAX_PROJECTS: usize = 1 << 20;

/// Keys of a rule that leave it unconditional.
const HARMLESS: &[&str] = &["setname", "name", "addflavor", "maintenance"];

/// Names that other distributions use, by name.
#[derive(Debug, Clone, Default)]
pub struct Siblings(HashMap<String, Arc<[String]>>);

impl Siblings {
    /// Reads rules; what is none of those that count is passed over.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut projects: HashMap<String, Vec<String>> = HashMap::new();
        for line in texts.into_iter().flat_map(str::lines) {
            let Some((project, names)) = rule(line) else {
                continue;
            };
            if projects.len() >= MAX_PROJECTS {
                break;
            }
            let known = projects.entry(project).or_default();
            for name in names {
                if known.len() < MAX_NAMES && !known.contains(&name) {
                    known.push(name);
                }
            }
        }
        let mut siblings = HashMap::new();
        for (project, mut names) in projects {
            if !names.contains(&project) {
                names.push(project);
            }
            names.sort_unstable();
            let names: Arc<[String]> = names.into();
            for name in names.iter() {
                siblings
                    .entry(name.clone())
                    .or_insert_with(|| Arc::clone(&names));
            }
        }
        Siblings(siblings)
    }

    /// How many names have a sibling.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What else a project of this folded name is called.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.0.get(name).map_or(&[][..], |names| &**names);
        names
            .iter()
            .map(String::as_str)
            .filter(move |other| *other != name)
    }
}

/// Project and names of an unconditional rule that renames plain names.
fn rule(line: &str) -> Option<(String, Vec<String>)> {
    if line.len() > MAX_LINE {
        return None;
    }
    let body = line.trim().strip_prefix('-')?.trim().strip_prefix('{')?;
    let (body, _) = body.rsplit_once('}')?;
    let mut project = None;
    let mut names: Vec<&str> = Vec::new();
    for (key, values) in pairs(body)? {
        if !HARMLESS.contains(&key) {
            return None;
        }
        match key {
            "setname" => project = values.first().copied(),
            "name" => names = values,
            _ => {}
        }
    }
    let project = project?;
    // A module of a language's set is another thing than the program of its name.
    let plain = |name: &str| !name.contains([':', '*', '(', '[']);
    if !plain(project) {
        return None;
    }
    let folded: Vec<String> = names
        .into_iter()
        .filter(|name| plain(name))
        .map(|name| fold(&name.replace("$0", project)))
        .filter(|name| name.len() >= 2)
        .take(MAX_NAMES)
        .collect();
    let project = fold(project);
    (!project.is_empty() && !folded.is_empty()).then_some((project, folded))
}

/// The keys of a one-line mapping with their values; `None` if it is none.
fn pairs(body: &str) -> Option<Vec<(&str, Vec<&str>)>> {
    let mut pairs = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        let after = after.trim_start();
        let (values, next) = match after.strip_prefix('[') {
            Some(list) => {
                let (inside, next) = list.split_once(']')?;
                (inside.split(',').map(bare).collect(), next)
            }
            None => match after.strip_prefix('"') {
                Some(quoted) => {
                    let (inside, next) = quoted.split_once('"')?;
                    (vec![inside], next)
                }
                None => {
                    let (inside, next) = after.split_once(',').unwrap_or((after, ""));
                    (vec![inside.trim()], next)
                }
            },
        };
        pairs.push((key.trim(), values));
        rest = next.trim_start().trim_start_matches(',').trim_start();
    }
    Some(pairs)
}

/// A value without blanks and quotes around it.
fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests;
