//! Derivations: a zoo of them, instantiated by nix, is read, written back, hashed and printed as nix does.

use crate::nix::Nix;
use nix_derivation::folder::Folder;
use nix_derivation::json::{Shape, read, write};
use nix_derivation::modulo::Hashes;
use nix_derivation::{Derivation, GraphBuilder, Output};
use nix_store_path::StorePath;
use nix_store_path::computed::upstream_placeholder;
use std::collections::HashMap;
use std::fs;

/// Every kind of derivation that nix 2.8 can make, each used by a last one.
const ZOO: &str = r#"
let
  system = "x86_64-linux";
  plain = name: extra: derivation ({ inherit name system; builder = "/bin/sh"; } // extra);
  fixed = name: algo: mode: hash: plain name { outputHashAlgo = algo; outputHashMode = mode; outputHash = hash; };
  deep = n: if n == 0 then plain "level-0" { } else plain "level-${toString n}" { below = deep (n - 1); twice = plain "side-${toString n}" { x = deep (n - 1); }; };
  multi = plain "multi" { outputs = [ "out" "dev" "man" ]; };
  floating = plain "floating" { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputs = [ "out" "lib" ]; };
  text = builtins.toFile "text" "some ${builtins.toFile "inner" "x"}";
  all = {
    plain = plain "plain" { };
    arguments = plain "arguments" { args = [ "-c" "a \"b\" \\ \n \t \r 'c' $" "" "ä€😀" ]; };
    escapes = plain "escapes" { newline = "a\nb"; tab = "\t"; quote = "\"\\\""; empty = ""; list = [ 1 "two" ./zoo.txt ]; yes = true; no = false; nothing = null; };
    odd-name = plain "odd.name+with_every=kind?of-char" { };
    inherit multi;
    uses-multi = plain "uses-multi" { a = multi.dev; b = multi.man; c = multi.out; };
    flat256 = fixed "flat256" "sha256" "flat" "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    flat1 = fixed "flat1" "sha1" "flat" "a9993e364706816aba3e25717850c26c9cd0d89d";
    flat5 = fixed "flat5" "md5" "flat" "900150983cd24fb0d6963f7d28e17f72";
    tree256 = fixed "tree256" "sha256" "recursive" "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s";
    tree512 = fixed "tree512" "sha512" "recursive" "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
    sri = plain "sri" { outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; outputHashMode = "recursive"; outputHashAlgo = null; };
    fetch = import <nix/fetchurl.nix> { url = "http://example.org/x.tar"; sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; };
    structured = plain "structured" { __structuredAttrs = true; list = [ 1 2.5 "x" null true ]; nested.a.b = "c \" \\ \n"; inherit multi; outputs = [ "out" "doc" ]; };
    pass-as-file = plain "pass-as-file" { passAsFile = [ "big" ]; big = "text"; };
    host-deps = plain "host-deps" { __impureHostDeps = [ "/bin/sh" ]; impureEnvVars = [ "http_proxy" ]; };
    sources = plain "sources" { src = ./zoo.txt; tree = ./zoo-tree; inherit text; };
    inherit floating;
    floating-flat = plain "floating-flat" { __contentAddressed = true; outputHashMode = "flat"; outputHashAlgo = "sha1"; };
    deferred = plain "deferred" { x = floating; y = floating.lib; };
    deferred-more = plain "deferred-more" { x = plain "deferred" { x = floating; }; fixed = fixed "f" "sha256" "flat" "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; };
    impure = plain "impure" { __impure = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
    deep = deep 12;
    builtin = derivation { name = "builtin"; system = "builtin"; builder = "builtin:fetchurl"; url = "file:///x"; outputHash = "900150983cd24fb0d6963f7d28e17f72"; outputHashAlgo = "md5"; outputHashMode = "flat"; };
  };
in builtins.attrValues all
"#;

struct Zoo {
    nix: Nix,
    folder: Folder,
    all: Vec<(StorePath, Derivation)>,
}

impl Zoo {
    fn new() -> Zoo {
        let nix = Nix::new();
        fs::write(nix.file("zoo.txt"), "source").unwrap();
        fs::create_dir(nix.file("zoo-tree")).unwrap();
        fs::write(nix.file("zoo-tree/f"), "source").unwrap();
        let count = nix.instantiate(ZOO).len();
        assert_eq!(count, 24);
        let folder = Folder::open(nix.file("store")).unwrap();
        assert_eq!(*folder.store(), nix.store());
        let (names, errors) = folder.names().unwrap();
        assert!(errors.is_empty(), "{errors:?}");
        let all = folder.map(&names, |path, derivation| {
            (path.clone(), derivation.unwrap())
        });
        assert_eq!(all.len(), 50, "{}", all.len());
        Zoo { nix, folder, all }
    }
}

#[test]
fn files_are_written_back_unchanged_and_lie_where_they_should() {
    let zoo = Zoo::new();
    for (path, derivation) in &zoo.all {
        let bytes = fs::read(zoo.nix.on_disk(path)).unwrap();
        assert!(derivation.to_aterm(&zoo.nix.store()) == bytes, "{path}");
        assert_eq!(derivation.store_path(&zoo.nix.store()).unwrap(), *path);
    }
}

#[test]
fn output_paths_are_computed_as_nix_does() {
    let zoo = Zoo::new();
    let by_path: HashMap<_, _> = zoo.all.iter().cloned().collect();
    let mut hashes = Hashes::new(zoo.nix.store());
    let mut load = |path: &StorePath| zoo.folder.read(path);
    let mut kinds = [0; 5];
    for (path, derivation) in &zoo.all {
        hashes
            .check(derivation, &mut load)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let computed = hashes.output_paths(derivation, &mut load).unwrap();
        for (id, output) in &derivation.outputs {
            let kind = match output {
                Output::InputAddressed(_) => 0,
                Output::Fixed { .. } => 1,
                Output::Floating { .. } => 2,
                Output::Deferred => 3,
                Output::Impure { .. } => 4,
            };
            kinds[kind] += 1;
            assert_eq!(computed[id].as_ref(), output.path(), "{path} {id}");
        }
    }
    assert!(
        kinds.iter().all(|count| *count > 0),
        "the zoo has every kind of output: {kinds:?}"
    );
    assert_eq!(by_path.len(), zoo.all.len());
}

#[test]
fn json_is_that_of_show_derivation_and_reads_back() {
    let zoo = Zoo::new();
    let store = zoo.nix.store();
    let paths: Vec<String> = zoo.all.iter().map(|(path, _)| store.join(path)).collect();
    let mut arguments = vec!["show-derivation"];
    arguments.extend(paths.iter().map(String::as_str));
    let theirs = zoo.nix.bytes("nix", &arguments);
    let ours = write(
        zoo.all.iter().map(|(path, derivation)| (path, derivation)),
        Shape::Flat,
        &store,
    )
    .unwrap();
    let parsed: serde_json::Value = serde_json::from_slice(&theirs).unwrap();
    assert_eq!(parsed.as_object().unwrap().len(), zoo.all.len());
    for (path, shown) in parsed.as_object().unwrap() {
        assert_eq!(shown, &ours[path], "{path}");
    }
    let mut back = Vec::new();
    read(&theirs[..], &store, &mut |_, derivation| {
        back.push(derivation.unwrap());
    })
    .unwrap();
    back.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(back, zoo.all);
}

#[test]
fn closures_are_those_of_query() {
    let zoo = Zoo::new();
    let top = zoo
        .all
        .iter()
        .find(|(path, _)| path.name().as_str() == "level-12.drv")
        .unwrap()
        .0
        .clone();
    let mut builder = GraphBuilder::default();
    for (path, derivation) in zoo
        .folder
        .map_closure(std::slice::from_ref(&top), |path, read| {
            let derivation: Derivation = read.unwrap();
            (path.clone(), derivation)
        })
    {
        builder.add(&path, (), derivation.inputs.derivations.keys());
    }
    let graph = builder.build();
    let mut ours: Vec<_> = graph.nodes().map(|node| graph.path(node).clone()).collect();
    ours.sort();
    let mut theirs = zoo.nix.paths(
        "nix-store",
        &["--query", "--requisites", &zoo.nix.store().join(&top)],
    );
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(
        graph.in_build_order().unwrap().last(),
        graph.find(&top).as_ref()
    );
}

#[test]
fn placeholders_of_floating_inputs_are_those_that_nix_wrote() {
    let zoo = Zoo::new();
    let find = |name: &str| {
        zoo.all
            .iter()
            .find(|(_, derivation)| derivation.name.as_str() == name)
            .unwrap()
    };
    let (floating, _) = find("floating");
    let user = zoo
        .all
        .iter()
        .find(|(_, derivation)| derivation.variable("y").is_some())
        .unwrap();
    assert_eq!(
        user.1.variable("x"),
        Some(&*upstream_placeholder(floating, "out").unwrap())
    );
    assert_eq!(
        user.1.variable("y"),
        Some(&*upstream_placeholder(floating, "lib").unwrap())
    );
}
