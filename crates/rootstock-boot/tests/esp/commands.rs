//! install, status, bless, repair and spec from the outside: answers, exit codes, and that a dry run writes nothing.

use crate::generations::{STORE, document, prepare};
use crate::{boot, text};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn install<'a>(verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "--json",
        verb,
        "--esp",
        "esp",
        "--efivars",
        "efivars",
        "--root",
        "root",
        "--stub",
        "stub.efi",
        "--loader",
        "loader.efi",
        "--key",
        "db.key",
        "--certificate",
        "db.crt",
        "--tries",
        "3",
    ];
    fixed.into_iter().chain(more.iter().copied()).collect()
}

fn answer(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(&boot(folder, arguments))).unwrap()
}

const STATUS: [&str; 7] = [
    "--json",
    "status",
    "--esp",
    "esp",
    "--efivars",
    "efivars",
    "--verify",
];

#[test]
fn a_machine_is_installed_looked_at_blessed_and_repaired() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    prepare(folder);
    let planned = answer(folder, &install("install", &["--dry-run"]));
    assert_eq!(planned["dry_run"], true);
    assert_eq!(planned["entries"], 2);
    assert_eq!(
        fs::read_dir(folder.join("esp")).unwrap().count(),
        0,
        "a dry run writes nothing"
    );
    let done = answer(folder, &install("install", &[]));
    assert_eq!(done["made"], 2);
    assert!(done["passed"][0]["written"].as_u64().unwrap() > 0);
    let again = answer(folder, &install("install", &[]));
    assert_eq!(again["volumes"][0]["plan"]["stages"], json!([]));

    let status = answer(folder, &STATUS);
    let entries = status[0]["entries"].as_array().unwrap();
    let next = entries
        .iter()
        .find(|entry| entry["default"] == true)
        .unwrap();
    assert_eq!(
        (&next["generation"], &next["state"]),
        (&json!(2), &json!("untried"))
    );
    let name = next["name"].as_str().unwrap().to_owned();

    // The loader says which entry it started and counted.
    let variable: Vec<u8> = [6_u32.to_le_bytes().to_vec()]
        .into_iter()
        .chain(
            format!("\\EFI\\Linux\\{name}\0")
                .encode_utf16()
                .map(|unit| unit.to_le_bytes().to_vec()),
        )
        .flatten()
        .collect();
    let vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
    fs::write(
        folder.join(format!("efivars/LoaderBootCountPath-{vendor}")),
        variable,
    )
    .unwrap();
    let bless = ["--json", "bless", "--esp", "esp", "--efivars", "efivars"];
    let dry = text(&boot(folder, &[&["--dry-run"], &bless[1..]].concat()));
    assert!(dry.ends_with(": would be blessed\n"), "{dry}");
    let unknown = "rootstock-9-0123456789abcdef01234567";
    let output = boot(folder, &["--dry-run", "bless", "--esp", "esp", unknown]);
    assert_eq!(output.status.code(), Some(2));
    assert!(folder.join("esp/EFI/Linux").join(&name).exists());
    let blessed = answer(folder, &bless);
    assert_eq!(blessed["changed"], true);
    let dry = text(&boot(
        folder,
        &["--dry-run", "bless", "--esp", "esp", &name],
    ));
    assert!(dry.ends_with(": is not counted any more\n"), "{dry}");
    let linux = folder.join("esp/EFI/Linux");
    let good = linux.join(name.replace("+3", ""));
    assert!(good.exists() && !linux.join(&name).exists());

    // A flipped byte in a kernel: status says so with exit code 1, install trusts the name, repair writes it again.
    let shared = fs::read_dir(folder.join("esp/EFI/rootstock"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let content = fs::read(&shared).unwrap();
    let mut bad = content.clone();
    bad[0] ^= 1;
    fs::write(&shared, &bad).unwrap();
    let output = boot(folder, &STATUS);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("has another content"));
    answer(folder, &install("install", &[]));
    assert_eq!(fs::read(&shared).unwrap(), bad);
    answer(folder, &install("repair", &[]));
    assert_eq!(fs::read(&shared).unwrap(), content);
    text(&boot(folder, &STATUS));
}

