//! `unlock` and `floor` from the command line, on a volume that cryptsetup made and a software TPM.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use crate::common::{boot, boot_code, put, run, scratch};
use crate::measure::Tpm;
use serde_json::{Value, json};
use std::path::Path;

pub(crate) fn volume(path: &Path) {
    std::fs::File::create(path.join("disk"))
        .unwrap()
        .set_len(6 << 20)
        .unwrap();
    put(path, "passphrase", b"correct horse\n");
    put(path, "exact", b"correct horse");
    put(path, "pin", b"2580\n");
    put(path, "wrong-pin", b"0000\n");
    run(
        path,
        "cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 4m --key-file exact --pbkdf pbkdf2 \
         --pbkdf-force-iterations 1000 disk",
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one disk, from enrolment to wiping")]
fn a_disk_is_enrolled_tried_sealed_anew_and_wiped() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    let generation = |number: u8| json!({ "11": format!("{number:02x}").repeat(32) });
    let zero = json!({ "11": "00".repeat(32) });
    let list: Vec<Value> = (1..70).map(generation).chain([zero.clone()]).collect();
    put(path, "now.json", json!(list).to_string().as_bytes());
    put(
        path,
        "next.json",
        json!([zero, generation(7)]).to_string().as_bytes(),
    );
    let open = "--passphrase-file passphrase disk";

    let before = std::fs::read(path.join("disk")).unwrap();
    boot(
        path,
        &format!("--dry-run unlock enroll {with} --pcr 7 {open}"),
    );
    assert!(std::fs::read(path.join("disk")).unwrap() == before);
    boot(
        path,
        &format!(
            "unlock enroll {with} --pcr 7 --generations now.json --with-pin --new-pin-file pin {open}"
        ),
    );
    let listed: Value = serde_json::from_str(&boot(path, "--json unlock list disk")).unwrap();
    assert_eq!(listed["keyslots"], json!([0, 1]));
    assert_eq!(listed["tokens"][0]["pcrs"], json!([7]));
    assert_eq!(listed["tokens"][0]["pin"], json!(true));
    assert_eq!(listed["tokens"][0]["generations"], json!(70));
    let (code, error) = boot_code(path, "unlock wipe --token 5 disk");
    assert_eq!(code, 2);
    assert!(
        error.contains("token 5 is none of the volume's tokens"),
        "{error}"
    );

    let attempt = format!("unlock try {with} --known-generations now.json --pin-file pin disk");
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    let (code, text) = boot_code(
        path,
        &attempt.replace("--pin-file pin", "--pin-file wrong-pin"),
    );
    assert_eq!(code, 1);
    assert!(text.contains("the PIN or password is wrong"), "{text}");
    let (code, text) = boot_code(path, &attempt.replace("now.json", "next.json"));
    assert_eq!(code, 1);
    assert!(
        text.contains("the list of generations is not the one"),
        "{text}"
    );

    boot(
        path,
        &format!(
            "unlock reseal --token 0 {with} --pcr 7 --generations next.json --known-generations now.json --pin-file pin disk"
        ),
    );
    let attempt = attempt.replace("now.json", "next.json");
    assert_eq!(boot(path, &attempt), "unlocked by token 0\n");
    let extend = format!(
        "env TPM2TOOLS_TCTI={} tpm2_pcrextend 7:sha256={}",
        tpm.address,
        "cc".repeat(32)
    );
    run(path, &extend);
    let (code, text) = boot_code(path, &attempt);
    assert_eq!(
        (code, text.as_str()),
        (
            1,
            "not unlocked: token 0: PCR 7 has another value than when it was enrolled\n"
        )
    );

    let recovery: Value =
        serde_json::from_str(&boot(path, &format!("--json unlock recovery {open}"))).unwrap();
    put(
        path,
        "recovery",
        recovery["recovery_key"].as_str().unwrap().as_bytes(),
    );
    run(
        path,
        "cryptsetup open --test-passphrase --key-file recovery disk",
    );
    boot(path, "unlock wipe --token 0 disk");
    run(
        path,
        "cryptsetup open --test-passphrase --key-file exact disk",
    );
    let (code, error) = boot_code(path, "unlock wipe --token 0 disk");
    assert_eq!(code, 2);
    assert!(
        error.contains("no token of the volume is for a TPM"),
        "{error}"
    );
    for (line, said) in [
        ("unlock list passphrase", "this is no LUKS2 volume"),
        (
            "unlock try --tpm /nonexistent/tpm disk",
            "TPM /nonexistent/tpm",
        ),
        ("unlock list nothing", "nothing: No such file"),
    ] {
        let (code, error) = boot_code(path, line);
        assert_eq!(code, 2, "{line}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_floor_rises_and_never_falls() {
    let folder = scratch();
    let path = folder.path();
    let _tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    assert_eq!(
        boot(path, &format!("floor show {with}")),
        "no floor is defined\n"
    );
    assert_eq!(
        boot(path, &format!("--dry-run floor define {with}")),
        "would define the floor\n"
    );
    assert_eq!(boot(path, &format!("floor define {with}")), "floor 1\n");
    assert_eq!(
        boot(
            path,
            &format!("--dry-run floor raise {with} --epoch 4 --unproven")
        ),
        "floor 4\n"
    );
    assert_eq!(
        boot(path, &format!("floor raise {with} --epoch 3 --unproven")),
        "floor 3\n"
    );
    assert_eq!(
        boot(path, &format!("floor raise {with} --epoch 2 --unproven")),
        "floor 3\n"
    );
    assert_eq!(
        boot(path, &format!("floor remove {with}")),
        "no floor is defined\n"
    );
    assert_eq!(boot(path, &format!("floor define {with}")), "floor 4\n");
    let (code, error) = boot_code(path, &format!("floor show {with} --index 0x81000001"));
    assert_eq!(code, 2);
    assert!(
        error.contains("an NV index is 0x01000000 to 0x01ffffff"),
        "{error}"
    );
}
