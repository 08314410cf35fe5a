//! Hashes modulo fixed outputs: what input-addressed paths are made of. So that a changed download *command*
//! with the same promised content changes no path, a fixed output counts by its content alone.
//!
//! Invariants: each derivation is loaded and hashed once; the walk uses no recursion, so depth costs no stack;
//! a cycle is an error.

use crate::aterm::{Masked, Substituted};
use crate::{Derivation, Error, InputNode, Output};
use nix_store_path::{Algorithm, Hash, Name, StoreDir, StorePath};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The hash of a derivation modulo fixed outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modulo {
    /// Of a fixed output: by output, from the content alone.
    Fixed(BTreeMap<Name, Hash>),
    /// Of any other derivation: one for all its outputs.
    Whole {
        /// The hash.
        hash: Hash,
        /// Does it, or an input of it, have outputs whose paths are not known before the build?
        deferred: bool,
    },
}

impl Modulo {
    fn of_output(&self, output: &Name) -> Option<&Hash> {
        match self {
            Modulo::Fixed(hashes) => hashes.get(output),
            Modulo::Whole { hash, .. } => Some(hash),
        }
    }

    fn is_deferred(&self) -> bool {
        matches!(self, Modulo::Whole { deferred: true, .. })
    }
}

/// The hashes of derivations seen so far.
#[derive(Debug)]
pub struct Hashes {
    store: StoreDir,
    known: HashMap<StorePath, Modulo>,
}

/// What the derivation itself says of its kind.
enum Kind {
    Fixed(BTreeMap<Name, Hash>),
    Impure,
    Other { floating: bool },
}

impl Hashes {
    /// None yet, for derivations of a store directory.
    pub fn new(store: StoreDir) -> Hashes {
        Hashes {
            store,
            known: HashMap::new(),
        }
    }

    /// The hash of the derivation at `path`; `load` gives each derivation of its closure when it is needed.
    ///
    /// # Errors
    /// [`Error::Cycle`], [`Error::NoOutput`], and whatever `load` says.
    pub fn modulo(
        &mut self,
        path: &StorePath,
        load: &mut dyn FnMut(&StorePath) -> Result<Derivation, Error>,
    ) -> Result<&Modulo, Error> {
        let mut stack: Vec<(StorePath, Derivation)> = Vec::new();
        let mut open = HashSet::new();
        let mut wanted = (!self.known.contains_key(path)).then(|| path.clone());
        loop {
            if let Some(path) = wanted.take() {
                if !open.insert(path.clone()) {
                    return Err(Error::Cycle(path));
                }
                let derivation = load(&path)?;
                stack.push((path, derivation));
            }
            let Some((_, derivation)) = stack.last() else {
                break;
            };
            // A fixed output's hash needs none of its inputs.
            if derivation.fixed_output().is_none() {
                let inputs = derivation.inputs.derivations.keys();
                wanted = inputs
                    .into_iter()
                    .find(|path| !self.known.contains_key(path))
                    .cloned();
            }
            if wanted.is_none() {
                let (path, derivation) = stack.pop().expect("the stack was looked at above");
                let modulo = self.of(&derivation, Masked::No)?;
                open.remove(&path);
                self.known.insert(path, modulo);
            }
        }
        Ok(&self.known[path])
    }

    /// The output paths that the derivation should have; `None` where they are not known before the build.
    ///
    /// # Errors
    /// As for [`Hashes::modulo`], of its inputs.
    pub fn output_paths(
        &mut self,
        derivation: &Derivation,
        load: &mut dyn FnMut(&StorePath) -> Result<Derivation, Error>,
    ) -> Result<BTreeMap<Name, Option<StorePath>>, Error> {
        if derivation.fixed_output().is_none() {
            for input in derivation.inputs.derivations.keys() {
                self.modulo(input, load)?;
            }
        }
        let own = self.of(derivation, Masked::OwnOutputs)?;
        let mut paths = BTreeMap::new();
        for (id, output) in &derivation.outputs {
            let path = match (output, &own) {
                (Output::Fixed { address, .. }, _) => {
                    let name = derivation.name.output(id.as_str())?;
                    let none = nix_store_path::computed::References::none();
                    Some(self.store.content_path(name, address, &none)?)
                }
                (
                    Output::InputAddressed(_) | Output::Deferred,
                    Modulo::Whole {
                        hash,
                        deferred: false,
                    },
                ) => Some(
                    self.store
                        .output_path(&derivation.name, id.as_str(), hash)?,
                ),
                _ => None,
            };
            paths.insert(id.clone(), path);
        }
        Ok(paths)
    }

