//! Registers of real boots beside those that `pcr predict` foresaw, and deliberate changes that `pcr explain` names from
//! their logs. Stage 56-boot-measured runs this.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::{list, store};
use crate::lab::{Booted, Contents, Lab, USUAL, certificate, option, order, secure_boot_disabled};
use crate::shim_images::{SBAT, SHIM};
use crate::workshop::{OWNER, image_hash, probe};
use boot_variables::{Entry, SignedUpdate};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

const FIRST: &str = "EFI/BOOT/BOOTX64.EFI";
const SYSTEMD_BOOT: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
/// What a boot from files can tell, whatever firmware it is.
const FROM_FILES: [u64; 10] = [4, 5, 7, 8, 9, 11, 12, 13, 14, 15];

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Registers foreseen with these options are those of the boot: all of `pcrs`, and no other that differs.
fn foreseen(lab: &Lab, booted: &Booted, options: &str, pcrs: &[u64]) {
    let output = lab.run(&format!("--json pcr predict --bank sha256 {options}"));
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{options}: {}", String::from_utf8_lossy(&output.stderr)));
    let real = std::fs::read_to_string(&booted.registers).unwrap();
    let mut told = BTreeSet::new();
    for register in answer["registers"].as_array().unwrap() {
        let pcr = register["pcr"].as_u64().unwrap();
        let line = format!("{pcr}:sha256={}", register["value"].as_str().unwrap());
        assert!(
            real.lines().any(|real| real == line),
            "{options}\nforeseen {line}\nreal:\n{real}{:#}",
            answer["measurements"]
        );
        told.insert(pcr);
    }
    let missing: Vec<&u64> = pcrs.iter().filter(|pcr| !told.contains(pcr)).collect();
    assert!(
        missing.is_empty(),
        "{options}: {missing:?} not foreseen: {:#}",
        answer["unforeseen"]
    );
    // The same expectation against the log: nothing to explain.
    let output = lab.run(&format!("pcr explain {options} {}", shown(&booted.log)));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{options}\n{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The log leads to the TPM's registers, by our reader and by another.
fn log_is_right(lab: &Lab, booted: &Booted) {
    let (log, registers) = (shown(&booted.log), shown(&booted.registers));
    let output = lab.run(&format!("log check --pcrs {registers} {log}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let ours = lab.run(&format!("log replay {log}")).stdout;
    let ours = String::from_utf8(ours).unwrap();
    let peer = Command::new("tpm2_eventlog")
        .arg(&booted.log)
        .output()
        .unwrap();
    let peer = String::from_utf8(peer.stdout).unwrap();
    let (_, peer) = peer.split_once("\npcrs:\n").unwrap();
    let mut bank = "";
    let mut theirs = BTreeSet::new();
    for line in peer.lines() {
        match line.split_once(" : 0x") {
            Some((pcr, value)) => drop(theirs.insert(format!("{}:{bank}={value}", pcr.trim()))),
            None => bank = line.trim().trim_end_matches(':'),
        }
    }
    assert_eq!(
        ours.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
        theirs
    );
}

/// The causes that `pcr explain` names are among these, and these are all named.
fn explained(lab: &Lab, before: &Booted, after: &Booted, causes: &[&str]) {
    let (before, log) = (shown(&before.log), shown(&after.log));
    let line = format!(
        "--json pcr explain --expect {before} --pcrs {} {log}",
        shown(&after.registers)
    );
    let output = lab.run(&line);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found: BTreeSet<&str> = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["cause"].as_str().unwrap())
        .collect();
    assert_eq!(found, causes.iter().copied().collect(), "{answer:#}");
}

/// The machine with its keys, booted once, so that firmware has made its variables.
fn first_boot(lab: &Lab, image: &[u8]) -> Booted {
    let own = [certificate(&lab.owner)];
    let db = [certificate(&lab.owner), certificate(&lab.second)];
    let fresh = store(
        lab.path(),
        &[list("PK", &own), list("KEK", &own), list("db", &db)],
    );
    lab.boot("direct", &fresh, &[(FIRST, image)], 0)
}

/// An update that adds to a list, signed by the owner.
fn appending(lab: &Lab, name: &str, entry: Entry) -> Vec<u8> {
    use boot_variables::{EfiTime, Update, write_lists};
    let time = EfiTime {
        year: 2026,
        month: 1,
        day: 2,
        ..EfiTime::default()
    };
    let update = Update::secure_boot(name, write_lists(&[entry]), true, time);
    let signed = lab.owner.sign_update(&update);
    SignedUpdate::read(&signed).unwrap();
    std::fs::write(lab.path().join(format!("{name}.auth")), &signed).unwrap();
    signed
}

/// What every test begins with: the machine after its first boot, whose variables the next boots start from.
struct Scene {
    lab: Lab,
    /// A unified kernel image that the owner signed, and the same unsigned.
    image: Vec<u8>,
    unsigned: Vec<u8>,
    direct: Booted,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let lab = Lab::new();
    let unsigned = lab.image(&USUAL);
    let image = lab.owner.sign(unsigned.clone());
    let direct = first_boot(&lab, &image);
    Scene {
        lab,
        image,
        unsigned,
        direct,
    }
});

#[test]
fn a_direct_boot_is_as_foreseen() {
    let Scene { lab, direct, .. } = &*SCENE;
    log_is_right(lab, direct);
    foreseen(
        lab,
        direct,
        &from_files(&direct.variables, direct),
        &FROM_FILES,
    );
}

/// The options of a prediction from a store and a disk.
fn from_files(store: &Path, booted: &Booted) -> String {
    format!("--vars {} --disk {}", shown(store), shown(&booted.disk))
}

/// After an update that firmware takes from a program; announced beforehand, with files and from the log alone.
#[test]
fn an_announced_update_is_foreseen_and_explained() {
    let Scene {
        lab, image, direct, ..
    } = &*SCENE;
    let vars = format!("--vars {}", shown(&direct.variables));
    let db = appending(lab, "db", certificate(&lab.mok));
    let dbx = appending(lab, "dbx", Entry::image_sha256(OWNER, &[9; 32]));
    // The probe as it is: inside of a unified kernel image it has no disk to read updates from.
    let program = lab.owner.sign(probe());
    let files: [(&str, &[u8]); 3] = [
        (FIRST, &program),
        ("updates/01-db-append.auth", &db),
        ("updates/02-dbx-append.auth", &dbx),
    ];
    let update = lab.boot("update", &direct.variables, &files, 0);
    let planned = "--planned-db db.auth --planned-dbx dbx.auth";
    let disk = lab.disk("announced", &[(FIRST, image)], 0);
    let after = lab.boot("updated", &update.variables, &[(FIRST, image)], 0);
    foreseen(
        lab,
        &after,
        &format!("{vars} --disk {} {planned}", shown(&disk)),
        &FROM_FILES,
    );
    let log = format!("--log {} {planned}", shown(&direct.log));
    let all: Vec<u64> = (0..8).chain([11]).collect();
    foreseen(lab, &after, &log, &all);
    std::fs::write(lab.path().join("signed.efi"), image).unwrap();
    foreseen(lab, &after, &format!("{log} --start signed.efi"), &all);
    log_is_right(lab, &after);
    explained(lab, direct, &after, &["db-added", "dbx-added"]);
}

/// systemd-boot on a bare disk, then on one with a partition table, then with one partition more.
#[test]
fn a_boot_through_systemd_boot_is_as_foreseen() {
    let Scene {
        lab, image, direct, ..
    } = &*SCENE;
    let loader = lab.owner.sign(std::fs::read(SYSTEMD_BOOT).unwrap());
    let files: [(&str, &[u8]); 2] = [(FIRST, &loader), ("EFI/Linux/probe.efi", image)];
    let bare = lab.boot("systemd-boot-252", &direct.variables, &files, 0);
    foreseen(
        lab,
        &bare,
        &from_files(&direct.variables, &bare),
        &FROM_FILES,
    );
    explained(lab, direct, &bare, &["passed-options", "program-added"]);

    // Firmware makes its own options anew for a disk with a table, so that one is written down here.
    let variables = vec![option(0x10, r"\EFI\BOOT\BOOTX64.EFI"), order(&[0x10])];
    let store = lab.store("named", &direct.variables, variables);
    let one = lab.boot("one-partition", &store, &files, 1);
    foreseen(lab, &one, &from_files(&store, &one), &FROM_FILES);
    log_is_right(lab, &one);
    let two = lab.boot("two-partitions", &store, &files, 2);
    foreseen(lab, &two, &from_files(&store, &two), &FROM_FILES);
    explained(lab, &one, &two, &["partition-table"]);
}

/// Debian's shim 16.1 with an image that the machine owner's key signed, then with one key more.
#[test]
fn a_boot_through_shim_is_as_foreseen() {
    let Scene { lab, direct, .. } = &*SCENE;
    let base = &direct.variables;
    let shim = std::fs::read(SHIM).unwrap();
    let second = lab.mok.sign(lab.image(&Contents {
        sbat: Some(SBAT),
        ..USUAL
    }));
    let files: [(&str, &[u8]); 2] = [(FIRST, &shim), ("EFI/BOOT/grubx64.efi", &second)];
    let db = [
        certificate(&lab.owner),
        Entry::image_sha256(OWNER, &image_hash(&shim)),
    ];
    let variables = |moks: &[Entry]| vec![list("db", &db), list("MokList", moks)];
    let one = [certificate(&lab.mok)];
    let with_one = lab.store("one-mok", base, variables(&one));
    let booted = lab.boot("shim-mok", &with_one, &files, 0);
    foreseen(lab, &booted, &from_files(&with_one, &booted), &FROM_FILES);
    log_is_right(lab, &booted);
    let two = [certificate(&lab.mok), certificate(&lab.second)];
    let with_two = lab.store("two-moks", base, variables(&two));
    let again = lab.boot("shim-two-moks", &with_two, &files, 0);
    foreseen(lab, &again, &from_files(&with_two, &again), &FROM_FILES);
    explained(lab, &booted, &again, &["mok-list-changed"]);
}

/// Boot options that are missing, refused and come back, before the one that stays; then that one first.
#[test]
fn permuted_and_failing_boot_options_are_foreseen() {
    let Scene {
        lab,
        image,
        unsigned,
        direct,
    } = &*SCENE;
    let base = &direct.variables;
    let broken = lab.owner.sign(lab.image(&Contents {
        linux: Some(b"no kernel"),
        ..USUAL
    }));
    let files: [(&str, &[u8]); 3] = [
        ("EFI/good.efi", image),
        ("EFI/unsigned.efi", unsigned),
        ("EFI/broken.efi", &broken),
    ];
    let variables = |numbers: &[u16]| {
        vec![
            option(0x10, r"\EFI\missing.efi"),
            option(0x11, r"\EFI\unsigned.efi"),
            option(0x12, r"\EFI\broken.efi"),
            option(0x13, r"\EFI\good.efi"),
            order(numbers),
        ]
    };
    let good = lab.store("good-first", base, variables(&[0x13, 0x12, 0x11, 0x10]));
    let first = lab.boot("options-good-first", &good, &files, 0);
    foreseen(lab, &first, &from_files(&good, &first), &FROM_FILES);

    let failing = lab.store("failing-first", base, variables(&[0x10, 0x11, 0x12, 0x13]));
    let last = lab.boot("options-good-last", &failing, &files, 0);
    let options = format!("{} --returning Boot0012", from_files(&failing, &last));
    foreseen(lab, &last, &options, &FROM_FILES);
    // The same, on the base of a log: firmware's own registers too.
    let all: Vec<u64> = [0].into_iter().chain(2..10).chain(11..16).collect();
    foreseen(
        lab,
        &last,
        &format!("{options} --log {}", shown(&direct.log)),
        &all,
    );
    log_is_right(lab, &last);
    let causes = [
        "boot-order",
        "order-changed",
        "boot-option-failed",
        "program-added",
        "sections-measured",
    ];
    explained(lab, &first, &last, &causes);
}

/// Images with one part changed, another signer, and Secure Boot turned off.
#[test]
fn changed_images_and_secure_boot_off_are_foreseen_and_explained() {
    let Scene { lab, direct, .. } = &*SCENE;
    let base = &direct.variables;
    let boot = |name: &str, store: &Path, image: &[u8]| {
        let booted = lab.boot(name, store, &[(FIRST, image)], 0);
        foreseen(lab, &booted, &from_files(store, &booted), &FROM_FILES);
        booted
    };
    let cmdline = lab.owner.sign(lab.image(&Contents {
        cmdline: "quiet init=/bin/sh",
        ..USUAL
    }));
    let after = boot("other-cmdline", base, &cmdline);
    explained(lab, direct, &after, &["command-line", "loader-changed"]);
    let initrd = lab.second.sign(lab.image(&Contents {
        initrd: "another",
        ..USUAL
    }));
    let after = boot("other-initrd-and-signer", base, &initrd);
    explained(
        lab,
        direct,
        &after,
        &["authority-changed", "initrd", "loader-changed"],
    );
    let open = lab.store("open", base, vec![secure_boot_disabled()]);
    let image = lab.owner.sign(lab.image(&USUAL));
    let after = boot("secure-boot-off", &open, &image);
    explained(
        lab,
        direct,
        &after,
        // Where Secure Boot is off the stub leaves the kernel to firmware, which measures it as one more program.
        &["authority-missing", "program-added", "secure-boot-off"],
    );
}
