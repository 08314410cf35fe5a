//! Signing and verifying with keys made for the test; each problem is provoked and named.

use crate::{
    Certificate, CertificateRequest, DetachedForm, Error, HashAlgorithm, Problem, Profile,
    PublicKey, Request, SignedMessage, Signer, Strictness, attach, chain, detach, issue,
    sign_detached, sign_image, strip, verify_image,
};
use boot_pe::{Image, Machine, addon_base};
use jiff::Timestamp;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;
use rsa::pkcs8::EncodePublicKey;

/// A P-256 key whose number is given: tests need no randomness.
struct TestKey {
    private: SigningKey,
    public: PublicKey,
    wrong: bool,
}

impl TestKey {
    fn new(number: u8) -> TestKey {
        let private = SigningKey::from_slice(&[number; 32]).unwrap();
        let public = PublicKey::P256(*private.verifying_key());
        TestKey {
            private,
            public,
            wrong: false,
        }
    }

    fn spki(&self) -> Vec<u8> {
        self.private
            .verifying_key()
            .to_public_key_der()
            .unwrap()
            .into_vec()
    }
}

impl Signer for TestKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(
        &self,
        request: Request<'_>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut digest = request.digest();
        digest[0] ^= u8::from(self.wrong);
        let signature: p256::ecdsa::Signature = self.private.sign_prehash(&digest)?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number * 86_400).unwrap()
}

fn certificate(
    key: &TestKey,
    name: &str,
    profile: Profile,
    issuer: Option<(&TestKey, &Certificate)>,
) -> Certificate {
    let spki = key.spki();
    let request = CertificateRequest {
        common_name: name,
        profile,
        from: day(0),
        until: day(10),
        public_key: &spki,
    };
    issue(
        &request,
        issuer.map_or(key, |(key, _)| key),
        issuer.map(|(_, certificate)| certificate),
    )
    .unwrap()
}

fn image() -> Vec<u8> {
    addon_base(Machine::X64).unwrap()
}

fn problems(file: &[u8], anchors: &[Certificate], at: Timestamp) -> Vec<Vec<Problem>> {
    let image = Image::parse(file).unwrap();
    let reports = verify_image(&image, anchors, at).unwrap();
    reports.into_iter().map(|report| report.problems).collect()
}

#[test]
fn a_chain_signs_verifies_and_is_the_same_bytes_every_time() {
    let (root_key, key) = (TestKey::new(1), TestKey::new(2));
    let root = certificate(&root_key, "root", Profile::Authority, None);
    let middle_key = TestKey::new(3);
    let middle = certificate(
        &middle_key,
        "middle",
        Profile::Authority,
        Some((&root_key, &root)),
    );
    let leaf = certificate(&key, "leaf", Profile::Code, Some((&middle_key, &middle)));
    let sign = || {
        let mut file = image();
        sign_image(
            &mut file,
            &key,
            &[&leaf, &middle],
            HashAlgorithm::Sha256,
            true,
            "test",
        )
        .unwrap();
        file
    };
    let file = sign();
    assert!(
        file == sign(),
        "nothing in a signature depends on time or chance"
    );
    let parsed = Image::parse(&file).unwrap();
    let report = &verify_image(&parsed, std::slice::from_ref(&root), day(1)).unwrap()[0];
    assert_eq!(report.problems, []);
    assert_eq!(report.chain, ["CN=leaf", "CN=middle", "CN=root"]);
    assert!(report.is_good(Strictness::Full));
    // Any member of the chain may be what is trusted.
    for anchor in [&leaf, &middle] {
        assert_eq!(
            problems(&file, std::slice::from_ref(anchor), day(1)),
            [vec![]]
        );
    }
    let stranger = certificate(&TestKey::new(9), "stranger", Profile::Code, None);
    assert!(matches!(
        problems(&file, &[stranger], day(1))[0][..],
        [Problem::Untrusted { .. }]
    ));
    // A leaf is no authority, so what it "issues" leads nowhere.
    let forged = certificate(
        &TestKey::new(4),
        "forged",
        Profile::Code,
        Some((&key, &leaf)),
    );
    assert!(chain(&forged, &[leaf, middle], &[root]).is_none());
}

