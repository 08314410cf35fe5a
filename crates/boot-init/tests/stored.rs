//! Disks bound to a policy that lives in the TPM, opened in the initrd: by what lies beside the image, in our form and in that of
//! systemd's tools, whichever of two documents the index holds, beside tokens with signed policies; each refusal says why, and a
//! passphrase opens all the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
mod person;
#[path = "../../boot-unlock/tests/volume/mod.rs"]
#[expect(dead_code, reason = "keys are derived as on a machine of today")]
mod volume;

use boot_init::{Opener, system};
use boot_luks::VolumeKey;
use boot_measure::{Bank, Register};
use boot_policy::{
    Booted, Claim, Floor, Members, PcrSet, PolicyReference, SignedPolicies, StoredPolicy,
};
use boot_sign::{FileKey, PinSource, Pins};
use boot_signature::Signer;
use boot_unlock::{Protection, RecoveryKey, enroll, install, prepare, remove, renew};
use chip::Chip;
use person::Person;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use volume::{PASSPHRASE, format, open};

const INDEX: u32 = 0x0180_3456;
const FLOOR: u32 = 0x01d1_0700;
const SIGNED: &str = "tpm2-pcr-signature.json";
const CURRENT: &str = "global_credentials/pcrlock.rootstock.cred";
const NEXT: &str = "global_credentials/pcrlock.rootstock.next.cred";

/// A disk, a TPM, and what the stub put beside the image.
struct Scene {
    folder: tempfile::TempDir,
    chip: Chip,
    key: VolumeKey,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let path = format(
            folder.path(),
            "volume",
            "--pbkdf argon2id --pbkdf-memory 64 --pbkdf-force-iterations 4",
        );
        let (_, key) = open(&path).unlock(PASSPHRASE, &[]).unwrap();
        let scene = Scene {
            folder,
            chip: Chip::start(),
            key,
        };
        fs::create_dir_all(scene.extra().join("global_credentials")).unwrap();
        scene.chip.extend(11, "aa");
        scene.chip.connect().keep(b"").unwrap();
        scene
    }

    fn volume(&self) -> boot_luks::Volume<fs::File> {
        open(&self.folder.path().join("volume"))
    }

    fn extra(&self) -> PathBuf {
        self.folder.path().join("extra")
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.extra().join(name), bytes).unwrap();
    }

    fn take(&self, name: &str) {
        fs::remove_file(self.extra().join(name)).unwrap();
    }

    /// The running state, with as many that never come.
    fn members(&self, others: usize) -> Members {
        let mut tpm = self.chip.connect();
        let now = tpm.registers(Bank::Sha256, &[4, 11]).unwrap();
        let booted = Booted::of(&now, None, Bank::Sha256, &[4, 11]).unwrap();
        let other = |number: usize| {
            let value = Bank::Sha256.digest(&[&number.to_be_bytes()]);
            PcrSet::new(Bank::Sha256, [(4, value.clone()), (11, value)]).unwrap()
        };
        Members::new((0..others).map(other), &booted).unwrap()
    }

    fn store(&self, others: usize) -> StoredPolicy {
        let mut tpm = self.chip.connect();
        let pin = RecoveryKey::random();
        let policy = prepare(&mut tpm, INDEX, &self.members(others), &pin).unwrap();
        install(&mut tpm, &policy, &pin).unwrap();
        policy
    }

    fn enroll(&self, protection: &Protection, pin: &str) -> u32 {
        let key = (0, &self.key);
        enroll(
            &mut self.volume(),
            key,
            &mut self.chip.connect(),
            protection,
            pin,
        )
        .unwrap()
    }

    /// Opens the disk with what lies beside the image.
    fn opens(&self, types: &[&[u8]]) -> Person {
        let mut person = Person::who_types(types);
        let mut opener = Opener {
            console: &mut person,
            beside: &system::gathered(&self.extra()),
        };
        let key = opener.open("the disk", &mut self.volume(), Ok(self.chip.connect()));
        assert_eq!(key.unwrap(), self.key);
        person
    }
}

fn bound(policy: &StoredPolicy) -> Protection {
    Protection {
        stored: Some(policy.place.clone()),
        ..Protection::default()
    }
}

fn credential(policy: &StoredPolicy) -> String {
    policy.to_credential("pcrlock.rootstock").unwrap()
}

fn json(policy: &StoredPolicy) -> String {
    policy.to_json().unwrap()
}

