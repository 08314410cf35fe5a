//! Signatures: what we sign, sbverify, osslsigncode and pesign accept; what they sign, we accept; keys in files, in
//! SoftHSM2 and offline.

use crate::common::{DEBIAN, STUB, boot, boot_code, put, run, scratch, try_run};
use std::path::Path;

/// A key and a certificate of our making, under the role's name.
fn keys(folder: &Path, kind: &str) {
    boot(
        folder,
        &format!("keys create --name Test --role db --kind {kind} ."),
    );
}

fn accepted_by_all(folder: &Path, file: &str) {
    run(folder, &format!("sbverify --cert db.crt {file}"));
    run(
        folder,
        &format!("osslsigncode verify -CAfile db.crt {file}"),
    );
    boot(folder, &format!("pe verify --certificate db.crt {file}"));
}

#[test]
fn others_accept_our_signatures_with_every_kind_of_key() {
    for kind in ["rsa2048", "rsa4096", "p256", "p384"] {
        let folder = scratch();
        let path = folder.path();
        keys(path, kind);
        boot(
            path,
            &format!("pe sign --key db.key --certificate db.crt -o signed.efi {STUB}"),
        );
        accepted_by_all(path, "signed.efi");
        boot(
            path,
            &format!("pe sign --key db.key --certificate db.der -o again.efi {STUB}"),
        );
        let read = |name: &str| std::fs::read(path.join(name)).unwrap();
        assert!(
            read("signed.efi") == read("again.efi"),
            "the same bytes every time"
        );
        // pesign shows the signer as it parses the signature by NSS.
        if kind.starts_with("rsa") {
            let shown = run(path, "pesign -S -i signed.efi");
            assert!(shown.contains("Test db"), "{shown}");
        }
        let mut changed = read("signed.efi");
        changed[0x4100] ^= 1;
        put(path, "changed.efi", &changed);
        assert!(
            !try_run(path, "sbverify --cert db.crt changed.efi")
                .status
                .success()
        );
        let (code, text) = boot_code(path, "pe verify --certificate db.crt changed.efi");
        assert!(code == 1 && text.contains("the file was changed"), "{text}");
    }
}

#[test]
fn we_accept_what_sbsign_osslsigncode_and_openssl_keys_make() {
    let folder = scratch();
    let path = folder.path();
    run(
        path,
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=foreign/ -keyout db.key -out db.crt",
    );
    run(
        path,
        &format!("sbsign --key db.key --cert db.crt --output sbsign.efi {STUB}"),
    );
    run(
        path,
        &format!("osslsigncode sign -certs db.crt -key db.key -h sha256 -in {STUB} -out ossl.efi"),
    );
    boot(
        path,
        &format!("pe sign --key db.key --certificate db.crt -o ours.efi {STUB}"),
    );
    for file in ["sbsign.efi", "ossl.efi", "ours.efi"] {
        accepted_by_all(path, file);
    }
    let hash = |file: &str| {
        boot(path, &format!("pe hash {file}"))
            .split_once(' ')
            .unwrap()
            .0
            .to_owned()
    };
    assert_eq!(hash("sbsign.efi"), hash("ours.efi"));
    // Key files as OpenSSL writes them: SEC1 with parameters, PKCS#1, DER.
    run(path, "openssl ecparam -genkey -name prime256v1 -out ec.key");
    run(
        path,
        "openssl req -x509 -new -key ec.key -days 30 -subj /CN=ec/ -out ec.crt",
    );
    boot(
        path,
        &format!("pe sign --key ec.key --certificate ec.crt -o ec.efi {STUB}"),
    );
    run(path, "sbverify --cert ec.crt ec.efi");
    run(path, "openssl rsa -in db.key -traditional -out pkcs1.key");
    boot(
        path,
        &format!("pe sign --key pkcs1.key --certificate db.crt -o pkcs1.efi {STUB}"),
    );
    run(
        path,
        "openssl pkcs8 -topk8 -nocrypt -outform DER -in db.key -out key.der",
    );
    boot(
        path,
        &format!("pe sign --key key.der --certificate db.crt -o der.efi {STUB}"),
    );
    run(
        path,
        "openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:word-for-it -in db.key -out locked.key",
    );
    put(path, "word", b"word-for-it\n");
    boot(
        path,
        &format!(
            "pe sign --key locked.key --pin-file word --certificate db.crt -o locked.efi {STUB}"
        ),
    );
    for file in ["pkcs1.efi", "der.efi", "locked.efi"] {
        assert!(
            std::fs::read(path.join(file)).unwrap()
                == std::fs::read(path.join("ours.efi")).unwrap()
        );
    }
    let (code, text) = boot_code(
        path,
        &format!("pe sign --key ec.key --certificate db.crt -o x.efi {STUB}"),
    );
    assert!(
        code == 2 && text.contains("the certificate belongs to another key"),
        "{text}"
    );
    assert!(!path.join("x.efi").exists());
}

