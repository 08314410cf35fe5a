//! From files to the graph of trust: folders of `.drv` files, closures of some, derivation JSON, and graphs as
//! lines of JSON.
//!
//! Invariants: whatever cannot be read is a [`Problem`] and the rest is loaded; of each derivation only its
//! [`Item`] and edges are kept.

use crate::content::{Packing, Unpacked};
use crate::item::Contribution;
use crate::{Item, Key, Origin, Problem, Trust};
use nix_derivation::folder::Folder;
use nix_derivation::{Error, GraphBuilder, Outline, json};
use nix_store_path::{StoreDir, StorePath};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A loaded graph.
#[derive(Debug)]
pub struct Loaded {
    /// Who is made from whom.
    pub graph: Trust,
    /// The store that the paths belong to.
    pub store: StoreDir,
    /// A folder where store objects may lie.
    pub objects: Option<PathBuf>,
    /// What could not be loaded.
    pub problems: Vec<Problem>,
}

/// Collects what is loaded from several places.
#[derive(Debug, Default)]
pub struct Loader {
    builder: GraphBuilder<Item, Key>,
    store: Option<StoreDir>,
    objects: Option<PathBuf>,
    problems: Vec<Problem>,
}

/// Longest line of a graph in lines of JSON.
const MAX_LINE: u64 = 1 << 20;

