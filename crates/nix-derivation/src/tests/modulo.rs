//! Hashes modulo: laws that hold for any derivations. Known answers come from nix in the peer tests.

use crate::modulo::{Hashes, Modulo};
use crate::{Derivation, Error, InputNode, Inputs, Output};
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name, StoreDir, StorePath};
use std::collections::HashMap;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn plain(text: &str, inputs: &[&StorePath], output: Output) -> Derivation {
    let node = InputNode {
        outputs: [name("out")].into(),
        dynamic: std::collections::BTreeMap::new(),
    };
    Derivation {
        name: name(text),
        outputs: [(name("out"), output)].into(),
        inputs: Inputs {
            derivations: inputs
                .iter()
                .map(|path| ((*path).clone(), node.clone()))
                .collect(),
            sources: std::collections::BTreeSet::new(),
        },
        system: "s".into(),
        builder: "/b".into(),
        args: vec![],
        env: [("out".into(), "whatever".into())].into(),
    }
}

fn fixed(text: &str, url: &str) -> Derivation {
    let address = ContentAddress {
        method: Method::Flat,
        hash: Hash::of(Algorithm::Sha1, b"content"),
    };
    let path = StoreDir::default()
        .content_path(name(text), &address, &References::none())
        .unwrap();
    let mut derivation = plain(text, &[], Output::Fixed { path, address });
    derivation.env.insert("url".into(), url.into());
    derivation
}

#[derive(Default)]
struct World(HashMap<StorePath, Derivation>);

impl World {
    fn add(&mut self, derivation: Derivation) -> StorePath {
        let path = derivation.store_path(&StoreDir::default()).unwrap();
        self.0.insert(path.clone(), derivation);
        path
    }

    fn outputs(&self, derivation: &Derivation) -> Result<Option<StorePath>, Error> {
        let mut hashes = Hashes::new(StoreDir::default());
        let mut load = |path: &StorePath| {
            self.0
                .get(path)
                .cloned()
                .ok_or_else(|| Error::Missing(path.clone()))
        };
        Ok(hashes
            .output_paths(derivation, &mut load)?
            .remove(&name("out"))
            .unwrap())
    }
}

#[test]
fn a_mirror_of_the_same_content_changes_no_path() {
    let mut world = World::default();
    let (here, there) = (world.add(fixed("src", "a")), world.add(fixed("src", "b")));
    assert_ne!(here, there);
    let path = |input| {
        world
            .outputs(&plain("user", &[input], Output::Deferred))
            .unwrap()
            .unwrap()
    };
    assert_eq!(path(&here), path(&there));
    let other = plain("other", &[&here], Output::Deferred);
    assert_ne!(world.outputs(&other).unwrap().unwrap(), path(&here));
}

#[test]
fn behind_a_floating_output_paths_are_deferred() {
    let mut world = World::default();
    let floating = Output::Floating {
        method: Method::Nar,
        algorithm: Algorithm::Sha256,
    };
    let floating = world.add(plain("floating", &[], floating));
    let middle = world.add(plain("middle", &[&floating], Output::Deferred));
    assert_eq!(
        world
            .outputs(&plain("user", &[&middle], Output::Deferred))
            .unwrap(),
        None
    );
}

#[test]
fn deep_chains_use_no_stack_and_cycles_are_named() {
    let mut world = World::default();
    let mut last = world.add(fixed("src", "a"));
    for _ in 0..20_000 {
        last = world.add(plain("link", &[&last], Output::Deferred));
    }
    assert!(
        world
            .outputs(&plain("top", &[&last], Output::Deferred))
            .unwrap()
            .is_some()
    );
    let (a, b) = (
        StorePath::from_digest([1; 20], name("a.drv")),
        StorePath::from_digest([2; 20], name("b.drv")),
    );
    world
        .0
        .insert(a.clone(), plain("a", &[&b], Output::Deferred));
    world
        .0
        .insert(b.clone(), plain("b", &[&a], Output::Deferred));
    let error = world
        .outputs(&plain("top", &[&a], Output::Deferred))
        .unwrap_err();
    assert!(matches!(error, Error::Cycle(_)), "{error}");
    world.0.remove(&b);
    let error = world
        .outputs(&plain("top", &[&a], Output::Deferred))
        .unwrap_err();
    assert!(matches!(error, Error::Missing(path) if path == b));
}

#[test]
fn a_wrong_output_path_is_found() {
    let world = World::default();
    let mut derivation = plain("d", &[], Output::Deferred);
    let right = world.outputs(&derivation).unwrap().unwrap();
    let mut hashes = Hashes::new(StoreDir::default());
    let mut check = |derivation: &Derivation| {
        hashes.check(derivation, &mut |path| Err(Error::Missing(path.clone())))
    };
    derivation
        .outputs
        .insert(name("out"), Output::InputAddressed(right.clone()));
    check(&derivation).unwrap();
    let wrong = StorePath::from_digest([7; 20], name("d"));
    derivation
        .outputs
        .insert(name("out"), Output::InputAddressed(wrong));
    assert!(
        matches!(check(&derivation), Err(Error::OutputPath { computed, .. }) if computed == right)
    );
}

#[test]
fn an_output_that_an_input_lacks_is_named() {
    let mut world = World::default();
    let mut two = plain("two", &[], Output::Deferred);
    two.outputs.insert(name("dev"), Output::Deferred);
    let source = fixed("src", "a");
    let path = world.add(source);
    let mut user = plain("user", &[&path], Output::Deferred);
    user.inputs
        .derivations
        .get_mut(&path)
        .unwrap()
        .outputs
        .insert(name("dev"));
    assert!(matches!(world.outputs(&user), Err(Error::NoOutput { output, .. }) if output == "dev"));
    let mut hashes = Hashes::new(StoreDir::default());
    let path = world.add(two.clone());
    let whole = hashes.modulo(&path, &mut |_| Ok(two.clone())).unwrap();
    assert!(matches!(
        whole,
        Modulo::Whole {
            deferred: false,
            ..
        }
    ));
}
