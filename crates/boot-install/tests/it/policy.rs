//! Signed PCR policies in entries: good for what the image measures, by the key that was named, and one request for each
//! where the key is elsewhere.

use crate::workshop::{
    Machinery, alone, entries, install, partition, payload, policy_key, program, tree,
};
use boot_install::{EpochCounter, Error};
use boot_measure::{Bank, DEFAULT_PHASES, Rules, predict_with_files};
use boot_pe::Image;
use boot_pe::epoch::{epoch_of, sbat_of};
use boot_policy::{FLOOR_REFERENCE, Floor, SignedPolicies, verifies};
use boot_sign::OfflineKey;
use boot_signature::{PublicKey, Signer};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroU32;

const SHA256: &[Bank] = &[Bank::Sha256];

/// How many policies an image has, each of which must be good for one phase of what the image measures; the shared files are
/// there for banks that need them.
fn good_policies(image: &[u8], files: &BTreeMap<String, Vec<u8>>) -> usize {
    let image = Image::parse(image).unwrap();
    let key = image.section(".pcrpkey").unwrap().data();
    let key = PublicKey::read(key.trim_ascii_end()).unwrap();
    assert_eq!(key, *policy_key().public_key());
    let policies = SignedPolicies::from_json(image.section(".pcrsig").unwrap().data()).unwrap();
    let rules = Rules::of(&image).unwrap();
    let mut phases = Vec::new();
    for (bank, policy) in policies.iter() {
        let file_of = |reference: &boot_pe::reference::Reference| {
            files.get(reference.path().trim_start_matches('/')).cloned()
        };
        let predicted =
            predict_with_files(&image, rules, bank, None, &DEFAULT_PHASES, &file_of).unwrap();
        let good = predicted
            .iter()
            .find(|at| verifies(policy, &at.register, &key));
        phases.push((bank, good.expect("a policy is for no phase").phase.clone()));
    }
    phases.sort();
    phases.dedup();
    assert!(phases.iter().all(|(_, phase)| !phase.is_empty()));
    phases.len()
}

