//! On a TPM: swtpm, and tpm2-tools as the second opinion. Policies of any size come to the digests that were compiled, and to
//! those that tpm2-tools computes; secrets are released in the states that the policy names and in no other; another TPM, a
//! cleared one, a locked-out one and foreign NV indices give errors that name the cause.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

mod chip;
mod stored;

use boot_measure::Bank;
use boot_policy::{
    Approved, Base, Comparison, KeyArea, NvPublic, PcrSet, Policy, Refusal, Rule, State,
};
use boot_tpm::{Code, Error, Parent, Sealed, Socket, Tpm};
use chip::{Chip, Judged};

const FLOOR: u32 = 0x0180_4321;
const SECRET: &[u8] = b"thirty-two bytes of volume key..";

fn value(number: usize) -> Vec<u8> {
    Bank::Sha256.digest(&[&number.to_be_bytes()])
}

fn registers(pairs: &[(u8, Vec<u8>)]) -> Rule {
    Rule::Registers(PcrSet::new(Bank::Sha256, pairs.iter().cloned()).unwrap())
}

/// As many generations, of which the last is the one that runs: PCR 11 was extended by `chip`.
fn generations(tpm: &mut Tpm<Judged>, count: usize) -> (Policy, State) {
    let state = state(tpm);
    let now = state.registers.get(Bank::Sha256, 11).unwrap().to_vec();
    let others = (1..count).map(value);
    let alternatives = others
        .chain([now])
        .map(|value| vec![registers(&[(11, value)])]);
    let seven = state.registers.get(Bank::Sha256, 7).unwrap().to_vec();
    let policy = Policy::of(vec![
        registers(&[(7, seven)]),
        Rule::AnyOf(alternatives.collect()),
    ]);
    (policy, state)
}

fn state(tpm: &mut Tpm<Judged>) -> State {
    State {
        registers: tpm.registers(Bank::Sha256, &[4, 7, 11]).unwrap(),
        counters: tpm
            .floor(FLOOR)
            .unwrap()
            .map(|held| (FLOOR, held))
            .into_iter()
            .collect(),
        pin: false,
    }
}

fn seal(tpm: &mut Tpm<Judged>, policy: &Policy, pin: &[u8]) -> (Parent, Sealed) {
    let parent = tpm.parent().unwrap();
    let sealed = tpm
        .seal(&parent, &policy.digest().unwrap(), SECRET, pin)
        .unwrap();
    (parent, sealed)
}

/// Counts of alternatives, and how many PolicyOR the tree over them needs.
const COUNTS: [(usize, usize); 8] = [
    (1, 0),
    (2, 1),
    (8, 1),
    (9, 2),
    (64, 2),
    (65, 3),
    (500, 3),
    (4096, 4),
];

#[test]
fn any_number_of_generations_unseals_with_the_depth_of_the_tree() {
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    for (count, depth) in COUNTS {
        let (policy, now) = generations(&mut tpm, count);
        let (parent, sealed) = seal(&mut tpm, &policy, b"");
        assert_eq!(sealed.policy().unwrap(), policy.digest().unwrap());
        let again = Sealed::from_bytes(&sealed.to_bytes()).unwrap();
        let before = tpm.commands();
        let released = tpm
            .unseal(&parent, &again, &policy, &[], &now, b"")
            .unwrap();
        assert_eq!(*released, SECRET);
        // Load, session, PolicyPCR twice, PolicyOR by depth, digest, unseal, flush twice.
        assert_eq!(tpm.commands() - before, 2 + 2 + depth + 1 + 1 + 2);
        tpm.release(parent).unwrap();
    }
    // Another state: refused before the TPM is asked, with the register named.
    let (policy, _) = generations(&mut tpm, 500);
    let (_, sealed) = seal(&mut tpm, &policy, b"");
    let before = state(&mut tpm);
    chip.extend(11, "bb");
    let parent = tpm.parent().unwrap();
    let after = state(&mut tpm);
    let refused = tpm.unseal(&parent, &sealed, &policy, &[], &after, b"");
    let Err(Error::Refusal(refusal)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.cause(), &Refusal::Registers { pcrs: vec![11] });
    // And a program that claims the old state does not get past the TPM.
    let lied = tpm
        .unseal(&parent, &sealed, &policy, &[], &before, b"")
        .unwrap_err();
    assert_eq!(lied.failure().unwrap().code(), Code::Policy, "{lied}");
    // Nothing is left loaded.
    tpm.release(parent).unwrap();
    assert_eq!(chip.tool("tpm2_getcap handles-transient").trim(), "");
    assert_eq!(chip.tool("tpm2_getcap handles-loaded-session").trim(), "");
}

