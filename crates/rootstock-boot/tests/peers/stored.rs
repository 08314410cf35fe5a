//! `pcrlock states|store|status|remove` and what is bound to a stored policy, from the command line: a volume of cryptsetup, a software
//! TPM, and system partitions whose loaders are out of step.

use crate::common::{STUB, boot, boot_code, put, run, scratch};
use crate::measure::Tpm;
use crate::unlock::volume;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// systemd-boot of Debian.
const LOADER: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
pub(crate) const VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

fn extend(path: &Path, tpm: &Tpm, pcr: u8, byte: &str) {
    let line = format!(
        "env TPM2TOOLS_TCTI={} tpm2_pcrextend {pcr}:sha256={}",
        tpm.address,
        byte.repeat(32)
    );
    run(path, &line);
}

/// Measures a word into PCR 11.
pub(crate) fn measure(path: &Path, tpm: &Tpm, word: &str) {
    let digest = hex::encode(boot_measure::Bank::Sha256.digest(&[word.as_bytes()]));
    let line = format!(
        "env TPM2TOOLS_TCTI={} tpm2_pcrextend 11:sha256={digest}",
        tpm.address
    );
    run(path, &line);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one policy, from storing to removal")]
fn a_disk_follows_the_policy_in_an_index() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    let at = format!("{with} --policy pcrlock.json");
    let store = format!("pcrlock store {at} --initrd-only");
    let state = |number: u16| json!({ "4": format!("{number:04x}").repeat(16), "11": format!("{number:04x}").repeat(16) });
    let plan = |count: u16| json!((1..=count).map(state).collect::<Vec<_>>()).to_string();
    put(path, "eight.json", plan(7).as_bytes());
    put(path, "nine.json", plan(8).as_bytes());

    // Without a storage root key nothing is stored; a dry run tells that one would be kept.
    let (code, error) = boot_code(path, &format!("{store} --pcr 4,11"));
    assert_eq!(code, 2);
    assert!(
        error.contains("storage root key 0x81000001: the TPM keeps none"),
        "{error}"
    );
    let dry = boot(path, &format!("--dry-run {store} --keep-srk --pcr 4,11"));
    assert!(
        dry.contains("would define and store a policy in a free NV index"),
        "{dry}"
    );
    assert!(
        dry.contains("would keep a storage root key at 0x81000001"),
        "{dry}"
    );
    assert!(!path.join("pcrlock.json").exists());
    let said: Value = serde_json::from_str(&boot(
        path,
        &format!("--json {store} --keep-srk --generations eight.json --index 0x01801234"),
    ))
    .unwrap();
    assert_eq!(said["added"], json!(1));
    assert_eq!(said["states"], json!(8));
    let pin = said["recovery_pin"].as_str().unwrap();
    put(path, "recovery-pin", pin.as_bytes());
    let digest = |text: &str| {
        text.split("policy digest ")
            .nth(1)
            .unwrap()
            .trim()
            .to_owned()
    };
    let shown = boot(path, "pcrlock show pcrlock.json");
    assert_eq!(digest(&shown), said["digest"].as_str().unwrap());
    assert!(boot(path, &format!("pcrlock status {at}")).contains("the index holds it"));

    // Bound to the index; the running state is the eighth.
    boot(
        path,
        &format!(
            "unlock enroll {with} --stored-policy pcrlock.json --passphrase-file passphrase disk"
        ),
    );
    let listed: Value = serde_json::from_str(&boot(path, "--json unlock list disk")).unwrap();
    assert_eq!(listed["tokens"][0]["stored"], json!(true));
    let attempt = format!("unlock try {with} --known-policy pcrlock.json disk");
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    let (code, text) = boot_code(path, &format!("unlock try {with} disk"));
    assert_eq!(code, 1);
    assert!(
        text.contains("no pcrlock.json of that index was given"),
        "{text}"
    );

    // Nine are a tree; nothing is sealed anew.
    let dry = boot(path, &format!("--dry-run {store} --generations nine.json"));
    assert!(
        dry.contains("would store a policy in NV index 0x01801234: a tree of 9 states"),
        "{dry}"
    );
    let before = fs::read(path.join("disk")).unwrap();
    boot(path, &format!("{store} --generations nine.json"));
    // What is shown of a tree is its states, and the digest that the index holds.
    let status: Value =
        serde_json::from_str(&boot(path, &format!("--json pcrlock status {at}"))).unwrap();
    let shown = boot(path, "pcrlock show pcrlock.json");
    assert_eq!(digest(&shown), status["held"].as_str().unwrap());
    assert_eq!(shown.matches("state ").count(), 9, "{shown}");
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    assert!(before == fs::read(path.join("disk")).unwrap());
    let again = boot(path, &format!("{store} --generations nine.json"));
    assert!(again.contains("the policy is stored already"), "{again}");

    // Power fails between the index and the file: the file beside it is the one that the index holds.
    let nine = fs::read(path.join("pcrlock.json")).unwrap();
    boot(path, &format!("{store} --generations eight.json"));
    fs::rename(path.join("pcrlock.json"), path.join("pcrlock.json.next")).unwrap();
    put(path, "pcrlock.json", &nine);
    let (code, text) = boot_code(path, &format!("pcrlock status {at}"));
    assert_eq!(code, 1);
    assert!(text.contains("run `pcrlock store` to finish"), "{text}");
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    let text = boot(path, &format!("{store} --generations eight.json"));
    assert!(text.contains("the policy is stored already"), "{text}");
    assert!(!path.join("pcrlock.json.next").exists());

    // A state that the policy does not let pass unlocks nothing and writes nothing, until the recovery PIN does.
    extend(path, &tpm, 11, "cc");
    let (code, text) = boot_code(path, &attempt);
    assert_eq!(code, 1);
    assert!(text.contains("PCR 11 has another value"), "{text}");
    let (code, _) = boot_code(path, &format!("{store} --pcr 4,11"));
    assert_eq!(code, 2);
    put(path, "wrong-recovery", b"not it\n");
    let (code, text) = boot_code(
        path,
        &format!("{store} --pcr 4,11 --recovery-pin-file wrong-recovery"),
    );
    assert_eq!(code, 2);
    assert!(text.contains("the recovery PIN is another"), "{text}");
    boot(
        path,
        &format!("{store} --pcr 4,11 --recovery-pin-file recovery-pin"),
    );
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");

    // Somebody else's index is refused by its number.
    let foreign = format!(
        "env TPM2TOOLS_TCTI={} tpm2_nvdefine 0x01801235 -s 34 -a ownerread|ownerwrite",
        tpm.address
    );
    run(path, &foreign);
    let (code, text) = boot_code(
        path,
        &format!("pcrlock store {with} --policy other.json --pcr 4 --index 0x01801235"),
    );
    assert_eq!(code, 2);
    assert!(
        text.contains("NV index 0x01801235: it is somebody else's"),
        "{text}"
    );
    assert!(!path.join("other.json").exists());

    assert!(
        boot(path, &format!("--dry-run pcrlock remove {at}"))
            .contains("would remove NV index 0x01801234")
    );
    boot(path, &format!("pcrlock remove {at}"));
    assert!(!path.join("pcrlock.json").exists());
    run(
        path,
        "cryptsetup open --test-passphrase --key-file exact disk",
    );
}

