//! Firmware in setup mode takes the updates that `keys enroll` and `variables sign` write, refuses those that it must
//! refuse, and then starts what the oracle says.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::{Boot, compare, oracle, rootstock, store};
use crate::images::Images;
use crate::workshop::probe;
use std::collections::BTreeMap;
use std::path::Path;

const PLACE: &str = "EFI/BOOT/BOOTX64.EFI";
const OWNER: &str = "11111111-2222-3333-4444-123456789abc";

/// Signs a list of image hashes as an update; `more` are options.
fn update(
    folder: &Path,
    name: &str,
    key: &str,
    time: &str,
    images: &[&str],
    more: &str,
) -> Vec<u8> {
    let images: Vec<String> = images
        .iter()
        .map(|image| format!("--image {image}"))
        .collect();
    let images = images.join(" ");
    rootstock(
        folder,
        &format!("variables list --owner {OWNER} {images} -o list.esl"),
    );
    rootstock(
        folder,
        &format!(
            "variables sign --key {key}.key --certificate {key}.crt --time {time} {more} -o list.auth {name} list.esl"
        ),
    );
    std::fs::read(folder.join("list.auth")).unwrap()
}

/// A place on the disk, an update, and what firmware must answer.
type Planned = (&'static str, Vec<u8>, &'static str);

/// Enrolment, then updates that firmware takes or refuses.
fn plan(path: &Path) -> Vec<Planned> {
    rootstock(
        path,
        "keys create --name Test --role PK --role KEK --role db .",
    );
    std::fs::create_dir(path.join("stranger")).unwrap();
    rootstock(path, "keys create --name Other --role KEK stranger");
    std::fs::create_dir(path.join("auth")).unwrap();
    rootstock(
        path,
        "keys enroll --time 2026-01-01T00:00:00Z --output auth .",
    );
    let enrolled = |name: &str| std::fs::read(path.join(format!("auth/{name}.auth"))).unwrap();
    let (day1, day2, day3) = (
        "2026-01-01T00:00:00Z",
        "2026-01-02T00:00:00Z",
        "2026-01-03T00:00:00Z",
    );
    let update =
        |name, key, time, images: &[&str], more| update(path, name, key, time, images, more);
    vec![
        ("updates/01-db.auth", enrolled("db"), "SUCCESS"),
        ("updates/02-KEK.auth", enrolled("KEK"), "SUCCESS"),
        ("updates/03-PK.auth", enrolled("PK"), "SUCCESS"),
        // From here on the machine checks who signs.
        (
            "updates/04-dbx-append.auth",
            update("dbx", "KEK", day2, &["a.efi"], "--append"),
            "SUCCESS",
        ),
        // An append may be older; what is there already is not added again.
        (
            "updates/05-dbx-append.auth",
            update("dbx", "KEK", day1, &["b.efi", "a.efi"], "--append"),
            "SUCCESS",
        ),
        (
            "updates/06-dbx-append.auth",
            update("dbx", "stranger/KEK", day3, &["c.efi"], "--append"),
            "SECURITY_VIOLATION",
        ),
        (
            "updates/07-dbx.auth",
            update("dbx", "KEK", day1, &["c.efi"], ""),
            "SECURITY_VIOLATION",
        ),
        (
            "updates/08-db-append.auth",
            update("db", "KEK", day3, &["c.efi"], "--append"),
            "SUCCESS",
        ),
        // Signed as one variable, written as another.
        (
            "updates/09-dbx-append.auth",
            update("db", "KEK", day3, &["d.efi"], "--append"),
            "SECURITY_VIOLATION",
        ),
        (
            "updates/10-dbt.auth",
            update("dbt", "KEK", day3, &["d.efi"], ""),
            "SUCCESS",
        ),
    ]
}

