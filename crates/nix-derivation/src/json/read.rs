//! Reading derivation JSON as a stream: one derivation is in memory at a time.
//!
//! Invariant: whatever shape is read, the resulting [`Derivation`] is the one its `.drv` file would give.

use crate::derivation::STRUCTURED;
use crate::limits::MAX_DYNAMIC;
use crate::{Derivation, Error, InputNode, Inputs, Output};
use nix_store_path::computed::References;
use nix_store_path::{
    Algorithm, ContentAddress, DERIVATION_SUFFIX, Hash, Method, Name, StoreDir, StorePath,
};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

/// What is called with the key of each derivation and what became of it.
pub type Each<'a> = dyn FnMut(&str, Result<(StorePath, Derivation), Error>) + 'a;

/// Reads a document and hands on each derivation with its path. What is wrong with one derivation is handed
/// on as its error; malformed JSON ends the reading. `store` is the directory that base names lie in.
///
/// # Errors
/// [`Error::Json`] for a malformed document, [`Error::UnknownVersion`] for an unknown one.
pub fn read(document: impl Read, store: &StoreDir, each: &mut Each<'_>) -> Result<(), Error> {
    let mut deserializer = serde_json::Deserializer::from_reader(document);
    let mut unknown = None;
    let top = Top {
        store,
        each,
        unknown: &mut unknown,
    };
    top.deserialize(&mut deserializer)?;
    deserializer.end()?;
    unknown.map_or(Ok(()), |version| Err(Error::UnknownVersion(version)))
}

/// The top level: a map of derivations, a versioned wrapper of one, or a single derivation.
struct Top<'a> {
    store: &'a StoreDir,
    each: &'a mut Each<'a>,
    unknown: &'a mut Option<u64>,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of derivations, or a derivation")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut single = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.ends_with(DERIVATION_SUFFIX) {
                self.derivation(&key, map.next_value()?);
            } else if key == "derivations" {
                map.next_value_seed(Top {
                    store: self.store,
                    each: &mut *self.each,
                    unknown: &mut *self.unknown,
                })?;
            } else {
                single.insert(key, map.next_value()?);
            }
        }
        let version = single.get("version").and_then(Value::as_u64);
        if single.contains_key("builder") {
            self.derivation("", Value::Object(single));
        } else if let Some(version) = version.filter(|version| !KNOWN.contains(version)) {
            *self.unknown = Some(version);
        }
        Ok(())
    }
}

/// The version numbers that are written out in documents.
const KNOWN: [u64; 2] = [3, 4];

impl Top<'_> {
    fn derivation(&mut self, key: &str, value: Value) {
        let derivation = Raw::read(value).and_then(|raw| raw.derivation(key, self.store));
        (self.each)(key, derivation);
    }
}

/// The fields of all shapes together.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    name: Option<String>,
    version: Option<u64>,
    outputs: BTreeMap<String, RawOutput>,
    input_srcs: Option<Vec<String>>,
    input_drvs: Option<BTreeMap<String, RawNode>>,
    inputs: Option<RawInputs>,
    #[serde(alias = "platform")]
    system: String,
    builder: String,
    #[serde(default)]
    args: Vec<String>,
    env: BTreeMap<String, String>,
    structured_attrs: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
