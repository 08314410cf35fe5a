//! Disks that are bound to what an NV index holds, on volumes of cryptsetup and a software TPM: one write changes what unlocks them,
//! the running system's state always does, a power cut in the middle is settled by the index, and each cause of a refusal is named.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
mod volume;

use boot_luks::{Volume, VolumeKey};
use boot_measure::{Bank, Register};
use boot_policy::{
    Booted, Claim, Members, PcrSet, Place, PolicyReference, PrimaryKey, SignedPolicies,
    StoredPolicy,
};
use boot_sign::{FileKey, PinSource, Pins};
use boot_signature::Signer;
use boot_tpm::Tpm;
use boot_unlock::{
    Error, Evidence, Protection, RecoveryKey, Settled, enroll, install, prepare, remove, renew,
    reseal_stored, settle, tokens, unlock, unlock_stored,
};
use chip::{Chip, Judged};
use std::fs::File;
use volume::{DERIVATION, PASSPHRASE, format, open};

const INDEX: u32 = 0x0180_2345;

fn booted(tpm: &mut Tpm<Judged>) -> Booted {
    let now = tpm.registers(Bank::Sha256, &[4, 11]).unwrap();
    Booted::of(&now, None, Bank::Sha256, &[4, 11]).unwrap()
}

/// States that never come, as many.
fn others(count: usize) -> impl Iterator<Item = PcrSet> {
    let value = |number: usize| Bank::Sha256.digest(&[&number.to_be_bytes()]);
    (0..count).map(move |number| {
        PcrSet::new(Bank::Sha256, [(4, value(number)), (11, value(number))]).unwrap()
    })
}

/// What the registers will be when PCR 11 is extended by a byte repeated.
fn foreseen(tpm: &mut Tpm<Judged>, byte: u8) -> PcrSet {
    let booted = booted(tpm);
    let state = &booted.states()[0];
    let value = |(pcr, value): (u8, &[u8])| match pcr {
        11 => (pcr, Bank::Sha256.digest(&[value, &[byte; 32]])),
        _ => (pcr, value.to_vec()),
    };
    PcrSet::new(Bank::Sha256, state.iter().map(value)).unwrap()
}

fn key(volume: &mut Volume<File>) -> (u32, VolumeKey) {
    volume.unlock(PASSPHRASE, &[]).unwrap()
}

fn stored_and_pin(tpm: &mut Tpm<Judged>, plan: Vec<PcrSet>) -> (StoredPolicy, RecoveryKey) {
    tpm.keep(b"").unwrap();
    let members = Members::new(plan, &booted(tpm)).unwrap();
    let pin = RecoveryKey::random();
    let policy = prepare(tpm, INDEX, &members, &pin).unwrap();
    assert_eq!(settle(tpm, &policy, None).unwrap(), Settled::Unwritten);
    install(tpm, &policy, &pin).unwrap();
    // As it is read from the file.
    let json = policy.to_json().unwrap();
    (StoredPolicy::from_json(json.as_bytes()).unwrap(), pin)
}

fn protection(place: &Place) -> Protection {
    Protection {
        stored: Some(place.clone()),
        ..Protection::default()
    }
}