#[test]
fn tpm2_tools_come_to_the_same_digests_and_unseal_what_we_sealed() {
    let chip = Chip::start();
    chip.keep_srk();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    for (count, depth) in COUNTS {
        let (policy, now) = generations(&mut tpm, count);
        let steps = policy.satisfy(&now, &[]).unwrap().unwrap();
        assert_eq!(steps.len(), 2 + depth);
        let digest = policy.digest().unwrap();
        let (parent, sealed) = seal(&mut tpm, &policy, b"");
        assert_eq!(tpm.attempt(&parent, &steps).unwrap(), digest, "{count}");
        assert_eq!(chip.trial(&steps), digest.to_string(), "{count}");
        assert_eq!(chip.unseal(&sealed, &steps), SECRET, "{count}");
    }
}

#[test]
fn a_signed_policy_holds_down_to_the_floor_and_not_below() {
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    let start = tpm.define_floor(FLOOR, b"").unwrap();
    assert_eq!(tpm.define_floor(FLOOR, b"").unwrap(), start);
    let key = chip.rsa_key();
    let reference = b"ours".to_vec();
    let policy = Policy {
        base: Some(Base::SignedBy {
            key: KeyArea::rsa(&chip.modulus(&key), 65_537).unwrap(),
            reference: reference.clone(),
        }),
        rules: Vec::new(),
    };
    let eleven = state(&mut tpm)
        .registers
        .get(Bank::Sha256, 11)
        .unwrap()
        .to_vec();
    let signed = |epoch: u64| {
        let rules = vec![
            registers(&[(11, eleven.clone())]),
            Rule::Counter {
                index: NvPublic::of_floor(FLOOR).written(),
                comparison: Comparison::AtMost,
                number: epoch,
            },
        ];
        let digest = Policy::of(rules.clone()).digest().unwrap();
        let signature = chip.sign(&key, &[&digest.0, reference.as_slice()].concat());
        [Approved { rules, signature }]
    };
    let (parent, sealed) = seal(&mut tpm, &policy, b"");
    for raised in [0, 1, 3] {
        assert_eq!(
            tpm.raise_floor(FLOOR, start + raised, b"").unwrap(),
            start + raised
        );
        for epoch in start.saturating_sub(1)..start + 5 {
            let now = state(&mut tpm);
            let released = tpm.unseal(&parent, &sealed, &policy, &signed(epoch), &now, b"");
            if epoch >= start + raised {
                assert_eq!(*released.unwrap(), SECRET);
            } else {
                let Err(Error::Refusal(Refusal::Counter { held, number, .. })) = released else {
                    panic!("{released:?}")
                };
                assert_eq!((held, number), (start + raised, epoch));
            }
        }
    }
    // A program that lies about the floor does not get past the TPM, nor does another's signature.
    let mut lie = state(&mut tpm);
    lie.counters.insert(FLOOR, start);
    let error = tpm
        .unseal(&parent, &sealed, &policy, &signed(start), &lie, b"")
        .unwrap_err();
    assert_eq!(error.failure().unwrap().code(), Code::Policy, "{error}");
    let mut forged = signed(start + 4);
    forged[0].signature[9] ^= 1;
    let now = state(&mut tpm);
    assert!(
        tpm.unseal(&parent, &sealed, &policy, &forged, &now, b"")
            .is_err()
    );
    // Removing the floor and defining it anew does not lower it.
    tpm.remove_floor(FLOOR, b"").unwrap();
    assert_eq!(tpm.floor(FLOOR).unwrap(), None);
    assert!(tpm.define_floor(FLOOR, b"").unwrap() > start + 3);
    let now = state(&mut tpm);
    assert!(
        tpm.unseal(&parent, &sealed, &policy, &signed(start + 3), &now, b"")
            .is_err()
    );
    tpm.release(parent).unwrap();
}

