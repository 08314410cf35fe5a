//! What a file says.
//!
//! Invariant: a file is taken whole or not at all, and a refusal names every place that is wrong, never the value of
//! a secret.

use super::options::{Kind, Opt};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Longest file, and longest file of a secret, in bytes.
const LONGEST: u64 = 1 << 20;
/// What stands behind the key of a secret whose value is in a file of its own.
const ELSEWHERE: &str = "-file";
/// How a secret is named that the service manager hands over.
const CREDENTIAL: &str = "credential:";

/// A file that was read.
#[derive(Debug)]
pub(crate) struct File {
    /// Its name as given.
    pub(crate) path: PathBuf,
    entries: Vec<Entry>,
}

/// One line of it.
#[derive(Debug)]
pub(crate) struct Entry {
    table: Vec<String>,
    key: String,
    /// Where it stands, from 1.
    pub(crate) line: usize,
    /// What it says.
    pub(crate) given: Given,
}

/// A value, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// The value as the command line would have it; several for a list.
    Values(Vec<String>),
    /// A file that holds it.
    Elsewhere(PathBuf),
    /// A credential that the service manager hands over under this name.
    Credential(String),
}

/// Why a file is not used: every place, in the order of the file.
#[derive(Debug)]
pub(crate) struct Refusal {
    path: PathBuf,
    problems: Vec<Problem>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    /// 0 if it is about the whole file.
    line: usize,
    text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        for (index, problem) in self.problems.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            match problem.line {
                0 => write!(f, "{end}{path}: {}", problem.text)?,
                line => write!(f, "{end}{path}:{line}: {}", problem.text)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    fn whole(path: &Path, text: String) -> Refusal {
        Refusal {
            path: path.to_owned(),
            problems: vec![Problem { line: 0, text }],
        }
    }
}

impl File {
    /// Reads a file whose keys are these options.
    pub(crate) fn read(path: &Path, options: &[Opt]) -> Result<File, Refusal> {
        let text = text(path).map_err(|problem| Refusal::whole(path, problem))?;
        File::parse(path, &text, options)
    }

    /// Reads its text.
    pub(super) fn parse(path: &Path, text: &str, options: &[Opt]) -> Result<File, Refusal> {
        let mut reader = Reader {
            text,
            options,
            entries: Vec::new(),
            problems: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(table) => reader.table(&mut Vec::new(), table.get_ref()),
            Err(error) => {
                let place = error.span().map_or(0, |span| span.start);
                reader.problem(place, error.message().to_owned());
            }
        }
        reader.no_secret_twice();
        let Reader {
            entries,
            mut problems,
            ..
        } = reader;
        problems.sort();
        let path = path.to_owned();
        if problems.is_empty() {
            Ok(File { path, entries })
        } else {
            Err(Refusal { path, problems })
        }
    }

    /// What it says of an option: in the command's table, or else in the common part.
    pub(crate) fn entry(&self, option: &Opt) -> Option<&Entry> {
        let find = |table: &[String]| {
            let mut entries = self.entries.iter();
            entries.find(|entry| entry.table == table && entry.key == option.key)
        };
        find(&option.command).or_else(|| option.common.then(|| find(&[])).flatten())
    }

    /// All that it says.
    #[cfg(test)]
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The values of an entry, read from where they are; none for a credential if no service manager hands any over.
    pub(crate) fn values(&self, entry: &Entry) -> Result<Option<Vec<String>>, Refusal> {
        let place = match &entry.given {
            Given::Values(values) => return Ok(Some(values.clone())),
            Given::Elsewhere(path) => path.clone(),
            Given::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => Path::new(&folder).join(name),
                None => return Ok(None),
            },
        };
        match text(&place) {
            Ok(secret) if !secret.trim().is_empty() => Ok(Some(vec![secret.trim().to_owned()])),
            Ok(_) => Err(self.refusal(entry, format!("{} is empty", place.display()))),
            Err(problem) => {
                let problem = format!("{}: {problem}", place.display());
                Err(self.refusal(entry, problem))
            }
        }
    }

    /// A refusal at the place of an entry.
    pub(crate) fn refusal(&self, entry: &Entry, text: impl fmt::Display) -> Refusal {
        let key = dotted(&entry.table, &entry.key);
        let text = format!("`{key}`: {text}");
        Refusal {
            path: self.path.clone(),
            problems: vec![Problem {
                line: entry.line,
                text,
            }],
        }
    }
}

/// The text of a file that is not too long.
fn text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if text.len() as u64 > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    Ok(text)
}