/// What `install` and `status` say of PCR 11 to 13 is what the commands say that look at one image; the policies that were
/// signed on the way are good for it.
#[test]
fn entries_get_signed_policies_and_their_registers_are_stated() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    prepare(folder);
    let create = ["keys", "create", "--role", "pcr", "--name", "test", "."];
    text(&boot(folder, &create));
    let policy = ["--policy-key", "pcr.key"];
    let planned = answer(
        folder,
        &install("install", &[&policy[..], &["--dry-run"]].concat()),
    );
    let done = answer(folder, &install("install", &policy));
    assert_eq!(planned["foreseen"], done["foreseen"]);
    assert_eq!(done["foreseen"].as_array().unwrap().len(), 2);
    let status = answer(folder, &STATUS);
    for stated in done["foreseen"].as_array().unwrap() {
        let name = stated["entry"].as_str().unwrap();
        let image = format!("esp/EFI/Linux/{name}");
        text(&boot(
            folder,
            &["policy", "verify", "--bank", "sha256", &image],
        ));
        let entries = status[0]["entries"].as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["name"] == name).unwrap();
        let mut foreseen = stated.clone();
        foreseen.as_object_mut().unwrap().remove("entry");
        assert_eq!(entry["foreseen"], foreseen);
        let predict = ["--json", "pcr", "predict", "--bank", "sha256", &image];
        let mut registers = answer(folder, &predict).as_array().unwrap().clone();
        let image = format!("/EFI/Linux/{name}");
        let beside = ["--json", "pcr", "companions", "--volume", "esp", &image];
        let beside = answer(folder, &beside);
        registers.extend(beside["registers"].as_array().unwrap().clone());
        assert_eq!(stated["registers"], Value::Array(registers));
        assert_eq!(stated["command_line"], beside["command_line"]);
    }
    // A person gets no numbers.
    let words = ["status", "--esp", "esp", "--efivars", "efivars"];
    assert!(!text(&boot(folder, &words)).contains("sha256"));
}

#[test]
fn every_entry_of_an_offline_key_is_asked_for_in_one_run() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    prepare(folder);
    fs::create_dir(folder.join("requests")).unwrap();
    let arguments: Vec<&str> = install("install", &[])
        .into_iter()
        .map(|word| {
            if word == "db.key" {
                "offline:requests"
            } else {
                word
            }
        })
        .collect();
    let output = boot(folder, &arguments);
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let requests = fs::read_dir(folder.join("requests")).unwrap();
    let count = requests
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "tbs")
        })
        .count();
    assert_eq!(count, 2);
    assert_eq!(fs::read_dir(folder.join("esp")).unwrap().count(), 0);
}

#[test]
fn documents_are_checked_converted_and_made_up() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    prepare(folder);
    let toplevel = format!("{STORE}nixos-1");
    let file = format!("root{toplevel}/boot.json");
    text(&boot(folder, &["spec", "check", &file]));
    let mut bad = document(&toplevel);
    bad["org.nixos.bootspec.v1"]["kernel"] = Value::Null;
    bad["org.nixos.bootspec.v1"]["initrdSecrets"] = format!("{STORE}append").into();
    fs::write(folder.join("bad.json"), bad.to_string()).unwrap();
    let output = boot(folder, &["spec", "check", "bad.json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        answer.starts_with(
            "bad.json: 1 problem\n  $[\"org.nixos.bootspec.v1\"]: `kernel` is missing\n"
        ),
        "{answer}"
    );

    text(&boot(folder, &["spec", "upgrade", &file, "-o", "v2.json"]));
    text(&boot(folder, &["spec", "check", "v2.json"]));
    let back = text(&boot(folder, &["spec", "upgrade", "--to", "1", "v2.json"]));
    let back: Value = serde_json::from_str(&back).unwrap();
    assert_eq!(back, document(&toplevel));

    // The folder alone, as before Bootspec.
    let real = folder.join("root").join(&toplevel[1..]);
    fs::remove_file(real.join("boot.json")).unwrap();
    fs::write(real.join("kernel-params"), "quiet loglevel=4").unwrap();
    fs::write(real.join("nixos-version"), "20.09").unwrap();
    let made = text(&boot(
        folder,
        &["spec", "synthesise", "--root", "root", &toplevel],
    ));
    let made: Value = serde_json::from_str(&made).unwrap();
    let system = &made["org.nixos.bootspec.v2"];
    assert_eq!(system["label"], "NixOS 20.09 (Linux of unknown release)");
    assert_eq!(system["kernelParams"], json!(["quiet", "loglevel=4"]));
    assert_eq!(system["initrds"], json!([format!("{toplevel}/initrd")]));
}

#[test]
fn what_is_no_partition_and_one_without_entries_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    fs::create_dir(folder.join("empty")).unwrap();
    fs::write(folder.join("file"), [7; 4096]).unwrap();
    let output = boot(folder, &["status", "--esp", "empty"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with("\n  no entries of ours\n"), "{said}");
    let output = boot(folder, &["status", "--esp", "file"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("rootstock-boot: file: there is no FAT file system: "),
        "{said}"
    );
}

#[test]
fn a_document_is_made_up_for_a_folder_as_the_shell_names_it() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let output = boot(folder, &["spec", "synthesise", "result"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    let path = folder.canonicalize().unwrap().join("result");
    let expected = format!("{}: entity not found", path.display());
    assert!(said.contains(&expected), "{said}");
    fs::create_dir(folder.join("result")).unwrap();
    let output = boot(folder, &["spec", "synthesise", "result"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!("{} has no kernel", path.display())),
        "{said}"
    );
}
