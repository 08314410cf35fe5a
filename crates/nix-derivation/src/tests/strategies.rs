//! Arbitrary derivations: every kind of output, every kind of byte.

use crate::{Derivation, InputNode, Inputs, Output};
use bstr::BString;
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name, StoreDir, StorePath};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

pub(super) fn name() -> impl Strategy<Value = Name> {
    "[a-z][a-zA-Z0-9+._?=-]{0,12}".prop_map(|text| Name::new(&text).unwrap())
}

pub(super) fn path(suffix: &'static str) -> impl Strategy<Value = StorePath> {
    (any::<[u8; 20]>(), name()).prop_map(move |(digest, name)| {
        StorePath::from_digest(digest, Name::new(&format!("{name}{suffix}")).unwrap())
    })
}

/// Any bytes, with those that are escaped over-represented.
fn bytes() -> impl Strategy<Value = BString> {
    let byte = prop_oneof![
        any::<u8>(),
        proptest::sample::select(b"\"\\\n\r\t".to_vec())
    ];
    vec(byte, 0..24).prop_map(BString::from)
}

fn text() -> impl Strategy<Value = BString> {
    "(?s).{0,24}".prop_map(BString::from)
}

#[derive(Debug, Clone)]
enum Kind {
    InputAddressed(StorePath),
    Fixed(Method, Algorithm, Vec<u8>),
    Floating(Method, Algorithm),
    Deferred,
    Impure(Method, Algorithm),
}

fn output() -> impl Strategy<Value = Kind> {
    let method = || proptest::sample::select(vec![Method::Flat, Method::Nar, Method::Git]);
    let algorithm = || proptest::sample::select(Algorithm::ALL.to_vec());
    prop_oneof![
        path("").prop_map(Kind::InputAddressed),
        (method(), algorithm(), any::<Vec<u8>>()).prop_map(|(m, a, b)| Kind::Fixed(m, a, b)),
        (method(), algorithm()).prop_map(|(m, a)| Kind::Floating(m, a)),
        Just(Kind::Deferred),
        (method(), algorithm()).prop_map(|(m, a)| Kind::Impure(m, a)),
    ]
}

fn node(dynamic: bool) -> impl Strategy<Value = InputNode> {
    let leaf = btree_set(name(), 1..3).prop_map(|outputs| InputNode {
        outputs,
        dynamic: std::collections::BTreeMap::new(),
    });
    if !dynamic {
        return leaf.boxed();
    }
    leaf.prop_recursive(3, 8, 2, |inner| {
        (btree_set(name(), 0..3), btree_map(name(), inner, 0..2))
            .prop_map(|(outputs, dynamic)| InputNode { outputs, dynamic })
    })
    .boxed()
}

fn with(strings: BoxedStrategy<BString>, dynamic: bool) -> impl Strategy<Value = Derivation> {
    let inputs = (
        btree_map(path(".drv"), node(dynamic), 0..4),
        btree_set(path(""), 0..4),
    )
        .prop_map(|(derivations, sources)| Inputs {
            derivations,
            sources,
        });
    (
        name(),
        btree_map(name(), output(), 0..4),
        inputs,
        strings.clone(),
        strings.clone(),
        vec(strings.clone(), 0..4),
        btree_map(strings.clone(), strings, 0..5),
    )
        .prop_map(|(name, kinds, inputs, system, builder, args, env)| {
            let outputs = kinds.into_iter().map(|(id, kind)| {
                let output = make(&name, &id, kind);
                (id, output)
            });
            Derivation {
                outputs: outputs.collect(),
                name,
                inputs,
                system,
                builder,
                args,
                env,
            }
        })
}

fn make(name: &Name, id: &Name, kind: Kind) -> Output {
    match kind {
        Kind::InputAddressed(path) => Output::InputAddressed(path),
        Kind::Deferred => Output::Deferred,
        Kind::Floating(method, algorithm) => Output::Floating { method, algorithm },
        Kind::Impure(method, algorithm) => Output::Impure { method, algorithm },
        Kind::Fixed(method, algorithm, bytes) => {
            let address = ContentAddress {
                method,
                hash: Hash::of(algorithm, &bytes),
            };
            let name = name.output(id.as_str()).unwrap();
            let path = StoreDir::default().content_path(name, &address, &References::none());
            Output::Fixed {
                path: path.unwrap(),
                address,
            }
        }
    }
}

/// Derivations of any bytes, possibly dynamic.
pub(super) fn derivation() -> impl Strategy<Value = Derivation> {
    any::<bool>().prop_flat_map(|dynamic| with(bytes().boxed(), dynamic))
}

/// Derivations that JSON can hold.
pub(super) fn textual(dynamic: bool) -> impl Strategy<Value = Derivation> {
    with(text().boxed(), dynamic)
}
