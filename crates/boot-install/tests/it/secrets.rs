//! Secrets that a program appends to initrds, which is version 1's way.

use crate::workshop::{Machinery, alone, entries, install, partition, payload, tree};
use boot_install::{Error, InitrdSecrets};
use boot_pe::Image;
use boot_pe::reference::References;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A generation of version 1 with a program that does this.
fn generation(machine: &Machinery, number: u64, script: &str) {
    let kernel = machine.store("linux", &payload("kernel", 3000));
    let initrd = machine.store("initrd", &payload("initrd", 6000));
    let program = machine.store(
        &format!("append-{number}"),
        format!("#!/bin/sh\n{script}\n").as_bytes(),
    );
    let real = machine.root.path().join(&program[1..]);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o755)).unwrap();
    let toplevel = Machinery::store_path(&format!("nixos-{number}"));
    let document = json!({
        "org.nixos.bootspec.v1": {
            "label": "NixOS",
            "system": "x86_64-linux",
            "init": format!("{toplevel}/init"),
            "toplevel": toplevel,
            "kernel": kernel,
            "kernelParams": [],
            "initrd": initrd,
            "initrdSecrets": program,
        }
    });
    machine.generation(number, &document);
}

/// The initrds of each entry, read from the partition.
fn initrds(folder: &Path) -> Vec<Vec<Vec<u8>>> {
    let files = tree(folder);
    let of_entry = |name: String| {
        let image = Image::parse(&files[&format!("EFI/Linux/{name}")]).unwrap();
        let references = References::parse(image.section(".rsref").unwrap().data()).unwrap();
        let content =
            |r: &boot_pe::reference::Reference| files[r.path().trim_start_matches('/')].clone();
        references.initrds().map(content).collect()
    };
    entries(folder).into_iter().map(of_entry).collect()
}

#[test]
fn a_program_is_run_only_when_that_is_asked_for_and_its_secrets_are_an_initrd_of_their_own() {
    let mut machine = Machinery::new();
    let witness = machine.root.path().join("it-ran");
    let script = format!("touch {}\nprintf secret >> \"$1\"", witness.display());
    generation(&machine, 1, &script);
    generation(&machine, 2, &script);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let refused = machine.prepare(&targets, None).unwrap_err();
    assert!(
        matches!(&refused, Error::Generation { why, .. } if why.contains("--run-initrd-secrets"))
    );
    machine.settings.initrd_secrets = InitrdSecrets::Leave;
    let installation = install(&machine, &targets, None);
    assert_eq!(installation.notes.len(), 2);
    assert!(!witness.exists(), "it was not to be run");
    let system = payload("initrd", 6000);
    assert_eq!(initrds(folder.path()), [[system.clone()], [system.clone()]]);

    machine.settings.initrd_secrets = InitrdSecrets::Run;
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let installation = install(&machine, &targets, None);
    assert!(witness.exists());
    assert!(installation.notes[0].contains("in plain"));
    let both = [system, b"secret".to_vec()];
    assert_eq!(initrds(folder.path()), [both.clone(), both]);
    let shared = tree(folder.path())
        .into_keys()
        .filter(|n| n.starts_with("EFI/rootstock/"));
    assert_eq!(shared.count(), 3, "kernel, initrd and secrets, each once");
    assert_eq!(install(&machine, &targets, None).made, 0);
}

#[test]
fn a_program_that_fails_stops_the_default_generation_alone() {
    let mut machine = Machinery::new();
    machine.settings.initrd_secrets = InitrdSecrets::Run;
    generation(&machine, 1, "exit 3");
    generation(&machine, 2, "exit 0");
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let installation = install(&machine, &targets, None);
    assert!(
        installation
            .notes
            .iter()
            .any(|note| note.contains("exit status: 3"))
    );
    // One that appends nothing has no secrets.
    assert!(initrds(folder.path()).iter().all(|list| list.len() == 1));
    machine.switch(1);
    let error = machine.prepare(&targets, None).unwrap_err();
    assert!(matches!(error, Error::Secrets { .. }), "{error}");
}
