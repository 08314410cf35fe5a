//! Variables: lists and updates against efitools and OpenSSL, flash images against virt-firmware, verdicts on Debian's
//! files with the keys that Debian's OVMF ships.

use crate::common::{boot, boot_code, put, run, scratch, try_run};
use std::path::Path;

const OWNER: &str = "11111111-2222-3333-4444-123456789abc";
const MICROSOFT: &str = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
const EMPTY: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// The program of PyPI's virt-firmware, which the stage installs.
fn virt_fw_vars() -> String {
    std::env::var("VIRT_FW_VARS")
        .expect("VIRT_FW_VARS names the program; the stage 50-boot-files sets it")
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("the file was written before")
}

#[test]
fn lists_and_updates_are_what_efitools_writes() {
    let folder = scratch();
    let path = folder.path();
    boot(path, "keys create --name Test --role KEK --role db .");
    let shim = "/usr/lib/shim/shimx64.efi";
    run(
        path,
        &format!("cert-to-efi-sig-list -g {OWNER} db.crt theirs.esl"),
    );
    boot(
        path,
        &format!("variables list --owner {OWNER} --certificate db.crt -o ours.esl"),
    );
    assert!(read(path, "ours.esl") == read(path, "theirs.esl"));
    boot(
        path,
        "pe sign --key db.key --certificate db.crt -o signed.efi /usr/lib/systemd/boot/efi/linuxx64.efi.stub",
    );
    run(path, "hash-to-efi-sig-list signed.efi theirs-hash.esl");
    boot(
        path,
        &format!("variables list --owner {OWNER} --image signed.efi -o hash.esl"),
    );
    assert_eq!(
        read(path, "hash.esl")[44..],
        read(path, "theirs-hash.esl")[44..],
        "the same hash, another owner"
    );
    boot(
        path,
        &format!(
            "variables list --owner {OWNER} --certificate db.crt --image {shim} --image signed.efi --revoke KEK.crt -o all.esl"
        ),
    );
    let shown = boot(path, "variables inspect all.esl");
    assert_eq!(shown.lines().count(), 4, "{shown}");
    run(path, "sig-list-to-certs ours.esl out");
    assert!(read(path, "out-0.der") == read(path, "db.der"));

    // What is signed (efitools reads a date without time as midnight), byte by byte, for a replacing and an appending write.
    for (append, flag) in [("", ""), ("--append", "-a")] {
        run(
            path,
            &format!(
                "sign-efi-sig-list -o {flag} -t 2026-05-04 -g {OWNER} -k KEK.key -c KEK.crt db ours.esl bundle"
            ),
        );
        boot(
            path,
            &format!(
                "variables sign {append} --time 2026-05-04T00:00:00Z --key KEK.key --certificate KEK.crt -o db.auth db ours.esl"
            ),
        );
        let auth = read(path, "db.auth");
        let length = u32::from_le_bytes(auth[16..20].try_into().unwrap()) as usize;
        assert!(auth[16 + length..] == read(path, "ours.esl"));
        // OpenSSL wants a ContentInfo round the bare SignedData.
        let data = &auth[40..16 + length];
        let mut wrapped = vec![0x30, 0x82];
        wrapped.extend((data.len() as u16 + 15).to_be_bytes());
        wrapped.extend([
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x82,
        ]);
        wrapped.extend((data.len() as u16).to_be_bytes());
        wrapped.extend(data);
        put(path, "db.p7", &wrapped);
        let check = "openssl cms -verify -inform DER -in db.p7 -content bundle -binary -noverify -out /dev/stdout";
        assert!(
            try_run(path, check).status.success(),
            "signed over efitools' bundle {flag}"
        );
        let mut other = read(path, "bundle");
        other[3] ^= 1;
        put(path, "bundle", &other);
        assert!(!try_run(path, check).status.success());
    }
}

