//! The rules of the format by example, the laws of conversion on any document, and the committed schema.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const STORE: &str = "/nix/store/00000000000000000000000000000000-";

fn v1() -> Value {
    json!({
        "org.nixos.bootspec.v1": {
            "label": "NixOS 26.05 (Linux 6.12.30)",
            "system": "x86_64-linux",
            "init": format!("{STORE}nixos/init"),
            "toplevel": format!("{STORE}nixos"),
            "kernel": format!("{STORE}linux/bzImage"),
            "kernelParams": ["quiet", "dyndbg=\"file a.c +p\""],
            "initrd": format!("{STORE}initrd/initrd"),
            "initrdSecrets": format!("{STORE}append/bin/append"),
        },
        "org.nixos.systemd-boot": { "sortKey": "nixos" },
    })
}

fn v2() -> Value {
    let mut document = v1();
    let map = document.as_object_mut().unwrap();
    let mut boot = map.remove("org.nixos.bootspec.v1").unwrap();
    let fields = boot.as_object_mut().unwrap();
    fields.remove("initrdSecrets");
    let initrd = fields.remove("initrd").unwrap();
    fields.insert(
        "initrds".into(),
        json!([initrd, format!("{STORE}late/initrd")]),
    );
    fields.insert("devicetree".into(), format!("{STORE}dtbs/board.dtb").into());
    map.insert("org.nixos.bootspec.v2".into(), boot);
    document
}

fn strict(value: &Value) -> Result<Any> {
    read(value.to_string().as_bytes(), Strictness::Strict).map(|read| read.document)
}

