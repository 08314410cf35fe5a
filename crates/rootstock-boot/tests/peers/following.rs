//! `install --stored-policy`: the policy in the TPM goes ahead of what is installed, whatever fails, and forgets what was removed.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::common::{boot, boot_code, put, run, scratch};
use crate::generations::{add, prepare};
use crate::measure::Tpm;
use crate::stored::{VARIABLES, empty_log, measure};
use crate::unlock::volume;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// PCR 11 when the disk is unlocked, of each boot that was foreseen.
fn foreseen(said: &Value) -> BTreeSet<String> {
    let entries = said["foreseen"].as_array().unwrap().iter();
    let at_unlocking = entries
        .flat_map(|entry| entry["registers"].as_array().unwrap())
        .filter(|register| register["pcr"] == 11 && register["phase"] == "enter-initrd");
    at_unlocking
        .map(|register| register["value"].as_str().unwrap().to_owned())
        .collect()
}

/// The values of PCR 11 that the policy lets pass.
fn passing(path: &Path) -> BTreeSet<String> {
    let policy: Value =
        serde_json::from_slice(&fs::read(path.join("pcrlock.json")).unwrap()).unwrap();
    let texts = |values: &Value| -> Vec<String> {
        let values = values.as_array().unwrap().iter();
        values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect()
    };
    match policy["rootstockStates"].as_array() {
        Some(states) => states
            .iter()
            .map(|state| state["11"].as_str().unwrap().to_owned())
            .collect(),
        None => texts(&policy["pcrValues"][0]["values"])
            .into_iter()
            .collect(),
    }
}

#[test]
fn the_policy_goes_ahead_of_what_is_installed() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    prepare(path);
    let tpm = Tpm::start(path);
    let with = format!(
        "--tpm socket:{} --running-log log",
        path.join("tpm/socket").display()
    );
    put(path, "log", &empty_log());
    measure(path, &tpm, "enter-initrd");
    let install = format!(
        "install --esp esp --efivars efivars --root root --stub stub.efi --loader loader.efi --key db.key --certificate db.crt \
         --stored-policy pcrlock.json --vars {VARIABLES} {with}"
    );
    let said = |options: &str| -> Value {
        serde_json::from_str(&boot(path, &format!("--json {install} {options}"))).unwrap()
    };
    let files = || run(path, "find esp -type f -printf %p-%s-%T@\\n");
    let written = || fs::read_dir(path.join("esp")).unwrap().count();

    // Where no policy is stored nothing is installed.
    let (code, text) = boot_code(path, &install);
    assert_eq!((code, written()), (2, 0));
    assert!(text.contains("pcrlock.json: no policy is stored"), "{text}");
    let stored: Value = serde_json::from_str(&boot(
        path,
        &format!("--json pcrlock store {with} --policy pcrlock.json --keep-srk --pcr 11"),
    ))
    .unwrap();
    put(
        path,
        "recovery-pin",
        stored["recovery_pin"].as_str().unwrap().as_bytes(),
    );
    boot(
        path,
        "unlock enroll --tpm socket:tpm/socket --stored-policy pcrlock.json --passphrase-file passphrase disk",
    );
    measure(path, &tpm, "leave-initrd");
    let running = passing(path);

    // A dry run shows it and changes nothing.
    let dry = boot(path, &format!("--dry-run {install}"));
    assert!(dry.contains("would store a policy in NV index"), "{dry}");
    assert!(dry.contains(" for 3 boots: a tree of 12 states"), "{dry}");
    assert_eq!((written(), passing(path)), (0, running.clone()));

    // Both generations, and what runs.
    let first = said("");
    assert_eq!(first["stored"][0]["done"], "stored a policy");
    assert_eq!(first["stored"][1]["done"], "the policy is stored already");
    assert_eq!(
        (&first["stored"][0]["boots"], &first["stored"][0]["added"]),
        (&json!(3), &json!(1))
    );
    let generations = foreseen(&first);
    assert_eq!(generations.len(), 2);
    assert!(passing(path).is_superset(&generations) && passing(path).is_superset(&running));
    let status = "pcrlock status --tpm socket:tpm/socket --policy pcrlock.json --esp esp";
    boot(path, status);
    let attempt = "unlock try --tpm socket:tpm/socket --known-policy pcrlock.json disk";
    assert_eq!(boot(path, attempt), "unlocked by token 0\n");

    // Another one, and room for it alone: the old ones pass while it is written. What starts by default so far is kept.
    add(path, 3);
    let second = said("--limit 1");
    let boots = |number: usize| second["stored"][number]["boots"].as_u64().unwrap();
    assert_eq!((boots(0), boots(1)), (4, 3));
    let newest = foreseen(&second);
    assert!(passing(path).is_superset(&newest) && passing(path).is_superset(&running));
    assert_eq!(
        generations.difference(&passing(path)).count(),
        1,
        "the first generation is forgotten"
    );
    boot(path, status);
    assert_eq!(boot(path, attempt), "unlocked by token 0\n");

    // In a state that the policy does not let pass nothing is written: neither the policy nor a partition.
    measure(path, &tpm, "nobody knows");
    add(path, 4);
    let (before, held) = (passing(path), files());
    let (code, text) = boot_code(path, &install);
    assert_eq!(code, 2);
    assert!(text.contains("PCR 11 has another value"), "{text}");
    assert_eq!(passing(path), before);
    assert_eq!(files(), held);
    boot(path, status);
    // The recovery PIN stores it.
    let third = said("--recovery-pin-file recovery-pin");
    assert_eq!(third["stored"][0]["done"], "stored a policy");
    assert!(passing(path).is_superset(&foreseen(&third)));
    assert_eq!(boot(path, attempt), "unlocked by token 0\n");
}
