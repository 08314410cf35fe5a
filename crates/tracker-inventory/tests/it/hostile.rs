//! Inputs made to break readers: cut, deep, mistyped, compressed bombs.
//!
//! Invariant: an error that names the place, never a panic, never unbounded memory.

use proptest::prelude::*;
use std::io::Read as _;
use tracker_inventory::{
    Derivations, Inventory, InventoryError, Nixpkgs, PlainList, open, open_limited,
};

#[test]
fn a_cut_file_is_refused_with_its_place() {
    let text = r#"{"packages":{"a":{"name":"a-1"},"b":{"na"#;
    let mut seen = Vec::new();
    let error = Nixpkgs
        .read(&mut text.as_bytes(), &mut |p| seen.push(p))
        .unwrap_err();
    assert!(
        matches!(
            error,
            InventoryError::Json {
                line: 1,
                column: 40,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(seen.len(), 1, "what came before the cut was handed on");
}

#[test]
fn depth_is_limited() {
    let deep = format!("{{\"packages\":{{\"a\":{{\"meta\":{}", "[".repeat(100_000));
    assert!(Nixpkgs.read_all(&mut deep.as_bytes()).is_err());
    let nested = format!(
        "{{\"packages\":{{\"a\":{{\"name\":{}{}}}}}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    assert!(matches!(
        Nixpkgs.read_all(&mut nested.as_bytes()),
        Err(InventoryError::Json { .. })
    ));
}

#[test]
fn a_bomb_stops_at_the_limit() {
    // Blanks are valid JSON space, so only the limit can stop them.
    let bomb = zstd::encode_all(std::io::repeat(b' ').take(64 << 20), 1).unwrap();
    let mut input = open_limited(&bomb[..], 1 << 20).unwrap();
    let error = Nixpkgs.read_all(&mut input).unwrap_err();
    assert!(
        matches!(error, InventoryError::Limit { what: "bytes", .. }),
        "{error:?}"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(mut reader) = open(&bytes[..]) {
            let _ = Nixpkgs.read_all(&mut reader);
        }
        let _ = PlainList.read_all(&mut &bytes[..]);
        let _ = Derivations::read(&bytes[..]);
    }

    /// Any JSON value in any place of an entry leaves the other entries alone.
    #[test]
    fn a_bad_entry_harms_no_other(
        member in prop::sample::select(vec!["name", "pname", "version", "meta", "outputs", "drvPath", "outputName"]),
        value in prop::sample::select(vec!["null", "1.5", "-3", "true", "[]", "{}", "[[{}]]", "{\"out\":[1]}", "\"x\"", "\"\\u0000\""]),
        deeper in prop::sample::select(vec!["homepage", "maintainers", "identifiers", "position", "knownVulnerabilities"]),
    ) {
        let text = format!(
            r#"{{"packages":{{"bad":{{"{member}":{value},"meta":{{"{deeper}":{value}}}}},"good":{{"name":"good-1"}}}}}}"#
        );
        let text = if member == "meta" { text.replacen(&format!("\"meta\":{value},"), "", 1) } else { text };
        let (_, packages) = Nixpkgs.read_all(&mut text.as_bytes()).unwrap();
        prop_assert!(packages.iter().any(|p| p.attribute == "good"));
    }
}
