//! On volumes of cryptsetup and a software TPM: what systemd-cryptenroll 252 enrols we unlock, what we enrol systemd's plugin of
//! cryptsetup unlocks; every cause of a refusal is named, and a passphrase opens the volume throughout.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
mod volume;

use boot_measure::{Bank, Register, Registers};
use boot_policy::{Claim, Floor, PcrSet, PolicyReference, Refusal, SignedPolicies};
use boot_sign::{FileKey, PinSource, Pins};
use boot_signature::Signer;
use boot_tpm::{Code, Tpm};
use boot_unlock::{
    Error, Evidence, Protection, enroll, enroll_recovery, reseal, tokens, unlock, wipe,
};
use chip::{Chip, Judged};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use volume::{DERIVATION, PASSPHRASE, format, open};

const FLOOR: u32 = 0x0180_4321;

fn run(program: &str, line: &str, volume: &Path, variables: &[(&str, &str)], input: &[u8]) -> bool {
    let mut child = Command::new(program)
        .args(line.split_whitespace())
        .arg(volume)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program is installed");
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait().unwrap().success()
}

fn passphrase_opens(path: &Path) {
    open(path).unlock(PASSPHRASE, &[0]).unwrap();
}

fn registers(tpm: &mut Tpm<Judged>) -> Registers {
    tpm.registers(Bank::Sha256, &[4, 7, 11]).unwrap()
}

fn set(registers: &Registers, pcrs: &[u8]) -> PcrSet {
    let value = |pcr: &u8| (*pcr, registers.get(Bank::Sha256, *pcr).unwrap().to_vec());
    PcrSet::new(Bank::Sha256, pcrs.iter().map(value)).unwrap()
}

#[test]
fn what_systemd_enrols_we_unlock_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "volume", DERIVATION);
    let chip = Chip::start();
    let device = format!("swtpm:path={}", chip.socket().display());
    let enrol = format!("--tpm2-device={device} --tpm2-pcrs=7 --wipe-slot=tpm2");
    let password = ("PASSWORD", std::str::from_utf8(PASSPHRASE).unwrap());
    assert!(run("systemd-cryptenroll", &enrol, &path, &[password], b""));
    let mut tpm = chip.connect();
    let unlocked = unlock(&mut open(&path), &mut tpm, &Evidence::default()).unwrap();
    assert_eq!((unlocked.token, unlocked.keyslot), (0, 1));
    let with_pin = format!("{enrol} --tpm2-with-pin=yes");
    let pin = ("NEWPIN", "2580");
    assert!(run(
        "systemd-cryptenroll",
        &with_pin,
        &path,
        &[password, pin],
        b""
    ));
    let evidence = Evidence {
        pin: Some("2580"),
        ..Evidence::default()
    };
    let key = unlock(&mut open(&path), &mut tpm, &evidence).unwrap().key;

    // With a key whose signed policies are accepted: the policy that systemd seals with is the one that ours compiles to.
    let file = chip.rsa_key();
    let signer = FileKey::read(
        &chip.folder().join(&file),
        &mut Pins::new(PinSource::Prompt),
    )
    .unwrap();
    let public = chip.folder().join("key.pub");
    std::fs::write(&public, signer.public_key().to_pem().unwrap()).unwrap();
    let eleven = registers(&mut tpm).get(Bank::Sha256, 11).unwrap().to_vec();
    let policies = signed(&eleven, &signer, &[None]);
    let json = chip.folder().join("signed.json");
    std::fs::write(&json, policies.to_json().unwrap()).unwrap();
    chip.tool("tpm2_flushcontext -l");
    let with_key = format!(
        "{enrol} --tpm2-public-key={} --tpm2-public-key-pcrs=11 --tpm2-signature={}",
        public.display(),
        json.display()
    );
    assert!(run(
        "systemd-cryptenroll",
        &with_key,
        &path,
        &[password],
        b""
    ));
    let evidence = Evidence {
        signed: Some(&policies),
        ..Evidence::default()
    };
    unlock(&mut open(&path), &mut tpm, &evidence).unwrap();

    // Ours, by systemd-cryptsetup: it has the TPM release the secret. Mapping the device is the kernel's, in a virtual machine.
    let mut volume = open(&path);
    for (number, _) in tokens(volume.metadata()).unwrap() {
        wipe(&mut volume, number).unwrap();
    }
    let protection = Protection {
        registers: Some(set(&registers(&mut tpm), &[4, 7])),
        ..Protection::default()
    };
    enroll(&mut volume, (0, &key), &mut tpm, &protection, "").unwrap();
    unlock(&mut volume, &mut tpm, &Evidence::default()).unwrap();
    drop(volume);
    let attach = || {
        let output = Command::new("/lib/systemd/systemd-cryptsetup")
            .args(["attach", "rootstock-test"])
            .arg(&path)
            .args(["-", &format!("tpm2-device={device},headless")])
            .env("SYSTEMD_LOG_LEVEL", "debug")
            .env("SYSTEMD_LOG_TARGET", "console")
            .output()
            .expect("systemd is installed");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // systemd leaves its sessions to the kernel's resource manager, which there is none of here.
    chip.tool("tpm2_flushcontext -l");
    let log = attach();
    assert!(log.contains("Completed TPM2 key unsealing"), "{log}");
    chip.tool("tpm2_flushcontext -l");
    chip.extend(7, "cc");
    let log = attach();
    assert!(!log.contains("Completed TPM2 key unsealing"), "{log}");
    passphrase_opens(&path);
}