#[test]
fn every_entry_gets_policies_that_are_good_for_what_it_measures() {
    let mut machine = Machinery::new();
    machine.simple(1, 9000);
    machine.simple(2, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let without = install(&machine, &targets, None);
    machine.policy = Some((policy_key(), SHA256));
    let with = install(&machine, &targets, None);
    assert_eq!(
        with.made, 2,
        "the key is a part of what an entry is made of"
    );
    assert_ne!(without.default, with.default);
    let files = tree(folder.path());
    let mut checked = 0;
    for name in entries(folder.path()) {
        let bytes = &files[&format!("EFI/Linux/{name}")];
        if Image::parse(bytes).unwrap().section(".pcrsig").is_some() {
            assert_eq!(good_policies(bytes, &files), 4, "{name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 2);
    assert_eq!(install(&machine, &targets, None).made, 0);
}

#[test]
fn banks_whose_digests_an_image_does_not_state_are_taken_from_the_files() {
    let mut machine = Machinery::new();
    machine.simple(1, 9000);
    machine.policy = Some((policy_key(), &[Bank::Sha256, Bank::Sha384]));
    let (folder, esp) = partition();
    install(&machine, &alone(&esp), None);
    let files = tree(folder.path());
    let name = format!("EFI/Linux/{}", entries(folder.path())[0]);
    assert_eq!(good_policies(&files[&name], &files), 8);
}

/// A generation with an image that was built with it.
fn built(machine: &Machinery, number: u64, sections: &[(&str, &[u8])]) -> Vec<u8> {
    let image = program(sections);
    let path = machine.store(&format!("uki-{number}.efi"), &image);
    let name = format!("nixos-{number}");
    let (kernel, initrd) = (
        machine.store("linux", &payload("k", 900)),
        machine.store("initrd", &payload("i", 900)),
    );
    let mut document = Machinery::document(&name, &kernel, &initrd);
    document["org.rootstock.uki.v1"] = json!({ "image": path });
    machine.generation(number, &document);
    image
}

const PARTS: [(&str, &[u8]); 4] = [
    (".sdmagic", b"#### LoaderInfo: systemd-stub 257.9 ####"),
    (".osrel", b"ID=nixos\nVERSION_ID=1\n"),
    (".linux", b"a kernel"),
    (".cmdline", b"quiet"),
];

#[test]
fn an_image_that_was_built_with_the_system_is_installed_as_it_is() {
    let machine = Machinery::new();
    let built = built(&machine, 1, &PARTS);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let files = tree(folder.path());
    let names: Vec<&String> = files.keys().filter(|n| n.starts_with("EFI/")).collect();
    assert_eq!(names.len(), 3, "no kernel or initrd beside it: {names:?}");
    let bytes = &files[&format!("EFI/Linux/{}", entries(folder.path())[0])];
    let (before, after) = (Image::parse(&built).unwrap(), Image::parse(bytes).unwrap());
    assert!(after.certificate_table().is_some());
    for (name, data) in PARTS {
        assert_eq!(after.section(name).unwrap().data(), data);
    }
    assert_eq!(before.sections.len(), after.sections.len());
    assert_eq!(install(&machine, &targets, None).made, 0);
}

#[test]
fn an_image_that_was_built_without_policies_gets_them_and_one_with_its_own_keeps_those() {
    let mut machine = Machinery::new();
    machine.policy = Some((policy_key(), SHA256));
    built(&machine, 1, &PARTS);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    assert!(install(&machine, &targets, None).notes.is_empty());
    let files = tree(folder.path());
    let name = format!("EFI/Linux/{}", entries(folder.path())[0]);
    assert_eq!(good_policies(&files[&name], &files), 4);

    let own: Vec<_> = PARTS.into_iter().chain([(".pcrsig", &b"{}"[..])]).collect();
    built(&machine, 2, &own);
    // Nobody knows what this one measures.
    built(&machine, 3, &PARTS[1..]);
    let installation = install(&machine, &targets, None);
    let said = |number: u64, what: &str| {
        let about = format!("generation {number}: no PCR policies are added: {what}");
        installation.notes.iter().any(|note| note.contains(&about))
    };
    assert!(said(2, "its image was built with `.pcrsig`"));
    assert!(said(3, "the image names no systemd-stub version"));
    for name in entries(folder.path()) {
        let bytes = fs::read(folder.path().join("EFI/Linux").join(&name)).unwrap();
        let image = Image::parse(&bytes).unwrap();
        let own = image.section(".pcrsig").map(|section| section.data().len());
        match name.split('-').nth(1) {
            Some("2") => assert_eq!(own, Some(2)),
            Some("3") => assert_eq!(own, None),
            _ => assert!(own > Some(100)),
        }
    }
}

#[test]
fn a_key_that_is_elsewhere_is_asked_for_every_phase_of_every_entry_at_once() {
    let mut machine = Machinery::new();
    machine.simple(1, 900);
    machine.simple(2, 900);
    let requests = tempfile::tempdir().unwrap();
    let public = policy_key().public_key().clone();
    let key: &'static OfflineKey = Box::leak(Box::new(OfflineKey::new(requests.path(), public)));
    machine.policy = Some((key, SHA256));
    let (_folder, esp) = partition();
    let error = machine.prepare(&alone(&esp), None).unwrap_err();
    assert!(matches!(error, Error::Signature(_)), "{error}");
    let asked = fs::read_dir(requests.path()).unwrap().filter(|entry| {
        let path = entry.as_ref().unwrap().path();
        path.extension().is_some_and(|extension| extension == "tbs")
    });
    assert_eq!(asked.count(), 2 * DEFAULT_PHASES.len());
}

#[test]
fn a_key_that_cannot_sign_policies_is_refused_before_anything_is_made() {
    let mut machine = Machinery::new();
    machine.simple(1, 900);
    machine.policy = Some((&crate::workshop::key().signer, SHA256));
    let (_folder, esp) = partition();
    let error = machine.prepare(&alone(&esp), None).unwrap_err();
    assert!(error.to_string().contains("RSA"), "{error}");
}

const COUNTER: EpochCounter = EpochCounter {
    index: 0x01d1_0700,
    start: 40,
};

/// References and floors of policies.
type Floors = BTreeSet<(Vec<u8>, Option<Floor>)>;

/// What an entry states: its epoch, and what its policies hold it to.
fn stated(image: &[u8]) -> (u32, Floors) {
    let image = Image::parse(image).unwrap();
    let policies = image.section(".pcrsig").unwrap().data();
    let policies = SignedPolicies::from_json(policies).unwrap();
    let floors = policies
        .iter()
        .map(|(_, policy)| (policy.reference.bytes(), policy.floor));
    (epoch_of(&image).unwrap(), floors.collect())
}

fn with_floor(epoch: u64) -> Floors {
    let floor = Floor {
        index: COUNTER.index,
        epoch,
    };
    [(FLOOR_REFERENCE.to_vec(), Some(floor))].into()
}

#[test]
fn a_generation_is_held_to_the_floor_by_the_epoch_that_its_image_states() {
    let mut machine = Machinery::new();
    machine.settings.epoch = 2;
    machine.policy = Some((policy_key(), SHA256));
    machine.floor = Some(COUNTER);
    machine.simple(1, 900);
    let [kernel, initrd] = ["linux-1", "initrd-1"].map(Machinery::store_path);
    let mut document = Machinery::document("nixos-2", &kernel, &initrd);
    document["org.rootstock.epoch.v1"] = json!({ "epoch": 7 });
    machine.generation(2, &document);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let files = tree(folder.path());
    for name in entries(folder.path()) {
        let bytes = &files[&format!("EFI/Linux/{name}")];
        assert_eq!(good_policies(bytes, &files), 4, "{name}");
        let epoch = if name.starts_with("rootstock-1-") {
            2
        } else {
            7
        };
        let floors = with_floor(40 + u64::from(epoch));
        assert_eq!(stated(bytes), (epoch, floors), "{name}");
    }
    // The counter and the epoch are parts of what an entry is made of.
    machine.settings.epoch = 3;
    assert_eq!(install(&machine, &targets, None).made, 1);
    machine.floor = None;
    assert_eq!(install(&machine, &targets, None).made, 2);

    document["org.rootstock.epoch.v1"] = json!({ "epoch": 1_u64 << 32 });
    machine.generation(2, &document);
    let error = machine.prepare(&targets, None).unwrap_err().to_string();
    assert!(error.contains("states no epoch"), "{error}");
}

#[test]
fn an_image_that_was_built_with_the_system_states_its_epoch_itself() {
    let mut machine = Machinery::new();
    machine.settings.epoch = 2;
    machine.policy = Some((policy_key(), SHA256));
    machine.floor = Some(COUNTER);
    let sbat = sbat_of(NonZeroU32::new(5).unwrap()).to_string();
    let parts: Vec<_> = PARTS
        .into_iter()
        .chain([(".sbat", sbat.as_bytes())])
        .collect();
    built(&machine, 1, &parts);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let name = format!("EFI/Linux/{}", entries(folder.path())[0]);
    assert_eq!(stated(&tree(folder.path())[&name]), (5, with_floor(45)));

    let [kernel, initrd] = ["linux", "initrd"].map(Machinery::store_path);
    let mut document = Machinery::document("nixos-2", &kernel, &initrd);
    document["org.rootstock.uki.v1"] = json!({ "image": Machinery::store_path("uki-1.efi") });
    document["org.rootstock.epoch.v1"] = json!({ "epoch": 6 });
    machine.generation(2, &document);
    let error = machine.prepare(&targets, None).unwrap_err().to_string();
    assert!(error.contains("states epoch 6 and its image 5"), "{error}");
}
