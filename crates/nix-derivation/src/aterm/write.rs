//! Writing `.drv` files, and the altered forms that are only hashed.

use super::DYNAMIC_FORM;
use crate::{Derivation, InputNode, Output};
use nix_store_path::{Name, StoreDir};
use std::collections::BTreeMap;

/// Inputs of the hashed form: base16 hash modulo of the input, instead of its path.
pub(crate) type Substituted = BTreeMap<String, InputNode>;

/// Are the derivation's own output paths written, or left empty?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masked {
    No,
    OwnOutputs,
}

impl Derivation {
    /// The bytes of the `.drv` file.
    pub fn to_aterm(&self, store: &StoreDir) -> Vec<u8> {
        let inputs = &self.inputs.derivations;
        let inputs = inputs.iter().map(|(path, node)| (store.join(path), node));
        self.write(store, inputs, Masked::No)
    }

    /// The bytes that are hashed for the hash modulo fixed outputs.
    pub(crate) fn to_hashed(
        &self,
        store: &StoreDir,
        inputs: &Substituted,
        masked: Masked,
    ) -> Vec<u8> {
        let inputs = inputs.iter().map(|(hash, node)| (hash.clone(), node));
        self.write(store, inputs, masked)
    }

    fn write<'n>(
        &self,
        store: &StoreDir,
        inputs: impl Iterator<Item = (String, &'n InputNode)>,
        masked: Masked,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        if self.is_dynamic() {
            out.extend_from_slice(b"DrvWithVersion(");
            string(&mut out, DYNAMIC_FORM.as_bytes());
            out.push(b',');
        } else {
            out.extend_from_slice(b"Derive(");
        }
        list(&mut out, &self.outputs, |out, (id, output)| {
            write_output(out, store, id, output, masked);
        });
        out.push(b',');
        list(&mut out, inputs, |out, (key, node)| {
            out.push(b'(');
            plain(out, &key);
            out.push(b',');
            write_node(out, node);
            out.push(b')');
        });
        out.push(b',');
        list(&mut out, &self.inputs.sources, |out, path| {
            plain(out, &store.join(path));
        });
        out.push(b',');
        string(&mut out, &self.system);
        out.push(b',');
        string(&mut out, &self.builder);
        out.push(b',');
        list(&mut out, &self.args, |out, argument| string(out, argument));
        out.push(b',');
        list(&mut out, &self.env, |out, (name, value)| {
            let own = || {
                self.outputs
                    .keys()
                    .any(|id| name.as_slice() == id.as_str().as_bytes())
            };
            let hidden = masked == Masked::OwnOutputs && own();
            out.push(b'(');
            string(out, name);
            out.push(b',');
            string(out, if hidden { b"" } else { value });
            out.push(b')');
        });
        out.push(b')');
        out
    }
}

fn write_output(out: &mut Vec<u8>, store: &StoreDir, id: &Name, output: &Output, masked: Masked) {
    let path = output.path().filter(|_| masked == Masked::No);
    let prefixed =
        |method: &nix_store_path::Method, algorithm| format!("{}{algorithm}", method.prefix());
    let (algorithm, hash) = match output {
        Output::InputAddressed(_) | Output::Deferred => (String::new(), String::new()),
        Output::Fixed { address, .. } => (
            prefixed(&address.method, address.hash.algorithm()),
            address.hash.base16(),
        ),
        Output::Floating { method, algorithm } => (prefixed(method, *algorithm), String::new()),
        Output::Impure { method, algorithm } => (prefixed(method, *algorithm), "impure".to_owned()),
    };
    out.push(b'(');
    plain(out, id.as_str());
    for part in [
        path.map(|path| store.join(path)).unwrap_or_default(),
        algorithm,
        hash,
    ] {
        out.push(b',');
        plain(out, &part);
    }
    out.push(b')');
}

fn write_node(out: &mut Vec<u8>, node: &InputNode) {
    let names = |out: &mut Vec<u8>| list(out, &node.outputs, |out, id| plain(out, id.as_str()));
    if node.dynamic.is_empty() {
        return names(out);
    }
    out.push(b'(');
    names(out);
    out.push(b',');
    list(out, &node.dynamic, |out, (id, inner)| {
        out.push(b'(');
        plain(out, id.as_str());
        out.push(b',');
        write_node(out, inner);
        out.push(b')');
    });
    out.push(b')');
}

fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (count, value) in items.into_iter().enumerate() {
        if count > 0 {
            out.push(b',');
        }
        item(out, value);
    }
    out.push(b']');
}

/// Paths, names and hashes have nothing to escape.
fn plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
