//! What a graph of trust needs of a derivation: a fifth of the memory traffic of the whole.
//!
//! Invariant: an outline of a file is the outline of the derivation in it, and is refused where that is.

use crate::{Derivation, Output};
use bstr::{BString, ByteSlice};
use nix_store_path::{Name, StorePath};
use std::collections::{BTreeMap, BTreeSet};

/// A derivation without its arguments, its system, the inputs' outputs, and most variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The name: the `.drv` file's, without digest and suffix.
    pub name: Name,
    /// Its outputs by ID.
    pub outputs: BTreeMap<Name, Output>,
    /// The derivations it needs, in order.
    pub derivations: Vec<StorePath>,
    /// The sources it needs.
    pub sources: BTreeSet<StorePath>,
    /// The program, usually an absolute path; `builtin:NAME` for one inside Nix.
    pub builder: BString,
    /// Those of [`Outline::VARIABLES`] that it has.
    pub variables: BTreeMap<&'static str, BString>,
}

impl Outline {
    /// The variables that tell what comes from outside: paths of the machine that builds, and addresses, as Nixpkgs'
    /// fetchers name them.
    pub const VARIABLES: [&str; 4] = ["__impureHostDeps", "src", "url", "urls"];

    /// The fixed output, if this derivation has one: what it downloads or otherwise knows by hash.
    pub fn fixed_output(&self) -> Option<(&StorePath, &nix_store_path::ContentAddress)> {
        crate::derivation::fixed_output(&self.outputs)
    }

    /// A variable's value as text; absent, not kept or not UTF-8 is `None`.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.to_str().ok()
    }
}

impl From<Derivation> for Outline {
    fn from(mut derivation: Derivation) -> Outline {
        let variables = Outline::VARIABLES.iter().filter_map(|name| {
            let value = derivation.env.remove(name.as_bytes().as_bstr())?;
            Some((*name, value))
        });
        Outline {
            variables: variables.collect(),
            name: derivation.name,
            outputs: derivation.outputs,
            derivations: derivation.inputs.derivations.into_keys().collect(),
            sources: derivation.inputs.sources,
            builder: derivation.builder,
        }
    }
}
