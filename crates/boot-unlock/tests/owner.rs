//! The owner's signature opens a disk in any state of its machine, and nothing else: on a volume of cryptsetup and a software TPM,
//! with tpm2-tools as the second opinion.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
mod volume;

use base64ct::{Base64, Encoding};
use boot_measure::Bank;
use boot_policy::{KeyArea, Owner, PcrSet, PolicyDigest};
use boot_sign::{FileKey, NewKey, PinSource, Pins, create_in_file};
use boot_signature::Signer;
use boot_tpm::{Code, Sealed};
use boot_unlock::{
    DiskOwner, Error, Evidence, Protection, RecoveryRequest, enroll, recover, reseal_as_owner,
    tokens, unlock,
};
use chip::Chip;
use std::path::Path;
use volume::{DERIVATION, PASSPHRASE, format, open};

fn key() -> FileKey {
    let pem = create_in_file(NewKey::Rsa2048).unwrap();
    let mut pins = Pins::new(PinSource::Prompt);
    FileKey::parse(pem.as_bytes(), Path::new("test"), &mut pins).unwrap()
}

/// What the second opinion makes of an owner's signature: the digest of its session, and the secret.
fn by_tpm2_tools(
    chip: &Chip,
    owner: &Owner,
    key: &FileKey,
    sealed: &Sealed,
) -> (PolicyDigest, Vec<u8>) {
    let put = |name: &str, bytes: &[u8]| std::fs::write(chip.folder().join(name), bytes).unwrap();
    let sized = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    put("owner.pub", key.public_key().to_pem().unwrap().as_bytes());
    put("reference", &owner.reference);
    put(
        "signature",
        &Owner::sign(&owner.reference, key, "a test").unwrap(),
    );
    put("object.pub", &sized(&sealed.public));
    put("object.priv", &sized(&sealed.private));
    chip.tool("tpm2_loadexternal -Q -C o -G rsa -u owner.pub -c owner.ctx");
    chip.tool("tpm2_createprimary -Q -C o -g sha256 -G ecc256:aes128cfb -c parent.ctx -a restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda");
    chip.tool("tpm2_load -Q -C parent.ctx -u object.pub -r object.priv -c object.ctx");
    chip.tool("tpm2_startauthsession --policy-session -S session.ctx");
    chip.tool("tpm2_policysigned -S session.ctx -L digest -g sha256 -s signature -f rsassa -c owner.ctx -q reference");
    chip.tool("tpm2_unseal -c object.ctx -p session:session.ctx -o secret");
    chip.tool("tpm2_flushcontext session.ctx");
    let read = |name: &str| std::fs::read(chip.folder().join(name)).unwrap();
    (
        PolicyDigest::from_bytes(&read("digest")).unwrap(),
        read("secret"),
    )
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one disk, from enrolment to recovery"
)]
fn the_owner_opens_a_disk_whose_machine_changed_and_whose_pin_is_locked_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (
        format(folder.path(), "volume", DERIVATION),
        format(folder.path(), "other", DERIVATION),
    );
    let chip = Chip::start();
    let mut tpm = chip.connect();
    chip.tool("tpm2_dictionarylockout --setup-parameters --max-tries=2 --recovery-time=1000 --lockout-recovery-time=1000");
    let owner = key();
    let seven = |tpm: &mut boot_tpm::Tpm<_>| {
        let now = tpm.registers(Bank::Sha256, &[7]).unwrap();
        let value = now.get(Bank::Sha256, 7).unwrap().to_vec();
        PcrSet::new(Bank::Sha256, [(7, value)]).unwrap()
    };
    let demands = |registers: PcrSet| Protection {
        registers: Some(registers),
        pin: true,
        owner: Some(DiskOwner::new(owner.public_key().clone())),
        ..Protection::default()
    };
    let mut volume = open(&path);
    let (beside, volume_key) = volume.unlock(PASSPHRASE, &[]).unwrap();
    let protection = demands(seven(&mut tpm));
    let number = enroll(
        &mut volume,
        (beside, &volume_key),
        &mut tpm,
        &protection,
        "2580",
    )
    .unwrap();
    let with = |pin| Evidence {
        pin: Some(pin),
        ..Evidence::default()
    };
    unlock(&mut volume, &mut tpm, &with("2580")).unwrap();

    // Wrong PINs until the TPM is locked out, and another state: nobody gets in.
    for _ in 0..2 {
        unlock(&mut volume, &mut tpm, &with("0000")).unwrap_err();
    }
    let Error::Tpm(error) = unlock(&mut volume, &mut tpm, &with("2580")).unwrap_err() else {
        panic!()
    };
    assert_eq!(error.failure().unwrap().code(), Code::Lockout);
    chip.extend(7, "cc");
    let error = unlock(&mut volume, &mut tpm, &with("2580")).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");

    // The owner does.
    let request = RecoveryRequest::of(&volume, number).unwrap();
    let error = request.sign(&key()).unwrap_err().to_string();
    assert!(
        error.ends_with("not the one that the token was enrolled with"),
        "{error}"
    );
    let granted = request.sign(&owner).unwrap();
    let opened = recover(&mut volume, &mut tpm, &granted).unwrap();
    assert_eq!(*opened.key, *volume_key);

    // tpm2-tools come to the same digest, and to the secret.
    let (_, token) = tokens(volume.metadata()).unwrap().remove(0);
    let field = &token.other["rootstock"]["owner"];
    let blob = Base64::decode_vec(field["blob"].as_str().unwrap()).unwrap();
    let sealed = Sealed::from_bytes(&blob).unwrap();
    let reference: [u8; 32] = {
        let text = field["reference"].as_str().unwrap().as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        std::array::from_fn(|at| digit(text[2 * at]) << 4 | digit(text[2 * at + 1]))
    };
    let of_policy = Owner {
        key: KeyArea::of(owner.public_key()).unwrap(),
        reference,
    };
    let (digest, secret) = by_tpm2_tools(&chip, &of_policy, &owner, &sealed);
    assert_eq!((digest, secret.len()), (of_policy.policy(), 32));

    // Not with what another signed, for another disk or to another TPM; the TPM itself judges the signature too.
    let mut forged = granted.clone();
    forged.signature.replace_range(..4, "AAAA");
    let mut elsewhere = granted.clone();
    elsewhere.volume = open(&other).uuid();
    for (wrong, said) in [
        (&forged, "not signed by the owner"),
        (&elsewhere, "for another disk"),
    ] {
        let error = recover(&mut volume, &mut tpm, wrong)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(said), "{error}");
    }
    let error = recover(&mut open(&other), &mut tpm, &elsewhere).unwrap_err();
    assert!(matches!(error, Error::NoToken), "{error}");
    let parent = tpm.primary(boot_tpm::Template::Standard).unwrap();
    let steps = of_policy.commands(&[1; 256]);
    let error = tpm
        .unseal_by(&parent, &sealed, &steps, digest, b"")
        .unwrap_err();
    assert!(error.failure().is_some(), "{error}");
    tpm.release(parent).unwrap();
    let stranger = Chip::start();
    let Error::Tpm(error) = recover(&mut volume, &mut stranger.connect(), &granted).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(error.failure().unwrap().code(), Code::Integrity, "{error}");

    chip.tool("tpm2_dictionarylockout --clear-lockout");
    // Sealed anew for the machine as it is, the signature is used up.
    let protection = demands(seven(&mut tpm));
    reseal_as_owner(&mut volume, &mut tpm, &granted, &protection, "1470").unwrap();
    let error = recover(&mut volume, &mut tpm, &granted)
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("it was sealed anew since"), "{error}");
    unlock(&mut volume, &mut tpm, &with("1470")).unwrap();
    open(&path).unlock(PASSPHRASE, &[0]).unwrap();
}

#[test]
fn a_token_without_an_owner_has_no_other_way_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "volume", DERIVATION);
    let chip = Chip::start();
    let mut tpm = chip.connect();
    let mut volume = open(&path);
    let error = RecoveryRequest::of(&volume, 0).unwrap_err();
    assert!(matches!(error, Error::NoToken), "{error}");
    let (beside, volume_key) = volume.unlock(PASSPHRASE, &[]).unwrap();
    let protection = Protection::default();
    let number = enroll(
        &mut volume,
        (beside, &volume_key),
        &mut tpm,
        &protection,
        "",
    )
    .unwrap();
    let error = RecoveryRequest::of(&volume, number)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("enrolled without an owner's key"),
        "{error}"
    );
}
