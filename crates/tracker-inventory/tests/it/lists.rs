//! Package lists in every shape that is read, and the difference of two of them.
//!
//! Invariant: the same package comes out of a list however it is compressed and ordered.

use std::io::Write;
use tracker_inventory::{Inventory, InventoryError, Nixpkgs, Package, PlainList, difference, open};

const CHANNEL: &str = r#"{"version":2,"packages":{
  "hello":{"meta":{"description":"Greets","homepage":["https://example.org/hello","https://hello.example"],
    "maintainers":[{"name":"A","github":"alpha"},"beta",{"name":"no handle"}],
    "knownVulnerabilities":["CVE-2001-0001"],"position":"pkgs/hello/default.nix:3",
    "identifiers":{"cpe":"cpe:2.3:a:gnu:hello:2.12:*:*:*:*:*:*:*","possibleCPEs":[{"cpe":"cpe:2.3:a:x:hello:2.12:*:*:*:*:*:*:*"}],
      "v1":{"purl":"pkg:github/gnu/hello@2.12"}}},
    "name":"hello-2.12","outputName":"out","outputs":{"out":null,"doc":"/nix/store/x"},"pname":"hello","system":"x86_64-linux","version":"2.12"},
  "python3.7-six":{"name":"python3.7-six-1.0","outputs":{"out":"/nix/store/aaaa-python3.7-six-1.0"},"drvPath":"/nix/store/bbbb-python3.7-six-1.0.drv"},
  "hook":{"name":"hook","pname":"hook","version":"","meta":"none"},
  "odd":{"pname":7,"name":["odd-3"],"version":{"a":1},"meta":{"homepage":null,"maintainers":{"github":"gamma"},"description":5}},
  "nameless":{"version":"1"},
  "text":"what"
},"commit":"0123","channel":"nixos-99.05"}"#;

fn read(bytes: &[u8]) -> Vec<Package> {
    let (_, packages) = Nixpkgs.read_all(&mut open(bytes).unwrap()).unwrap();
    packages
}

#[test]
fn a_channel_is_read() {
    let (header, packages) = Nixpkgs.read_all(&mut CHANNEL.as_bytes()).unwrap();
    assert_eq!(header.channel.as_deref(), Some("nixos-99.05"));
    assert_eq!(header.revision.as_deref(), Some("0123"));
    let reasons: Vec<_> = header.rejected.iter().map(|r| r.entry.as_str()).collect();
    assert_eq!(reasons, ["nameless", "text"]);
    let attributes: Vec<_> = packages.iter().map(|p| p.attribute.as_str()).collect();
    assert_eq!(attributes, ["hello", "python3.7-six", "hook", "odd"]);
    let hello = &packages[0];
    assert_eq!(hello.version.as_deref(), Some("2.12"));
    assert_eq!(
        hello.homepages,
        ["https://example.org/hello", "https://hello.example"]
    );
    assert_eq!(hello.maintainers, ["alpha", "beta"]);
    assert_eq!(hello.known_vulnerabilities, ["CVE-2001-0001"]);
    assert_eq!(hello.cpes, ["cpe:2.3:a:gnu:hello:2.12:*:*:*:*:*:*:*"]);
    assert_eq!(hello.purls, ["pkg:github/gnu/hello@2.12"]);
    let six = &packages[1];
    assert_eq!(
        (six.pname.as_str(), six.version.as_deref()),
        ("python3.7-six", Some("1.0"))
    );
    assert_eq!(
        six.derivation.as_deref(),
        Some("bbbb-python3.7-six-1.0.drv")
    );
    assert_eq!(six.output.as_deref(), Some("aaaa-python3.7-six-1.0"));
    assert_eq!(packages[2].version, None);
    assert_eq!(
        (packages[3].pname.as_str(), packages[3].version.as_deref()),
        ("odd", Some("3"))
    );
    assert_eq!(packages[3].maintainers, ["gamma"]);
}

#[test]
fn compression_is_detected() {
    let plain = read(CHANNEL.as_bytes());
    assert_eq!(
        read(&zstd::encode_all(CHANNEL.as_bytes(), 3).unwrap()),
        plain
    );
    let brotli = include_bytes!("../fixtures/channel.json.br");
    let packages = read(brotli);
    assert_eq!(packages.len(), 2);
    assert_eq!(packages[1].pname, "zlib");
    let mut spaced = b" \n".to_vec();
    spaced.write_all(CHANNEL.as_bytes()).unwrap();
    assert_eq!(read(&spaced), plain);
}

#[test]
fn a_file_that_is_no_list_is_told_so() {
    let mut input = open(&b"#!/bin/sh\necho packages\n"[..]).unwrap();
    let error = Nixpkgs.read_all(&mut input).unwrap_err();
    assert!(error.to_string().contains("it is no list"), "{error}");
    // What it says already is no cause of it: that would be told twice.
    assert!(std::error::Error::source(&error).is_none());
}

#[test]
fn an_attribute_counts_once() {
    let twice = r#"{"packages":{"a":{"name":"a-1"},"a":{"name":"a-2"}}}"#;
    let (header, packages) = Nixpkgs.read_all(&mut twice.as_bytes()).unwrap();
    assert_eq!(packages.len(), 1);
    assert_eq!(packages[0].version.as_deref(), Some("1"));
    assert_eq!(header.rejected_count, 1);
}

#[test]
fn a_plain_list_is_read() {
    let list = r#"[{"name":"hello","version":"2.12","homepage":"https://example.org"},
      {"name":"hello","attribute":"gnu/hello"},{"name":"hello"},{"version":"1"},3]"#;
    let (header, packages) = PlainList.read_all(&mut list.as_bytes()).unwrap();
    let attributes: Vec<_> = packages.iter().map(|p| p.attribute.as_str()).collect();
    assert_eq!(attributes, ["hello", "gnu/hello"]);
    assert_eq!(header.rejected_count, 3);
    assert!(matches!(
        PlainList.read_all(&mut CHANNEL.as_bytes()),
        Err(InventoryError::Kind { .. })
    ));
    assert!(matches!(
        Nixpkgs.read_all(&mut list.as_bytes()),
        Err(InventoryError::Kind { .. })
    ));
}

#[test]
fn two_releases_differ_in_what_came_went_and_moved() {
    let package = |attribute: &str, version: &str| Package {
        attribute: attribute.into(),
        pname: attribute.into(),
        version: Some(version.into()),
        ..Package::default()
    };
    let before = [package("a", "1"), package("b", "1"), package("c", "1")];
    let after = [package("d", "1"), package("b", "1"), package("c", "2")];
    let changes = difference(&before, &after);
    assert_eq!(changes.added, ["d"]);
    assert_eq!(changes.removed, ["a"]);
    assert_eq!(changes.moved.len(), 1);
    assert_eq!(changes.moved[0].from.as_deref(), Some("1"));
    assert_eq!(changes.moved[0].to.as_deref(), Some("2"));
    assert_eq!(
        difference(&after, &after),
        tracker_inventory::Difference::default()
    );
}