#[test]
fn signatures_are_added_listed_detached_attached_and_stripped() {
    let folder = scratch();
    let path = folder.path();
    keys(path, "rsa2048");
    let shim = "/usr/lib/shim/shimx64.efi.signed";
    boot(
        path,
        &format!("pe sign --key db.key --certificate db.crt -o three.efi {shim}"),
    );
    let listed = run(path, "sbverify --list three.efi");
    assert_eq!(listed.matches("signature issuers").count(), 3, "{listed}");
    accepted_by_all_but_osslsigncode(path, "three.efi");
    boot(path, "pe detach --index 2 -o ours.p7 three.efi");
    run(
        path,
        "openssl pkcs7 -inform DER -in ours.p7 -print_certs -noout",
    );
    boot(path, "pe strip --index 2 -o two.efi three.efi");
    assert!(std::fs::read(path.join("two.efi")).unwrap() == std::fs::read(shim).unwrap());
    boot(
        path,
        "pe attach --signature ours.p7 -o three-again.efi two.efi",
    );
    assert!(
        std::fs::read(path.join("three.efi")).unwrap()
            == std::fs::read(path.join("three-again.efi")).unwrap()
    );
    boot(path, "pe strip -o none.efi three.efi");
    assert!(
        !try_run(path, "sbverify --cert db.crt none.efi")
            .status
            .success()
    );
    run(path, "sbattach --attach ours.p7 none.efi");
    run(path, "sbverify --cert db.crt none.efi");
    let (code, text) = boot_code(
        path,
        &format!("pe attach --signature ours.p7 -o x.efi {STUB}"),
    );
    assert!(
        code == 2 && text.contains("digest of another image"),
        "{text}"
    );
    let (_, text) = boot_code(path, "pe attach --signature three.efi -o x.efi none.efi");
    assert!(text.contains("attaching three.efi: "), "{text}");
    boot(
        path,
        &format!("pe sign --replace --key db.key --certificate db.crt -o one.efi {shim}"),
    );
    assert_eq!(
        run(path, "sbverify --list one.efi")
            .matches("signature issuers")
            .count(),
        1
    );
}

/// osslsigncode judges the first signature alone.
fn accepted_by_all_but_osslsigncode(folder: &Path, file: &str) {
    run(folder, &format!("sbverify --cert db.crt {file}"));
    boot(folder, &format!("pe verify --certificate db.crt {file}"));
}

#[test]
fn debians_signatures_verify_as_firmware_judges_them() {
    let folder = scratch();
    let path = folder.path();
    for file in DEBIAN.iter().filter(|file| file.ends_with(".signed")) {
        let (code, text) = boot_code(path, &format!("pe verify --firmware {file}"));
        assert_eq!(code, 0, "{file}: {text}");
        let mut changed = std::fs::read(file).unwrap();
        changed[0x1200] ^= 0x80;
        put(path, "changed.efi", &changed);
        assert_eq!(
            boot_code(path, "pe verify --firmware changed.efi").0,
            1,
            "{file}"
        );
    }
    let (code, text) = boot_code(path, &format!("pe verify {STUB}"));
    assert!(code == 1 && text.contains("not signed"), "{text}");
}