#[test]
fn flash_images_are_read_and_written_as_virt_firmware_does() {
    let folder = scratch();
    let path = folder.path();
    let tool = virt_fw_vars();
    boot(
        path,
        "keys create --name Test --role PK --role KEK --role db .",
    );
    boot(path, &format!("keys enroll --owner {OWNER} -o . ."));
    run(
        path,
        &format!(
            "{tool} -i {EMPTY} -o theirs.fd --set-pk {OWNER} PK.crt --add-kek {OWNER} KEK.crt --add-db {OWNER} db.crt --sb"
        ),
    );
    boot(
        path,
        &format!(
            "variables store --set PK=PK.auth --set KEK=KEK.auth --set db=db.esl -o ours.fd {EMPTY}"
        ),
    );
    for name in ["PK", "KEK", "db"] {
        let list = |file: &str| {
            let json = boot(path, &format!("--json variables show {file} {name}"));
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            value[0]["entries"].clone()
        };
        assert_eq!(list("ours.fd"), list("theirs.fd"), "{name}");
        assert_eq!(list("ours.fd").as_array().unwrap().len(), 1);
    }
    let printed = run(path, &format!("{tool} -i ours.fd --print"));
    for name in ["PK", "KEK", "db"] {
        assert!(printed.contains(name), "{printed}");
    }
    // Every variable of Microsoft's store survives being written again.
    boot(path, &format!("variables store -o again.fd {MICROSOFT}"));
    assert_eq!(
        boot(path, "variables show again.fd"),
        boot(path, &format!("variables show {MICROSOFT}"))
    );
    let shown = run(path, &format!("{tool} -i again.fd --print"));
    assert!(shown.contains("dbx"), "{shown}");
    let (_, text) = boot_code(
        path,
        &format!("variables diff --vars {MICROSOFT} db db.esl"),
    );
    assert!(
        text.contains("- certificate") && text.contains("+ certificate CN=Test db"),
        "{text}"
    );
    let appended = boot(
        path,
        &format!("variables diff --append --vars {MICROSOFT} db db.auth"),
    );
    assert_eq!(appended.trim(), "+ certificate CN=Test db");
}

#[test]
fn enrolment_wants_setup_mode_and_writes_nothing_in_a_dry_run() {
    let folder = scratch();
    let path = folder.path();
    boot(path, "keys create --name Test .");
    std::fs::create_dir(path.join("efivars")).unwrap();
    std::fs::create_dir(path.join("out")).unwrap();
    let global = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
    let line = "keys enroll --live --efivars efivars -o out .";
    put(
        path,
        &format!("efivars/SetupMode-{global}"),
        &[6, 0, 0, 0, 0],
    );
    let (code, text) = boot_code(path, line);
    assert!(code == 2 && text.contains("not in setup mode"), "{text}");
    put(
        path,
        &format!("efivars/SetupMode-{global}"),
        &[6, 0, 0, 0, 1],
    );
    boot(path, &format!("--dry-run {line}"));
    assert_eq!(std::fs::read_dir(path.join("out")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(path.join("efivars")).unwrap().count(), 1);
    boot(path, line);
    let written = read(path, &format!("efivars/PK-{global}"));
    assert_eq!(written[..4], [0x27, 0, 0, 0]);
    assert!(written[4..] == read(path, "out/PK.auth"));
    assert!(
        path.join("efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f")
            .exists()
    );
}

#[test]
fn the_oracle_knows_debians_files_under_microsofts_keys() {
    let folder = scratch();
    let path = folder.path();
    let shim = "/usr/lib/shim/shimx64.efi.signed";
    let grub = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";
    let fwupd = "/usr/libexec/fwupd/efi/fwupdx64.efi.signed";
    let ask = |line: &str| {
        let (code, text) = boot_code(path, &format!("--json oracle --vars {MICROSOFT} {line}"));
        let answers: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        (code, answers)
    };
    let (code, answers) = ask(shim);
    assert_eq!(
        (code, &answers[0]["reason"]),
        (0, &"certificate-allowed".into()),
        "{answers}"
    );
    let (code, answers) = ask(&format!("{grub} /usr/lib/shim/shimx64.efi"));
    assert_eq!(
        (code, &answers[0]["reason"], &answers[1]["reason"]),
        (1, &"not-allowed".into(), &"unsigned".into())
    );
    let (code, answers) = ask(&format!(
        "--shim {shim} {grub} {fwupd} /usr/lib/shim/mmx64.efi.signed"
    ));
    assert_eq!(code, 0, "{answers}");
    assert_eq!(answers[1]["entry"]["list"], "shim's own list");
    let (code, answers) = ask(&format!(
        "--shim {shim} /usr/lib/systemd/boot/efi/systemd-bootx64.efi"
    ));
    assert_eq!(
        (code, &answers[1]["reason"]),
        (1, &"unsigned".into()),
        "{answers}"
    );
}
