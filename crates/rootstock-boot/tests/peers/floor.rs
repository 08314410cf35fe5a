//! Generations of two epochs on one machine: policies that hold them to the floor, a disk that follows, and a blessing that
//! raises it.

use crate::common::{STUB, boot, boot_code, put, run, scratch};
use crate::measure::Tpm;
use crate::unlock::volume;
use sha2::{Digest, Sha256};
use std::path::Path;

/// What systemd's stub 252 measures of these sections, and the first phase.
fn measure(path: &Path, tpm: &Tpm, sections: &[(&str, &str)]) {
    let name = |name: &str| Sha256::digest([name.as_bytes(), b"\0"].concat());
    let digests = sections
        .iter()
        .flat_map(|(section, text)| [name(section), Sha256::digest(text)])
        .chain([Sha256::digest("enter-initrd")]);
    let list: Vec<String> = digests
        .map(|digest| format!("sha256={}", hex::encode(digest)))
        .collect();
    for digest in list {
        let line = format!(
            "env TPM2TOOLS_TCTI={} tpm2_pcrextend 11:{digest}",
            tpm.address
        );
        run(path, &line);
    }
}

#[test]
fn a_disk_follows_the_floor_that_a_blessed_entry_raises() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let tpm = Tpm::start(path);
    let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
    assert_eq!(boot(path, &format!("floor define {with}")), "floor 1\n");
    run(path, "openssl genrsa -out pcr.key 2048");
    run(path, "openssl rsa -in pcr.key -pubout -out pcr.pub");
    run(path, "openssl genrsa -out owner.key 2048");
    run(path, "openssl rsa -in owner.key -pubout -out owner.pub");
    put(path, "vmlinuz", b"a kernel");
    // The same sections as far as this stub measures: what tells the images apart is what was signed.
    for epoch in [2, 3] {
        let line = format!(
            "uki build --stub {STUB} --linux vmlinuz --cmdline quiet --osrel ID=nixos --epoch {epoch} -o {epoch}.efi"
        );
        boot(path, &line);
        let line = format!(
            "policy sign --key pcr.key --floor 1 --phase enter-initrd -o {epoch}.json {epoch}.efi"
        );
        boot(path, &line);
    }
    let sections = [
        (".linux", "a kernel"),
        (".osrel", "ID=nixos"),
        (".cmdline", "quiet"),
    ];
    measure(path, &tpm, &sections);
    let open = "--passphrase-file passphrase disk";
    boot(
        path,
        &format!("unlock enroll {with} --policy-key pcr.pub --floor --owner-key owner.pub {open}"),
    );
    let attempt = |epoch: u32| {
        boot_code(
            path,
            &format!("unlock try {with} --signed {epoch}.json disk"),
        )
    };
    let unlocked = (0, "unlocked by token 0\n".to_owned());
    assert_eq!(attempt(2), unlocked);
    assert_eq!(attempt(3), unlocked);
    // What the same key signed without a floor does not get round it.
    boot(
        path,
        "policy sign --key pcr.key --phase enter-initrd -o open.json 2.efi",
    );
    let (code, text) = boot_code(path, &format!("unlock try {with} --signed open.json disk"));
    assert_eq!(code, 1, "{text}");

    // Generation 8, of epoch 3, runs on its first try.
    let entries = path.join("esp/EFI/Linux");
    std::fs::create_dir_all(&entries).unwrap();
    let stem = format!("rootstock-8-{}", "0a".repeat(12));
    std::fs::copy(path.join("3.efi"), entries.join(format!("{stem}+2-1.efi"))).unwrap();
    std::fs::create_dir(path.join("efivars")).unwrap();
    let variable = "efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
    let text = format!("{stem}+3.efi\0");
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    let bytes: Vec<u8> = [6, 0, 0, 0].into_iter().chain(units).collect();
    put(path, variable, &bytes);
    let bless = format!("bless --esp esp --efivars efivars --floor 1 {with}");
    let text = boot(path, &bless);
    assert_eq!(
        text,
        format!("{stem}: has started well; epoch 3, the floor is raised to 4\n")
    );
    let text = boot(path, &bless);
    assert_eq!(
        text,
        format!("{stem}: is not counted any more; epoch 3, the floor stays 4\n")
    );
    assert_eq!(attempt(3), unlocked);
    let (code, text) = attempt(2);
    assert_eq!(code, 1);
    let cause = "the counter 0x01d10700 holds 4, and the policy wants it to be at most 3";
    assert!(text.contains(cause), "{text}");
    run(
        path,
        "cryptsetup open --test-passphrase --key-file exact disk",
    );

    // The owner opens it below the floor too, once.
    boot(path, "unlock owner-request --token 0 -o request.json disk");
    let (code, text) = boot_code(
        path,
        "unlock owner-sign --key pcr.key -o recovery.json request.json",
    );
    assert_eq!(code, 2, "{text}");
    boot(
        path,
        "unlock owner-sign --key owner.key -o recovery.json request.json",
    );
    let recover = format!("unlock try {with} --recovery-token recovery.json disk");
    assert_eq!(boot_code(path, &recover), unlocked);
    let line = format!(
        "unlock reseal {with} --token 0 --recovery-token recovery.json --policy-key pcr.pub --owner-key owner.pub disk"
    );
    boot(path, &format!("--dry-run {line}"));
    boot(path, &line);
    let (code, text) = boot_code(path, &recover);
    assert_eq!(code, 1);
    assert!(text.contains("it was sealed anew since"), "{text}");
    let text = boot(path, &format!("unlock try {with} --signed open.json disk"));
    assert_eq!(text, unlocked.1);
}
