//! The boots, one after the other, on one disk.

use super::disk::{PASSPHRASE, encrypted};
use super::host_tpm::HostTpm;
use super::machine::{Boot, Unlocked, Values, WORDS, measured};
use crate::bench::rootstock;
use crate::installed::computer::LOADER;
use crate::stub::scene::Report;
use crate::workshop::{Identity, OWNER};
use boot_pe::Image;
use boot_variables::{Entry, guids, read_store, replace_store, write_lists};
use std::fs;

/// The registers are those that were foreseen, and the phase is over.
fn as_foreseen(report: &Report, foreseen: &Values) {
    for (pcr, value) in foreseen {
        let value = match pcr {
            11 => &measured(value, "leave-initrd"),
            _ => value,
        };
        assert_eq!(&report.register(*pcr), value, "PCR {pcr}");
    }
}

fn says(screen: &str, text: &str) {
    assert!(screen.contains(text), "`{text}` is not in:\n{screen}");
}

/// The loader with another time stamp: another version of it, for all that is measured.
fn another_loader() -> Vec<u8> {
    let mut bytes = fs::read(LOADER).expect("systemd-boot is installed");
    let at = Image::parse(&bytes).expect("a program").pe_offset as usize + 8;
    bytes[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
    bytes
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one disk, from enrolment to the last refusal"
)]
fn the_tpm_unlocks_what_was_enrolled_and_a_passphrase_the_rest() {
    let machine = Unlocked::new();
    let (computer, path) = (&machine.computer, machine.path());
    for generation in 1..=3 {
        computer.generation(generation, &WORDS, false);
    }
    computer.generation(4, &WORDS, true);
    let more: Vec<&str> = WORDS.iter().copied().chain(["quiet"]).collect();
    computer.generation(5, &more, false);
    machine.install(LOADER);
    let root = encrypted(path, "root");

    // What the next boots will measure: today's, with another loader, and with one key more in db.
    let [first, second, third] = [1, 2, 3].map(|generation| machine.foreseen(generation, ""));
    let before = machine.keep("before.img");
    let stranger = Identity::plain("second signer");
    let addition = write_lists(&[Entry::certificate(OWNER, &stranger.certificate)]);
    computer.scene.put("addition.esl", &addition);
    computer.scene.put("loader.efi", &another_loader());
    machine.install("loader.efi");
    let updated = machine.foreseen(3, "");
    let announced = machine.foreseen(3, "--planned-db addition.esl");
    assert!(third[&4] != updated[&4] && third[&7] != announced[&7]);
    let after = machine.keep("after.img");

    fs::copy(&before, computer.disk.path()).expect("a copy");
    let tpm = HostTpm::start(&path.join("tpm"));
    machine.enroll(&tpm, &root, 9, &[&third]);
    machine.enroll(&tpm, &root, 65, &[&updated, &second]);
    machine.enroll(&tpm, &root, 500, &[&announced, &first]);
    drop(tpm);
    let recovery = rootstock(
        path,
        "--json unlock recovery --passphrase-file passphrase root.img",
    );
    let recovery: serde_json::Value = serde_json::from_str(&recovery).expect("JSON");
    let recovery = recovery["recovery_key"].as_str().expect("a text");

    let boot = |step: &str, entry: &str, token: u32| {
        let report = machine.boot(&Boot {
            step,
            entry,
            root: &root,
            tpm: Some("tpm"),
            types: None,
        });
        says(&report.screen, &format!("(root) (token {token})"));
        report
    };
    as_foreseen(&boot("newest", "rootstock-3-", 0), &third);
    as_foreseen(&boot("one-back", "rootstock-2-", 1), &second);
    as_foreseen(&boot("two-back", "rootstock-1-", 2), &first);

    // The loader is updated, as the installer does it; then a key is added to db.
    let lists = [9, 65, 500].map(|count| format!("rootstock-generations-{count}.cred"));
    fs::copy(&after, computer.disk.path()).expect("a copy");
    for list in &lists {
        machine.credential(list, &path.join(list));
    }
    as_foreseen(&boot("loader-updated", "rootstock-3-", 1), &updated);
    let store = path.join("variables.fd");
    let image = fs::read(&store).expect("the machine has variables");
    let mut all = read_store(&image).expect("a store");
    let mut db = all.remove(guids::SECURITY_DATABASE, "db").expect("db");
    db.data.extend(addition);
    all.insert(db);
    fs::write(&store, replace_store(&image, &all).expect("room")).expect("a file");
    let report = boot("db-updated", "rootstock-3-", 2);
    as_foreseen(&report, &announced);

    // From here on a boot that was right explains what is wrong.
    let log = computer.scene.put("log", &report.event_log());
    machine.credential("rootstock-log.cred", &log);
    let refused = |step: &str, entry: &str, tpm: Option<&str>, typed: &str| {
        let report = machine.boot(&Boot {
            step,
            entry,
            root: &root,
            tpm,
            types: Some(typed),
        });
        let screen = report.screen;
        assert!(!screen.contains("the TPM released"), "{screen}");
        screen
    };
    let screen = refused("other-kernel", "rootstock-4-", Some("tpm"), PASSPHRASE);
    says(&screen, "none of 500 alternatives holds");
    says(&screen, "changed: the kernel inside the image");
    let screen = refused("other-line", "rootstock-5-", Some("tpm"), PASSPHRASE);
    says(&screen, "changed: the command line inside the image");
    assert!(!screen.contains("changed: the kernel"), "{screen}");

    // The newest generation, signed by the key that was added.
    let file = computer
        .disk
        .file(&format!("EFI/Linux/{}", computer.entry(3)));
    computer.scene.put("entry.efi", &file.expect("it is there"));
    computer.scene.run("pe strip -o bare.efi entry.efi");
    let resigned = stranger.sign(computer.scene.read("bare.efi"));
    let resigned = computer.scene.put("resigned.efi", &resigned);
    let put = computer.disk.put("EFI/Linux/resigned.efi", &resigned);
    put.expect("there is room");
    let screen = refused("other-key", "resigned", Some("tpm"), PASSPHRASE);
    says(&screen, "PCR 7 has another value");
    says(&screen, "changed: who signed what was started");

    let screen = refused("other-tpm", "rootstock-3-", Some("other-tpm"), recovery);
    says(
        &screen,
        "this is another TPM than the one that was enrolled",
    );
    let screen = refused("no-tpm", "rootstock-3-", None, PASSPHRASE);
    says(&screen, "no TPM to ask: TPM /dev/tpmrm0");

    // A disk that is enrolled for what the policy key signs, down to the floor.
    let signed = encrypted(path, "signed");
    let tpm = HostTpm::start(&path.join("tpm"));
    let with = tpm.option();
    assert_eq!(
        rootstock(path, &format!("floor define {with}")),
        "floor 1\n"
    );
    rootstock(
        path,
        &format!(
            "unlock enroll {with} --policy-key pcr.pub --floor --passphrase-file passphrase signed.img"
        ),
    );
    // What the generation's signature allows at most: it stands at the floor itself.
    let raise = |to: u32, tpm: HostTpm| {
        let with = tpm.option();
        let told = rootstock(path, &format!("floor raise {with} --epoch {to} --unproven"));
        assert_eq!(told, format!("floor {to}\n"));
    };
    raise(2, tpm);
    let on_signed = |step: &str, types: Option<&str>| {
        let report = machine.boot(&Boot {
            step,
            entry: "rootstock-3-",
            root: &signed,
            tpm: Some("tpm"),
            types,
        });
        report.screen
    };
    says(&on_signed("at-the-floor", None), "(root) (token 0)");
    raise(3, HostTpm::start(&path.join("tpm")));
    let screen = on_signed("below-the-floor", Some(PASSPHRASE));
    says(&screen, "the counter 0x01d10700 holds 3");
    says(
        &screen,
        "this generation is below the floor: it was revoked",
    );
}