#[test]
fn each_problem_is_named() {
    let key = TestKey::new(5);
    let own = certificate(&key, "own", Profile::Code, None);
    let mut file = image();
    sign_image(
        &mut file,
        &key,
        &[&own],
        HashAlgorithm::Sha256,
        true,
        "test",
    )
    .unwrap();
    let anchors = [own.clone()];
    assert_eq!(problems(&file, &anchors, day(1)), [vec![]]);
    let late = problems(&file, &anchors, day(11));
    assert!(matches!(late[0][..], [Problem::Validity { .. }]));
    let reports = verify_image(&Image::parse(&file).unwrap(), &anchors, day(11)).unwrap();
    assert!(reports[0].is_good(Strictness::Firmware) && !reports[0].is_good(Strictness::Full));

    let mut changed = file.clone();
    changed[0x200] ^= 1;
    let found = problems(&changed, &anchors, day(1));
    assert!(
        matches!(found[0][..], [Problem::ImageDigest { .. }]),
        "{found:?}"
    );

    let table = Image::parse(&file).unwrap().certificate_table().unwrap();
    let mut changed = file.clone();
    let signature = detach(&Image::parse(&file).unwrap(), 0).unwrap();
    // The signature value is the last element of the DER.
    changed[table.address as usize + 8 + signature.len() - 1] ^= 1;
    let found = problems(&changed, &anchors, day(1));
    assert!(
        matches!(found[0][..], [Problem::BadSignature { .. }]),
        "{found:?}"
    );

    let mut changed = file.clone();
    changed[table.address as usize + 8] = 0x31;
    assert!(matches!(
        problems(&changed, &anchors, day(1))[0][..],
        [Problem::Unreadable { .. }]
    ));

    let variables = certificate(&key, "own", Profile::Variables, None);
    let mut file = image();
    sign_image(
        &mut file,
        &key,
        &[&variables],
        HashAlgorithm::Sha384,
        true,
        "test",
    )
    .unwrap();
    assert_eq!(problems(&file, &[variables], day(1)), [vec![]]);
    let authority = certificate(&key, "own", Profile::Authority, None);
    assert!(authority.may_sign() && authority.is_authority() && !own.is_authority());
    assert!(matches!(
        sign_image(&mut file, &key, &[&own], HashAlgorithm::Sha1, true, "test"),
        Err(Error::Invalid { .. })
    ));
    let other = certificate(&TestKey::new(6), "other", Profile::Code, None);
    let error = sign_image(
        &mut file,
        &key,
        &[&other],
        HashAlgorithm::Sha256,
        true,
        "test",
    )
    .unwrap_err();
    assert!(error.to_string().contains("another public key"), "{error}");
    let mut liar = TestKey::new(5);
    liar.wrong = true;
    let error = sign_image(
        &mut file,
        &liar,
        &[&own],
        HashAlgorithm::Sha256,
        true,
        "test",
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("answer of the signer"),
        "{error}"
    );
}

