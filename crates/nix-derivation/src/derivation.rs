//! The model of one derivation, independent of how it is written.
//!
//! Invariant: lists that Nix keeps sorted are sorted sets and maps, so one derivation has one ATerm.

use crate::Error;
use bstr::{BString, ByteSlice};
use nix_store_path::{Algorithm, ContentAddress, Method, Name, StoreDir, StorePath};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The variable that holds structured attributes.
pub(crate) const STRUCTURED: &str = "__json";

/// One build: how to run which program on what to get which outputs. Strings are bytes, as in Nix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The name: the `.drv` file's, without digest and suffix.
    pub name: Name,
    /// Its outputs by ID.
    pub outputs: BTreeMap<Name, Output>,
    /// What must be in the store before it can run.
    pub inputs: Inputs,
    /// The system type it runs on, such as `x86_64-linux`, or `builtin`.
    pub system: BString,
    /// The program, usually an absolute path; `builtin:NAME` for one inside Nix.
    pub builder: BString,
    /// The program's arguments.
    pub args: Vec<BString>,
    /// Its environment, including what Nix interprets (`outputs`, `__json`, `__impureHostDeps`, ...).
    pub env: BTreeMap<BString, BString>,
}

/// What a derivation needs in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Other derivations and which of their outputs.
    pub derivations: BTreeMap<StorePath, InputNode>,
    /// Objects that are there already: sources.
    pub sources: BTreeSet<StorePath>,
}

/// Which outputs of an input are needed; and, for an output that is itself a derivation, which of its outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputNode {
    /// Outputs needed as they are.
    pub outputs: BTreeSet<Name>,
    /// Outputs that are derivations (experimental dynamic derivations).
    pub dynamic: BTreeMap<Name, InputNode>,
}

/// How an output gets its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The path follows from the derivation.
    InputAddressed(StorePath),
    /// The content is fixed in advance; the path follows from it.
    Fixed {
        /// The path.
        path: StorePath,
        /// The content.
        address: ContentAddress,
    },
    /// The path will follow from the content, which is not known before the build.
    Floating {
        /// How the content will be hashed.
        method: Method,
        /// And by which algorithm.
        algorithm: Algorithm,
    },
    /// Input-addressed, but the path waits for a floating input's.
    Deferred,
    /// Like floating, but the build may use the network and is never reused.
    Impure {
        /// How the content will be hashed.
        method: Method,
        /// And by which algorithm.
        algorithm: Algorithm,
    },
}

impl Output {
    /// The path, where it is known before the build.
    pub fn path(&self) -> Option<&StorePath> {
        match self {
            Output::InputAddressed(path) | Output::Fixed { path, .. } => Some(path),
            Output::Floating { .. } | Output::Deferred | Output::Impure { .. } => None,
        }
    }
}

pub(crate) fn fixed_output(
    outputs: &BTreeMap<Name, Output>,
) -> Option<(&StorePath, &ContentAddress)> {
    outputs.values().find_map(|output| match output {
        Output::Fixed { path, address } => Some((path, address)),
        _ => None,
    })
}

impl Derivation {
    /// The fixed output, if this derivation has one: what it downloads or otherwise knows by hash.
    pub fn fixed_output(&self) -> Option<(&StorePath, &ContentAddress)> {
        fixed_output(&self.outputs)
    }

    /// A variable's value as text; absent or not UTF-8 is `None`.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name.as_bytes().as_bstr())?.to_str().ok()
    }

    /// The structured attributes, if the derivation has any.
    ///
    /// # Errors
    /// [`Error::Field`] when `__json` is no JSON object.
    pub fn structured_attributes(&self) -> Result<Option<serde_json::Map<String, Value>>, Error> {
        let Some(text) = self.env.get(STRUCTURED.as_bytes().as_bstr()) else {
            return Ok(None);
        };
        match serde_json::from_slice(text) {
            Ok(Value::Object(attributes)) => Ok(Some(attributes)),
            Ok(_) => Err(self.field("structured attributes are no JSON object".to_owned())),
            Err(error) => Err(self.field(format!("structured attributes: {error}"))),
        }
    }

    pub(crate) fn field(&self, problem: String) -> Error {
        Error::Field {
            derivation: self.name.to_string(),
            problem,
        }
    }

    /// Does an input name an output of an output? Then the `.drv` file has the versioned form.
    pub fn is_dynamic(&self) -> bool {
        self.inputs
            .derivations
            .values()
            .any(|node| !node.dynamic.is_empty())
    }

    /// The path of the `.drv` file itself in a store.
    ///
    /// # Errors
    /// [`Error::Computed`] when the name is too long for a `.drv` suffix.
    pub fn store_path(&self, store: &StoreDir) -> Result<StorePath, Error> {
        let name = Name::new(&format!("{}.drv", self.name))?;
        let references = self.inputs.derivations.keys().chain(&self.inputs.sources);
        let references = references.cloned().collect();
        Ok(store.text_path(name, &self.to_aterm(store), &references))
    }
}