impl Loader {
    /// Loads a `.drv` file with its closure, a folder of `.drv` files, derivation JSON (`.json`), or a graph
    /// (`.jsonl`), whichever the path is.
    pub fn path(&mut self, path: &Path) {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            return self.folder(path);
        }
        match extension {
            "drv" => self.closure(path),
            "jsonl" => self.open(path, |loader, file| {
                loader.lines(path, &mut BufReader::new(file));
            }),
            "zst" => self.open(path, |loader, mut file| {
                let mut unpacked = Unpacked::new(Packing::Zstd, &mut file);
                loader.lines(path, &mut BufReader::with_capacity(1 << 20, &mut unpacked));
                let rest = unpacked.rest().map(|mut rest| rest.read(&mut [0]));
                if let Some(Ok(1)) = rest {
                    loader.problem(path.display(), "bytes that are no zstd frame");
                }
            }),
            _ => self.open(path, |loader, file| loader.json(path, file)),
        }
    }

    /// The finished graph.
    pub fn finish(self) -> Loaded {
        Loaded {
            graph: self.builder.build(),
            store: self.store.unwrap_or_default(),
            objects: self.objects,
            problems: self.problems,
        }
    }

    fn problem(&mut self, place: impl ToString, message: impl ToString) {
        self.problems.push(Problem {
            place: place.to_string(),
            message: message.to_string(),
        });
    }

    fn open(&mut self, path: &Path, read: impl FnOnce(&mut Loader, File)) {
        match File::open(path) {
            Ok(file) => read(self, file),
            Err(error) => self.problem(path.display(), error),
        }
    }

    /// All derivations of a folder, such as a store.
    fn folder(&mut self, path: &Path) {
        let listed = Folder::open(path).and_then(|folder| Ok((folder.names()?, folder)));
        match listed {
            Ok(((names, errors), folder)) => {
                for error in errors {
                    self.problem(path.display(), error);
                }
                self.take(
                    &folder,
                    folder.map(&names, |path, derivation| {
                        contribution(&folder, path, derivation)
                    }),
                );
            }
            Err(error) => self.problem(path.display(), error),
        }
    }

    /// One derivation of a folder and everything it is made from.
    fn closure(&mut self, file: &Path) {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let parent = file
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let found = StorePath::new(name).map_err(Error::Computed);
        match found.and_then(|root| Ok((root, Folder::open(parent)?))) {
            Ok((root, folder)) => {
                let all = folder.map_closure(&[root], |path, derivation| {
                    contribution(&folder, path, derivation)
                });
                self.take(&folder, all);
            }
            Err(error) => self.problem(file.display(), error),
        }
    }

    fn take(&mut self, folder: &Folder, all: Vec<Result<Contribution, Problem>>) {
        self.store.get_or_insert_with(|| folder.store().clone());
        self.objects
            .get_or_insert_with(|| folder.path().to_path_buf());
        for one in all {
            match one {
                Ok(contribution) => self.add(contribution),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    fn add(&mut self, contribution: Contribution) {
        let Contribution {
            key,
            item,
            edges,
            leaves,
        } = contribution;
        self.builder.add(&key, item, &edges);
        for (key, item) in leaves {
            self.builder.add(&key, item, []);
        }
    }

    /// Derivation JSON of any shape.
    fn json(&mut self, path: &Path, stream: impl Read) {
        let mut bytes = Vec::new();
        if let Err(error) = stream.take(MAX_JSON + 1).read_to_end(&mut bytes) {
            return self.problem(path.display(), error);
        }
        if bytes.len() as u64 > MAX_JSON {
            return self.problem(path.display(), "the document is larger than the limit");
        }
        let store = json_store(&bytes);
        let mut all = Vec::new();
        let result = json::read(&bytes[..], &store, &mut |key, derivation| {
            all.push(match derivation {
                Ok((path, derivation)) => Ok(Contribution::of(&path, derivation.into(), &store)),
                Err(error) => Err((key.to_owned(), error)),
            });
        });
        for one in all {
            match one {
                Ok(contribution) => self.add(contribution),
                Err((key, error)) => self.problem(key, error),
            }
        }
        if let Err(error) = result {
            self.problem(path.display(), error);
        }
        self.store.get_or_insert(store);
    }

    /// A graph in lines of JSON: `i`, `drv`, `name`, `outputs`, `in` (indices), `fod`, `url`. It holds no bytes
    /// and no hashes.
    fn lines(&mut self, path: &Path, stream: &mut dyn BufRead) {
        let mut lines: Vec<(Key, Line)> = Vec::new();
        for number in 1.. {
            let mut text = String::new();
            match stream.take(MAX_LINE).read_line(&mut text) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    self.problem(format!("{}:{number}", path.display()), error);
                    break;
                }
            }
            let read = serde_json::from_str::<Line>(&text).map_err(|error| error.to_string());
            let read = read.and_then(|line| {
                let key = StorePath::new(&line.drv).map_err(|error| error.to_string())?;
                let expected = lines.len() as u64;
                if line.i == expected {
                    Ok((Key::Object(key), line))
                } else {
                    Err(format!("number {expected} is expected here"))
                }
            });
            match read {
                Ok(line) => lines.push(line),
                // Later lines refer to this one by number, so they cannot be understood either.
                Err(error) => {
                    self.problem(format!("{}:{number}", path.display()), error);
                    break;
                }
            }
        }
        for index in 0..lines.len() {
            let (key, line) = &lines[index];
            let fixed = line.fod.is_some_and(|fod| fod != 0);
            let mut inputs = Vec::new();
            if !fixed {
                inputs.extend(
                    line.inputs
                        .iter()
                        .filter_map(|input| Some(lines.get(*input)?.0.clone())),
                );
                if inputs.len() < line.inputs.len() {
                    self.problems.push(Problem {
                        place: line.drv.clone(),
                        message: "an input has no line".to_owned(),
                    });
                }
            }
            let output = line
                .outputs
                .values()
                .next()
                .and_then(|path| StorePath::new(path).ok());
            let name = line
                .name
                .clone()
                .or_else(|| Some(output.as_ref()?.name().to_string()));
            let item = Item {
                name: name.unwrap_or_else(|| line.drv.clone()),
                origin: if fixed {
                    Origin::Fixed {
                        address: None,
                        builtin: false,
                    }
                } else {
                    Origin::Made
                },
                output,
                url: line.url.clone(),
            };
            self.builder.add(key, item, &inputs);
        }
    }
}

/// Largest derivation JSON.
const MAX_JSON: u64 = 2 << 30;

/// The store directory of a document: that of the first whole derivation path in it.
fn json_store(bytes: &[u8]) -> StoreDir {
    let start = &bytes[..bytes.len().min(64 << 10)];
    nix_derivation::aterm::store_dir(start).unwrap_or_default()
}

fn contribution(
    folder: &Folder,
    path: &StorePath,
    derivation: Result<Outline, Error>,
) -> Result<Contribution, Problem> {
    let derivation = derivation.map_err(|error| Problem {
        place: path.to_string(),
        message: error.to_string(),
    })?;
    Ok(Contribution::of(path, derivation, folder.store()))
}

#[derive(Debug, Deserialize)]
struct Line {
    i: u64,
    drv: String,
    name: Option<String>,
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    #[serde(default, rename = "in")]
    inputs: Vec<usize>,
    fod: Option<u8>,
    url: Option<String>,
}