#[test]
fn signatures_are_added_removed_taken_off_and_put_back() {
    let (first, second) = (TestKey::new(7), TestKey::new(8));
    let a = certificate(&first, "a", Profile::Code, None);
    let b = certificate(&second, "b", Profile::Code, None);
    let mut file = image();
    file.extend_from_slice(b"odd length");
    sign_image(
        &mut file,
        &first,
        &[&a],
        HashAlgorithm::Sha256,
        true,
        "test",
    )
    .unwrap();
    let once = file.clone();
    sign_image(
        &mut file,
        &second,
        &[&b],
        HashAlgorithm::Sha384,
        true,
        "test",
    )
    .unwrap();
    let parsed = Image::parse(&file).unwrap();
    let reports = verify_image(&parsed, std::slice::from_ref(&b), day(1)).unwrap();
    let signers: Vec<_> = reports.iter().filter_map(|r| r.signer.as_deref()).collect();
    assert_eq!(signers, ["CN=a", "CN=b"]);
    let layout = |p: &Problem| matches!(p, Problem::Layout { .. });
    assert!(
        reports[0]
            .problems
            .iter()
            .any(|p| matches!(p, Problem::Untrusted { .. }))
    );
    assert!(
        reports[1].problems.iter().all(layout),
        "trailing data is named and nothing else"
    );
    let taken = detach(&parsed, 1).unwrap();
    strip(&mut file, Some(1)).unwrap();
    assert!(file == once);
    attach(&mut file, &taken).unwrap();
    assert_eq!(
        verify_image(&Image::parse(&file).unwrap(), &[], day(1))
            .unwrap()
            .len(),
        2
    );
    sign_image(
        &mut file,
        &first,
        &[&a],
        HashAlgorithm::Sha256,
        false,
        "test",
    )
    .unwrap();
    assert!(file == once, "without keeping, the others are replaced");
    strip(&mut file, None).unwrap();
    assert!(Image::parse(&file).unwrap().certificate_table().is_none());
    assert!(strip(&mut file, Some(0)).is_err());
    let mut other = image();
    let error = attach(&mut other, &taken).unwrap_err();
    assert!(error.to_string().contains("digest of another image"));
}

#[test]
fn detached_signatures_verify_over_their_message_alone() {
    let key = TestKey::new(10);
    let own = certificate(&key, "own", Profile::Variables, None);
    for (form, wrapped, inside) in [
        (DetachedForm::Variable, false, 1),
        (DetachedForm::Kernel, true, 0),
    ] {
        let signature =
            sign_detached(b"message", form, HashAlgorithm::Sha256, &key, &own, "test").unwrap();
        let read = SignedMessage::read(&signature).unwrap();
        assert_eq!(
            (read.wrapped, read.certificates().len(), read.signers()),
            (wrapped, inside, 1)
        );
        assert!(read.content().is_none());
        assert!(read.is_signed_by(&own, b"message"));
        assert!(!read.is_signed_by(&own, b"massage"));
        let other = certificate(&TestKey::new(11), "own", Profile::Variables, None);
        assert!(!read.is_signed_by(&other, b"message"));
    }
}

#[test]
fn certificates_read_back_from_pem_and_der_and_bad_requests_are_refused() {
    let key = TestKey::new(12);
    let one = certificate(&key, "one (test)", Profile::Code, None);
    let two = certificate(&key, "two", Profile::Code, None);
    let both = format!("# a comment\n{}{}", one.pem(), two.pem());
    assert_eq!(
        Certificate::read_all(both.as_bytes()).unwrap(),
        [one.clone(), two]
    );
    assert_eq!(Certificate::read(one.der()).unwrap(), one);
    assert_eq!(
        (one.validity(), one.is_self_issued()),
        ((day(0), day(10)), true)
    );
    assert!(one.is_signed_by(&one));
    assert!(Certificate::read(b"-----BEGIN CERTIFICATE-----\nAAAA").is_err());
    let spki = key.spki();
    for (name, until) in [("", day(1)), ("a,CN=b", day(1)), ("fine", day(-1))] {
        let request = CertificateRequest {
            common_name: name,
            profile: Profile::Code,
            from: day(0),
            until,
            public_key: &spki,
        };
        assert!(issue(&request, &key, None).is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn changed_signatures_never_panic(changes in proptest::collection::vec((0_usize..700, any::<u8>()), 1..6), cut in 0_usize..900) {
        let key = TestKey::new(13);
        let own = certificate(&key, "own", Profile::Code, None);
        let mut file = image();
        sign_image(&mut file, &key, &[&own], HashAlgorithm::Sha256, true, "test").unwrap();
        let mut signature = detach(&Image::parse(&file).unwrap(), 0).unwrap();
        for (at, value) in changes {
            let at = at % signature.len();
            signature[at] = value;
        }
        if let Ok(message) = SignedMessage::read(&signature) {
            let _ = message.signer_certificate();
            let _ = message.is_signed_by(&own, b"content");
        }
        let _ = attach(&mut image(), &signature);
        prop_assert!(SignedMessage::read(&signature[..cut.min(signature.len() - 1)]).is_err());
    }
}