#[test]
fn an_offline_signer_is_asked_by_files_and_the_answer_is_used() {
    let folder = scratch();
    let path = folder.path();
    keys(path, "rsa2048");
    let line = format!("pe sign --key offline:requests --certificate db.crt -o signed.efi {STUB}");
    let (code, text) = boot_code(path, &format!("--dry-run {line}"));
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("a signature would be asked for by requests/"),
        "{text}"
    );
    assert!(!path.join("requests").exists());
    let (code, text) = boot_code(path, &line);
    assert_eq!(code, 3, "{text}");
    assert!(!path.join("signed.efi").exists());
    let request = std::fs::read_dir(path.join("requests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "json"))
        .unwrap();
    let request: serde_json::Value =
        serde_json::from_slice(&std::fs::read(request).unwrap()).unwrap();
    // The request says itself how a key in a file answers it.
    let example = request["example"]
        .as_str()
        .unwrap()
        .replace("KEY", "../db.key");
    run(&path.join("requests"), &example);
    boot(path, &line);
    accepted_by_all(path, "signed.efi");
    boot(
        path,
        &format!("pe sign --key db.key --certificate db.crt -o direct.efi {STUB}"),
    );
    assert!(
        std::fs::read(path.join("signed.efi")).unwrap()
            == std::fs::read(path.join("direct.efi")).unwrap()
    );
}

#[test]
fn a_token_signs_with_keys_that_never_leave_it_and_its_pin_shows_nowhere() {
    const PIN: &str = "48151623";
    const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
    let folder = scratch();
    let path = folder.path();
    std::fs::create_dir(path.join("tokens")).unwrap();
    let config = put(
        path,
        "softhsm2.conf",
        format!("directories.tokendir = {}/tokens\n", path.display()).as_bytes(),
    );
    put(path, "pin", format!("{PIN}\n").as_bytes());
    put(path, "wrong", b"11111111\n");
    let with = |line: &str| {
        format!(
            "env SOFTHSM2_CONF={} RUST_BACKTRACE=full RUST_LOG=trace {line}",
            config.display()
        )
    };
    let binary = env!("CARGO_BIN_EXE_rootstock-boot");
    run(
        path,
        &with(&format!(
            "softhsm2-util --init-token --free --label boot --pin {PIN} --so-pin 99999999"
        )),
    );
    let token = format!("pkcs11:token=boot?module-path={MODULE}");
    let mut seen = String::new();
    let mut tool = |arguments: &str, code: i32| {
        let output = try_run(path, &with(&format!("{binary} {arguments}")));
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        seen.push_str(&text);
        text
    };
    tool(
        &format!(
            "--json keys create --name Token --role db --role KEK --token {token} --pin-file pin ."
        ),
        0,
    );
    tool(
        &format!(
            "keys create --name Token --role verity --kind p256 --token {token} --pin-file pin ."
        ),
        0,
    );
    assert!(!path.join("db.key").exists());
    let again = tool(
        &format!("keys create --name Token --role db --token {token} --pin-file pin ."),
        2,
    );
    assert!(again.contains("already"), "{again}");
    let key = |object: &str| format!("pkcs11:token=boot;object={object}?module-path={MODULE}");
    let sign = |object: &str, pin: &str| {
        format!(
            "pe sign --key {} --pin-file {pin} --certificate {object}.crt -o {object}.efi {STUB}",
            key(object)
        )
    };
    tool(&sign("db", "pin"), 0);
    accepted_by_all(path, "db.efi");
    tool(&sign("verity", "pin"), 0);
    run(path, "sbverify --cert verity.crt verity.efi");
    let refused = tool(&sign("db", "wrong"), 2);
    assert!(refused.contains("login failed"), "{refused}");
    let missing = tool(
        &format!(
            "pe sign --key {} --pin-file pin --certificate db.crt -o x.efi {STUB}",
            key("none")
        ),
        2,
    );
    assert!(missing.contains("0 private keys fit"), "{missing}");
    let inline = format!(
        "pe sign --key {}&pin-value={PIN} --certificate db.crt -o x.efi {STUB}",
        key("db")
    );
    tool(&inline, 2);
    let credential = format!("env CREDENTIALS_DIRECTORY={} {binary}", path.display());
    let line = sign("db", "pin").replace("--pin-file", "--pin-credential");
    run(path, &with(&format!("{credential} {line}")));
    assert!(!seen.contains(PIN), "the PIN was printed: {seen}");
    let objects = run(
        path,
        &with(&format!(
            "pkcs11-tool --module {MODULE} --login --pin {PIN} --list-objects --type privkey"
        )),
    );
    assert_eq!(objects.matches("never extractable").count(), 3, "{objects}");
}