#[test]
fn one_write_lets_the_next_generation_unlock_and_the_running_one_still_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "volume", DERIVATION);
    let mut volume = open(&path);
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    let (first, _) = stored_and_pin(&mut tpm, Vec::new());
    let key = key(&mut volume);
    let protection = protection(&first.place);
    let number = enroll(&mut volume, (key.0, &key.1), &mut tpm, &protection, "").unwrap();
    let (_, token) = tokens(volume.metadata()).unwrap().remove(0);
    assert!(token.pcrlock);
    assert_eq!(token.pcrlock_nv, Some(first.place.handle()));
    let evidence = Evidence::default();
    let unlocks = |tpm: &mut Tpm<Judged>, policies: &[StoredPolicy]| {
        unlock_stored(&mut open(&path), None, tpm, &evidence, policies)
            .map(|unlocked| unlocked.token)
    };
    assert_eq!(
        unlocks(&mut tpm, std::slice::from_ref(&first)).unwrap(),
        number
    );

    // 500 generations are planned, none of which runs: the running one goes on unlocking, by whichever document is true.
    let mut current = first.clone();
    for count in [7, 8, 500] {
        let next_boot = foreseen(&mut tpm, count as u8);
        let plan = others(count - 1).chain([next_boot]);
        let members = Members::new(plan, &booted(&mut tpm)).unwrap();
        assert_eq!(members.added(), 1);
        let renewal = renew(&mut tpm, &current, &members, None).unwrap();
        // Power fails before the index is written.
        let both = [current.clone(), renewal.policy.clone()];
        assert_eq!(
            settle(&mut tpm, &current, Some(&renewal.policy)).unwrap(),
            Settled::Current
        );
        assert_eq!(unlocks(&mut tpm, &both).unwrap(), number);
        renewal.write(&mut tpm).unwrap();
        // Or right after it.
        assert_eq!(
            settle(&mut tpm, &current, Some(&renewal.policy)).unwrap(),
            Settled::Next
        );
        assert_eq!(unlocks(&mut tpm, &both).unwrap(), number);
        let error = unlocks(&mut tpm, std::slice::from_ref(&current)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the NV index holds another policy"),
            "{error}"
        );
        current = StoredPolicy::from_json(renewal.policy.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(
            unlocks(&mut tpm, std::slice::from_ref(&current)).unwrap(),
            number
        );
        // The generation that was planned boots.
        chip.extend(11, &format!("{:02x}", count as u8));
        assert_eq!(
            unlocks(&mut tpm, std::slice::from_ref(&current)).unwrap(),
            number
        );
    }
    // One that was not does not, and does not write the index either, except with the recovery PIN.
    chip.extend(11, "bb");
    let error = unlocks(&mut tpm, std::slice::from_ref(&current)).unwrap_err();
    assert!(
        error.to_string().contains("none of 501 alternatives holds"),
        "{error}"
    );
    let members = Members::new([], &booted(&mut tpm)).unwrap();
    assert!(renew(&mut tpm, &current, &members, None).is_err());
    let renewal = renew(&mut tpm, &current, &members, Some("not the PIN")).unwrap();
    assert!(
        renewal
            .write(&mut tpm)
            .unwrap_err()
            .to_string()
            .contains("the recovery PIN is another")
    );

    let none: [StoredPolicy; 0] = [];
    let error = unlocks(&mut tpm, &none).unwrap_err();
    assert!(matches!(error, Error::Stored { .. }), "{error}");
    remove(&mut tpm, &current).unwrap();
    let error = unlocks(&mut tpm, &[current]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the NV index that its policy was in is gone"),
        "{error}"
    );
    volume.unlock(PASSPHRASE, &[]).unwrap();
}

#[test]
fn the_recovery_pin_writes_where_the_machine_does_not() {
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    let (policy, pin) = stored_and_pin(&mut tpm, others(20).collect());
    let members = Members::new([], &booted(&mut tpm)).unwrap();
    let error = prepare(&mut tpm, INDEX, &members, &pin).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("NV index 0x01802345: it is taken"),
        "{error}"
    );
    chip.extend(11, "bb");
    let members = Members::new([], &booted(&mut tpm)).unwrap();
    assert!(renew(&mut tpm, &policy, &members, None).is_err());
    let renewal = renew(&mut tpm, &policy, &members, Some(pin.as_str())).unwrap();
    renewal.write(&mut tpm).unwrap();
    // From now on the machine writes by itself again.
    renew(&mut tpm, &renewal.policy, &members, None)
        .unwrap()
        .write(&mut tpm)
        .unwrap();
    assert_eq!(chip.tool("tpm2_getcap handles-transient").trim(), "");
    assert_eq!(chip.tool("tpm2_getcap handles-loaded-session").trim(), "");
}

