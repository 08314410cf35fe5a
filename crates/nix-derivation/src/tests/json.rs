//! JSON: round trips in every shape, one fixture a shape of our own making, and named refusals.

use super::strategies;
use crate::json::{Shape, read, write};
use crate::{Derivation, Error, Output};
use bstr::BString;
use nix_store_path::{Method, StoreDir, StorePath};
use proptest::prelude::*;
use serde_json::{Value, json};

type One = Result<(StorePath, Derivation), Error>;

fn read_all(document: &Value) -> Result<Vec<One>, Error> {
    let mut all = Vec::new();
    let bytes = serde_json::to_vec(document).unwrap();
    read(&bytes[..], &StoreDir::default(), &mut |_, derivation| {
        all.push(derivation);
    })?;
    Ok(all)
}

fn read_one(document: &Value) -> One {
    let mut all = read_all(document)?;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

const DRV: &str = "1b8m03r63zqhnjf7l5wnldhh7c134ap5-fetched.drv";
const INPUT: &str = "26nci8mz5f9aldbsgmalpkj20xyqqd5c-tool.drv";
const SOURCE: &str = "0fmibi09sjy2mxap87y4kibl1n7caidm-patch";
const OUT: &str = "0y839a054fcnhjcd2w1pb6a4k4fl38iw-abc";
const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const SRI: &str = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

fn whole(path: &str) -> String {
    format!("/nix/store/{path}")
}

/// The same fixed-output derivation as each generation of nix prints it.
fn fixtures() -> Vec<(&'static str, Value)> {
    let rest = |mut value: Value, extra: Value| {
        let common = json!({ "system": "x86_64-linux", "builder": "/bin/sh", "args": ["-c", "x"], "env": { "a": "b" } });
        for part in [common, extra] {
            value
                .as_object_mut()
                .unwrap()
                .extend(part.as_object().unwrap().clone());
        }
        value
    };
    let nodes = json!({ "outputs": ["out"], "dynamicOutputs": {} });
    let old_output = json!({ "path": whole(OUT), "hashAlgo": "r:sha256", "hash": HEX });
    let lists = json!({ "inputSrcs": [whole(SOURCE)], "inputDrvs": { whole(INPUT): ["out"] } });
    let objects = json!({ "inputSrcs": [whole(SOURCE)], "inputDrvs": { whole(INPUT): nodes } });
    let apart = json!({ "path": whole(OUT), "method": "nar", "hashAlgo": "sha256", "hash": HEX });
    let bare = json!({ "inputSrcs": [SOURCE], "inputDrvs": { INPUT: nodes } });
    let inputs = json!({ "inputs": { "srcs": [SOURCE], "drvs": { INPUT: nodes } } });
    let parts = json!({ "algorithm": "sha256", "format": "base16", "hash": HEX });
    let v4 = |hash: Value| {
        rest(
            json!({ "name": "fetched", "version": 4, "outputs": { "out": { "method": "nar", "hash": hash } } }),
            inputs.clone(),
        )
    };
    vec![
        (
            "2.8",
            json!({ whole(DRV): rest(json!({ "outputs": { "out": old_output } }), lists.clone()) }),
        ),
        (
            "2.16",
            json!({ whole(DRV): rest(json!({ "name": "fetched", "outputs": { "out": old_output } }), lists) }),
        ),
        (
            "2.19",
            json!({ whole(DRV): rest(json!({ "name": "fetched", "outputs": { "out": old_output } }), objects.clone()) }),
        ),
        (
            "2.31",
            json!({ whole(DRV): rest(json!({ "name": "fetched", "outputs": { "out": apart } }), objects) }),
        ),
        (
            "2.32",
            json!({ DRV: rest(json!({ "name": "fetched", "version": 3, "outputs": { "out": { "method": "nar", "hashAlgo": "sha256", "hash": HEX } } }), bare) }),
        ),
        (
            "2.33 parts",
            json!({ "version": 4, "derivations": { DRV: v4(parts) } }),
        ),
        (
            "2.34 SRI",
            json!({ "version": 4, "derivations": { DRV: v4(json!(SRI)) } }),
        ),
    ]
}

#[test]
fn every_generation_reads_as_the_same_derivation() {
    let mut seen: Option<(StorePath, Derivation)> = None;
    for (generation, document) in fixtures() {
        let (path, mut derivation) =
            read_one(&document).unwrap_or_else(|error| panic!("{generation}: {error}"));
        assert_eq!(path.to_string(), DRV);
        assert_eq!(
            derivation.inputs.sources.len() + derivation.inputs.derivations.len(),
            2
        );
        // Newer shapes state no path of a fixed output; it is computed. The old fixtures state another.
        let Some(Output::Fixed { path, address }) = derivation.outputs.values_mut().next() else {
            panic!("{generation}: not fixed")
        };
        assert_eq!(
            (address.method, address.hash.base16().as_str()),
            (Method::Nar, HEX)
        );
        *path = StorePath::new(OUT).unwrap();
        let first = seen.get_or_insert_with(|| (StorePath::new(DRV).unwrap(), derivation.clone()));
        assert_eq!(first.1, derivation, "{generation}");
    }
}

#[test]
fn a_single_derivation_gets_its_path_computed() {
    let (_, document) = fixtures().pop().unwrap();
    let (path, derivation) = read_one(&document["derivations"][DRV]).unwrap();
    assert_eq!(path, derivation.store_path(&StoreDir::default()).unwrap());
}

#[test]
fn unknown_versions_are_named() {
    let future = json!({ "version": 5, "derivations": { DRV: { "version": 5, "options": {} } } });
    let error = read_all(&future).unwrap_err();
    assert!(matches!(error, Error::UnknownVersion(5)), "{error}");
    let inner = json!({ DRV: { "version": 9, "anything": null } });
    let mut all = read_all(&inner).unwrap();
    assert!(matches!(all.remove(0), Err(Error::UnknownVersion(9))));
}

#[test]
fn one_bad_derivation_leaves_the_others() {
    let (_, mut document) = fixtures().remove(0);
    let good = document[whole(DRV)].clone();
    let mut bad = good.clone();
    bad["outputs"]["out"]["hashAlgo"] = json!("sha257");
    document[whole(INPUT)] = bad;
    let all = read_all(&document).unwrap();
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(all.len(), 2);
    let elsewhere = json!({ whole(DRV).replace("nix", "gnu"): good });
    assert!(read_one(&elsewhere).is_err());
    for malformed in ["", "[]", "{", "{\"a.drv\":1}x"] {
        let result = read(malformed.as_bytes(), &StoreDir::default(), &mut |_, _| ());
        assert!(matches!(result, Err(Error::Json(_))), "{malformed}");
    }
}

#[test]
fn structured_attributes_move_between_env_and_field() {
    let (_, document) = fixtures().remove(0);
    let (path, mut derivation) = read_one(&document).unwrap();
    assert_eq!(derivation.structured_attributes().unwrap(), None);
    let attributes = r#"{"a":[1,2.5,null],"name":"fetched","z":{"y":true}}"#;
    derivation.env.insert("__json".into(), attributes.into());
    for shape in [Shape::Flat, Shape::Version3, Shape::Version4] {
        let document = write([(&path, &derivation)], shape, &StoreDir::default()).unwrap();
        let (_, read) = read_one(&document).unwrap();
        assert_eq!(read.variable("__json"), Some(attributes));
        assert_eq!(
            read.structured_attributes().unwrap().unwrap()["z"]["y"],
            true
        );
    }
    derivation.env.insert("__json".into(), "[]".into());
    assert!(derivation.structured_attributes().is_err());
    derivation
        .env
        .insert("binary".into(), BString::from(vec![0xff]));
    let error = write([(&path, &derivation)], Shape::Flat, &StoreDir::default()).unwrap_err();
    assert!(matches!(error, Error::NotText { .. }), "{error}");
}

proptest! {
    #[test]
    fn every_shape_round_trips(derivation in strategies::textual(false), path in strategies::path(".drv")) {
        // Flat documents take the name from the path.
        let mut derivation = derivation;
        derivation.name = path.derivation_name().unwrap();
        for output in derivation.outputs.values_mut() {
            if let Output::Fixed { .. } = output { *output = Output::Deferred; }
        }
        for shape in Shape::ALL {
            let document = write([(&path, &derivation)], shape, &StoreDir::default()).unwrap();
            let (read_path, read) = read_one(&document).unwrap();
            prop_assert_eq!(&read_path, &path);
            prop_assert_eq!(&read, &derivation, "{:?}", shape);
        }
    }

    #[test]
    fn dynamic_derivations_round_trip_in_new_shapes(derivation in strategies::textual(true), path in strategies::path(".drv")) {
        for shape in [Shape::Methods, Shape::Version3, Shape::Version4] {
            let document = write([(&path, &derivation)], shape, &StoreDir::default()).unwrap();
            prop_assert_eq!(&read_one(&document).unwrap().1, &derivation);
        }
        let flat = write([(&path, &derivation)], Shape::Flat, &StoreDir::default());
        prop_assert_eq!(flat.is_err(), derivation.is_dynamic());
    }
}
