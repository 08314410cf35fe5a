//! A kernel's modules, and which of them an initrd carries: those that are wanted, what they need, and what they ask for by soft
//! dependencies, which a kernel without `modprobe` in its initrd would look for in vain.
//!
//! Invariant: a module that is carried is carried with all that it needs, and stands in the table of dependencies behind it.

use crate::dependencies::name;
use crate::{Dependencies, Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Longest table that is read, in bytes.
pub const MAX_TABLE: usize = 16 << 20;

/// The tables beside a kernel's modules, as text; only the first must be there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tables<'a> {
    /// `modules.dep`.
    pub dependencies: &'a str,
    /// `modules.builtin`: files of what is built in.
    pub built_in: &'a str,
    /// `modules.softdep`.
    pub soft: &'a str,
    /// `modules.alias`.
    pub aliases: &'a str,
}

/// What should be loaded before a module and behind it, by names or aliases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Soft {
    before: Vec<String>,
    behind: Vec<String>,
}

/// The modules of one kernel.
#[derive(Debug, Clone)]
pub struct Kernel {
    dependencies: Dependencies,
    /// Files by names.
    files: BTreeMap<String, String>,
    built_in: BTreeSet<String>,
    soft: BTreeMap<String, Soft>,
    /// Names of modules by aliases without wildcards.
    aliases: BTreeMap<String, BTreeSet<String>>,
}

/// What an initrd carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Files of modules in the order of loading.
    pub files: Vec<String>,
    /// Wanted modules that are built in.
    pub built_in: Vec<String>,
    /// Wanted modules that the kernel does not have.
    pub missing: Vec<String>,
    /// `modules.dep` of the initrd.
    pub dependencies: Dependencies,
}

fn same(name: &str) -> String {
    name.replace('-', "_")
}

/// Lines that say something, with their numbers.
fn lines<'a>(table: &'static str, text: &'a str) -> Result<impl Iterator<Item = (usize, &'a str)>> {
    if text.len() > MAX_TABLE {
        return Err(Error::Table {
            table,
            line: 0,
            why: "the file is longer than 16 MiB",
        });
    }
    let lines = text.lines().enumerate();
    let lines = lines.map(|(number, line)| (number + 1, line.trim()));
    Ok(lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')))
}

/// `softdep NAME pre: NAME... post: NAME...`; words before either are passed over, as kmod does.
fn soft(text: &str) -> Result<BTreeMap<String, Soft>> {
    const TABLE: &str = "modules.softdep";
    let mut all: BTreeMap<String, Soft> = BTreeMap::new();
    for (line, text) in lines(TABLE, text)? {
        let mut words = text.split_whitespace();
        let (Some("softdep"), Some(module)) = (words.next(), words.next()) else {
            return Err(Error::Table {
                table: TABLE,
                line,
                why: "it is not `softdep NAME pre: NAME... post: NAME...`",
            });
        };
        let soft = all.entry(same(module)).or_default();
        let mut list = None;
        for word in words {
            match word {
                "pre:" => list = Some(&mut soft.before),
                "post:" => list = Some(&mut soft.behind),
                word => {
                    if let Some(list) = &mut list {
                        list.push(same(word));
                    }
                }
            }
        }
    }
    Ok(all)
}

/// `alias NAME MODULE`; those for hardware, with wildcards, are for whoever looks at hardware.
fn aliases(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    const TABLE: &str = "modules.alias";
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (line, text) in lines(TABLE, text)? {
        let words: Vec<&str> = text.split_whitespace().collect();
        let ["alias", alias, module] = words[..] else {
            return Err(Error::Table {
                table: TABLE,
                line,
                why: "it is not `alias NAME MODULE`",
            });
        };
        if !alias.contains(['*', '?', '[']) {
            all.entry(same(alias)).or_default().insert(same(module));
        }
    }
    Ok(all)
}

impl Kernel {
    /// Reads the tables.
    ///
    /// # Errors
    /// When one is too long or not of its form.
    pub fn read(tables: &Tables<'_>) -> Result<Kernel> {
        let dependencies = Dependencies::parse(tables.dependencies)?;
        let files = dependencies
            .files()
            .map(|file| (name(file), file.to_owned()));
        let built_in = lines("modules.builtin", tables.built_in)?;
        Ok(Kernel {
            files: files.collect(),
            built_in: built_in.map(|(_, file)| name(file)).collect(),
            soft: soft(tables.soft)?,
            aliases: aliases(tables.aliases)?,
            dependencies,
        })
    }

    /// Files of what has this name, or this alias; none where it is built in, nothing where it is not there.
    fn find(&self, wanted: &str) -> Option<Vec<&str>> {
        let wanted = same(wanted);
        if let Some(file) = self.files.get(&wanted) {
            return Some(vec![file]);
        }
        if self.built_in.contains(&wanted) {
            return Some(Vec::new());
        }
        let modules = self.aliases.get(&wanted)?.iter();
        let files = modules.filter_map(|module| self.files.get(module));
        Some(files.map(String::as_str).collect())
    }

    /// True when there is a module of this name or alias, or it is built in.
    pub fn has(&self, wanted: &str) -> bool {
        self.find(wanted).is_some()
    }

    fn files_of(&self, names: &[String]) -> Vec<&str> {
        let found = names.iter().filter_map(|name| self.find(name));
        found.flatten().collect()
    }

    /// The modules of these names or aliases, with what they need.
    pub fn choose<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> Chosen {
        let (mut built_in, mut missing) = (Vec::new(), Vec::new());
        let mut first = Vec::new();
        for wanted in wanted {
            match self.find(wanted) {
                None => missing.push(wanted.to_owned()),
                Some(files) if files.is_empty() => built_in.push(wanted.to_owned()),
                Some(files) => first.extend(files),
            }
        }
        let none = Soft::default();
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut open = first.clone();
        while let Some(file) = open.pop() {
            if all.contains_key(file) {
                continue;
            }
            let soft = self.soft.get(&name(file)).unwrap_or(&none);
            let before = self.files_of(&soft.before);
            let needs: Vec<&str> = self.dependencies.needs(file).collect();
            let before = before
                .into_iter()
                .filter(|other| *other != file && !needs.contains(other));
            let needs: Vec<&str> = needs.iter().copied().chain(before).collect();
            open.extend(&needs);
            open.extend(self.files_of(&soft.behind));
            let needs = needs.into_iter().map(str::to_owned).collect();
            all.insert(file.to_owned(), needs);
        }
        let dependencies = Dependencies::of(all);
        // Those that are wanted first, in the order in which they are, then what is loaded behind some.
        let wanted = first.into_iter().chain(dependencies.files());
        let files = dependencies.order(wanted).into_iter().map(str::to_owned);
        Chosen {
            files: files.collect(),
            built_in,
            missing,
            dependencies,
        }
    }
}