#[test]
fn every_system_partition_has_a_copy_that_systemd_reads() {
    let folder = scratch();
    let path = folder.path();
    let tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    let at = format!("{with} --policy pcrlock.json --esp one --esp two");
    fs::create_dir(path.join("one")).unwrap();
    let store = format!("pcrlock store {at} --keep-srk");
    let (code, text) = boot_code(path, &format!("{store} --pcr 11"));
    assert_eq!(code, 2);
    assert!(text.contains("two: "), "{text}");
    fs::create_dir(path.join("two")).unwrap();
    let (code, text) = boot_code(path, &format!("{store} --pcr 11,12"));
    assert_eq!(code, 2);
    assert!(text.contains("leave it out of the policy"), "{text}");
    boot(path, &format!("--dry-run {store} --pcr 11"));
    assert!(!path.join("one/loader").exists());

    // What lies there is what the file says, as systemd decrypts it.
    let copy = |esp: &str, name: &str| path.join(format!("{esp}/loader/credentials/{name}.cred"));
    let (current, next) = ("pcrlock.rootstock", "pcrlock.rootstock.next");
    let same = || {
        let json = fs::read_to_string(path.join("pcrlock.json")).unwrap();
        for esp in ["one", "two"] {
            let file = copy(esp, current);
            let line = format!(
                "systemd-creds decrypt --name={current} {} -",
                file.display()
            );
            assert_eq!(run(path, &line), json);
            assert!(!copy(esp, next).exists());
        }
    };
    boot(path, &format!("{store} --pcr 11"));
    same();
    let first = fs::read(copy("one", current)).unwrap();
    extend(path, &tpm, 4, "aa");
    boot(path, &format!("{store} --pcr 4,11"));
    same();
    assert!(first != fs::read(copy("one", current)).unwrap());
    boot(path, &format!("pcrlock status {at}"));

    // One that was put back from elsewhere is told of, and mended; what is right is not written again.
    put(
        path,
        "two/loader/credentials/pcrlock.rootstock.cred",
        &first,
    );
    let (code, text) = boot_code(path, &format!("pcrlock status {at}"));
    assert_eq!(code, 1);
    assert!(
        text.contains("two/loader/credentials/pcrlock.rootstock.cred: not this policy"),
        "{text}"
    );
    assert!(!text.contains("one/loader"), "{text}");
    let text = boot(path, &format!("{store} --pcr 4,11"));
    assert!(text.contains("the policy is stored already"), "{text}");
    same();

    // The power fails between the copies and the index: the old one is still there.
    put(path, "wrong", b"not it\n");
    let held = fs::read(copy("one", current)).unwrap();
    let (code, _) = boot_code(path, &format!("{store} --pcr 11 --recovery-pin-file wrong"));
    assert_eq!(code, 2);
    assert!(held == fs::read(copy("one", current)).unwrap());
    assert!(copy("one", next).exists() && copy("two", next).exists());
    boot(path, &format!("pcrlock status {at}"));
    boot(path, &format!("{store} --pcr 4,11"));
    same();

    boot(path, &format!("pcrlock remove {at}"));
    assert!(!copy("one", current).exists() && !copy("two", current).exists());
}