    /// Checks every stated output path.
    ///
    /// # Errors
    /// [`Error::OutputPath`] for the first that differs; and as for [`Hashes::output_paths`].
    pub fn check(
        &mut self,
        derivation: &Derivation,
        load: &mut dyn FnMut(&StorePath) -> Result<Derivation, Error>,
    ) -> Result<(), Error> {
        let computed = self.output_paths(derivation, load)?;
        for (id, output) in &derivation.outputs {
            if let (Some(stated), Some(computed)) = (output.path(), &computed[id])
                && stated != computed
            {
                return Err(Error::OutputPath {
                    output: id.to_string(),
                    stated: stated.clone(),
                    computed: computed.clone(),
                });
            }
        }
        Ok(())
    }

    /// The hash of a derivation whose inputs' hashes are known.
    fn of(&self, derivation: &Derivation, masked: Masked) -> Result<Modulo, Error> {
        let floating = match self.kind(derivation) {
            Kind::Fixed(hashes) => return Ok(Modulo::Fixed(hashes)),
            Kind::Impure => {
                let hash = Hash::of(Algorithm::Sha256, b"impure");
                return Ok(Modulo::Whole {
                    hash,
                    deferred: true,
                });
            }
            Kind::Other { floating } => floating,
        };
        let mut deferred = floating;
        let mut inputs = Substituted::new();
        for (path, node) in &derivation.inputs.derivations {
            let modulo = self
                .known
                .get(path)
                .ok_or_else(|| Error::Missing(path.clone()))?;
            deferred |= modulo.is_deferred();
            let needed = node.outputs.iter().map(|id| (id, None));
            let needed = needed.chain(node.dynamic.iter().map(|(id, inner)| (id, Some(inner))));
            for (id, inner) in needed {
                let hash = modulo.of_output(id).ok_or_else(|| Error::NoOutput {
                    derivation: path.clone(),
                    output: id.to_string(),
                })?;
                let entry: &mut InputNode = inputs.entry(hash.base16()).or_default();
                match inner {
                    None => _ = entry.outputs.insert(id.clone()),
                    Some(inner) => _ = entry.dynamic.insert(id.clone(), inner.clone()),
                }
            }
        }
        let bytes = derivation.to_hashed(&self.store, &inputs, masked);
        Ok(Modulo::Whole {
            hash: Hash::of(Algorithm::Sha256, &bytes),
            deferred,
        })
    }

    fn kind(&self, derivation: &Derivation) -> Kind {
        let mut fixed = BTreeMap::new();
        let mut floating = false;
        for (id, output) in &derivation.outputs {
            match output {
                Output::Fixed { path, address } => {
                    let text = format!(
                        "fixed:out:{}{}:{}:{}",
                        address.method.prefix(),
                        address.hash.algorithm(),
                        address.hash.base16(),
                        self.store.join(path)
                    );
                    fixed.insert(id.clone(), Hash::of(Algorithm::Sha256, text.as_bytes()));
                }
                Output::Impure { .. } => return Kind::Impure,
                Output::Floating { .. } => floating = true,
                // Deferred outputs wait for a floating input, which says so itself.
                Output::InputAddressed(_) | Output::Deferred => {}
            }
        }
        if fixed.is_empty() {
            Kind::Other { floating }
        } else {
            Kind::Fixed(fixed)
        }
    }
}