#[test]
fn firmware_takes_our_updates_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut images = Images::default();
    for name in ["a", "b", "c", "d"] {
        std::fs::write(path.join(format!("{name}.efi")), images.fresh()).unwrap();
    }
    let updates = plan(path);
    let empty = path.join("none");
    std::fs::create_dir(&empty).unwrap();
    let first = probe();
    let mut start: Vec<(&str, &[u8])> = vec![(PLACE, &first)];
    start.extend(updates.iter().map(|(place, bytes, _)| (*place, &**bytes)));
    let setup = store(path, &[]);
    let boot = Boot {
        folder: path,
        name: "enroll",
        variables: &setup,
        start: &start,
        images: &empty,
        tpm: None,
    };
    let real = boot.answers().set;
    let expected: BTreeMap<String, String> = updates
        .iter()
        .map(|(place, _, status)| (place.replace("updates/", ""), (*status).to_owned()))
        .collect();
    assert_eq!(real, expected);

    // What firmware left in its store, and what it then starts.
    let left = path.join("enroll.fd");
    let shown = rootstock(path, "--json variables show enroll.fd");
    let shown: Vec<serde_json::Value> = serde_json::from_str(&shown).unwrap();
    let count = |name: &str| {
        let found = shown.iter().find(|v| v["name"] == name);
        found
            .and_then(|v| v["entries"].as_array())
            .map_or(0, Vec::len)
    };
    let counts = ["PK", "KEK", "db", "dbx", "dbt"].map(count);
    assert_eq!(counts, [1, 1, 2, 2, 1]);
    let files = path.join("images");
    std::fs::create_dir(&files).unwrap();
    for (name, reason) in [
        ("a", "hash-forbidden"),
        ("b", "hash-forbidden"),
        ("c", "hash-allowed"),
        ("d", "unsigned"),
    ] {
        let bytes = std::fs::read(path.join(format!("{name}.efi"))).unwrap();
        images.add(name, reason, bytes);
    }
    rootstock(
        path,
        "pe sign --key db.key --certificate db.crt -o signed.efi d.efi",
    );
    let signed = std::fs::read(path.join("signed.efi")).unwrap();
    images.add("signed", "certificate-allowed", signed.clone());
    let reasons = images.write(&files);
    let boot = Boot {
        name: "enrolled",
        variables: &left,
        start: &[(PLACE, &signed)],
        images: &files,
        ..boot
    };
    compare(
        &boot.answers().load,
        &oracle(&left, None, false, &files),
        &reasons,
    );
}

#[test]
fn systemd_boot_enrolls_our_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    rootstock(
        path,
        "keys create --name Test --role PK --role KEK --role db .",
    );
    std::fs::create_dir(path.join("auth")).unwrap();
    rootstock(path, "keys enroll --output auth .");
    let read = |name: &str| std::fs::read(path.join(name)).unwrap();
    let loader = std::fs::read("/usr/lib/systemd/boot/efi/systemd-bootx64.efi").unwrap();
    let (db, kek, pk) = (
        read("auth/db.auth"),
        read("auth/KEK.auth"),
        read("auth/PK.auth"),
    );
    let empty = path.join("none");
    std::fs::create_dir(&empty).unwrap();
    let boot = Boot {
        folder: path,
        name: "systemd-boot",
        variables: &store(path, &[]),
        start: &[
            (PLACE, &loader),
            (
                "loader/loader.conf",
                b"secure-boot-enroll force\ntimeout 0\n",
            ),
            ("loader/keys/auto/db.auth", &db),
            ("loader/keys/auto/KEK.auth", &kek),
            ("loader/keys/auto/PK.auth", &pk),
        ],
        images: &empty,
        tpm: None,
    };
    // It counts down, enrolls and restarts, which ends this machine.
    boot.wait_for_off();
    for name in ["PK", "KEK", "db"] {
        let shown = rootstock(path, &format!("variables show systemd-boot.fd {name}"));
        assert!(
            shown.contains(&format!("certificate CN=Test {name}")),
            "{shown}"
        );
    }
}
