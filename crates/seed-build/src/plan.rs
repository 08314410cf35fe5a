//! From a chain and its inputs' hashes to Nix derivations: what each step is, before anything is run.
//!
//! Invariant: a step's derivation, and so its output's path, is the one that `nix-instantiate` makes of the exported expression.

use crate::chain::{Chain, Made, Step, Text, fits};
use crate::store::Store;
use bstr::BString;
use nix_derivation::modulo::Hashes;
use nix_derivation::{Derivation, InputNode, Inputs, Output};
use nix_store_path::computed::placeholder;
use nix_store_path::{Name, StoreDir, StorePath};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use thiserror::Error;

/// Most files that one pattern stands for.
const MAX_FITTING: usize = 10_000;

/// Why a step cannot be planned.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A pattern fits nothing, or stands for files of something that is not there before the steps run.
    #[error("step {step}: {problem}")]
    Pattern {
        /// The step.
        step: String,
        /// What is wrong.
        problem: String,
    },
    /// The derivation breaks a rule of Nix.
    #[error("step {step}")]
    Derivation {
        /// The step.
        step: String,
        /// Which.
        source: Box<nix_derivation::Error>,
    },
}

/// An item whose path is known.
#[derive(Debug, Clone)]
pub enum Planned {
    /// An input or an unpacked archive: the object itself.
    Source(StorePath),
    /// A step, still to be run or not.
    Step(Box<PlannedStep>),
    /// It needs something that is not obtainable.
    Blocked,
}

/// A step whose paths are known.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// The derivation.
    pub derivation: Derivation,
    /// Its own path.
    pub path: StorePath,
    /// Its output's path.
    pub out: StorePath,
    /// Its program's path.
    pub program: String,
    /// Its arguments, with the output's path in place.
    pub arguments: Vec<String>,
    /// For each pattern among the arguments, the files that fit: paths in the item, with a slash before.
    pub fitting: Vec<Vec<String>>,
}

impl Planned {
    /// The store path that stands for the item in arguments.
    pub fn path(&self) -> Option<&StorePath> {
        match self {
            Planned::Source(path) => Some(path),
            Planned::Step(step) => Some(&step.out),
            Planned::Blocked => None,
        }
    }
}

/// Plans all steps. `sources` has the path of each input and unpacked archive that is there, by item.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    chain: &Chain,
    sources: &BTreeMap<usize, StorePath>,
    store: &Store,
) -> Result<Vec<Planned>, PlanError> {
    let mut planning = Planning {
        chain,
        store,
        directory: StoreDir::default(),
        hashes: Hashes::new(StoreDir::default()),
        derivations: BTreeMap::new(),
        planned: Vec::new(),
    };
    for (number, item) in chain.items.iter().enumerate() {
        let planned = match &item.made {
            Made::Input(_) | Made::Unpacked { .. } => sources
                .get(&number)
                .map_or(Planned::Blocked, |path| Planned::Source(path.clone())),
            Made::Step(step) => planning.step(&item.name, step)?,
        };
        planning.planned.push(planned);
    }
    Ok(planning.planned)
}

/// Arguments, and the files of each pattern among them.
type Arguments = (Vec<String>, Vec<Vec<String>>);

struct Planning<'c> {
    chain: &'c Chain,
    store: &'c Store,
    directory: StoreDir,
    hashes: Hashes,
    derivations: BTreeMap<StorePath, Derivation>,
    planned: Vec<Planned>,
}