struct Reader<'a> {
    text: &'a str,
    options: &'a [Opt],
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, place: usize, text: String) {
        let line = self.line(place);
        self.problems.push(Problem { line, text });
    }

    fn line(&self, place: usize) -> usize {
        let place = place.min(self.text.len());
        self.text[..place].matches('\n').count() + 1
    }

    fn table(&mut self, path: &mut Vec<String>, table: &DeTable<'_>) {
        for (key, value) in table {
            let place = key.span().start;
            let name = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(below) => {
                    path.push(name.to_owned());
                    if self.is_command(path) {
                        self.table(path, below);
                    } else {
                        let text = format!("`{}` is no command with settings", path.join("."));
                        self.problem(place, text);
                    }
                    path.pop();
                }
                value => match self.entry(path, name, value) {
                    Ok(given) => {
                        let entry = Entry {
                            table: path.clone(),
                            key: key_of(name, &given),
                            line: self.line(place),
                            given,
                        };
                        self.entries.push(entry);
                    }
                    Err(text) => self.problem(place, text),
                },
            }
        }
    }

    fn is_command(&self, path: &[String]) -> bool {
        let mut options = self.options.iter();
        options.any(|option| option.command.starts_with(path))
    }

    /// The options that a key in this table stands for.
    fn named<'a>(&'a self, table: &[String], key: &str) -> Vec<&'a Opt> {
        let here = self.here(table);
        here.filter(|option| option.key == key).collect()
    }

    /// The options that may stand in this table.
    fn here<'a>(&'a self, table: &[String]) -> impl Iterator<Item = &'a Opt> {
        self.options.iter().filter(move |option| match table {
            [] => option.common,
            _ => option.command == table,
        })
    }

    fn entry(&self, table: &[String], key: &str, value: &DeValue<'_>) -> Result<Given, String> {
        let full = dotted(table, key);
        let options = self.named(table, key);
        if options.is_empty() {
            let secret = key.strip_suffix(ELSEWHERE).unwrap_or_default();
            let mut named = self.named(table, secret).into_iter();
            if !named.any(|option| option.secret) {
                return Err(format!("`{full}` is no setting; {}", self.known(table)));
            }
            return elsewhere(value).ok_or_else(|| {
                format!(
                    "`{full}` is {}, expected the path of a file, or `{CREDENTIAL}NAME`",
                    value.type_str()
                )
            });
        }
        let mut given = Vec::new();
        for option in options {
            given = values(option.kind, value).ok_or_else(|| {
                let found = value.type_str();
                format!(
                    "`{full}` is of type {found}, expected {}",
                    option.kind.words()
                )
            })?;
            // A switch has no value to check.
            if option.kind == Kind::Switch {
                continue;
            }
            for text in &given {
                option.accepts(text).map_err(|reason| {
                    if option.secret {
                        format!("`{full}`: {reason}")
                    } else {
                        format!("`{full}` cannot be `{text}`: {reason}")
                    }
                })?;
            }
        }
        Ok(Given::Values(given))
    }

    /// What may stand in a table.
    fn known(&self, table: &[String]) -> String {
        let keys: BTreeSet<&str> = self.here(table).map(|option| option.key.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        match (table, keys.is_empty()) {
            ([], _) => format!("those of all commands are {}", keys.join(", ")),
            (_, true) => format!("`{}` has only commands below it", table.join(" ")),
            (_, false) => format!("those of `{}` are {}", table.join(" "), keys.join(", ")),
        }
    }

    fn no_secret_twice(&mut self) {
        let mut seen = BTreeSet::new();
        let mut twice = Vec::new();
        for entry in &self.entries {
            if !seen.insert((&entry.table, &entry.key)) {
                let key = dotted(&entry.table, &entry.key);
                let text = format!("`{key}` is given twice, as itself and as `{key}{ELSEWHERE}`");
                twice.push(Problem {
                    line: entry.line,
                    text,
                });
            }
        }
        self.problems.append(&mut twice);
    }
}

/// The key of the option that an entry is about.
fn key_of(name: &str, given: &Given) -> String {
    match given {
        Given::Values(_) => name.to_owned(),
        Given::Elsewhere(_) | Given::Credential(_) => {
            name.strip_suffix(ELSEWHERE).unwrap_or(name).to_owned()
        }
    }
}

fn elsewhere(value: &DeValue<'_>) -> Option<Given> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    match text.strip_prefix(CREDENTIAL) {
        Some(name) if name.is_empty() || name.contains('/') => None,
        Some(name) => Some(Given::Credential(name.to_owned())),
        None => Some(Given::Elsewhere(PathBuf::from(text))),
    }
}

/// The value as the command line would have it, if it is of this kind.
fn values(kind: Kind, value: &DeValue<'_>) -> Option<Vec<String>> {
    let one = match (kind, value) {
        (Kind::Text, DeValue::String(text)) => text.to_string(),
        (Kind::Number, DeValue::Integer(number)) if number.radix() == 10 => {
            number.as_str().to_owned()
        }
        (Kind::Number, DeValue::Float(number)) => number.as_str().to_owned(),
        (Kind::Switch, DeValue::Boolean(on)) => on.to_string(),
        (Kind::List, DeValue::Array(items)) => {
            let items = items.iter().map(|item| item.get_ref().as_str());
            return items.map(|item| item.map(str::to_owned)).collect();
        }
        _ => return None,
    };
    Some(vec![one])
}

fn dotted(table: &[String], key: &str) -> String {
    let mut parts: Vec<&str> = table.iter().map(String::as_str).collect();
    parts.push(key);
    parts.join(".")
}