#[test]
fn a_list_that_lacks_the_running_system_gets_it() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let _tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    let zero = "00".repeat(32);
    let other = json!([{ "11": "11".repeat(32) }]);
    put(path, "next.json", other.to_string().as_bytes());
    // A log without measurements: the registers are as at the start, and the list lacks that.
    put(path, "log", &empty_log());
    let enroll = format!(
        "unlock enroll {with} --running-log log --generations next.json --passphrase-file passphrase"
    );
    let (code, text) = boot_code(path, &format!("{enroll} disk"));
    assert_eq!(code, 2);
    assert!(
        text.contains("the list of generations lacks the system that runs"),
        "{text}"
    );
    boot(
        path,
        &format!("{enroll} --write-generations whole.json disk"),
    );
    let whole: Value = serde_json::from_slice(&fs::read(path.join("whole.json")).unwrap()).unwrap();
    assert_eq!(whole, json!([{ "11": "11".repeat(32) }, { "11": zero }]));
    let attempt = format!("unlock try {with} --known-generations whole.json disk");
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    // One that has it is sealed as it is.
    boot(
        path,
        &format!(
            "unlock reseal --token 0 {with} --running-log log --generations whole.json --known-generations whole.json disk"
        ),
    );
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
}

#[test]
fn the_running_system_writes_the_next_policy_by_itself() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    let phase = |word: &str| measure(path, &tpm, word);
    put(path, "log", &empty_log());
    phase("enter-initrd");
    let keep = format!("{with} --running-log log --keep-srk");
    let whole = format!("pcrlock store {keep} --policy whole.json");
    let narrow = format!("pcrlock store {keep} --policy narrow.json --initrd-only");
    for store in [&whole, &narrow] {
        boot(path, &format!("{store} --pcr 11"));
    }
    boot(
        path,
        &format!(
            "unlock enroll {with} --stored-policy whole.json --passphrase-file passphrase disk"
        ),
    );
    for word in ["leave-initrd", "sysinit", "ready"] {
        phase(word);
        let other =
            json!([{ "11": hex::encode(boot_measure::Bank::Sha256.digest(&[word.as_bytes()])) }]);
        put(path, "next.json", other.to_string().as_bytes());
        let said: Value = serde_json::from_str(&boot(
            path,
            &format!("--json {whole} --generations next.json"),
        ))
        .unwrap();
        assert_eq!((&said["added"], &said["states"]), (&json!(1), &json!(8)));
        let attempt = format!("unlock try {with} --known-policy whole.json disk");
        assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    }
    let (code, text) = boot_code(path, &format!("{narrow} --generations next.json"));
    assert_eq!(code, 2);
    assert!(text.contains("PCR 11 has another value"), "{text}");
    // It shuts down.
    phase("shutdown");
    let (code, _) = boot_code(path, &format!("{whole} --pcr 11"));
    assert_eq!(code, 2);
}

