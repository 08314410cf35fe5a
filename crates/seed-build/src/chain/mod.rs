//! The chain file: which inputs there are, by hash, and which step makes what of them.
//!
//! Invariants: names are unique and valid in a store path; a step refers to what stands before it, so there is no cycle; every input has a
//! hash; counts and sizes are bounded by the constants here; an error names the file and the key.

mod file;
mod text;

#[cfg(test)]
mod tests;

use crate::archive::Packing;
use crate::sandbox::{Calls, Limits};
use nix_store_path::{Hash, Name};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub use text::Text;
pub(crate) use text::{Part, fits};

/// Largest chain file in bytes.
pub const MAX_FILE: u64 = 4 << 20;
/// Most inputs, unpacked archives and steps together.
pub const MAX_ITEMS: usize = 20_000;
/// Most arguments of a step, patterns counted once.
pub const MAX_ARGUMENTS: usize = 4096;
/// Longest argument in bytes.
pub const MAX_TEXT: usize = 16 << 10;
/// Most memory and output of a step in MiB.
pub const MAX_MIB: u64 = 64 << 10;
/// Longest time of a step in seconds.
pub const MAX_SECONDS: u64 = 24 * 3600;
/// Most processes of a step.
pub const MAX_PROCESSES: usize = 256;

/// A chain, checked.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// The system its programs run on, such as `x86_64-linux`.
    pub system: String,
    /// What relative paths start from: the folder of the file.
    pub folder: PathBuf,
    /// Variables of every step.
    pub environment: BTreeMap<String, String>,
    /// What it is made of, in order: each refers to earlier ones only.
    pub items: Vec<Item>,
}

/// One thing in a chain.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name.
    pub name: Name,
    /// Where it comes from.
    pub made: Made,
}

/// Where a thing comes from.
#[derive(Debug, Clone)]
pub enum Made {
    /// From outside.
    Input(Input),
    /// Out of an archive.
    Unpacked {
        /// Which item is the archive.
        archive: usize,
        /// How it is packed.
        packing: Packing,
        /// Leading components to take off.
        strip: usize,
        /// SHA-256 of the tree's NAR.
        sha256: Hash,
    },
    /// By a program.
    Step(Box<Step>),
}

/// Something from outside.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its version, for people and for apt.
    pub version: Option<String>,
    /// Where it is.
    pub from: From,
    /// SHA-256: of a single file's bytes, or of a tree's NAR.
    pub sha256: Hash,
}

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A file beside the chain file.
    File(PathBuf),
    /// A program as commented hexadecimal digits; decoded, and executable.
    Hexadecimal(PathBuf),
    /// The files in a directory, and below, whose names fit one of the patterns.
    Tree(PathBuf, Vec<String>),
    /// Files whose text is in the chain file, by name.
    Texts(BTreeMap<String, String>),
    /// Somebody else's file: given by path, from a Debian source package, or from an address; whichever is there first.
    Foreign {
        /// File name, as it is looked for in given folders and in the source package.
        file: String,
        /// Debian source package.
        apt: Option<String>,
        /// Address.
        url: Option<String>,
    },
}

/// A program run on inputs.
#[derive(Debug, Clone)]
pub struct Step {
    /// The program's path.
    pub program: Text,
    /// Its arguments.
    pub arguments: Vec<Text>,
    /// System calls it may make.
    pub calls: Calls,
    /// What it may use.
    pub limits: Limits,
    /// An item whose contents must be the same.
    pub same_as: Option<usize>,
    /// SHA-256 of the output's NAR, if the chain states it.
    pub sha256: Option<Hash>,
}

/// Why a chain file is refused.
#[derive(Debug, Error)]
pub enum ChainError {
    /// It cannot be read.
    #[error("{path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or has unknown, missing or mistyped keys.
    #[error("{path}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: Box<toml::de::Error>,
    },
    /// A value breaks a rule.
    #[error("{path}: {key}: {problem}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, as a path.
        key: String,
        /// The rule.
        problem: String,
    },
}

impl Chain {
    /// Reads a chain file.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn read(path: &Path) -> Result<Chain, ChainError> {
        let failed = |source| ChainError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
            return Err(failed(std::io::Error::other("the chain file is too large")));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Chain::parse(&text, path)
    }

    /// Reads the text of a chain file; `path` is for messages and for what relative paths start from.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn parse(text: &str, path: &Path) -> Result<Chain, ChainError> {
        let file: file::File = toml::from_str(text).map_err(|source| ChainError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        file.check(path)
    }

    /// The number of the item with this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.items
            .iter()
            .position(|item| item.name.as_str() == name)
    }
}

impl Made {
    /// The items that this one needs, in order.
    pub fn needs(&self) -> Vec<usize> {
        match self {
            Made::Input(_) => Vec::new(),
            Made::Unpacked { archive, .. } => vec![*archive],
            Made::Step(step) => {
                let texts = std::iter::once(&step.program).chain(&step.arguments);
                let mut needs: Vec<usize> = texts.flat_map(Text::needs).collect();
                needs.extend(step.same_as);
                needs.sort_unstable();
                needs.dedup();
                needs
            }
        }
    }
}