#[test]
fn a_secret_is_split_between_a_key_s_holder_and_an_index_with_a_pin() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "volume", DERIVATION);
    let mut volume = open(&path);
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    let (policy, _) = stored_and_pin(&mut tpm, others(2).collect());
    let file = chip.rsa_key();
    let signer = FileKey::read(
        &chip.folder().join(&file),
        &mut Pins::new(PinSource::Prompt),
    )
    .unwrap();
    let now = tpm.registers(Bank::Sha256, &[7, 11]).unwrap();
    let register = Register {
        bank: Bank::Sha256,
        value: now.get(Bank::Sha256, 11).unwrap().to_vec(),
    };
    let mut signed = SignedPolicies::default();
    let claim = Claim {
        register: &register,
        floor: None,
        reference: &PolicyReference::None,
    };
    signed.add(
        Bank::Sha256,
        boot_policy::sign(claim, &signer, "a test").unwrap(),
    );
    let protection = Protection {
        registers: Some(
            PcrSet::new(
                Bank::Sha256,
                [(7, now.get(Bank::Sha256, 7).unwrap().to_vec())],
            )
            .unwrap(),
        ),
        signing_key: Some(signer.public_key().clone()),
        pin: true,
        ..protection(&policy.place)
    };
    let key = key(&mut volume);
    let number = enroll(&mut volume, (key.0, &key.1), &mut tpm, &protection, "2580").unwrap();
    let (_, token) = tokens(volume.metadata()).unwrap().remove(0);
    assert_eq!((token.blobs.len(), token.policies.len()), (2, 2));
    let evidence = Evidence {
        signed: Some(&signed),
        pin: Some("2580"),
        alternatives: &[],
    };
    let policies = [policy];
    let attempt = |tpm: &mut Tpm<Judged>, evidence: &Evidence<'_>, policies: &[StoredPolicy]| {
        unlock_stored(&mut open(&path), Some(number), tpm, evidence, policies)
    };
    assert_eq!(
        *attempt(&mut tpm, &evidence, &policies).unwrap().key,
        *key.1
    );
    // Each half alone is not enough.
    let unsigned = Evidence {
        signed: None,
        ..evidence
    };
    let error = attempt(&mut tpm, &unsigned, &policies).unwrap_err();
    assert!(matches!(error, Error::Unsigned { .. }), "{error}");
    let error = attempt(&mut tpm, &evidence, &[]).unwrap_err();
    assert!(matches!(error, Error::Stored { .. }), "{error}");
    // Sealed anew to the index alone, and back.
    let alone = Protection {
        stored: Some(policies[0].place.clone()),
        pin: true,
        ..Protection::default()
    };
    reseal_stored(
        &mut volume,
        number,
        &mut tpm,
        (&evidence, &policies),
        &alone,
    )
    .unwrap();
    let only = Evidence {
        signed: None,
        ..evidence
    };
    assert_eq!(*attempt(&mut tpm, &only, &policies).unwrap().key, *key.1);
    reseal_stored(
        &mut volume,
        number,
        &mut tpm,
        (&only, &policies),
        &protection,
    )
    .unwrap();
    assert_eq!(
        *attempt(&mut tpm, &evidence, &policies).unwrap().key,
        *key.1
    );
}

#[test]
fn what_is_sealed_under_an_rsa_key_unlocks() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "volume", DERIVATION);
    let mut volume = open(&path);
    let chip = Chip::start();
    chip.tool("tpm2_createprimary -Q -C o -g sha256 -G rsa2048:aes128cfb -c srk.ctx");
    chip.tool("tpm2_evictcontrol -Q -C o -c srk.ctx 0x81000001");
    let mut tpm = chip.connect();
    let key = key(&mut volume);
    let number = enroll(
        &mut volume,
        (key.0, &key.1),
        &mut tpm,
        &Protection::default(),
        "",
    )
    .unwrap();
    let (_, mut token) = tokens(volume.metadata()).unwrap().remove(0);
    assert_eq!(token.primary, PrimaryKey::Rsa);
    unlock(&mut volume, &mut tpm, &Evidence::default()).unwrap();
    // As systemd 252 writes it: the key is not kept, and made anew by its template each time.
    token.srk = None;
    volume.put_token(number, token.to_json()).unwrap();
    chip.tool("tpm2_evictcontrol -Q -C o -c 0x81000001");
    unlock(&mut volume, &mut tpm, &Evidence::default()).unwrap();
}
