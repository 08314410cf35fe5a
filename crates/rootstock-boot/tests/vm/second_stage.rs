//! Debian's shim 16.1: what it answers for second stages, through its protocol (as GRUB asks about kernels) and through
//! LoadImage, which it replaces.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::{Answers, Boot, Foretold, compare, oracle, plain, store};
use crate::shim_images::{self, SBAT, SHIM};
use crate::workshop::{Identity, probe, with_sbat};
use boot_variables::Variable;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const GRUB: &str = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";
const FIRST: &str = "EFI/BOOT/BOOTX64.EFI";
const SECOND: &str = "EFI/BOOT/grubx64.efi";
/// A machine's disk, store and files for one test.
struct Scene {
    folder: tempfile::TempDir,
    files: PathBuf,
    shim: Vec<u8>,
    mok: Identity,
    variables: Vec<Variable>,
    reasons: BTreeMap<String, &'static str>,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("images");
        std::fs::create_dir(&files).unwrap();
        let made = shim_images::make(folder.path());
        Scene {
            reasons: made.images.write(&files),
            shim: std::fs::read(SHIM).unwrap(),
            variables: made.variables(),
            mok: made.mok,
            folder,
            files,
        }
    }

    /// The store with one more variable, and without the level unless `level`.
    fn store(&self, name: &str, more: Option<Variable>, level: bool) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let kept = |variable: &&Variable| level || variable.name != "SbatLevel";
        let mut variables: Vec<Variable> = self.variables.iter().filter(kept).cloned().collect();
        variables.extend(more);
        store(&folder, &variables)
    }

    /// shim, then this second stage: answers to all files, or what the screen says until `text`.
    fn boot(&self, name: &str, variables: &Path, second: &[u8], text: Option<&str>) -> Answers {
        let boot = Boot {
            folder: self.folder.path(),
            name,
            variables,
            start: &[(FIRST, &*self.shim), (SECOND, second)],
            images: &self.files,
            tpm: None,
        };
        match text {
            None => boot.answers(),
            Some(text) => {
                boot.wait_for(text);
                Answers::default()
            }
        }
    }

    fn oracle(&self, variables: &Path, later: bool) -> BTreeMap<String, Foretold> {
        oracle(variables, Some(Path::new(SHIM)), later, &self.files)
    }
}

#[test]
fn each_file_gets_the_foretold_answer_from_shim() {
    let scene = Scene::new();
    let second = scene.mok.sign(with_sbat(&probe(), SBAT));
    let variables = scene.store("usual", None, true);
    let real = scene.boot("shim", &variables, &second, None);
    let foretold = scene.oracle(&variables, true);
    compare(&real.verify, &foretold, &scene.reasons);
    compare(&real.load, &foretold, &scene.reasons);

    // Told not to look into db, shim refuses what only db allows. Without a level of the machine's its own counts.
    let variables = scene.store("without-db", Some(plain("MokDBState", &[1])), false);
    let real = scene.boot("shim-without-db", &variables, &second, None);
    let mut reasons = scene.reasons.clone();
    for (name, reason) in [
        ("by-db", "not-allowed"),
        ("hash-in-db", "unsigned"),
        ("sbat-old", "certificate-allowed"),
        ("sbat-old-grub", "sbat-revoked"),
    ] {
        reasons.insert(format!("{name}.efi"), reason);
    }
    compare(&real.verify, &scene.oracle(&variables, true), &reasons);

    // Told not to check, it starts even an unsigned second stage without SBAT data.
    let variables = scene.store("unchecked", Some(plain("MokSBState", &[1])), true);
    let real = scene.boot("shim-unchecked", &variables, &probe(), None);
    let mut reasons = scene.reasons.clone();
    for reason in reasons.values_mut().filter(|r| **r != "not-loadable") {
        *reason = "validation-off";
    }
    // These can't even be hashed.
    for name in ["table-cut-off.efi", "zeros-behind-the-table.efi"] {
        reasons.insert(name.to_owned(), "table-corrupt");
    }
    compare(&real.verify, &scene.oracle(&variables, true), &reasons);
}

#[test]
fn shim_itself_demands_sbat_data_of_its_second_stage() {
    let scene = Scene::new();
    let variables = scene.store("usual", None, true);
    let foretold = scene.oracle(&variables, false);
    for name in ["no-sbat.efi", "sbat-old.efi"] {
        let told = &foretold[name];
        assert_eq!(told.status, "SECURITY_VIOLATION", "{told:?}");
        let second = std::fs::read(scene.files.join(name)).unwrap();
        scene.boot(name, &variables, &second, Some("Security Violation"));
    }
    assert_eq!(foretold["no-sbat.efi"].reason, "sbat-missing");
    assert_eq!(foretold["sbat-old.efi"].reason, "sbat-revoked");
}

#[test]
fn debians_grub_asks_shim_and_heeds_it() {
    let scene = Scene::new();
    let variables = scene.store("usual", None, true);
    let foretold = scene.oracle(&variables, true);
    let mut script = String::from("terminal_output console\n");
    for name in foretold.keys() {
        let _ = writeln!(
            script,
            "if chainloader /images/{name}; then echo probe load {name} SUCCESS; else echo probe load {name} REFUSED; fi"
        );
    }
    script += "echo probe done\n";
    let grub = std::fs::read(GRUB).unwrap();
    let boot = Boot {
        folder: scene.folder.path(),
        name: "grub",
        variables: &variables,
        start: &[
            (FIRST, &*scene.shim),
            (SECOND, &*grub),
            ("EFI/debian/grub.cfg", script.as_bytes()),
        ],
        images: &scene.files,
        tpm: None,
    };
    let real = boot.answers().load;
    for (name, told) in &foretold {
        let expected = if told.status == "SUCCESS" {
            "SUCCESS"
        } else {
            "REFUSED"
        };
        assert_eq!(
            real.get(name).map(String::as_str),
            Some(expected),
            "{name}: {told:?}"
        );
    }
}
