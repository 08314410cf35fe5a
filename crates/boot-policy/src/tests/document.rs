//! The JSON's shape; whole documents against systemd-measure are in the binary's peer tests.

use crate::{
    Floor, PcrSet, PolicyDigest, PolicyReference, SignedPolicies, SignedPolicy, to_be_signed,
};
use boot_measure::{Bank, Register};
use proptest::prelude::*;

#[test]
fn the_policy_of_an_untouched_register_is_the_published_one() {
    // `tpm2_createpolicy --policy-pcr -l sha256:11` (and sha1:11) on a TPM whose PCR 11 is zero.
    let policy = |bank, pcr| {
        let value = Register::reset(bank).value;
        PolicyDigest::START.pcr(&PcrSet::new(bank, [(pcr, value)]).unwrap())
    };
    let sha256 = policy(Bank::Sha256, 11);
    assert_eq!(
        sha256.to_string(),
        "fd32fa22c52cfc8e1a0c29eb38519f87084cab0b04b0d8f020a4d38b2f4e223e"
    );
    assert_eq!(
        policy(Bank::Sha1, 11).to_string(),
        "3025f59190d67a9881f4093c74da0f7d5ee3024980bcc4123bac0200122f3e9d"
    );
    assert_ne!(sha256, policy(Bank::Sha256, 12));
    let signed = |reference: &PolicyReference| to_be_signed(&sha256, reference)[32..].to_vec();
    assert_eq!(signed(&PolicyReference::of_floor()), b"rootstock.floor");
    // `printf initrd | sha256sum`.
    let name = PolicyReference::of_name("initrd").unwrap();
    assert_eq!(
        hex::encode(signed(&name)),
        "09e6c018d2c8c4903308613dd1b72484d57eadf12ec50ddc8f52e5accce470f2"
    );
}

fn policy(number: u8, reference: &PolicyReference) -> SignedPolicy {
    SignedPolicy {
        pcrs: vec![11],
        key: vec![number; 32],
        policy: PolicyDigest([number; 32]),
        signature: vec![number; 256],
        reference: reference.clone(),
        floor: number.is_multiple_of(3).then_some(Floor {
            index: 0x0180_1234,
            epoch: u64::from(number),
        }),
    }
}

#[test]
fn the_document_is_one_line_in_systemds_order() {
    let mut all = SignedPolicies::default();
    all.add(Bank::Sha256, policy(1, &PolicyReference::None));
    all.add(Bank::Sha1, policy(2, &PolicyReference::None));
    all.add(Bank::Sha256, policy(1, &PolicyReference::None));
    let json = all.to_json().unwrap();
    assert!(
        json.starts_with(r#"{"sha1":[{"pcrs":[11],"pkfp":"0202"#),
        "{json}"
    );
    assert!(json.ends_with("\"}]}\n") && json.lines().count() == 1);
    assert_eq!(json.matches("pkfp").count(), 2);
    assert_eq!(SignedPolicies::from_json(json.as_bytes()).unwrap(), all);
    let mut named = SignedPolicies::default();
    let reference = PolicyReference::of_name("initrd").unwrap();
    named.add(Bank::Sha256, policy(1, &reference));
    let text = named.to_json().unwrap();
    let expected = format!(
        r#""pkfp":"{0}","ref":"initrd","pol":"{0}","sig":"#,
        "01".repeat(32)
    );
    assert!(text.contains(&expected), "{text}");
    let mut padded = json.into_bytes();
    padded.extend([0; 3]);
    assert_eq!(SignedPolicies::from_json(&padded).unwrap(), all);
    for text in [
        "",
        "[]",
        r#"{"md5":[]}x"#,
        r#"{"md5":[{"pcrs":[11],"pkfp":"","pol":"","sig":""}]}"#,
        r#"{"sha1":[{"pcrs":[11],"pkfp":"0","pol":"","sig":""}]}"#,
        r#"{"sha1":[{"pcrs":[11],"pkfp":"","pol":"","sig":"*"}]}"#,
        &text.replace(r#""initrd""#, r#""initrd","polref":"00""#),
        &text.replace("initrd", &"n".repeat(256)),
        &text.replace(
            r#""ref":"initrd""#,
            &format!(r#""polref":"{}""#, "00".repeat(33)),
        ),
    ] {
        assert!(
            SignedPolicies::from_json(text.as_bytes()).is_err(),
            "{text}"
        );
    }
}

fn reference() -> impl Strategy<Value = PolicyReference> {
    prop_oneof![
        Just(PolicyReference::None),
        "\\PC{1,20}".prop_map(PolicyReference::Name),
        proptest::collection::vec(any::<u8>(), 1..=32).prop_map(PolicyReference::Bytes),
    ]
}

proptest! {
    #[test]
    fn documents_read_back(numbers in proptest::collection::vec((0_usize..4, any::<u8>(), reference()), 0..12)) {
        let mut all = SignedPolicies::default();
        for (bank, number, reference) in numbers {
            all.add(Bank::ALL[bank], policy(number, &reference));
        }
        let json = all.to_json().unwrap();
        prop_assert_eq!(SignedPolicies::from_json(json.as_bytes()).unwrap(), all);
    }
}
