//! The chain file as it is written, and the checks that make a [`Chain`] of it.
//!
//! Invariant: unknown keys are errors; every check names its key.

use super::{
    Chain, ChainError, From, Input, Item, MAX_ARGUMENTS, MAX_ITEMS, MAX_MIB, MAX_PROCESSES,
    MAX_SECONDS, MAX_TEXT, Made, Step, Text,
};
use crate::archive::Packing;
use crate::sandbox::{Calls, Limits};
use nix_store_path::{Algorithm, Hash, Name};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Variables that the builder sets itself, as Nix does.
const OWN_VARIABLES: [&str; 10] = [
    "builder",
    "name",
    "out",
    "system",
    "HOME",
    "NIX_STORE",
    "PATH",
    "PWD",
    "TMPDIR",
    "NIX_BUILD_TOP",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    chain: String,
    system: String,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    calls: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    input: Vec<InputEntry>,
    #[serde(default)]
    unpack: Vec<UnpackEntry>,
    #[serde(default)]
    step: Vec<StepEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputEntry {
    name: String,
    version: Option<String>,
    sha256: String,
    file: Option<PathBuf>,
    hexadecimal: Option<PathBuf>,
    tree: Option<PathBuf>,
    only: Option<Vec<String>>,
    texts: Option<BTreeMap<String, String>>,
    foreign: Option<Foreign>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    file: String,
    apt: Option<String>,
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnpackEntry {
    name: String,
    archive: String,
    packing: Packing,
    #[serde(default)]
    strip: usize,
    sha256: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepEntry {
    name: String,
    program: String,
    #[serde(default)]
    arguments: Vec<String>,
    calls: Vec<String>,
    same_as: Option<String>,
    sha256: Option<String>,
    memory_mib: Option<u64>,
    seconds: Option<u64>,
    output_mib: Option<u64>,
    processes: Option<usize>,
}

/// A broken rule: the key and what is wrong.
type Broken = (String, String);

impl File {
    pub(super) fn check(self, path: &Path) -> Result<Chain, ChainError> {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.checked(folder)
            .map_err(|(key, problem)| ChainError::Value {
                path: path.to_owned(),
                key,
                problem,
            })
    }

    fn checked(self, folder: PathBuf) -> Result<Chain, Broken> {
        if self.input.len() + self.unpack.len() + self.step.len() > MAX_ITEMS {
            return Err((
                "step".to_owned(),
                format!("there are more than {MAX_ITEMS} items"),
            ));
        }
        for name in self.environment.keys() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(plain) || OWN_VARIABLES.contains(&name.as_str())
            {
                return Err((
                    format!("environment.{name}"),
                    "no name for a variable of one's own".to_owned(),
                ));
            }
        }
        let mut chain = Chain {
            name: self.chain,
            system: self.system,
            folder,
            environment: self.environment,
            items: Vec::new(),
        };
        for (index, entry) in self.input.into_iter().enumerate() {
            let key = format!("input[{index}]");
            let name = entry.name.clone();
            let input = input(entry, &key)?;
            chain.add(&name, &key, Made::Input(input))?;
        }
        for (index, entry) in self.unpack.into_iter().enumerate() {
            let key = format!("unpack[{index}]");
            let archive = chain.find(&entry.archive);
            let archive = archive.ok_or_else(|| {
                (
                    format!("{key}.archive"),
                    format!("nothing before it is called '{}'", entry.archive),
                )
            })?;
            let made = Made::Unpacked {
                archive,
                packing: entry.packing,
                strip: entry.strip,
                sha256: hash(&entry.sha256, &key)?,
            };
            chain.add(&entry.name, &key, made)?;
        }
        for (index, entry) in self.step.into_iter().enumerate() {
            let key = format!("step[{index}]");
            let name = entry.name.clone();
            let step = step(entry, &key, &chain, &self.calls)?;
            chain.add(&name, &key, Made::Step(Box::new(step)))?;
        }
        Ok(chain)
    }
}

impl Chain {
    fn add(&mut self, name: &str, key: &str, made: Made) -> Result<(), Broken> {
        let at = |problem: String| (format!("{key}.name"), problem);
        let valid = Name::new(name).map_err(|error| at(error.to_string()))?;
        if name == "out" {
            return Err(at("'out' is the name of every step's output".to_owned()));
        }
        if self.find(name).is_some() {
            return Err(at(format!("'{name}' is there twice")));
        }
        self.items.push(Item { name: valid, made });
        Ok(())
    }
}

fn hash(text: &str, key: &str) -> Result<Hash, Broken> {
    Hash::from_digits(Algorithm::Sha256, text)
        .map_err(|error| (format!("{key}.sha256"), error.to_string()))
}

fn inner(path: PathBuf, key: &str) -> Result<PathBuf, Broken> {
    let plain = |part| matches!(part, Component::Normal(_));
    if path.as_os_str().is_empty() || !path.components().all(plain) {
        return Err((
            key.to_owned(),
            format!("'{}' leads out of the chain's folder", path.display()),
        ));
    }
    Ok(path)
}

/// Debian Policy, "Source": lower-case letters, digits, plus, minus and full stop, the first a letter or digit.
fn is_package(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
}

fn is_address(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn input(entry: InputEntry, key: &str) -> Result<Input, Broken> {
    if entry.only.is_some() && entry.tree.is_none() {
        return Err((format!("{key}.only"), "only a tree has patterns".to_owned()));
    }
    let given = [
        entry
            .file
            .map(|path| inner(path, &format!("{key}.file")).map(From::File)),
        entry
            .hexadecimal
            .map(|path| inner(path, &format!("{key}.hexadecimal")).map(From::Hexadecimal)),
        entry.tree.map(|path| {
            let only = entry.only.unwrap_or_else(|| vec!["*".to_owned()]);
            inner(path, &format!("{key}.tree")).map(|path| From::Tree(path, only))
        }),
        entry.texts.map(
            |texts| match texts.keys().find(|name| Name::new(name).is_err()) {
                Some(bad) => Err((
                    format!("{key}.texts.{bad}"),
                    "no plain file name".to_owned(),
                )),
                None => Ok(From::Texts(texts)),
            },
        ),
        entry.foreign.map(|Foreign { file, apt, url }| {
            if Name::new(&file).is_err() {
                return Err((
                    format!("{key}.foreign.file"),
                    "no plain file name".to_owned(),
                ));
            }
            // Both become arguments of other programs.
            if let Some(package) = apt.as_ref().filter(|package| !is_package(package)) {
                let problem = format!("'{package}' is no name of a Debian package");
                return Err((format!("{key}.foreign.apt"), problem));
            }
            if let Some(url) = url.as_ref().filter(|url| !is_address(url)) {
                let problem = format!("'{url}' is no address with https or http");
                return Err((format!("{key}.foreign.url"), problem));
            }
            Ok(From::Foreign { file, apt, url })
        }),
    ];
    if let Some(version) = &entry.version
        && !version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.:~".contains(&byte))
    {
        return Err((
            format!("{key}.version"),
            format!("'{version}' is no version"),
        ));
    }
    let mut given = given.into_iter().flatten();
    let (Some(from), None) = (given.next(), given.next()) else {
        let problem = "exactly one of file, hexadecimal, tree, texts and foreign is needed";
        return Err((key.to_owned(), problem.to_owned()));
    };
    Ok(Input {
        version: entry.version,
        from: from?,
        sha256: hash(&entry.sha256, key)?,
    })
}

fn step(
    entry: StepEntry,
    key: &str,
    chain: &Chain,
    sets: &BTreeMap<String, Vec<String>>,
) -> Result<Step, Broken> {
    let at = |part: &str, problem: String| (format!("{key}.{part}"), problem);
    let text = |part: String, text: &str| {
        if text.len() > MAX_TEXT {
            return Err(at(&part, format!("it is longer than {MAX_TEXT} bytes")));
        }
        Text::parse(text, |name| chain.find(name)).map_err(|problem| at(&part, problem))
    };
    if entry.arguments.len() > MAX_ARGUMENTS {
        return Err(at(
            "arguments",
            format!("there are more than {MAX_ARGUMENTS}"),
        ));
    }
    let program = text("program".to_owned(), &entry.program)?;
    if !matches!(program.parts.first(), Some(super::text::Part::Item(_)))
        || program.pattern().is_some()
    {
        return Err(at("program", "it is '{NAME}' or '{NAME}/PATH'".to_owned()));
    }
    let arguments = entry.arguments.iter().enumerate();
    let arguments =
        arguments.map(|(index, argument)| text(format!("arguments[{index}]"), argument));
    let names = entry.calls.iter().flat_map(|name| match sets.get(name) {
        Some(set) => set.clone(),
        None => vec![name.clone()],
    });
    let calls = Calls::new(names).map_err(|error| at("calls", error.to_string()))?;
    let usual = Limits::default();
    let limits = Limits {
        memory_mib: entry.memory_mib.unwrap_or(usual.memory_mib),
        seconds: entry.seconds.unwrap_or(usual.seconds),
        output_mib: entry.output_mib.unwrap_or(usual.output_mib),
        processes: entry.processes.unwrap_or(usual.processes),
    };
    for (part, value, most) in [
        ("memory-mib", limits.memory_mib, MAX_MIB),
        ("seconds", limits.seconds, MAX_SECONDS),
        ("output-mib", limits.output_mib, MAX_MIB),
        ("processes", limits.processes as u64, MAX_PROCESSES as u64),
    ] {
        if value == 0 || value > most {
            return Err(at(part, format!("it is from 1 to {most}")));
        }
    }
    let same_as = entry.same_as.map(|name| {
        let found = chain.find(&name);
        found.ok_or_else(|| at("same-as", format!("nothing before it is called '{name}'")))
    });
    Ok(Step {
        program,
        arguments: arguments.collect::<Result<_, _>>()?,
        calls,
        limits,
        same_as: same_as.transpose()?,
        sha256: entry.sha256.map(|text| hash(&text, key)).transpose()?,
    })
}
