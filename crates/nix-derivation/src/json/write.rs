//! Writing derivation JSON in a chosen shape.

use crate::derivation::STRUCTURED;
use crate::{Derivation, Error, InputNode, Output};
use bstr::{BStr, ByteSlice};
use nix_store_path::{Method, Name, StoreDir, StorePath};
use serde_json::{Map, Value, json};

/// Which of the published shapes; the module's table says who prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// As nix 2.8 prints.
    Flat,
    /// With names.
    Named,
    /// With methods apart from algorithms.
    Methods,
    /// `version: 3`.
    Version3,
    /// `version: 4`.
    Version4,
}

impl Shape {
    /// Every shape, oldest first.
    pub const ALL: [Shape; 5] = [
        Shape::Flat,
        Shape::Named,
        Shape::Methods,
        Shape::Version3,
        Shape::Version4,
    ];

    fn number(self) -> Option<u64> {
        match self {
            Shape::Flat | Shape::Named | Shape::Methods => None,
            Shape::Version3 => Some(3),
            Shape::Version4 => Some(4),
        }
    }
}

/// A document of these derivations.
///
/// # Errors
/// [`Error::NotText`] for a string that is not UTF-8; [`Error::Field`] where an old shape cannot say it (outputs
/// of outputs before `Methods`).
pub fn write<'d>(
    derivations: impl IntoIterator<Item = (&'d StorePath, &'d Derivation)>,
    shape: Shape,
    store: &StoreDir,
) -> Result<Value, Error> {
    let writer = Writer { shape, store };
    let mut map = Map::new();
    for (path, derivation) in derivations {
        map.insert(writer.path(path), writer.derivation(derivation)?);
    }
    Ok(match shape {
        Shape::Version4 => json!({ "version": 4, "derivations": map }),
        _ => Value::Object(map),
    })
}

struct Writer<'a> {
    shape: Shape,
    store: &'a StoreDir,
}

impl Writer<'_> {
    fn path(&self, path: &StorePath) -> String {
        match self.shape.number() {
            Some(_) => path.to_string(),
            None => self.store.join(path),
        }
    }

    fn derivation(&self, derivation: &Derivation) -> Result<Value, Error> {
        let mut map = Map::new();
        if let Some(number) = self.shape.number() {
            map.insert("version".into(), number.into());
        }
        if self.shape >= Shape::Named {
            map.insert("name".into(), derivation.name.as_str().into());
        }
        let outputs = derivation.outputs.iter();
        let outputs = outputs.map(|(id, output)| (id.to_string(), self.output(output)));
        map.insert("outputs".into(), outputs.collect::<Map<_, _>>().into());
        let sources: Vec<String> = derivation
            .inputs
            .sources
            .iter()
            .map(|path| self.path(path))
            .collect();
        let inputs = derivation.inputs.derivations.iter();
        let inputs = inputs.map(|(path, node)| Ok((self.path(path), self.node(derivation, node)?)));
        let inputs = inputs.collect::<Result<Map<_, _>, Error>>()?;
        if self.shape == Shape::Version4 {
            map.insert("inputs".into(), json!({ "srcs": sources, "drvs": inputs }));
        } else {
            map.insert("inputSrcs".into(), sources.into());
            map.insert("inputDrvs".into(), inputs.into());
        }
        map.insert(
            "system".into(),
            text(derivation.system.as_bstr(), "the system")?.into(),
        );
        map.insert(
            "builder".into(),
            text(derivation.builder.as_bstr(), "the builder")?.into(),
        );
        let args = derivation
            .args
            .iter()
            .map(|argument| text(argument.as_bstr(), "an argument"));
        map.insert(
            "args".into(),
            args.collect::<Result<Vec<_>, Error>>()?.into(),
        );
        let mut env = Map::new();
        for (name, value) in &derivation.env {
            let name = text(name.as_bstr(), "a variable's name")?;
            if name == STRUCTURED && self.shape >= Shape::Version3 {
                continue;
            }
            env.insert(name.to_owned(), text(value.as_bstr(), name)?.into());
        }
        map.insert("env".into(), env.into());
        if self.shape >= Shape::Version3
            && let Some(attributes) = derivation.structured_attributes()?
        {
            map.insert("structuredAttrs".into(), attributes.into());
        }
        Ok(map.into())
    }

    fn output(&self, output: &Output) -> Value {
        let apart = self.shape >= Shape::Methods;
        let algorithm = |method: &Method, name: &str| {
            if apart {
                json!({ "method": method.name(), "hashAlgo": name })
            } else {
                json!({ "hashAlgo": format!("{}{name}", method.prefix()) })
            }
        };
        let mut value = match output {
            Output::Deferred => json!({}),
            Output::InputAddressed(path) => json!({ "path": self.path(path) }),
            Output::Floating {
                method,
                algorithm: name,
            } => algorithm(method, name.name()),
            Output::Impure {
                method,
                algorithm: name,
            } => {
                let mut value = algorithm(method, name.name());
                value["impure"] = true.into();
                value
            }
            Output::Fixed { address, .. } if self.shape == Shape::Version4 => {
                json!({ "method": address.method.name(), "hash": address.hash.sri() })
            }
            Output::Fixed { address, .. } => {
                let mut value = algorithm(&address.method, address.hash.algorithm().name());
                value["hash"] = address.hash.base16().into();
                value
            }
        };
        if let Output::Fixed { path, .. } = output
            && self.shape < Shape::Version3
        {
            value["path"] = self.path(path).into();
        }
        value
    }

    fn node(&self, derivation: &Derivation, node: &InputNode) -> Result<Value, Error> {
        let outputs: Vec<&str> = node.outputs.iter().map(Name::as_str).collect();
        if self.shape < Shape::Methods {
            if !node.dynamic.is_empty() {
                return Err(derivation.field("this shape cannot say outputs of outputs".to_owned()));
            }
            return Ok(json!(outputs));
        }
        let dynamic = node
            .dynamic
            .iter()
            .map(|(id, node)| Ok((id.to_string(), self.node(derivation, node)?)));
        let dynamic = dynamic.collect::<Result<Map<_, _>, Error>>()?;
        Ok(json!({ "outputs": outputs, "dynamicOutputs": dynamic }))
    }
}

fn text<'t>(value: &'t BStr, what: &str) -> Result<&'t str, Error> {
    value.to_str().map_err(|_| Error::NotText {
        what: what.to_owned(),
    })
}