#[test]
fn a_wrong_pin_counts_and_a_lock_out_is_named() {
    let chip = Chip::start();
    let mut tpm = chip.connect();
    chip.tool("tpm2_dictionarylockout --setup-parameters --max-tries=3 --recovery-time=1000 --lockout-recovery-time=1000");
    let policy = Policy::of(vec![Rule::Pin]);
    let (parent, sealed) = seal(&mut tpm, &policy, b"2580\0");
    let now = State {
        pin: true,
        ..State::default()
    };
    let unseal =
        |tpm: &mut Tpm<Judged>, pin: &[u8]| tpm.unseal(&parent, &sealed, &policy, &[], &now, pin);
    assert_eq!(*unseal(&mut tpm, b"2580").unwrap(), SECRET);
    let without = tpm.unseal(&parent, &sealed, &policy, &[], &State::default(), b"");
    assert!(matches!(without, Err(Error::Refusal(Refusal::Pin))));
    assert_eq!(tpm.lockout().unwrap().failures, 0);
    for failures in 1..=3 {
        let error = unseal(&mut tpm, b"0000").unwrap_err();
        assert_eq!(
            error.failure().unwrap().code(),
            Code::Authorisation,
            "{error}"
        );
        let lockout = tpm.lockout().unwrap();
        assert_eq!(
            (lockout.failures, lockout.limit, lockout.interval),
            (failures, 3, 1000)
        );
    }
    let error = unseal(&mut tpm, b"2580").unwrap_err();
    assert_eq!(error.failure().unwrap().code(), Code::Lockout, "{error}");
    assert!(
        error
            .to_string()
            .contains("locked out after too many wrong PINs"),
        "{error}"
    );
    // What wants no PIN is released all the same.
    let open = Policy::of(vec![registers(&[(16, vec![0; 32])])]);
    let all = State {
        registers: tpm.registers(Bank::Sha256, &[16]).unwrap(),
        ..State::default()
    };
    let other = tpm
        .seal(&parent, &open.digest().unwrap(), SECRET, b"")
        .unwrap();
    assert_eq!(
        *tpm.unseal(&parent, &other, &open, &[], &all, b"").unwrap(),
        SECRET
    );
    chip.tool("tpm2_dictionarylockout --clear-lockout");
    let parent = tpm.parent().unwrap();
    let released = tpm.unseal(&parent, &sealed, &policy, &[], &now, b"2580");
    assert_eq!(*released.unwrap(), SECRET);
}

#[test]
fn another_or_a_cleared_tpm_and_foreign_indices_are_named_and_left_alone() {
    let (chip, other) = (Chip::start(), Chip::start());
    let mut tpm = chip.connect();
    let policy = Policy::of(vec![registers(&[(7, vec![0; 32])])]);
    let (parent, sealed) = seal(&mut tpm, &policy, b"");
    let now = state(&mut tpm);
    let mut second = other.connect();
    let stranger = second.parent().unwrap();
    assert_ne!(stranger.name(), parent.name());
    let error = second
        .unseal(&stranger, &sealed, &policy, &[], &now, b"")
        .unwrap_err();
    assert_eq!(error.failure().unwrap().code(), Code::Integrity, "{error}");

    // A foreign index where the floor should be.
    chip.tool(&format!(
        "tpm2_nvdefine {FLOOR:#x} -s 8 -a ownerread|ownerwrite|authread"
    ));
    let foreign = tpm.index(FLOOR).unwrap().unwrap();
    for error in [
        tpm.define_floor(FLOOR, b"").unwrap_err(),
        tpm.raise_floor(FLOOR, 3, b"").unwrap_err(),
        tpm.remove_floor(FLOOR, b"").unwrap_err(),
    ] {
        assert!(error.to_string().contains("somebody else's"), "{error}");
    }
    assert_eq!(tpm.index(FLOOR).unwrap().unwrap(), foreign);
    let error = tpm.raise_floor(FLOOR + 1, 3, b"").unwrap_err();
    assert!(error.to_string().ends_with("it is not defined"), "{error}");

    // A persistent storage root key is used; after the TPM was cleared nothing of it opens.
    chip.keep_srk();
    let parent = tpm.parent().unwrap();
    assert!(parent.is_persistent());
    let sealed = tpm
        .seal(&parent, &policy.digest().unwrap(), SECRET, b"")
        .unwrap();
    assert_eq!(
        *tpm.unseal(&parent, &sealed, &policy, &[], &now, b"")
            .unwrap(),
        SECRET
    );
    chip.tool("tpm2_clear -c p");
    let error = tpm
        .unseal(&parent, &sealed, &policy, &[], &now, b"")
        .unwrap_err();
    assert_eq!(error.failure().unwrap().code(), Code::Handle, "{error}");
    let fresh = tpm.parent().unwrap();
    assert!(!fresh.is_persistent());
    let error = tpm
        .unseal(&fresh, &sealed, &policy, &[], &now, b"")
        .unwrap_err();
    assert_eq!(error.failure().unwrap().code(), Code::Integrity, "{error}");
}

#[test]
fn no_tpm_is_said_so() {
    let nowhere = std::path::Path::new("/nonexistent/tpmrm0");
    let error = boot_tpm::Device::open(nowhere).unwrap_err();
    assert_eq!(error.to_string(), "TPM /nonexistent/tpmrm0");
    assert!(Socket::connect(nowhere).is_err());
}
