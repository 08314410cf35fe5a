//! Opening on volumes of cryptsetup and a software TPM, with somebody who types: the TPM releases what it should with as many
//! commands as the tree is deep; where it does not (no TPM, another, a cleared one, a locked-out one, a foreign NV index, a wrong
//! state, a malformed token) the cause is said, and a passphrase or recovery key opens the volume all the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
mod person;
#[path = "../../boot-unlock/tests/volume/mod.rs"]
#[expect(dead_code, reason = "keys are derived as on a machine of today")]
mod volume;

use boot_init::{Beside, Error, Opener};
use boot_luks::{Volume, VolumeKey};
use boot_measure::{Bank, Register};
use boot_policy::{Claim, Floor, PcrSet, PolicyReference, SignedPolicies};
use boot_sign::{FileKey, PinSource, Pins};
use boot_signature::Signer;
use boot_tpm::{Device, Socket, Tpm, Transport};
use boot_unlock::{DiskOwner, Protection, RecoveryRequest, RecoveryToken, enroll, enroll_recovery};
use chip::{Chip, Judged};
use person::Person;
use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::rc::Rc;
use volume::{PASSPHRASE, format, open};

const FLOOR: u32 = 0x0180_4321;

/// A transport that writes down the codes of the commands.
struct Recording(Socket, Rc<RefCell<Vec<u32>>>);

impl Transport for Recording {
    fn exchange(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let code = command[6..10].try_into().expect("four bytes");
        self.1.borrow_mut().push(u32::from_be_bytes(code));
        self.0.exchange(command)
    }
}

/// The volume, its key, and a TPM that is enrolled for register 11 as one of `count` generations.
struct Scene {
    folder: tempfile::TempDir,
    chip: Chip,
    key: VolumeKey,
    list: Vec<u8>,
}

