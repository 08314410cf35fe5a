//! `install --stored-policy --floor`: what the policy in the TPM lets pass is held to the floor, so a blessing that raises it shuts
//! older generations out; nothing is stored without it afterwards.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::common::{boot, boot_code, put, run, scratch};
use crate::generations::{add, prepare};
use crate::measure::Tpm;
use crate::stored::{VARIABLES, measure};
use crate::unlock::volume;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const WITH: &str = "--tpm socket:tpm/socket";

/// Adds a generation of this epoch.
fn generation(path: &Path, number: u64, epoch: u32) {
    add(path, number);
    let file = path.join(format!(
        "root/nix/store/00000000000000000000000000000000-nixos-{number}/boot.json"
    ));
    let mut document: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    document["org.rootstock.epoch.v1"] = json!({ "epoch": epoch });
    fs::write(file, document.to_string()).unwrap();
}

/// The file name of a generation's entry.
fn entry(path: &Path, number: u64) -> String {
    let names = fs::read_dir(path.join("esp/EFI/Linux")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let start = format!("rootstock-{number}-");
    names
        .into_iter()
        .find(|name| name.starts_with(&start))
        .unwrap()
}

/// The machine starts a generation: the TPM's registers are its, and the loader says that it runs.
fn start(path: &Path, tpm: Tpm, number: u64) -> Tpm {
    let tpm = tpm.restart(path);
    let entry = entry(path, number);
    let line = format!(
        "pcrlock component --pcr 11 --vars {VARIABLES} --esp esp --start loader.efi --start esp/EFI/Linux/{entry} -o component"
    );
    boot(path, &line);
    let component: Value =
        serde_json::from_slice(&fs::read(path.join("component")).unwrap()).unwrap();
    for record in component["records"].as_array().unwrap() {
        let digests = record["digests"].as_array().unwrap();
        let digest = digests
            .iter()
            .find(|digest| digest["hashAlg"] == "sha256")
            .unwrap();
        let line = format!(
            "env TPM2TOOLS_TCTI={} tpm2_pcrextend 11:sha256={}",
            tpm.address,
            digest["digest"].as_str().unwrap()
        );
        run(path, &line);
    }
    measure(path, &tpm, "enter-initrd");
    let variable = "efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
    let units = format!("{entry}\0");
    let units = units.encode_utf16().flat_map(u16::to_le_bytes);
    let bytes: Vec<u8> = [6, 0, 0, 0].into_iter().chain(units).collect();
    put(path, variable, &bytes);
    tpm
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one machine, from its first policy to a revocation"
)]
fn raising_the_floor_shuts_older_generations_out_of_the_policy() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    prepare(path);
    generation(path, 3, 2);
    let tpm = Tpm::start(path);
    measure(path, &tpm, "enter-initrd");
    boot(
        path,
        &format!("pcrlock store {WITH} --policy pcrlock.json --keep-srk --pcr 11"),
    );
    let line = "--stored-policy pcrlock.json --passphrase-file passphrase disk";
    boot(path, &format!("unlock enroll {WITH} {line}"));
    let bare = "install --esp esp --efivars efivars --root root --stub stub.efi --loader loader.efi --key db.key --certificate db.crt";
    let free = format!("{bare} --stored-policy pcrlock.json --vars {VARIABLES} {WITH}");
    let held = format!("{free} --floor 1");
    let policy = || fs::read(path.join("pcrlock.json")).unwrap();
    let attempt = || {
        boot_code(
            path,
            &format!("unlock try {WITH} --known-policy pcrlock.json disk"),
        )
    };
    let unlocked = (0, "unlocked by token 0\n".to_owned());

    // A floor that nothing is held to, and one that the TPM does not have.
    let first = policy();
    let (code, text) = boot_code(path, &format!("{bare} --floor 1"));
    assert_eq!(code, 2);
    assert!(
        text.contains("give --policy-key, --stored-policy, or both"),
        "{text}"
    );
    boot(path, &format!("floor remove {WITH}"));
    let raise = format!("floor raise {WITH} --epoch 7 --unproven");
    for line in [raise.clone(), format!("--dry-run {raise}")] {
        let (code, text) = boot_code(path, &line);
        assert_eq!(code, 2);
        assert!(
            text.contains("floor 0x01d10700: it is not defined"),
            "{text}"
        );
    }
    let (code, text) = boot_code(path, &held);
    assert_eq!(code, 2);
    assert!(
        text.contains("floor 0x01d10700: the TPM has no such counter; `floor define` defines it"),
        "{text}"
    );
    assert_eq!(boot(path, &format!("floor define {WITH}")), "floor 1\n");
    let far = format!("floor raise {WITH} --epoch 9999 --unproven");
    for line in [far.clone(), format!("--dry-run {far}")] {
        let (code, text) = boot_code(path, &line);
        assert_eq!(code, 2);
        assert!(text.contains("raised by more than 256 steps"), "{text}");
    }
    let dry = boot(path, &format!("--dry-run {held}"));
    assert!(dry.contains("would store a policy in NV index"), "{dry}");
    assert!(
        dry.contains("a tree of 16 states, held to the floor"),
        "{dry}"
    );
    assert_eq!(
        (policy(), fs::read_dir(path.join("esp")).unwrap().count()),
        (first, 0)
    );
    boot(path, &held);
    generation(path, 4, 3);
    boot(path, &held);
    let stored = policy();
    let status = format!("pcrlock status {WITH} --policy pcrlock.json --esp esp");
    let said = boot(path, &status);
    assert!(
        said.contains("held to the floor: 0 of 20 states are below it"),
        "{said}"
    );

    let shown = boot(path, "pcrlock show pcrlock.json");
    let newest = " while the counter 0x01d10700 is at most 4";
    assert_eq!(shown.matches(newest).count(), 4, "{shown}");

    // Every generation unlocks, and the system that installed them, of which no entry is known.
    assert_eq!(attempt(), unlocked);
    let tpm = start(path, tpm, 3);
    assert_eq!(attempt(), unlocked);
    let tpm = start(path, tpm, 4);
    assert_eq!(attempt(), unlocked);
    let said = boot(
        path,
        &format!("bless --esp esp --efivars efivars --floor 1 {WITH}"),
    );
    assert!(
        said.ends_with("epoch 3, the floor is raised to 4\n"),
        "{said}"
    );
    // Nothing was stored, and the older ones are shut out.
    assert_eq!(policy(), stored);
    assert_eq!(attempt(), unlocked);
    let said = boot(path, &status);
    assert!(
        said.contains("held to the floor: 16 of 20 states are below it"),
        "{said}"
    );
    let tpm = start(path, tpm, 3);
    let (code, text) = attempt();
    assert_eq!(code, 1);
    let cause = "the counter 0x01d10700 holds 4, and the policy wants it to be at most 3";
    assert!(text.contains(cause), "{text}");
    // Nor do they store a policy.
    let files = || run(path, "find esp -type f -printf %p-%s-%T@\\n");
    let before = files();
    add(path, 5);
    let (code, text) = boot_code(path, &held);
    assert_eq!(code, 2);
    assert!(text.contains(cause), "{text}");
    assert_eq!((policy(), files()), (stored, before));
    let tpm = tpm.restart(path);
    measure(path, &tpm, "enter-initrd");
    let (code, text) = attempt();
    assert_eq!(code, 1);
    assert!(text.contains("at most 1"), "{text}");
    run(
        path,
        "cryptsetup open --test-passphrase --key-file exact disk",
    );

    // Once held, always: neither command stores it without the floor.
    let _tpm = start(path, tpm, 4);
    let (code, text) = boot_code(path, &free);
    assert_eq!(code, 2);
    assert!(
        text.contains("pcrlock.json: it is held to the floor: give --floor"),
        "{text}"
    );
    let (code, text) = boot_code(
        path,
        &format!("pcrlock store {WITH} --policy pcrlock.json --pcr 11"),
    );
    assert_eq!(code, 2);
    assert!(
        text.contains("`install --stored-policy --floor` stores the next one"),
        "{text}"
    );
    boot(path, &held);
    boot(path, &status);
    assert_eq!(attempt(), unlocked);
}
