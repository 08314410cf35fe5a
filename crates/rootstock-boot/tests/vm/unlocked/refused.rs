//! A machine whose TPM refuses the key to what was not enrolled: another kernel, command line, signer or policy key, and what is
//! below the floor; another TPM, or none. The causes are named, and the passphrase, the recovery key or the owner's signature opens
//! the disk.

use super::disk::PASSPHRASE;
use super::enrolled::{Enrolled, LISTS, SIGNERS};
use super::machine::{Boot, says};

pub(super) fn boots(enrolled: &Enrolled) {
    let computer = &enrolled.machines.computer;
    let machine = enrolled
        .machines
        .machine("refused", &enrolled.after, &enrolled.announced_store);
    let [.., most] = LISTS;
    let list = format!("rootstock-generations-{most}.cred");
    machine.credential_as_named(SIGNERS);
    // A boot that is right, down to the floor and after the announced update of db. Its log explains what is wrong in those that
    // follow.
    let report = machine.boot(&Boot {
        step: "at-the-floor",
        entry: "rootstock-3-",
        root: &enrolled.signed,
        tpm: Some("tpm"),
        types: None,
    });
    says(&report.screen, "(root) (token 0)");
    let log = computer.scene.put("log", &report.event_log());
    let explaining = || {
        machine.credential_as_named(&list);
        machine.credential_as_named(SIGNERS);
        machine.credential("rootstock-log.cred", &log);
    };
    explaining();
    let refused = |step: &str, entry: &str, signed: bool| {
        let root = if signed {
            &enrolled.signed
        } else {
            &enrolled.root
        };
        let report = machine.boot(&Boot {
            step,
            entry,
            root,
            tpm: Some("tpm"),
            types: Some(PASSPHRASE),
        });
        let screen = report.screen;
        assert!(!screen.contains("the TPM released"), "{screen}");
        screen
    };
    let screen = refused("other-kernel", "rootstock-4-", false);
    says(&screen, "none of 500 alternatives holds");
    says(&screen, "changed: the kernel inside the image");
    let screen = refused("other-line", "rootstock-5-", false);
    says(&screen, "changed: the command line inside the image");
    assert!(!screen.contains("changed: the kernel"), "{screen}");

    // The newest generation, signed by the key that was added.
    let file = machine.entry("rootstock-3-");
    computer.scene.put("entry.efi", &file);
    computer.scene.run("pe strip -o bare.efi entry.efi");
    let resigned = enrolled.stranger.sign(computer.scene.read("bare.efi"));
    let resigned = computer.scene.put("resigned.efi", &resigned);
    machine.put("EFI/Linux/resigned.efi", &resigned);
    let screen = refused("other-key", "resigned", false);
    says(&screen, "PCR 7 has another value");
    says(&screen, "changed: who signed what was started");

    let raised = machine.with_tpm("floor raise", "--epoch 3 --unproven");
    assert_eq!(raised, "floor 3\n");
    let screen = refused("below-the-floor", "rootstock-3-", true);
    says(&screen, "the counter 0x01d10700 holds 3");
    says(
        &screen,
        "this generation is below the floor: it was revoked",
    );

    // The owner signs for the disk, and no question is asked.
    let scene = &computer.scene;
    scene.run("unlock owner-request --token 0 -o request.json signed.img");
    scene.run("unlock owner-sign --key owner/pcr.key -o rootstock-recovery.cred request.json");
    machine.credential_as_named("rootstock-recovery.cred");
    let report = machine.boot(&Boot {
        step: "owner",
        entry: "rootstock-3-",
        root: &enrolled.signed,
        tpm: Some("tpm"),
        types: None,
    });
    says(&report.screen, "the owner's recovery token is accepted");
    // Sealing anew uses it up.
    let by = "--token 0 --recovery-token rootstock-recovery.cred";
    let demands =
        format!("--generations {SIGNERS} --policy-key pcr.pub --floor --owner-key owner/pcr.pub");
    let told = machine.with_tpm("unlock reseal", &format!("{by} {demands} signed.img"));
    assert_eq!(told, "sealed anew token 0\n");

    let without = |step: &str, tpm: Option<&str>, typed: &str, said: &str| {
        let report = machine.boot(&Boot {
            step,
            entry: "rootstock-3-",
            root: &enrolled.root,
            tpm,
            types: Some(typed),
        });
        assert!(!report.screen.contains("the TPM released"));
        says(&report.screen, said);
    };
    let another = "this is another TPM than the one that was enrolled";
    without("other-tpm", Some("other-tpm"), &enrolled.recovery, another);
    without("no-tpm", None, PASSPHRASE, "no TPM to ask: TPM /dev/tpmrm0");

    // Images whose policies somebody else signed: the same but for that.
    machine.exchange_disk(&enrolled.of_another);
    explaining();
    let screen = refused("other-policy-key", &enrolled.newest_of_another, true);
    says(
        &screen,
        "the image carries no policy that the enrolled key signed",
    );
}
