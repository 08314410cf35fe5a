//! Key references, key files, offline requests; tokens are tested with SoftHSM2 in the binary's peer tests.

use crate::{
    Error, FileKey, KeyReference, Keys, NewKey, OfflineKey, PinSource, Pins, Pkcs11Uri,
    RequestFile, create_in_file,
};
use boot_signature::{HashAlgorithm, KeyAlgorithm, Request, Signer};
use proptest::prelude::*;

fn pins() -> Pins {
    Pins::new(PinSource::File("/nonexistent/pin".into()))
}

fn request(message: &[u8], hash: HashAlgorithm) -> Request<'_> {
    Request {
        message,
        hash,
        subject: "a test",
    }
}

#[test]
fn references_are_told_apart_and_pins_in_uris_refused() {
    let parse = |text: &str| text.parse::<KeyReference>();
    assert_eq!(
        parse("db.key").unwrap(),
        KeyReference::File("db.key".into())
    );
    assert_eq!(
        parse("offline:dir").unwrap(),
        KeyReference::Offline("dir".into())
    );
    let uri = "pkcs11:token=my%20token;object=db;id=%01%ff;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so";
    let KeyReference::Pkcs11(uri) = parse(uri).unwrap() else {
        panic!("a token");
    };
    assert_eq!(uri.token.as_deref(), Some("my token"));
    assert_eq!(uri.id.as_deref(), Some(&[1, 0xff][..]));
    assert_eq!(uri.to_string().parse::<Pkcs11Uri>().unwrap(), uri);
    for (text, why) in [
        ("pkcs11:object=a?pin-value=1234", "a PIN does not belong"),
        ("pkcs11:object=a;object=b", "occurs twice"),
        ("pkcs11:object=%4", "broken percent code"),
        ("pkcs11:type=cert", "only `type=private`"),
        ("pkcs11:colour=red", "not supported"),
        ("pkcs11:object", "no `=`"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("1234"), "{error}");
    }
}

#[test]
fn keys_of_every_kind_are_made_read_and_sign() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, algorithm) in [
        (NewKey::Rsa2048, KeyAlgorithm::Rsa { bits: 2048 }),
        (NewKey::P256, KeyAlgorithm::P256),
        (NewKey::P384, KeyAlgorithm::P384),
    ] {
        let path = folder.path().join("key.pem");
        let pem = create_in_file(kind).unwrap();
        std::fs::write(&path, &pem).unwrap();
        let key = FileKey::read(&path, &mut pins()).unwrap();
        assert_eq!(key.public_key().algorithm(), algorithm);
        assert!(!format!("{key:?}").contains(pem.lines().nth(1).unwrap()));
        for hash in [
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
        ] {
            let request = request(b"message", hash);
            let signature = key.sign(request).unwrap();
            assert!(
                key.public_key()
                    .verifies(hash, &request.digest(), &signature)
            );
            assert_eq!(signature, key.sign(request).unwrap(), "deterministic");
        }
    }
    std::fs::write(folder.path().join("bad"), b"-----BEGIN PRIVATE KEY-----\n").unwrap();
    assert!(matches!(
        FileKey::read(&folder.path().join("bad"), &mut pins()),
        Err(Error::KeyFile { .. })
    ));
    assert!(matches!(
        FileKey::read(&folder.path().join("none"), &mut pins()),
        Err(Error::File { .. })
    ));
}

#[test]
fn an_encrypted_key_asks_for_its_passphrase_once_and_never_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    // A throw-away key, encrypted by `openssl pkcs8 -topk8 -v2 aes-256-cbc`.
    std::fs::write(&path, include_str!("encrypted-p256.pem")).unwrap();
    let pin = folder.path().join("pin");
    std::fs::write(&pin, "geheim-4711\n").unwrap();
    let mut pins = Pins::new(PinSource::File(pin.clone()));
    FileKey::read(&path, &mut pins).unwrap();
    std::fs::remove_file(&pin).unwrap();
    FileKey::read(&path, &mut pins).unwrap();
    assert!(!format!("{pins:?}").contains("geheim"));
    std::fs::write(&pin, "wrong\n").unwrap();
    let error = FileKey::read(&path, &mut Pins::new(PinSource::File(pin))).unwrap_err();
    assert!(error.to_string().contains("passphrase"), "{error}");
    let credential = PinSource::Credential {
        folder: folder.path().to_owned(),
        name: "../pin".into(),
    };
    assert!(matches!(
        Pins::new(credential).get("a token"),
        Err(Error::Pin { .. })
    ));
}

#[test]
fn an_offline_key_asks_by_file_then_finds_a_checked_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, create_in_file(NewKey::P256).unwrap()).unwrap();
    let real = FileKey::read(&path, &mut pins()).unwrap();
    // Named as in the help: it is made.
    let requests = folder.path().join("requests");
    let offline = OfflineKey::new(&requests, real.public_key().clone());
    let asked = request(b"bytes to sign", HashAlgorithm::Sha256);
    let error = offline.sign(asked).unwrap_err();
    let Some(Error::Requested { request, answer }) = error.downcast_ref::<Error>() else {
        panic!("{error}");
    };
    assert_eq!(std::fs::read(request).unwrap(), b"bytes to sign");
    let described: RequestFile =
        serde_json::from_slice(&std::fs::read(request.with_extension("json")).unwrap()).unwrap();
    assert_eq!(
        (described.subject.as_str(), described.hash.as_str()),
        ("a test", "sha256")
    );
    let signature = real.sign(asked).unwrap();
    std::fs::write(answer, &signature).unwrap();
    assert_eq!(offline.sign(asked).unwrap(), signature);
    std::fs::write(answer, b"something else").unwrap();
    assert!(
        offline
            .sign(asked)
            .unwrap_err()
            .to_string()
            .contains("not a signature by")
    );
    let keyless =
        Keys::new(PinSource::Prompt).open(&KeyReference::Offline(folder.path().into()), None);
    assert!(matches!(keyless, Err(Error::Offline { .. })));
}

proptest! {
    #[test]
    fn any_uri_parses_or_is_refused_and_prints_back(text in "pkcs11:[a-z=;%0-9A-F?&/.-]{0,60}") {
        if let Ok(uri) = text.parse::<Pkcs11Uri>() {
            prop_assert_eq!(uri.to_string().parse::<Pkcs11Uri>().unwrap(), uri);
        }
    }
}