/// A crypto-agile log of the SHA-256 bank that measures nothing into PCR 11: its header, and a separator of PCR 7.
pub(crate) fn empty_log() -> Vec<u8> {
    let mut header = b"Spec ID Event03\0".to_vec();
    header.extend(0_u32.to_le_bytes());
    header.extend([0, 2, 0, 2]);
    header.extend(1_u32.to_le_bytes());
    header.extend(0x000b_u16.to_le_bytes());
    header.extend(32_u16.to_le_bytes());
    header.push(0);
    let mut log = 0_u32.to_le_bytes().to_vec();
    log.extend(3_u32.to_le_bytes());
    log.extend([0; 20]);
    log.extend((header.len() as u32).to_le_bytes());
    log.extend(header);
    log.extend(7_u32.to_le_bytes());
    log.extend(4_u32.to_le_bytes());
    log.extend(1_u32.to_le_bytes());
    log.extend(0x000b_u16.to_le_bytes());
    log.extend(boot_measure::Bank::Sha256.digest(&[&[0; 4]]));
    log.extend(4_u32.to_le_bytes());
    log.extend([0; 4]);
    log
}

#[test]
fn every_loader_that_may_lie_there_meets_every_entry() {
    let folder = scratch();
    let path = folder.path();
    for esp in ["esp1", "esp2"] {
        fs::create_dir_all(path.join(esp).join("EFI/systemd")).unwrap();
        fs::create_dir_all(path.join(esp).join("EFI/Linux")).unwrap();
    }
    let loader = fs::read(LOADER).unwrap();
    // Other builds of it: the time stamp in the header is another.
    let build = |stamp: u8| {
        let mut bytes = loader.clone();
        let header = u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize;
        bytes[header + 8] ^= stamp;
        bytes
    };
    for (place, stamp) in [
        ("esp1/EFI/systemd/systemd-bootx64.efi", 1),
        ("esp2/EFI/systemd/systemd-bootx64.efi", 2),
        ("new-loader.efi", 3),
    ] {
        put(path, place, &build(stamp));
    }
    put(path, "initrd", b"an archive");
    put(path, "osrel", b"ID=test\nVERSION=1\n");
    for (number, name) in ["esp1/EFI/Linux/old.efi", "next.efi"]
        .into_iter()
        .enumerate()
    {
        // Any program will do for a kernel.
        put(path, "linux", &build(number as u8 + 4));
        boot(
            path,
            &format!(
                "uki build --stub {STUB} --linux linux --osrel @osrel --initrd initrd -o {name}"
            ),
        );
    }
    fs::copy(
        path.join("esp1/EFI/Linux/old.efi"),
        path.join("esp2/EFI/Linux/old.efi"),
    )
    .unwrap();
    let states = |options: &str| -> Vec<Value> {
        boot(
            path,
            &format!(
                "pcrlock states --vars {VARIABLES} --esp esp1 --esp esp2 --pcr 4,11 {options} -o states.json"
            ),
        );
        serde_json::from_slice(&fs::read(path.join("states.json")).unwrap()).unwrap()
    };
    // As the partitions are: two loaders, one entry that is the same on both.
    assert_eq!(states("").len(), 2);
    // While they are changed: three loaders with two entries.
    let during = states("--next-loader new-loader.efi --next-entry next.efi");
    assert_eq!(during.len(), 6);
    // Each is what the boot is foreseen to come to by itself.
    let loaders = [
        "esp1/EFI/systemd/systemd-bootx64.efi",
        "esp2/EFI/systemd/systemd-bootx64.efi",
        "new-loader.efi",
    ];
    for loader in loaders {
        for entry in ["esp1/EFI/Linux/old.efi", "next.efi"] {
            let line = format!(
                "--json pcr predict --bank sha256 --phase enter-initrd --vars {VARIABLES} --start {loader} --start {entry} --exited"
            );
            let said: Value = serde_json::from_str(&boot(path, &line)).unwrap();
            let value = |pcr: u8| {
                let all = said["registers"].as_array().unwrap();
                let found = all.iter().find(|register| register["pcr"] == pcr);
                found.unwrap_or_else(|| panic!("PCR {pcr}: {said:#}"))["value"].clone()
            };
            let state = json!({ "4": value(4), "11": value(11) });
            assert!(
                during.contains(&state),
                "{loader} with {entry}: {state} is none of {during:#?}"
            );
        }
    }
    // Once all are written the old loaders are gone.
    for esp in ["esp1", "esp2"] {
        fs::copy(
            path.join("new-loader.efi"),
            path.join(esp).join("EFI/systemd/systemd-bootx64.efi"),
        )
        .unwrap();
        fs::copy(
            path.join("next.efi"),
            path.join(esp).join("EFI/Linux/next.efi"),
        )
        .unwrap();
    }
    let after = states("");
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|state| during.contains(state)));
    // What can't be foreseen is said, not guessed.
    let (code, text) = boot_code(
        path,
        &format!("pcrlock states --vars {VARIABLES} --esp esp1 --pcr 0 -o none.json"),
    );
    assert_eq!(code, 2);
    assert!(text.contains("PCR 0 of"), "{text}");
    assert!(!path.join("none.json").exists());
}