/// The paths of all problems that strict reading names.
fn paths(value: &Value) -> Vec<String> {
    match strict(value) {
        Err(Error::Rules(problems)) => problems.into_iter().map(|p| p.path).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn documents_of_both_versions_are_read_and_written_as_they_were() {
    for value in [v1(), v2()] {
        let document = strict(&value).unwrap();
        let again: Value = serde_json::from_str(&document.to_json()).unwrap();
        assert_eq!(again, value);
    }
}

#[test]
fn every_problem_is_named_by_its_json_path_in_one_pass() {
    let mut value = v1();
    let boot = &mut value["org.nixos.bootspec.v1"];
    boot["kernel"] = "/boot/bzImage".into();
    boot["initrd"] = Value::Null;
    boot["kernelParams"] = json!(["quiet", 7]);
    boot["colour"] = "green".into();
    boot.as_object_mut().unwrap().remove("label");
    value["org.rootstock.verity.v1"] = json!({ "rootHash": "abc" });
    let key = "$[\"org.nixos.bootspec.v1\"]";
    let mut found = paths(&value);
    found.sort();
    let mut expected = vec![
        key.to_owned(),
        format!("{key}.colour"),
        format!("{key}.initrd"),
        format!("{key}.kernel"),
        format!("{key}.kernelParams[1]"),
        "$[\"org.rootstock.verity.v1\"].rootHash".to_owned(),
    ];
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn lenient_reading_warns_where_strict_reading_refuses() {
    let mut value = v1();
    value["org.nixos.bootspec.v1"]["initrd"] = Value::Null;
    value["org.nixos.bootspec.v1"]["kernel"] = "/boot/bzImage".into();
    value["org.nixos.bootspec.v1"]["colour"] = "green".into();
    value["plain"] = 1.into();
    let read = read(value.to_string().as_bytes(), Strictness::Lenient).unwrap();
    assert_eq!(read.warnings.len(), 4);
    let Any::V1(document) = read.document else {
        panic!("version 1 was given");
    };
    assert_eq!(document.boot.initrd, None);
    assert_eq!(document.boot.kernel, "/boot/bzImage");
}

#[test]
fn what_no_reader_can_guess_is_refused_leniently_too() {
    let lenient = |text: &str| read(text.as_bytes(), Strictness::Lenient);
    assert!(
        matches!(lenient("{\"a.b\":1,\"a.b\":2}"), Err(Error::Json(error)) if error.to_string().contains("twice"))
    );
    assert!(matches!(lenient("[]"), Err(Error::Rules(_))));
    assert!(matches!(lenient("{}"), Err(Error::Rules(_))));
    let deep = "[".repeat(1000);
    assert!(matches!(lenient(&deep), Err(Error::Json(_))));
    let long = " ".repeat(MAX_DOCUMENT + 1);
    assert!(matches!(lenient(&long), Err(Error::TooLong { .. })));
    let mut value = v1();
    value["org.nixos.bootspec.v1"]["kernelParams"] = json!(["a\nb"]);
    assert!(lenient(&value.to_string()).is_err());
}

#[test]
fn a_document_has_one_version() {
    let mut both = v2();
    both["org.nixos.bootspec.v1"] = v1()["org.nixos.bootspec.v1"].clone();
    assert_eq!(paths(&both), ["$[\"org.nixos.bootspec.v1\"]"]);
    let read = read(both.to_string().as_bytes(), Strictness::Lenient).unwrap();
    assert_eq!(read.document.version(), 2);
}

#[test]
fn specialisations_nest_in_version_2_alone_and_not_for_ever() {
    fn nest(document: &Value, key: &str, levels: usize) -> Value {
        let mut outer = document.clone();
        if levels > 0 {
            outer[key] = json!({ "more": nest(document, key, levels - 1) });
        }
        outer
    }
    let key = "org.nixos.specialisation.v2";
    assert!(strict(&nest(&v2(), key, SPECIALISATION_DEPTH)).is_ok());
    let found = paths(&nest(&v2(), key, SPECIALISATION_DEPTH + 1));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("$[\"org.nixos.specialisation.v2\"].more["));
    let key = "org.nixos.specialisation.v1";
    assert!(strict(&nest(&v1(), key, 1)).is_ok());
    assert_eq!(
        paths(&nest(&v1(), key, 2)),
        ["$[\"org.nixos.specialisation.v1\"].more[\"org.nixos.specialisation.v1\"]"]
    );
}

#[test]
fn conversion_reports_what_the_other_version_cannot_say() {
    let Any::V1(document) = strict(&v1()).unwrap() else {
        panic!("version 1 was given");
    };
    let (up, losses) = upgrade(&document);
    assert_eq!(losses.len(), 1);
    assert_eq!(losses[0].path, "$[\"org.nixos.bootspec.v1\"].initrdSecrets");
    assert_eq!(up.boot.initrds, [format!("{STORE}initrd/initrd")]);
    let Any::V2(document) = strict(&v2()).unwrap() else {
        panic!("version 2 was given");
    };
    let (down, losses) = downgrade(&document);
    let paths: Vec<&str> = losses.iter().map(|loss| loss.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "$[\"org.nixos.bootspec.v2\"].initrds",
            "$[\"org.nixos.bootspec.v2\"].devicetree"
        ]
    );
    assert_eq!(down.boot.initrd, Some(format!("{STORE}initrd/initrd")));
}

#[test]
fn an_initrd_that_was_changed_since_counts_more_than_what_was_carried() {
    let Any::V2(document) = strict(&v2()).unwrap() else {
        panic!("version 2 was given");
    };
    let (mut down, _) = downgrade(&document);
    down.boot.initrd = Some(format!("{STORE}new/initrd"));
    assert_eq!(
        upgrade(&down).0.boot.initrds,
        [format!("{STORE}new/initrd")]
    );
}

#[test]
fn older_generations_are_given_a_document() {
    let child = Toplevel {
        path: format!("{STORE}quiet"),
        kernel: Some(format!("{STORE}linux/bzImage")),
        ..Toplevel::default()
    };
    let toplevel = Toplevel {
        path: format!("{STORE}nixos/"),
        system: Some("aarch64-linux\n".to_owned()),
        version: Some("20.09\n".to_owned()),
        kernel: Some(format!("{STORE}linux/Image")),
        kernel_params: "loglevel=4  dyndbg=\"file a.c +p\"\n".to_owned(),
        initrd: Some(format!("{STORE}initrd/initrd")),
        appends_secrets: true,
        kernel_release: Some("5.4.72".to_owned()),
        specialisations: BTreeMap::from([("quiet".to_owned(), child)]),
    };
    let document = synthesise(&toplevel).unwrap();
    assert_eq!(document.boot.label, "NixOS 20.09 (Linux 5.4.72)");
    assert_eq!(document.boot.system, "aarch64-linux");
    assert_eq!(document.boot.init, format!("{STORE}nixos/init"));
    assert_eq!(
        document.boot.kernel_params,
        ["loglevel=4", "dyndbg=\"file a.c +p\""]
    );
    assert_eq!(
        document.boot.initrd_secrets,
        Some(format!("{STORE}nixos/append-initrd-secrets"))
    );
    assert!(document.specialisations.contains_key("quiet"));
    assert_eq!(strict(&document.to_value()).unwrap(), Any::V1(document));
    assert!(synthesise(&Toplevel::default()).is_err());
}

#[test]
fn the_table_of_fields_and_the_types_agree() {
    fn check<B: Boot>() {
        let value: Value = B::FIELDS
            .iter()
            .map(|field| {
                let value = match field.kind {
                    Kind::StorePaths | Kind::Words => json!([]),
                    _ => json!("x"),
                };
                (field.name.to_owned(), value)
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let boot: B = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(boot).unwrap(), value);
    }
    check::<BootV1>();
    check::<BootV2>();
}

/// Written by `BOOTSPEC_SCHEMA=write cargo test -p boot-spec`.
#[test]
fn the_committed_schema_is_the_one_that_the_tables_give() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/boot/bootspec.schema.json"
    );
    let text = format!("{:#}\n", schema());
    if std::env::var_os("BOOTSPEC_SCHEMA").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

fn path_strategy() -> impl Strategy<Value = String> {
    "[0-9abcdfghijklmnpqrsvwxyz]{32}-[a-z0-9]{1,8}(/[a-z]{1,5}){0,2}"
        .prop_map(|rest| format!("/nix/store/{rest}"))
}

fn extensions() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        "[a-z]{0,5}".prop_map(Value::from)
    ];
    proptest::collection::btree_map("com\\.example\\.[a-z]{1,4}", value, 0..3)
}

