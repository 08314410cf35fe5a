//! Envelopes and keys by themselves; whole chains are verified in the tests of the binary.

use super::*;
use p256::pkcs8::DecodePrivateKey;

/// A key made for this test by `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`... made here instead, from fixed bytes.
fn keys() -> [SigningKey; 2] {
    let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let p256 = p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
    [
        SigningKey::Ed25519(Box::new(ed25519)),
        SigningKey::P256(Box::new(p256)),
    ]
}

#[test]
fn the_message_is_the_specifications() {
    // DSSE v1.0, "Protocol": the specification's own example.
    let message = envelope::pre_authentication("http://example.com/HelloWorld", b"hello world");
    assert_eq!(
        message,
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}

#[test]
fn each_key_counts_once_and_only_for_its_own_signature() {
    let keys = keys();
    let publics: Vec<PublicKey> = keys.iter().map(SigningKey::public).collect();
    let both = Envelope::sign(b"{}", &keys).unwrap();
    assert_eq!(both.payload().unwrap(), b"{}");
    assert_eq!(both.signers(&publics).unwrap().len(), 2);
    let one = Envelope::sign(b"{}", &keys[..1]).unwrap();
    let text = serde_json::to_string(&one).unwrap();
    let signature =
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["signatures"][0].clone();
    let mut doubled: serde_json::Value = serde_json::from_str(&text).unwrap();
    doubled["signatures"] = serde_json::json!([signature, signature]);
    let doubled: Envelope = serde_json::from_value(doubled).unwrap();
    assert_eq!(doubled.signers(&publics).unwrap().len(), 1);
}

#[test]
fn every_flipped_byte_of_an_envelope_is_seen() {
    let keys = keys();
    let publics: Vec<PublicKey> = keys.iter().map(SigningKey::public).collect();
    let text = serde_json::to_string(&Envelope::sign(b"{\"a\":1}", &keys).unwrap()).unwrap();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&bytes) else {
            continue;
        };
        let whole = envelope
            .payload()
            .is_ok_and(|payload| payload == b"{\"a\":1}");
        let signers = envelope
            .signers(&publics)
            .map_or(0, |signers| signers.len());
        // The identifier of a key is a hint that nobody believes.
        let hint = text[..at]
            .rfind("keyid")
            .is_some_and(|hint| !text[hint..at].contains("sig\""));
        assert!(hint || !whole || signers < 2, "byte {at}");
    }
}

#[test]
fn other_keys_are_refused() {
    assert!(p256::ecdsa::SigningKey::from_pkcs8_pem("-----BEGIN PRIVATE KEY-----").is_err());
    let missing = SigningKey::open("nowhere.pem", None).unwrap_err();
    assert_eq!(missing.to_string(), "nowhere.pem");
    for (reference, words) in [
        ("pkcs11:token=a?pin-value=1", "a PIN does not belong"),
        ("pkcs11:token", "an attribute has no `=`"),
        ("pkcs11:token=a;token=b", "occurs twice"),
    ] {
        let said = SigningKey::open(reference, None).unwrap_err().to_string();
        assert!(
            said.contains(words) && !said.contains("pin-value"),
            "{said}"
        );
    }
}