#[test]
fn a_disk_opens_by_the_policy_beside_the_image_and_a_refusal_says_why() {
    let scene = Scene::new();
    let first = scene.store(7);
    let token = scene.enroll(&bound(&first), "");
    let released = format!("the TPM released the key of the disk (token {token})");
    // As ours, as a plain file, and as systemd's tool encrypts it.
    scene.put(CURRENT, credential(&first));
    assert_eq!(scene.opens(&[]).heard, [&*released]);
    scene.put(CURRENT, json(&first));
    assert_eq!(scene.opens(&[]).heard, [&*released]);
    scene.take(CURRENT);
    scene.put("pcrlock.json", json(&first));
    let done = Command::new("systemd-creds")
        .args([
            "encrypt",
            "--with-key=tpm2-absent",
            "--name=pcrlock.machine",
            "pcrlock.json",
        ])
        .arg("global_credentials/pcrlock.machine.cred")
        .current_dir(scene.extra())
        .status()
        .expect("systemd is installed");
    assert!(done.success());
    assert_eq!(scene.opens(&[]).heard, [&*released]);
    scene.take("global_credentials/pcrlock.machine.cred");

    // Power fails on either side of writing the index: both documents lie there, and the index says which is true.
    let renewal = renew(&mut scene.chip.connect(), &first, &scene.members(9), None).unwrap();
    scene.put(CURRENT, credential(&first));
    scene.put(NEXT, credential(&renewal.policy));
    assert_eq!(scene.opens(&[]).heard, [&*released]);
    renewal.write(&mut scene.chip.connect()).unwrap();
    assert_eq!(scene.opens(&[]).heard, [&*released]);

    // The old one alone is not what the index holds; one that was cut off is named; without any it is said what is missing.
    scene.take(NEXT);
    let person = scene.opens(&[PASSPHRASE]);
    person.heard("the NV index holds another policy than pcrlock.json says");
    person.heard(
        "`rootstock-boot pcrlock store --esp` puts the policy that the TPM holds beside the image",
    );
    scene.put(CURRENT, &credential(&renewal.policy)[..200]);
    let person = scene.opens(&[PASSPHRASE]);
    person.heard("no pcrlock.json of that index was given");
    person.heard(
        "pcrlock.rootstock.cred is left out: stored policy's credential: it was cut off or changed",
    );
    scene.take(CURRENT);
    scene
        .opens(&[PASSPHRASE])
        .heard("no pcrlock.json of that index was given");

    // A state that was not foreseen is named by its register.
    scene.put(CURRENT, credential(&renewal.policy));
    assert_eq!(scene.opens(&[]).heard, [&*released]);
    scene.chip.extend(11, "bb");
    let person = scene.opens(&[b"wrong", PASSPHRASE]);
    person.heard("none of 10 alternatives holds");
    person.heard("PCR 11 is about the image");
    person.heard("no keyslot opens with this passphrase");
    // The index is gone.
    remove(&mut scene.chip.connect(), &renewal.policy).unwrap();
    let person = scene.opens(&[PASSPHRASE]);
    person.heard("the NV index that its policy was in is gone");
    person.heard("where its index is gone, store one and enrol anew");
}

#[test]
fn signed_and_stored_policies_are_both_tried_and_a_pin_is_asked_for() {
    let scene = Scene::new();
    let pem = scene.folder.path().join("key.pem");
    fs::copy(scene.chip.folder().join(scene.chip.rsa_key()), &pem).unwrap();
    let signer = FileKey::read(&pem, &mut Pins::new(PinSource::Prompt)).unwrap();
    let signed = scene.enroll(
        &Protection {
            signing_key: Some(signer.public_key().clone()),
            ..Protection::default()
        },
        "",
    );
    let policy = scene.store(0);
    let with_pin = Protection {
        pin: true,
        ..bound(&policy)
    };
    let stored = scene.enroll(&with_pin, "2580");
    // The one is refused for its own reason, the other opens with its PIN.
    scene.put(SIGNED, b"{");
    scene.put(CURRENT, credential(&policy));
    let person = scene.opens(&[b"0000", b"2580"]);
    person.heard("the PIN is wrong");
    person.heard(&format!("(token {stored})"));
    scene.take(CURRENT);
    let person = scene.opens(&[PASSPHRASE]);
    person.heard("tpm2-pcr-signature.json is left out: signed policies");
    person.heard(&format!("token {signed} is refused: "));
    person.heard("the image carries no policy that the enrolled key signed");
    person.heard(&format!("token {stored} is refused: "));
    person.heard("no pcrlock.json of that index was given");

    // And the other way round.
    let registers = scene.chip.connect().registers(Bank::Sha256, &[11]).unwrap();
    let register = Register {
        bank: Bank::Sha256,
        value: registers.get(Bank::Sha256, 11).unwrap().to_vec(),
    };
    let claim = Claim {
        register: &register,
        floor: None,
        reference: &PolicyReference::None,
    };
    let mut policies = SignedPolicies::default();
    policies.add(
        Bank::Sha256,
        boot_policy::sign(claim, &signer, "a test").unwrap(),
    );
    scene.put(SIGNED, policies.to_json().unwrap());
    scene.opens(&[]).heard(&format!("(token {signed})"));
}

#[test]
fn a_generation_below_the_floor_is_told_so() {
    let scene = Scene::new();
    let mut tpm = scene.chip.connect();
    let epoch = tpm.define_floor(FLOOR, b"").unwrap();
    let floor = Floor {
        index: FLOOR,
        epoch,
    };
    let now = tpm.registers(Bank::Sha256, &[4, 11]).unwrap();
    let booted = Booted::of(&now, None, Bank::Sha256, &[4, 11]).unwrap();
    let members = Members::held([], &booted, floor).unwrap();
    let pin = RecoveryKey::random();
    let policy = prepare(&mut tpm, INDEX, &members, &pin).unwrap();
    install(&mut tpm, &policy, &pin).unwrap();
    let token = scene.enroll(&bound(&policy), "");
    scene.put(CURRENT, credential(&policy));
    let released = format!("the TPM released the key of the disk (token {token})");
    assert_eq!(scene.opens(&[]).heard, [&*released]);

    tpm.raise_floor(FLOOR, epoch + 1, b"").unwrap();
    let person = scene.opens(&[PASSPHRASE]);
    person.heard("this generation is below the floor: it was revoked; start a newer one");
    tpm.remove_floor(FLOOR, b"").unwrap();
    let person = scene.opens(&[PASSPHRASE]);
    person.heard("the TPM was cleared, or the floor removed: define it again and raise it");
}