struct RawInputs {
    srcs: Vec<String>,
    drvs: BTreeMap<String, RawNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOutput {
    path: Option<String>,
    method: Option<String>,
    hash_algo: Option<String>,
    hash: Option<RawHash>,
    #[serde(default)]
    impure: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawHash {
    Text(String),
    Parts { algorithm: String, hash: String },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawNode {
    Outputs(Vec<String>),
    Node {
        outputs: Vec<String>,
        #[serde(default, rename = "dynamicOutputs")]
        dynamic: BTreeMap<String, RawNode>,
    },
}

impl Raw {
    /// The version is looked at first: an unknown one may have any other field.
    fn read(value: Value) -> Result<Raw, Error> {
        let version = value.get("version").and_then(Value::as_u64);
        if let Some(version) = version.filter(|version| !KNOWN.contains(version)) {
            return Err(Error::UnknownVersion(version));
        }
        Ok(Raw::deserialize(value)?)
    }

    fn derivation(self, key: &str, store: &StoreDir) -> Result<(StorePath, Derivation), Error> {
        let field = |problem: &str| Error::Field {
            derivation: key.to_owned(),
            problem: problem.to_owned(),
        };
        let place = Place {
            store,
            base_names: self.version.is_some(),
        };
        let path = if key.is_empty() {
            None
        } else {
            Some(place.any_path(key)?)
        };
        let name = match (&self.name, &path) {
            (Some(name), _) => Name::new(name)?,
            (None, Some(path)) => path
                .derivation_name()
                .ok_or_else(|| field("its key is no derivation's path"))?,
            (None, None) => return Err(field("it has neither a name nor a path")),
        };
        let (sources, derivations) = match (self.inputs, self.input_srcs, self.input_drvs) {
            (Some(inputs), None, None) => (inputs.srcs, inputs.drvs),
            (None, Some(sources), Some(derivations)) => (sources, derivations),
            _ => {
                return Err(field(
                    "it needs either 'inputs' or 'inputSrcs' and 'inputDrvs'",
                ));
            }
        };
        let outputs = self.outputs.into_iter().map(|(id, output)| {
            let id = Name::new(&id)?;
            let output = output.output(&name, &id, &place)?;
            Ok((id, output))
        });
        let outputs = outputs.collect::<Result<_, Error>>()?;
        let node = |(path, node): (String, RawNode)| Ok((place.path(&path)?, node.node(0)?));
        let mut env: BTreeMap<_, _> = self
            .env
            .into_iter()
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        if let Some(attributes) = self.structured_attrs {
            let text = serde_json::to_string(&attributes)?;
            if env.insert(STRUCTURED.into(), text.into()).is_some() {
                return Err(field("it has both '__json' and 'structuredAttrs'"));
            }
        }
        let derivation = Derivation {
            outputs,
            inputs: Inputs {
                derivations: derivations
                    .into_iter()
                    .map(node)
                    .collect::<Result<_, Error>>()?,
                sources: sources
                    .iter()
                    .map(|path| place.path(path))
                    .collect::<Result<_, Error>>()?,
            },
            system: self.system.into(),
            builder: self.builder.into(),
            args: self.args.into_iter().map(Into::into).collect(),
            env,
            name,
        };
        let path = path.map_or_else(|| derivation.store_path(store), Ok)?;
        Ok((path, derivation))
    }
}

/// How this document writes paths.
struct Place<'a> {
    store: &'a StoreDir,
    base_names: bool,
}

impl Place<'_> {
    fn path(&self, text: &str) -> Result<StorePath, Error> {
        Ok(if self.base_names {
            StorePath::new(text)?
        } else {
            self.store.parse(text)?
        })
    }

    /// The keys of version 3 were seen in both forms.
    fn any_path(&self, text: &str) -> Result<StorePath, Error> {
        Ok(if text.starts_with('/') {
            self.store.parse(text)?
        } else {
            StorePath::new(text)?
        })
    }
}

impl RawOutput {
    fn output(self, name: &Name, id: &Name, place: &Place<'_>) -> Result<Output, Error> {
        let field = |problem: &str| Error::Field {
            derivation: name.to_string(),
            problem: format!("output '{id}' {problem}"),
        };
        let path = self
            .path
            .as_deref()
            .map(|path| place.path(path))
            .transpose()?;
        // `hashAlgo` may carry the method as a prefix, `hash` its algorithm.
        let (mut method, mut algorithm) = (None, None);
        if let Some(text) = &self.hash_algo {
            let (prefixed, named) = Method::parse_prefixed(text)?;
            (method, algorithm) = (Some(prefixed), Some(named));
        }
        if let Some(text) = &self.method {
            method = Some(Method::from_name(text).ok_or_else(|| field("has an unknown method"))?);
        }
        let hash = self.hash.map(|hash| hash.hash(algorithm)).transpose()?;
        match (method, algorithm, hash, path) {
            (None, None, None, Some(path)) => Ok(Output::InputAddressed(path)),
            (None, None, None, None) => Ok(Output::Deferred),
            (Some(method), _, Some(hash), path) => {
                let address = ContentAddress { method, hash };
                let computed = || {
                    let name = name.output(id.as_str())?;
                    place
                        .store
                        .content_path(name, &address, &References::none())
                };
                let path = path.map_or_else(computed, Ok)?;
                Ok(Output::Fixed { path, address })
            }
            (Some(method), Some(algorithm), None, None) if self.impure => {
                Ok(Output::Impure { method, algorithm })
            }
            (Some(method), Some(algorithm), None, None) => {
                Ok(Output::Floating { method, algorithm })
            }
            _ => Err(field("has fields that do not go together")),
        }
    }
}

impl RawHash {
    fn hash(self, algorithm: Option<Algorithm>) -> Result<Hash, Error> {
        match self {
            RawHash::Text(text) => Ok(Hash::parse(&text, algorithm)?),
            RawHash::Parts { algorithm, hash } => Ok(Hash::from_digits(algorithm.parse()?, &hash)?),
        }
    }
}

impl RawNode {
    fn node(self, depth: usize) -> Result<InputNode, Error> {
        if depth > MAX_DYNAMIC {
            let what = "the chain of outputs of outputs";
            return Err(Error::TooLarge {
                offset: 0,
                what,
                limit: MAX_DYNAMIC,
            });
        }
        let (outputs, dynamic) = match self {
            RawNode::Outputs(outputs) => (outputs, BTreeMap::new()),
            RawNode::Node { outputs, dynamic } => (outputs, dynamic),
        };
        let outputs: Result<BTreeSet<Name>, _> = outputs.iter().map(|id| Name::new(id)).collect();
        let dynamic = dynamic
            .into_iter()
            .map(|(id, node)| Ok((Name::new(&id)?, node.node(depth + 1)?)));
        Ok(InputNode {
            outputs: outputs?,
            dynamic: dynamic.collect::<Result<_, Error>>()?,
        })
    }
}