fn generation(number: usize) -> Vec<u8> {
    Bank::Sha256.digest(&[&number.to_be_bytes()])
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
        Scene {
            folder,
            chip: Chip::start(),
            key,
            list: Vec::new(),
        }
    }

    fn volume(&self) -> Volume<File> {
        open(&self.folder.path().join("volume"))
    }

    fn eleven(&self) -> Vec<u8> {
        let registers = self.chip.connect().registers(Bank::Sha256, &[11]).unwrap();
        registers.get(Bank::Sha256, 11).unwrap().to_vec()
    }

    fn enroll(&self, protection: &Protection, pin: &str) {
        let mut tpm = self.chip.connect();
        let key = (0, &self.key);
        enroll(&mut self.volume(), key, &mut tpm, protection, pin).unwrap();
    }

    /// Enrols for as many generations, the last of which runs.
    fn enroll_generations(&mut self, count: usize) {
        let values: Vec<Vec<u8>> = (1..count).map(generation).chain([self.eleven()]).collect();
        let set = |value: &Vec<u8>| PcrSet::new(Bank::Sha256, [(11, value.clone())]).unwrap();
        let protection = Protection {
            alternatives: values.iter().map(set).collect(),
            ..Protection::default()
        };
        self.enroll(&protection, "");
        let list: Vec<String> = values
            .iter()
            .map(|v| format!(r#"{{"11":"{}"}}"#, hex::encode(v)))
            .collect();
        self.list = format!("[{}]", list.join(",")).into_bytes();
    }

    fn open<T: Transport>(
        &self,
        beside: &Beside,
        person: &mut Person,
        tpm: boot_tpm::Result<Tpm<T>>,
    ) -> boot_init::Result<VolumeKey> {
        let mut opener = Opener {
            console: person,
            beside,
        };
        opener.open("the disk", &mut self.volume(), tpm)
    }

    fn with_list(&self) -> Beside {
        Beside {
            // A list of another token, and one that is none, stand beside it.
            generations: vec![
                br#"[{"11":"00"}]"#.to_vec(),
                format!(r#"[{{"11":"{}"}}]"#, "00".repeat(32)).into_bytes(),
                self.list.clone(),
            ],
            ..Beside::default()
        }
    }
}

#[test]
fn five_hundred_generations_open_by_the_depth_of_their_tree() {
    for (count, depth) in [(9, 2), (65, 3), (500, 3)] {
        let mut scene = Scene::new();
        scene.chip.extend(11, "aa");
        scene.enroll_generations(count);
        let sent = Rc::new(RefCell::new(Vec::new()));
        let socket = Socket::connect(&scene.chip.socket()).unwrap();
        let tpm = Tpm::new(Recording(socket, Rc::clone(&sent)));
        let beside = Beside {
            generations: vec![scene.list.clone()],
            ..Beside::default()
        };
        let mut person = Person::default();
        assert_eq!(
            scene.open(&beside, &mut person, Ok(tpm)).unwrap(),
            scene.key
        );
        assert_eq!(
            person.heard,
            ["the TPM released the key of the disk (token 0)"]
        );
        let sent = sent.borrow();
        let of = |code: u32| sent.iter().filter(|other| **other == code).count();
        let (or, pcr) = (of(0x171), of(0x17f));
        let all = sent.len();
        println!("{count} generations: {all} TPM commands, {or} of them PolicyOR");
        assert_eq!((or, pcr), (depth, 1));
    }
}

#[test]
fn without_a_tpm_or_with_another_one_a_passphrase_opens() {
    let mut scene = Scene::new();
    scene.chip.extend(11, "aa");
    scene.enroll_generations(9);
    let nowhere = || Device::open(Path::new("/nonexistent/tpmrm0")).map(Tpm::new);
    let mut person = Person::who_types(&[b"wrong", PASSPHRASE]);
    let key = scene
        .open(&scene.with_list(), &mut person, nowhere())
        .unwrap();
    assert_eq!(key, scene.key);
    person.heard("no TPM to ask: TPM /nonexistent/tpmrm0");
    person.heard("no keyslot opens with this passphrase");
    // Nobody there: an error, and no endless asking.
    let nobody = scene.open(&scene.with_list(), &mut Person::default(), nowhere());
    assert!(matches!(nobody, Err(Error::Console)));

    let other = Chip::start();
    other.extend(11, "aa");
    let mut person = Person::who_types(&[PASSPHRASE]);
    scene
        .open(&scene.with_list(), &mut person, Ok(other.connect()))
        .unwrap();
    person.heard("this is another TPM than the one that was enrolled, or it was cleared");

    // Cleared: its own, and not any more.
    scene.chip.tool("tpm2_clear -c p");
    let mut person = Person::who_types(&[PASSPHRASE]);
    scene
        .open(&scene.with_list(), &mut person, Ok(scene.chip.connect()))
        .unwrap();
    person.heard("this is another TPM than the one that was enrolled, or it was cleared");
}

#[test]
fn another_state_is_named_and_a_recovery_key_in_capitals_opens() {
    let mut scene = Scene::new();
    scene.chip.extend(11, "aa");
    scene.enroll_generations(9);
    let recovery = enroll_recovery(&mut scene.volume(), (0, &scene.key)).unwrap();
    let tpm = scene.chip.connect();
    assert_eq!(
        scene
            .open(&scene.with_list(), &mut Person::default(), Ok(tpm))
            .unwrap(),
        scene.key
    );
    scene.chip.extend(11, "bb");
    let typed = recovery.as_str().to_uppercase().replace('-', "");
    let mut person = Person::who_types(&[typed.as_bytes()]);
    let tpm = scene.chip.connect();
    assert_eq!(
        scene
            .open(&scene.with_list(), &mut person, Ok(tpm))
            .unwrap(),
        scene.key
    );
    person.heard("none of 9 alternatives holds");
    person.heard("PCR 11 is about the image");
    // Without the list it is said that the list is another.
    let mut person = Person::who_types(&[PASSPHRASE]);
    let beside = Beside::default();
    scene
        .open(&beside, &mut person, Ok(scene.chip.connect()))
        .unwrap();
    person.heard("the list of generations is not the one");
}

#[test]
fn a_locked_out_tpm_and_wrong_pins_leave_the_passphrase() {
    let scene = Scene::new();
    scene.chip.tool("tpm2_dictionarylockout --setup-parameters --max-tries=2 --recovery-time=1000 --lockout-recovery-time=1000");
    let protection = Protection {
        pin: true,
        ..Protection::default()
    };
    scene.enroll(&protection, "2580");
    let beside = Beside::default();
    let mut person = Person::who_types(&[b"0000", b"2580"]);
    let key = scene
        .open(&beside, &mut person, Ok(scene.chip.connect()))
        .unwrap();
    assert_eq!(key, scene.key);
    person.heard("the PIN is wrong");
    let mut person = Person::who_types(&[b"0000", b"2580", PASSPHRASE]);
    let key = scene
        .open(&beside, &mut person, Ok(scene.chip.connect()))
        .unwrap();
    assert_eq!(key, scene.key);
    person.heard("locked out after too many wrong PINs");
}

#[test]
fn below_the_floor_and_with_a_foreign_index_a_passphrase_opens() {
    let mut scene = Scene::new();
    let pem = scene.folder.path().join("key.pem");
    std::fs::copy(scene.chip.folder().join(scene.chip.rsa_key()), &pem).unwrap();
    let signer = FileKey::read(&pem, &mut Pins::new(PinSource::Prompt)).unwrap();
    scene.enroll(
        &Protection {
            signing_key: Some(signer.public_key().clone()),
            ..Protection::default()
        },
        "",
    );
    let register = Register {
        bank: Bank::Sha256,
        value: scene.eleven(),
    };
    let start = scene.chip.connect().define_floor(FLOOR, b"").unwrap();
    let claim = Claim {
        register: &register,
        floor: Some(Floor {
            index: FLOOR,
            epoch: start,
        }),
        reference: &PolicyReference::None,
    };
    let mut signed = SignedPolicies::default();
    signed.add(
        Bank::Sha256,
        boot_policy::sign(claim, &signer, "a test").unwrap(),
    );
    let beside = Beside {
        signed: Some(signed),
        ..Beside::default()
    };
    let tpm = scene.chip.connect();
    let key = scene
        .open(&beside, &mut Person::default(), Ok(tpm))
        .unwrap();
    assert_eq!(key, scene.key);
    scene
        .chip
        .connect()
        .raise_floor(FLOOR, start + 1, b"")
        .unwrap();
    let mut person = Person::who_types(&[PASSPHRASE]);
    scene
        .open(&beside, &mut person, Ok(scene.chip.connect()))
        .unwrap();
    person.heard(&format!("the counter {FLOOR:#010x} holds {}", start + 1));
    person.heard("this generation is below the floor: it was revoked");

    // Somebody else's index where the floor was: named, and left as it is.
    scene.chip.connect().remove_floor(FLOOR, b"").unwrap();
    let define = format!("tpm2_nvdefine {FLOOR:#x} -s 8 -a ownerread|ownerwrite|authread");
    scene.chip.tool(&define);
    let foreign = scene.chip.connect().index(FLOOR).unwrap();
    let mut person = Person::who_types(&[PASSPHRASE]);
    scene
        .open(&beside, &mut person, Ok(scene.chip.connect()))
        .unwrap();
    person.heard("somebody else's");
    assert_eq!(scene.chip.connect().index(FLOOR).unwrap(), foreign);

    // A token that is none of the form keeps no other from being tried.
    scene.enroll_generations(2);
    let broken = serde_json::json!({"type": "systemd-tpm2", "keyslots": [], "tpm2-blob": 7});
    scene.volume().put_token(0, broken).unwrap();
    let tpm = scene.chip.connect();
    let key = scene
        .open(&scene.with_list(), &mut Person::default(), Ok(tpm))
        .unwrap();
    assert_eq!(key, scene.key);
}

#[test]
fn the_owners_signature_opens_in_any_state_and_before_a_pin_is_asked_for() {
    let scene = Scene::new();
    let pem = scene.folder.path().join("owner.pem");
    std::fs::copy(scene.chip.folder().join(scene.chip.rsa_key()), &pem).unwrap();
    let owner = FileKey::read(&pem, &mut Pins::new(PinSource::Prompt)).unwrap();
    let value = scene.eleven();
    let protection = Protection {
        registers: Some(PcrSet::new(Bank::Sha256, [(11, value)]).unwrap()),
        pin: true,
        owner: Some(DiskOwner::new(owner.public_key().clone())),
        ..Protection::default()
    };
    scene.enroll(&protection, "2580");
    scene.chip.extend(11, "bb");
    let request = RecoveryRequest::of(&scene.volume(), 0).unwrap();
    let signed = request.sign(&owner).unwrap();
    let other = RecoveryToken {
        volume: "another disk".to_owned(),
        ..signed.clone()
    };
    let forged = RecoveryToken {
        reference: "00".repeat(32),
        ..signed.clone()
    };
    let mut beside = Beside {
        recovery: vec![other, forged, signed],
        ..Beside::default()
    };
    let mut nobody = Person::default();
    let key = scene
        .open(&beside, &mut nobody, Ok(scene.chip.connect()))
        .unwrap();
    assert_eq!(key, scene.key);
    nobody.heard("the owner's recovery token is accepted");
    // What is not the owner's is told, and a passphrase opens.
    beside.recovery.pop();
    let mut person = Person::who_types(&[PASSPHRASE]);
    scene
        .open(&beside, &mut person, Ok(scene.chip.connect()))
        .unwrap();
    person.heard("the owner's recovery token is refused: token 0: the recovery token is for an earlier enrolment");
    assert!(!person.heard.join(" ").contains("another disk"));
}

#[test]
fn the_phase_is_measured_as_systemd_measures_it() {
    let chip = Chip::start();
    let mut tpm: Tpm<Judged> = chip.connect();
    tpm.measure(11, b"enter-initrd").unwrap();
    let registers = tpm.registers(Bank::Sha256, &[11]).unwrap();
    let word = Bank::Sha256.digest(&[b"enter-initrd"]);
    let expected = Bank::Sha256.digest(&[&[0; 32], &word]);
    assert_eq!(registers.get(Bank::Sha256, 11).unwrap(), expected);
    assert!(tpm.measure(11, &[0; 1025]).is_err());
}
