//! Tokens in the forms that systemd 252 and 257 write; Debian's systemd-cryptsetup reads ours in the binary's peer tests.

use crate::{PolicyDigest, PrimaryKey, SigningKey, Token};
use boot_measure::Bank;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn the_token_of_systemd_252_is_read() {
    let json = json!({
        "type": "systemd-tpm2",
        "keyslots": ["1"],
        "tpm2-blob": "AAECAwQF",
        "tpm2-pcrs": [7],
        "tpm2-pcr-bank": "sha256",
        "tpm2-primary-alg": "ecc",
        "tpm2-policy-hash": "ab".repeat(32),
        "tpm2-pin": false,
        "tpm2_pubkey_pcrs": [11],
        "tpm2_pubkey": "LS0tLS0=",
        "a later field": {"kept": [1, 2]},
    });
    let token = Token::from_json(json.to_string().as_bytes()).unwrap();
    assert_eq!(token.keyslots, [1]);
    assert_eq!(token.blobs, [[0, 1, 2, 3, 4, 5]]);
    assert_eq!(token.policies, [PolicyDigest([0xab; 32])]);
    assert_eq!(
        (token.pcrs.as_slice(), token.bank),
        ([7].as_slice(), Bank::Sha256)
    );
    let key = SigningKey {
        pcrs: vec![11],
        pem: b"-----".to_vec(),
    };
    assert_eq!(token.signing_key, Some(key));
    assert_eq!(
        (token.srk.as_ref(), token.pcrlock, token.primary),
        (None, false, PrimaryKey::Ecc)
    );
    let mut expected = json;
    expected["tpm2_pcrlock"] = json!(false);
    assert_eq!(token.to_json(), expected);
}

#[test]
fn a_field_that_breaks_its_rule_is_named() {
    let good = json!({
        "type": "systemd-tpm2", "keyslots": ["1"], "tpm2-blob": "AA==", "tpm2-pcrs": [],
        "tpm2-policy-hash": "00".repeat(32),
    });
    assert!(Token::from_json(good.to_string().as_bytes()).is_ok());
    for (field, value) in [
        ("type", json!("luks2-keyring")),
        ("keyslots", json!(["one"])),
        ("keyslots", json!(vec!["1"; 33])),
        ("tpm2-blob", json!("*")),
        ("tpm2-blob", json!([])),
        ("tpm2-pcrs", json!([24])),
        ("tpm2-pcrs", json!("7")),
        ("tpm2-pcr-bank", json!("md5")),
        ("tpm2-primary-alg", json!("dsa")),
        ("tpm2-policy-hash", json!("00")),
        (
            "tpm2-policy-hash",
            json!(["00".repeat(32), "00".repeat(32)]),
        ),
        ("tpm2-pin", json!("no")),
        ("tpm2_srk", json!(7)),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let error = Token::from_json(bad.to_string().as_bytes()).unwrap_err();
        // A list of blobs that is empty no longer goes with the policies.
        let named = error.to_string().contains(field) || error.to_string().contains("policy");
        assert!(named, "{field}: {error}");
    }
    for field in ["keyslots", "tpm2-blob", "tpm2-pcrs", "tpm2-policy-hash"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(field);
        let error = Token::from_json(bad.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), format!("token: {field}: it is missing"));
    }
    assert!(Token::from_json(b"[]").is_err());
    assert!(Token::from_json(&vec![b' '; crate::MAX_TOKEN + 1]).is_err());
}

proptest! {
    #[test]
    fn tokens_read_back(
        keyslots in proptest::collection::vec(0_u32..32, 0..3),
        sealed in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), any::<[u8; 32]>()), 1..4),
        pcrs in proptest::collection::vec(0_u8..24, 0..5),
        flags: (bool, bool, bool),
        key in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
        salt in proptest::option::of(any::<[u8; 32]>()),
    ) {
        let (blobs, policies) = sealed.into_iter().map(|(blob, digest)| (blob, PolicyDigest(digest))).unzip();
        let token = Token {
            keyslots,
            blobs,
            policies,
            pcrs: pcrs.clone(),
            bank: Bank::Sha384,
            primary: if flags.0 { PrimaryKey::Ecc } else { PrimaryKey::Rsa },
            pin: flags.1,
            signing_key: key.map(|pem| SigningKey { pcrs, pem }),
            salt: salt.map(|salt| salt.to_vec()),
            srk: None,
            pcrlock: flags.2,
            pcrlock_nv: salt.map(|salt| salt.to_vec()),
            other: serde_json::Map::new(),
        };
        prop_assert_eq!(Token::from_json(token.to_json().to_string().as_bytes()).unwrap(), token);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Token::from_json(&bytes);
        let _ = crate::NvPublic::from_bytes(&bytes);
    }
}
