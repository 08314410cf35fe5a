//! `modules.dep`: which modules there are, what each needs, and in which order they are loaded.
//!
//! Invariant: in an order, a module stands behind everything that it needs, and once.

use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Longest `modules.dep` that is read, in bytes.
pub const MAX_DEPENDENCIES: usize = 4 << 20;
/// Most modules in it.
pub const MAX_MODULES: usize = 32768;

const TABLE: &str = "modules.dep";

/// Modules by their files, with the files that each needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies(BTreeMap<String, Vec<String>>);

/// A module's name, as the kernel has it: the file's without folders and endings, `_` for `-`.
pub(crate) fn name(file: &str) -> String {
    let file = file.rsplit('/').next().unwrap_or(file);
    let end = file.find(".ko").unwrap_or(file.len());
    file[..end].replace('-', "_")
}

impl Dependencies {
    /// Modules with what each needs; the caller keeps the rules of [`Dependencies::parse`].
    pub(crate) fn of(all: BTreeMap<String, Vec<String>>) -> Dependencies {
        Dependencies(all)
    }

    /// Reads the text.
    ///
    /// # Errors
    /// When it is too long, or a line is not `FILE: FILE...` of relative paths.
    pub fn parse(text: &str) -> Result<Dependencies> {
        if text.len() > MAX_DEPENDENCIES {
            return Err(Error::Table {
                table: TABLE,
                line: 0,
                why: "the file is longer than 4 MiB",
            });
        }
        let mut all = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let wrong = |why| Error::Table {
                table: TABLE,
                line: number + 1,
                why,
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (file, needs) = line
                .split_once(':')
                .ok_or_else(|| wrong("it has no colon"))?;
            let needs: Vec<String> = needs.split_whitespace().map(str::to_owned).collect();
            let inside = |file: &str| {
                !file.is_empty()
                    && !file.starts_with('/')
                    && !file.split('/').any(|part| part == "..")
                    && !file.contains(['\0', ':'])
                    && !file.starts_with('#')
            };
            if !inside(file) || !needs.iter().all(|file| inside(file)) {
                return Err(wrong("a file is not inside of the folder"));
            }
            if all.insert(file.to_owned(), needs).is_some() {
                return Err(wrong("the module stands there twice"));
            }
            if all.len() > MAX_MODULES {
                return Err(wrong("there are more than 32768 modules"));
            }
        }
        Ok(Dependencies(all))
    }

    /// The files of all modules.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a file needs; nothing where it is not there.
    pub fn needs(&self, file: &str) -> impl Iterator<Item = &str> {
        self.0.get(file).into_iter().flatten().map(String::as_str)
    }

    /// The text that [`Dependencies::parse`] reads.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (file, needs) in &self.0 {
            text.push_str(file);
            text.push(':');
            for need in needs {
                text.push(' ');
                text.push_str(need);
            }
            text.push('\n');
        }
        text
    }

    /// The file of a module, by its name: `dm_crypt` and `dm-crypt` are the same.
    pub fn file(&self, wanted: &str) -> Option<&str> {
        let wanted = wanted.replace('-', "_");
        self.files().find(|file| name(file) == wanted)
    }

    /// These files and what they need, in the order of loading. Needs that go round in a circle are loaded in some order:
    /// the kernel then says which symbol is missing.
    pub fn order<'a>(&'a self, wanted: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        // Files whose needs are looked at first; a file comes out when it is met again behind them.
        let mut open: Vec<(&str, bool)> = Vec::new();
        for file in wanted {
            open.push((file, false));
            while let Some((file, ready)) = open.pop() {
                if ready {
                    order.push(file);
                } else if seen.insert(file) {
                    open.push((file, true));
                    let needs = self.0.get(file).into_iter().flatten();
                    open.extend(needs.map(|need| (need.as_str(), false)));
                }
            }
        }
        order
    }
}
