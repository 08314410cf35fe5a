//! Documents in the form that systemd's manual shows, and digests that were computed apart, by the formulas of the TPM's
//! library.

use super::{Component, PcrlockError, Policy, combinations};
use crate::Bank;
use std::collections::BTreeMap;

/// SHA-256 of one letter, as a record of PCR 4.
fn component(letter: &[u8]) -> Component {
    let digest = hex::encode(Bank::Sha256.digest(&[letter]));
    let json = format!(
        r#"{{"records":[{{"pcr":4,"digests":[{{"hashAlg":"sha256","digest":"{digest}"}}]}}]}}"#
    );
    let component = Component::from_json(json.as_bytes()).unwrap();
    assert_eq!(component.to_json().trim(), json);
    component
}

#[test]
fn a_component_is_read_and_written_as_pcrlock_writes_it() {
    let two = r#"{"records":[{"pcr":7,"digests":[{"hashAlg":"sha1","digest":"0000000000000000000000000000000000000000"},{"hashAlg":"sm3_256","digest":"00"}]},{"pcr":0,"digests":[]}]}"#;
    let read = Component::from_json(two.as_bytes()).unwrap();
    assert_eq!(read.records.len(), 2);
    assert_eq!(
        read.records[0].digests,
        BTreeMap::from([(Bank::Sha1, vec![0; 20])])
    );
    assert_eq!(component(b"x").records[0].pcr, 4);
    for wrong in [
        "",
        "{}",
        r#"{"records":[{"pcr":24,"digests":[]}]}"#,
        r#"{"records":[{"pcr":4,"digests":[{"hashAlg":"sha256","digest":"00"}]}]}"#,
        r#"{"records":[{"pcr":4,"digests":[{"hashAlg":"sha1","digest":"zz"}]}]}"#,
    ] {
        Component::from_json(wrong.as_bytes()).unwrap_err();
    }
}

#[test]
fn variants_multiply() {
    let components = BTreeMap::from([
        (
            "630-loader".to_owned(),
            vec![component(b"x"), component(b"y")],
        ),
        ("650-kernel".to_owned(), vec![component(b"z")]),
    ]);
    let values = combinations(&components, Bank::Sha256).unwrap();
    let hex: Vec<String> = values[&4].iter().map(hex::encode).collect();
    // H(H(zeros, H(x)), H(z)) and the same with y.
    assert_eq!(
        hex,
        [
            "59fe94502b74e18f92060b68a047c0cd65b84343a5a20cc73de50c8b25891871",
            "6a696ad3cfdff1ce7db2ef4c6cc71ab91ca9c668f88428c319ad31b03d610aae"
        ]
    );
    let missing = combinations(&components, Bank::Sha384).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "pcrlock document: component 630-loader: a record has no digest of the bank"
    );
}

fn policy(last: &[u8]) -> Policy {
    let values = |bytes: &[u8]| bytes.iter().map(|byte| vec![*byte; 32]).collect();
    let mut all = BTreeMap::from([(4, values(&[0xaa])), (7, values(&[0xbb]))]);
    if !last.is_empty() {
        all.insert(11, values(last));
    }
    Policy::new(Bank::Sha256, all).unwrap()
}

#[test]
fn policy_digests_are_those_of_the_formulas() {
    assert_eq!(
        hex::encode(policy(&[]).digest()),
        "4827acfbc637fa24332ec87a4c8f72604f1076d05fb0485ef3fcb91bb2764e16"
    );
    assert_eq!(
        hex::encode(policy(&[0xaa, 0xcc]).digest()),
        "d25e631d4da87df0b44a450fc3c9cd34469c9e4f985d0ac60f8f1acb48d437dc"
    );
}

#[test]
fn a_policy_is_read_and_written_as_pcrlock_writes_it() {
    let value = "aa".repeat(32);
    let short = format!(r#"{{"pcrBank":"sha256","pcrValues":[{{"pcr":4,"values":["{value}"]}}]}}"#);
    let read = Policy::from_json(short.as_bytes()).unwrap();
    assert_eq!(read.nv, None);
    assert_eq!(read.to_json().trim(), short);
    let nv = r#","nvIndex":25165824,"nvHandle":"AA==","nvPublic":"AQ==","srkHandle":"Ag==","pinPublic":"Aw==","pinPrivate":"BA=="}"#;
    let whole = short.strip_suffix('}').unwrap().to_owned() + nv;
    let read = Policy::from_json(whole.as_bytes()).unwrap();
    assert_eq!(read.nv.as_ref().unwrap().nv_index, 0x0180_0000);
    assert_eq!(read.to_json().trim(), whole);
}

#[test]
fn policies_that_no_tpm_takes_are_refused() {
    let values = |count: u8| (0..count).map(|byte| vec![byte; 32]).collect::<Vec<_>>();
    let new =
        |pcr: u8, values: Vec<Vec<u8>>| Policy::new(Bank::Sha256, BTreeMap::from([(pcr, values)]));
    new(4, values(8)).unwrap();
    assert!(matches!(
        new(4, values(9)),
        Err(PcrlockError::Limit { found: 9, .. })
    ));
    assert!(matches!(
        new(4, Vec::new()),
        Err(PcrlockError::Invalid { .. })
    ));
    assert!(matches!(
        new(24, values(1)),
        Err(PcrlockError::Invalid { .. })
    ));
    assert!(matches!(
        new(4, vec![vec![0; 20]]),
        Err(PcrlockError::Invalid { .. })
    ));
    for wrong in [
        "{}",
        r#"{"pcrBank":"md5","pcrValues":[]}"#,
        r#"{"pcrBank":"sha256","pcrValues":[{"pcr":4,"values":["zz"]}]}"#,
    ] {
        Policy::from_json(wrong.as_bytes()).unwrap_err();
    }
}