/// The policies that a key's holder signs for this register: one for each epoch.
fn signed(register: &[u8], key: &FileKey, epochs: &[Option<u64>]) -> SignedPolicies {
    let register = Register {
        bank: Bank::Sha256,
        value: register.to_vec(),
    };
    let mut policies = SignedPolicies::default();
    for epoch in epochs {
        let floor = epoch.map(|epoch| Floor {
            index: FLOOR,
            epoch,
        });
        let claim = Claim {
            register: &register,
            floor,
            reference: &PolicyReference::None,
        };
        policies.add(
            Bank::Sha256,
            boot_policy::sign(claim, key, "a test").unwrap(),
        );
    }
    policies
}

#[test]
#[expect(clippy::too_many_lines, reason = "one disk, from enrolment to wiping")]
fn a_disk_follows_its_generations_and_names_the_cause_of_each_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), "volume", DERIVATION);
    let chip = Chip::start();
    let mut tpm = chip.connect();
    chip.extend(11, "aa");
    let file = chip.rsa_key();
    let key = FileKey::read(
        &chip.folder().join(&file),
        &mut Pins::new(PinSource::Prompt),
    )
    .unwrap();
    let start = tpm.define_floor(FLOOR, b"").unwrap();
    let now = registers(&mut tpm);
    let eleven = now.get(Bank::Sha256, 11).unwrap().to_vec();
    let protection = Protection {
        registers: Some(set(&now, &[7])),
        signing_key: Some(key.public_key().clone()),
        pin: true,
        ..Protection::default()
    };
    let mut volume = open(&path);
    let (beside, volume_key) = volume.unlock(PASSPHRASE, &[]).unwrap();
    let number = enroll(
        &mut volume,
        (beside, &volume_key),
        &mut tpm,
        &protection,
        "2580",
    )
    .unwrap();
    let recovery = enroll_recovery(&mut volume, (beside, &volume_key)).unwrap();
    assert_eq!(
        *volume.unlock(recovery.as_str().as_bytes(), &[]).unwrap().1,
        *volume_key
    );

    // Generations at and above the floor, with the PIN.
    let policies = signed(&eleven, &key, &[Some(start), Some(start + 1)]);
    let evidence = Evidence {
        signed: Some(&policies),
        pin: Some("2580"),
        alternatives: &[],
    };
    let unlocked = unlock(&mut volume, &mut tpm, &evidence).unwrap();
    assert_eq!(
        (unlocked.token, *unlocked.key == *volume_key),
        (number, true)
    );
    let refused = |tpm: &mut Tpm<Judged>, evidence: &Evidence<'_>| {
        passphrase_opens(&path);
        unlock(&mut open(&path), tpm, evidence).unwrap_err()
    };
    tpm.raise_floor(FLOOR, start + 1, b"").unwrap();
    assert!(unlock(&mut volume, &mut tpm, &evidence).is_ok());
    let old = signed(&eleven, &key, &[Some(start)]);
    let below = Evidence {
        signed: Some(&old),
        ..evidence
    };
    let error = refused(&mut tpm, &below);
    let Error::Tpm(boot_tpm::Error::Refusal(Refusal::Counter {
        held,
        number: epoch,
        ..
    })) = error
    else {
        panic!("{error}")
    };
    assert_eq!((held, epoch), (start + 1, start));

    // A wrong PIN, none at all, a policy for another boot or by another key.
    let error = refused(
        &mut tpm,
        &Evidence {
            pin: Some("0000"),
            ..evidence
        },
    );
    let Error::Tpm(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.failure().unwrap().code(), Code::Authorisation);
    let error = refused(
        &mut tpm,
        &Evidence {
            pin: None,
            ..evidence
        },
    );
    assert!(
        error.to_string().ends_with("the policy wants a PIN"),
        "{error}"
    );
    let other_boot = signed(&[7; 32], &key, &[None]);
    let error = refused(
        &mut tpm,
        &Evidence {
            signed: Some(&other_boot),
            ..evidence
        },
    );
    assert!(matches!(error, Error::Unsigned { count: 1, .. }), "{error}");
    let error = refused(
        &mut tpm,
        &Evidence {
            signed: None,
            ..evidence
        },
    );
    assert!(matches!(error, Error::Unsigned { count: 0, .. }), "{error}");
    let stranger = Chip::start();
    let error = refused(&mut stranger.connect(), &evidence);
    assert!(
        matches!(error, Error::Unsigned { .. }),
        "its PCR 11 is another: {error}"
    );
    stranger.extend(11, "aa");
    let mut second = stranger.connect();
    second.define_floor(FLOOR, b"").unwrap();
    let error = refused(&mut second, &evidence);
    let Error::Tpm(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.failure().unwrap().code(), Code::Integrity, "{error}");

    // Sealed anew, without a passphrase, for 500 generations by value.
    let others = (0_usize..499).map(|at| {
        let value = Bank::Sha256.digest(&[&at.to_be_bytes()]);
        PcrSet::new(Bank::Sha256, [(4, vec![0; 32]), (11, value)]).unwrap()
    });
    let alternatives: Vec<PcrSet> = others.chain([set(&now, &[4, 11])]).collect();
    let by_value = Protection {
        registers: Some(set(&now, &[7])),
        alternatives: alternatives.clone(),
        ..Protection::default()
    };
    reseal(&mut volume, number, &mut tpm, &evidence, &by_value).unwrap();
    let evidence = Evidence {
        alternatives: &alternatives,
        ..Evidence::default()
    };
    assert_eq!(
        *unlock(&mut volume, &mut tpm, &evidence).unwrap().key,
        *volume_key
    );
    let error = refused(
        &mut tpm,
        &Evidence {
            alternatives: &alternatives[1..],
            ..evidence
        },
    );
    assert!(matches!(error, Error::OtherAlternatives { .. }), "{error}");
    chip.extend(11, "bb");
    let error = refused(&mut tpm, &evidence);
    let Error::Tpm(boot_tpm::Error::Refusal(refusal)) = &error else {
        panic!("{error}")
    };
    assert_eq!(refusal.cause(), &Refusal::Registers { pcrs: vec![11] });
    chip.extend(7, "cc");
    let error = refused(&mut tpm, &evidence);
    assert!(
        matches!(&error, Error::Changed { pcrs, .. } if *pcrs == [7]),
        "{error}"
    );
    // What the machine does not satisfy is not sealed anew either.
    assert!(reseal(&mut volume, number, &mut tpm, &evidence, &by_value).is_err());

    // A field of ours that is not what we write is named, and nothing is guessed in its place.
    let good = volume.metadata().tokens()[&number].clone();
    for (extra, said) in [
        (serde_json::json!(7), "its field `rootstock` is malformed"),
        (
            serde_json::json!({"reference": "0g"}),
            "its policy reference is not hexadecimal",
        ),
    ] {
        let mut token = good.clone();
        token["rootstock"] = extra;
        volume.put_token(number, token).unwrap();
        let error = refused(&mut tpm, &evidence);
        assert!(error.to_string().ends_with(said), "{error}");
    }

    assert_eq!(wipe(&mut volume, number).unwrap(), [1]);
    assert!(matches!(wipe(&mut volume, number), Err(Error::NoToken)));
    assert!(matches!(refused(&mut tpm, &evidence), Error::NoToken));
    volume.unlock(recovery.as_str().as_bytes(), &[]).unwrap();
}