fn boot_v2() -> impl Strategy<Value = BootV2> {
    let paths = (path_strategy(), path_strategy(), path_strategy());
    let optional = (
        proptest::option::of(path_strategy()),
        proptest::option::of(path_strategy()),
    );
    let params = proptest::collection::vec("[a-z=.]{1,8}", 0..4);
    let initrds = proptest::collection::vec(path_strategy(), 0..4);
    ("[ -~]{1,20}", paths, optional, params, initrds).prop_map(
        |(label, (init, toplevel, kernel), (devicetree, fdtdir), kernel_params, initrds)| BootV2 {
            label,
            system: "x86_64-linux".to_owned(),
            init,
            toplevel,
            kernel,
            kernel_params,
            initrds,
            devicetree,
            fdtdir,
        },
    )
}

fn document_v2() -> impl Strategy<Value = Document<BootV2>> {
    let leaf = (boot_v2(), extensions()).prop_map(|(boot, extensions)| Document {
        boot,
        specialisations: BTreeMap::new(),
        extensions,
    });
    leaf.prop_recursive(3, 8, 2, |inner| {
        let children = proptest::collection::btree_map("[a-z ]{1,6}", inner, 0..3);
        (boot_v2(), extensions(), children).prop_map(|(boot, extensions, specialisations)| {
            Document {
                boot,
                specialisations,
                extensions,
            }
        })
    })
}

fn document_v1() -> impl Strategy<Value = Document<BootV1>> {
    let secrets = proptest::option::of(path_strategy());
    (document_v2(), secrets).prop_map(|(document, secrets)| {
        let (mut document, _) = downgrade(&document);
        document.extensions.remove(CARRIED);
        document.specialisations.clear();
        document.boot.initrd_secrets = secrets;
        document
    })
}

proptest! {
    #[test]
    fn down_and_up_again_is_the_same_document(document in document_v2()) {
        let (down, losses) = downgrade(&document);
        prop_assert_eq!(&upgrade(&down).0, &document);
        let silent = losses.is_empty();
        prop_assert_eq!(silent, !down.to_json().contains(CARRIED) && depth(&document) < 2);
    }

    #[test]
    fn up_and_down_again_is_the_same_document(document in document_v1()) {
        let (up, losses) = upgrade(&document);
        prop_assert_eq!(losses.is_empty(), document.boot.initrd_secrets.is_none());
        prop_assert_eq!(downgrade(&up).0, document);
    }

    #[test]
    fn what_is_written_is_read_strictly(document in document_v2()) {
        let read = read(document.to_json().as_bytes(), Strictness::Strict).unwrap();
        prop_assert_eq!(read.document, Any::V2(document));
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, Strictness::Strict);
        let _ = read(&bytes, Strictness::Lenient);
    }
}

fn depth<B>(document: &Document<B>) -> usize {
    let below = document.specialisations.values().map(depth).max();
    below.map_or(0, |below| below + 1)
}
