//! A machine whose disk is bound to a policy that lives in the TPM: it unlocks the generation that runs, refuses one that is not
//! let pass, and unlocks a new one that the running system installs, until the floor is raised. Nothing is sealed anew.

use super::disk::{PASSPHRASE, UUID, on_a_partition};
use super::enrolled::Enrolled;
use super::machine::{Boot, Machine, WORDS, says};
use super::released::as_foreseen;
use crate::bench::rootstock;
use crate::installed::computer::{LOADER, VENDOR};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What the running system calls, which was booted as the log says.
struct Running<'a> {
    path: &'a Path,
    machine: &'a Machine<'a>,
    log: &'a [u8],
}

impl Running<'_> {
    /// Runs commands on its TPM in the last of these phases.
    fn call<const N: usize>(&self, phases: &[&str], commands: [&str; N]) -> [String; N] {
        let tpm = self.machine.host_tpm();
        tpm.run(self.log, phases);
        commands.map(|command| rootstock(self.path, &format!("{command} {}", tpm.option())))
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

pub(super) fn boots(enrolled: &Enrolled, log: &[u8]) {
    let path = enrolled.machines.path();
    let store = path.join("variables.fd");
    let machine = enrolled
        .machines
        .machine("stored", &enrolled.before, &store);
    fs::copy(path.join("root.img"), path.join("stored.img")).expect("room");
    let put = |name: &str, content: &[u8]| {
        fs::write(path.join(name), content).expect("the folder is there");
    };
    put("running-log", log);
    let foreseen = json!([&enrolled.newest, &enrolled.two_back]);
    put("states.json", foreseen.to_string().as_bytes());
    let running = Running {
        path,
        machine: &machine,
        log,
    };
    let commands = [
        "--json pcrlock store --keep-srk --policy stored.json --running-log running-log --generations states.json --esp stored/disk.img",
        "unlock enroll --stored-policy stored.json --passphrase-file passphrase stored.img",
    ];
    let [said, enrolled_as] = running.call(&["enter-initrd", "leave-initrd"], commands);
    let said = json(&said);
    // What runs is as it was foreseen. Two boots in four phases.
    assert_eq!((&said["added"], &said["states"]), (&json!(0), &json!(8)));
    // Behind those tokens whose lists are not there.
    let token = enrolled_as.trim().rsplit(' ').next().expect("a number");
    let root = on_a_partition(&path.join("stored.img"));
    let boot = |step: &str, entry: &str, types: Option<&str>| {
        let report = machine.boot(&Boot {
            step,
            entry,
            root: &root,
            tpm: Some("tpm"),
            types,
        });
        let released = report.screen.contains(&format!("(root) (token {token})"));
        assert_eq!(released, types.is_none(), "{}", report.screen);
        report
    };
    let report = boot("stored", "rootstock-3-", None);
    as_foreseen(&report, &enrolled.newest);

    machine.credential("rootstock-log.cred", &path.join("running-log"));
    let screen = boot("stored-other-kernel", "rootstock-4-", Some(PASSPHRASE)).screen;
    says(&screen, &format!("token {token} is refused: "));
    says(&screen, "PCR 4 has another value");
    says(&screen, "changed: the kernel inside the image");

    // The running system installs another generation and removes old ones; the policy goes ahead.
    let selected = report.variable("LoaderEntrySelected");
    let selected = [&[6, 0, 0, 0], &*selected].concat();
    put(&format!("efivars/LoaderEntrySelected-{VENDOR}"), &selected);
    let by_uuid = format!("root=UUID={UUID}");
    let words = [&WORDS[..], &[&by_uuid]].concat();
    enrolled.machines.computer.generation(6, &words, true);
    let install = format!(
        "install --root root --stub stub.efi --loader {LOADER} --key db.key --certificate db.crt --policy-key pcr.key --epoch 1 --floor 1 \
         --limit 3 --esp stored/disk.img --efivars efivars --stored-policy stored.json --vars stored/variables.fd --running-log running-log"
    );
    let commands = [
        &*format!("--dry-run {install}"),
        &*format!("--json {install}"),
    ];
    let phases = ["enter-initrd", "leave-initrd", "sysinit", "ready"];
    let [dry, said] = running.call(&phases, commands);
    says(&dry, "would store a policy in NV index");
    let said = json(&said);
    // 1 to 6 while it is written; 3 runs, and 4 to 6 are the newest.
    for (stored, boots) in [6, 4].into_iter().enumerate() {
        let stored = &said["stored"][stored];
        assert_eq!(
            (&stored["done"], &stored["boots"]),
            (&json!("stored a policy"), &json!(boots)),
            "{said:#}"
        );
        assert_eq!(stored["added"], json!(0), "{said:#}");
    }
    boot("stored-new-generation", "rootstock-6-", None);

    // Stored with their epoch, they follow the floor.
    let raised = machine.with_tpm("floor raise", "--epoch 3 --unproven");
    assert_eq!(raised, "floor 3\n");
    let screen = boot("stored-below-the-floor", "rootstock-6-", Some(PASSPHRASE)).screen;
    says(&screen, "the counter 0x01d10700 holds 3");
    says(
        &screen,
        "this generation is below the floor: it was revoked",
    );
}
