//! Recovery keys: the QR code as zbar reads it, and the keys of systemd-cryptenroll beside ours.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use crate::common::{boot, boot_code, put, run, scratch};
use crate::unlock::volume;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Points of the picture for each module of the code.
const SCALE: usize = 4;

/// A picture (PGM) of half blocks as a terminal shows them, light on dark.
fn picture(lines: &[&str]) -> Vec<u8> {
    let mut rows: Vec<Vec<bool>> = Vec::new();
    for line in lines {
        let half = |upper: bool| {
            let light = line.chars().map(|letter| match letter {
                '\u{2588}' => true,
                '\u{2580}' => upper,
                '\u{2584}' => !upper,
                ' ' => false,
                other => panic!("{other:?} is no half block"),
            });
            light.collect()
        };
        rows.extend([half(true), half(false)]);
    }
    let width = rows.iter().map(Vec::len).max().unwrap();
    let mut bytes = format!("P5 {} {} 255\n", width * SCALE, rows.len() * SCALE).into_bytes();
    for row in rows {
        let points = (0..width).flat_map(|at| {
            let light = row.get(at) == Some(&true);
            [if light { 255 } else { 0 }; SCALE]
        });
        let points: Vec<u8> = points.collect();
        bytes.extend(points.repeat(SCALE));
    }
    bytes
}

/// The key that a text shows alone in a line.
fn shown(text: &str) -> &str {
    let of_form = |line: &&str| {
        let groups: Vec<&str> = line.split('-').collect();
        let modhex = |group: &&str| {
            group.len() == 8
                && group
                    .bytes()
                    .all(|byte| b"cbdefghijklnrtuv".contains(&byte))
        };
        groups.len() == 8 && groups.iter().all(modhex)
    };
    let mut lines = text.lines().map(str::trim);
    lines.find(of_form).unwrap_or_else(|| panic!("{text}"))
}

fn opens(path: &Path, key: &str) {
    put(path, "key", key.as_bytes());
    run(
        path,
        "cryptsetup open --test-passphrase --key-file key disk",
    );
}

#[test]
fn the_picture_is_the_key_and_the_key_opens() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let said = boot(path, "unlock recovery --passphrase-file passphrase disk");
    let key = shown(&said).to_owned();
    let blocks = |line: &&str| {
        line.chars()
            .any(|letter| matches!(letter, '\u{2580}'..='\u{2588}'))
    };
    let lines: Vec<&str> = said.lines().filter(blocks).collect();
    assert!(lines.len() > 10, "{said}");
    put(path, "code.pgm", &picture(&lines));
    let read = run(
        path,
        "zbarimg --quiet --raw -Sdisable -Sqrcode.enable code.pgm",
    );
    assert_eq!(read.trim(), key);
    opens(path, &key);
    // As somebody types it.
    let typed = key.replace('-', "").to_uppercase();
    put(path, "typed", format!("{typed}\n").as_bytes());
    boot(path, "unlock recovery --passphrase-file typed disk");
    put(path, "typed", typed.replace('C', "D").as_bytes());
    let (code, error) = boot_code(path, "unlock recovery --passphrase-file typed disk");
    assert_eq!(code, 2);
    assert!(
        error.contains("no keyslot opens with this passphrase"),
        "{error}"
    );

    // On a terminal the picture has its own colours, so that cameras read it.
    let line = format!(
        "{} unlock recovery --passphrase-file passphrase disk",
        env!("CARGO_BIN_EXE_rootstock-boot")
    );
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let coloured = said
        .lines()
        .filter(|line| line.starts_with("\u{1b}[97;40m"));
    assert_eq!(coloured.count(), lines.len(), "{said}");
}

#[test]
fn systemds_keys_are_of_the_same_form_and_open_here() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    boot(path, "unlock recovery --passphrase-file passphrase disk");
    let output = Command::new("systemd-cryptenroll")
        .args(["--recovery-key", "disk"])
        .env("PASSWORD", "correct horse")
        .current_dir(path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let key = shown(&said);
    opens(path, key);
    put(path, "typed", key.replace('-', "").as_bytes());
    boot(
        path,
        "--dry-run unlock recovery --passphrase-file typed disk",
    );
    let metadata = run(path, "cryptsetup luksDump --dump-json-metadata disk");
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let token = |keyslot: &str| json!({ "type": "systemd-recovery", "keyslots": [keyslot] });
    assert_eq!(
        metadata["tokens"],
        json!({ "0": token("1"), "1": token("2") })
    );
    let listed = run(path, "systemd-cryptenroll disk");
    let recovery = listed.lines().filter(|line| line.contains("recovery"));
    assert_eq!(recovery.count(), 2, "{listed}");
}