impl Planning<'_> {
    fn step(&mut self, name: &Name, step: &Step) -> Result<Planned, PlanError> {
        let texts = || std::iter::once(&step.program).chain(&step.arguments);
        let needs: BTreeSet<usize> = texts().flat_map(Text::needs).collect();
        let mut inputs = Inputs::default();
        let out = Name::new("out").expect("'out' is a name");
        for need in &needs {
            match &self.planned[*need] {
                Planned::Blocked => return Ok(Planned::Blocked),
                Planned::Source(path) => drop(inputs.sources.insert(path.clone())),
                Planned::Step(step) => {
                    let node = InputNode {
                        outputs: BTreeSet::from([out.clone()]),
                        dynamic: BTreeMap::new(),
                    };
                    inputs.derivations.insert(step.path.clone(), node);
                }
            }
        }
        let program = self.resolve(&step.program, "");
        let held = placeholder("out");
        let (arguments, fitting) = self.arguments(name, step, &held)?;
        let mut env: BTreeMap<BString, BString> = self
            .chain
            .environment
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect();
        for (key, value) in [
            ("name", name.as_str()),
            ("system", &self.chain.system),
            ("builder", &program),
            ("out", ""),
        ] {
            env.insert(key.into(), value.into());
        }
        let failed = |source| PlanError::Derivation {
            step: name.to_string(),
            source: Box::new(source),
        };
        let mut derivation = Derivation {
            name: name.clone(),
            outputs: BTreeMap::from([(out.clone(), Output::Deferred)]),
            inputs,
            system: self.chain.system.as_str().into(),
            builder: program.as_str().into(),
            args: arguments.iter().map(|text| text.as_str().into()).collect(),
            env,
        };
        let derivations = &self.derivations;
        let mut load = |path: &StorePath| {
            let known = derivations.get(path).cloned();
            known.ok_or_else(|| nix_derivation::Error::Missing(path.clone()))
        };
        let paths = self
            .hashes
            .output_paths(&derivation, &mut load)
            .map_err(failed)?;
        let path = paths[&out].clone().expect("no input of a step is floating");
        derivation
            .outputs
            .insert(out.clone(), Output::InputAddressed(path.clone()));
        let whole = self.directory.join(&path);
        derivation.env.insert("out".into(), whole.as_str().into());
        let own = derivation.store_path(&self.directory).map_err(failed)?;
        self.derivations.insert(own.clone(), derivation.clone());
        let arguments = arguments
            .iter()
            .map(|text| text.replace(&held, &whole))
            .collect();
        Ok(Planned::Step(Box::new(PlannedStep {
            derivation,
            path: own,
            out: path,
            program,
            arguments,
            fitting,
        })))
    }

    fn resolve(&self, text: &Text, out: &str) -> String {
        let path = |item: usize| {
            let path = self.planned[item].path();
            path.map_or(String::new(), |path| self.directory.join(path))
        };
        text.resolve(path, out)
    }

    fn arguments(&self, name: &Name, step: &Step, out: &str) -> Result<Arguments, PlanError> {
        let problem = |problem: String| PlanError::Pattern {
            step: name.to_string(),
            problem,
        };
        let (mut arguments, mut fitting) = (Vec::new(), Vec::new());
        for text in &step.arguments {
            let Some((item, folder, pattern)) = text.pattern() else {
                arguments.push(self.resolve(text, out));
                continue;
            };
            let Planned::Source(path) = &self.planned[item] else {
                return Err(problem(
                    "a pattern stands for files of an input or an unpacked archive".to_owned(),
                ));
            };
            let on_disk = self.store.object(path).join(folder);
            let names = files_that_fit(&on_disk, pattern)
                .map_err(|error| problem(format!("{}: {error}", on_disk.display())))?;
            if names.is_empty() || names.len() > MAX_FITTING {
                return Err(problem(format!("{} files fit '{pattern}'", names.len())));
            }
            let folder = if folder.is_empty() {
                String::new()
            } else {
                format!("/{folder}")
            };
            let base = self.directory.join(path);
            let files = names.iter().map(|name| format!("{folder}/{name}"));
            let files: Vec<String> = files.collect();
            arguments.extend(files.iter().map(|file| format!("{base}{file}")));
            fitting.push(files);
        }
        Ok((arguments, fitting))
    }
}

fn files_that_fit(folder: &Path, pattern: &str) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.file_type()?.is_file()
            && fits(&name, pattern)
        {
            names.insert(name);
        }
    }
    Ok(names)
}
