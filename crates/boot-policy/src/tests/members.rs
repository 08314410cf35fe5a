//! Members: the running system's state is in every policy, whatever was planned; boots of a change that is cut off anywhere, and
//! of a machine that wakes up, are alternatives.

use crate::{Booted, Change, Known, Members, PcrSet, Refusal, Stage, State};
use boot_measure::{Bank, Digest, Event, EventLog, EventType, Form, Registers};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn value(number: usize) -> Vec<u8> {
    Bank::Sha256.digest(&[&number.to_be_bytes()])
}

fn set(pairs: &[(u8, Vec<u8>)]) -> PcrSet {
    PcrSet::new(Bank::Sha256, pairs.iter().cloned()).unwrap()
}

fn registers(set: &PcrSet) -> Registers {
    let mut registers = Registers::default();
    for (pcr, value) in set.iter() {
        registers.insert(set.bank(), pcr, value.to_vec());
    }
    registers
}

fn machine(set: &PcrSet) -> State {
    State {
        registers: registers(set),
        ..State::default()
    }
}

/// A log of measurements: register and what was measured.
fn log(measured: &[(u8, &str)]) -> EventLog {
    let event = |(pcr, text): &(u8, &str)| Event {
        pcr: u32::from(*pcr),
        kind: EventType::IPL,
        digests: vec![Digest {
            algorithm: Bank::Sha256.algorithm(),
            value: Bank::Sha256.digest(&[text.as_bytes()]),
        }],
        data: Vec::new(),
        offset: 0,
    };
    EventLog {
        form: Form::CryptoAgile {
            algorithms: vec![boot_measure::Algorithm::of(Bank::Sha256)],
        },
        events: measured.iter().map(event).collect(),
        quirks: Vec::new(),
    }
}

/// Registers after measurements.
fn after(measured: &[(u8, &str)], pcrs: &[u8]) -> Registers {
    let mut registers = Registers::default();
    for pcr in pcrs {
        let mut value = vec![0; 32];
        for (_, text) in measured.iter().filter(|(other, _)| other == pcr) {
            value = Bank::Sha256.digest(&[&value, &Bank::Sha256.digest(&[text.as_bytes()])]);
        }
        registers.insert(Bank::Sha256, *pcr, value);
    }
    registers
}

const PCRS: [u8; 4] = [4, 7, 11, 15];
const FIRMWARE: [(u8, &str); 4] = [(7, "keys"), (4, "loader"), (4, "kernel"), (11, ".linux")];

#[test]
fn the_state_at_unlocking_is_read_from_the_log_whatever_phase_it_is_now() {
    let log = log(&FIRMWARE);
    let at_unlocking = after(&[&FIRMWARE[..], &[(11, "enter-initrd")]].concat(), &PCRS);
    let phases = [
        "enter-initrd",
        "leave-initrd",
        "sysinit",
        "ready",
        "shutdown",
    ];
    for passed in 1..=phases.len() {
        let mut measured = FIRMWARE.to_vec();
        measured.extend(phases[..passed].iter().map(|word| (11, *word)));
        measured.push((15, "the volume's key"));
        let now = after(&measured, &PCRS);
        let booted = Booted::of(&now, Some(&log), Bank::Sha256, &PCRS).unwrap();
        assert_eq!(booted.known, Known::ByLog);
        let [state] = booted.states() else {
            panic!("{booted:?}")
        };
        assert_eq!(registers(state), at_unlocking, "{passed}");
    }
    // Nobody measures phases: the register is as the stub left it.
    let now = after(&FIRMWARE, &PCRS);
    let booted = Booted::of(&now, Some(&log), Bank::Sha256, &PCRS).unwrap();
    assert_eq!(booted.known, Known::ByLog);
    assert_eq!(registers(&booted.states()[0]), now);
    // No log.
    let booted = Booted::of(&now, None, Bank::Sha256, &PCRS).unwrap();
    assert_eq!(booted.known, Known::ByRegisters);
    assert_eq!(registers(&booted.states()[0]), now);
    assert!(Booted::of(&now, None, Bank::Sha256, &[5]).is_err());
    assert!(Booted::of(&now, None, Bank::Sha256, &[]).is_err());
}

#[test]
fn after_a_resume_both_boots_are_members() {
    let log = log(&FIRMWARE);
    // It went to sleep, and another partition's loader woke it up: its initrd unlocked the disk and gave way to the image.
    let woken = [
        (7, "keys"),
        (4, "the other loader"),
        (4, "kernel"),
        (11, ".linux"),
        (11, "enter-initrd"),
    ];
    let identity = [&woken[..], &[(15, "the volume's key")]].concat();
    let now = after(&identity, &PCRS);
    let booted = Booted::of(&now, Some(&log), Bank::Sha256, &PCRS).unwrap();
    let unexplained = vec![4];
    assert_eq!(booted.known, Known::ByLogAndRegisters { unexplained });
    let slept = after(&[&FIRMWARE[..], &[(11, "enter-initrd")]].concat(), &PCRS);
    let states: Vec<Registers> = booted.states().iter().map(registers).collect();
    assert_eq!(states, [slept, after(&woken, &PCRS)]);
    let members = Members::new([], &booted).unwrap();
    assert_eq!(members.added(), 2);
    // The same loader: the log explains everything, since the phases after the first were measured before the sleep only.
    let same = after(&[&FIRMWARE[..], &[(11, "enter-initrd")]].concat(), &PCRS);
    let booted = Booted::of(&same, Some(&log), Bank::Sha256, &PCRS).unwrap();
    assert_eq!((&booted.known, booted.states().len()), (&Known::ByLog, 1));
}

#[test]
fn a_boot_passes_in_every_phase_until_it_shuts_down() {
    let at = |phases: &[&'static str]| {
        let phases = phases.iter().map(|word| (11, *word));
        after(
            &FIRMWARE.into_iter().chain(phases).collect::<Vec<_>>(),
            &PCRS,
        )
    };
    let phases = [
        "enter-initrd",
        "leave-initrd",
        "sysinit",
        "ready",
        "shutdown",
    ];
    let booted = Booted::of(
        &at(&phases[..1]),
        Some(&log(&FIRMWARE)),
        Bank::Sha256,
        &PCRS,
    )
    .unwrap();
    let other = PCRS.map(|pcr| (pcr, value(7)));
    let members = Members::new([set(&other)], &booted)
        .unwrap()
        .until_shutdown()
        .unwrap();
    assert_eq!((members.states().len(), members.added()), (8, 1));
    let passes = |phases| {
        let state = State {
            registers: at(phases),
            ..State::default()
        };
        members.policy().satisfy(&state, &[]).unwrap().is_ok()
    };
    assert!((1..=4).all(|passed| passes(&phases[..passed])));
    assert!(!passes(&[]) && !passes(&phases));
    // Where no phase is measured into the registers there is nothing to add.
    let booted = Booted::of(&at(&[]), None, Bank::Sha256, &[4, 7]).unwrap();
    let members = Members::new([], &booted).unwrap();
    assert_eq!(members.clone().until_shutdown().unwrap(), members);
    let booted = Booted::of(&at(&[]), None, Bank::Sha256, &[11]).unwrap();
    let plan = |count: usize| (0..count).map(|number| set(&[(11, value(number))]));
    let most = Members::new(plan(1023), &booted).unwrap();
    assert_eq!(most.until_shutdown().unwrap().states().len(), 4096);
    let error = Members::new(plan(1024), &booted)
        .unwrap()
        .until_shutdown()
        .unwrap_err();
    assert!(error.to_string().starts_with("4100 states: "), "{error}");
}

#[test]
fn plans_over_other_registers_and_too_many_states_are_refused() {
    let running = set(&[(4, value(1)), (11, value(1))]);
    let booted = Booted::of(&registers(&running), None, Bank::Sha256, &[4, 11]).unwrap();
    let error = Members::new([running.clone(), set(&[(4, value(2))])], &booted).unwrap_err();
    let said = "state 1 of the plan: it is over other registers than the running system's";
    assert_eq!(error.to_string(), said);
    let plan = |count: usize| (2..count + 2).map(|n| set(&[(4, value(n)), (11, value(n))]));
    assert_eq!(
        Members::new(plan(4095), &booted).unwrap().states().len(),
        4096
    );
    let error = Members::new(plan(4096), &booted).unwrap_err();
    let said = "4097 states: a policy has 4096 at most, the running system's among them";
    assert_eq!(error.to_string(), said);
    let whole = plan(4095).chain([running.clone(), running]);
    assert_eq!(Members::new(whole, &booted).unwrap().added(), 0);
}

/// The state of a boot.
fn booted_by(loader: u8, entry: u8) -> PcrSet {
    set(&[
        (4, value(usize::from(loader) * 256 + usize::from(entry))),
        (11, value(usize::from(entry))),
    ])
}

fn entries() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::btree_set(0_u8..6, 1..4).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn the_running_state_is_in_every_policy(
        plan in proptest::collection::vec((0_usize..6, 0_usize..6), 0..12),
        running in (0_usize..6, 0_usize..6),
    ) {
        let state = |(four, eleven): (usize, usize)| set(&[(4, value(four)), (11, value(eleven))]);
        let running = state(running);
        let booted = Booted::of(&registers(&running), None, Bank::Sha256, &[4, 11]).unwrap();
        let members = Members::new(plan.iter().copied().map(state), &booted).unwrap();
        let policy = members.policy();
        let satisfied = policy.satisfy(&machine(&running), &[]).unwrap();
        prop_assert!(satisfied.is_ok());
        prop_assert_eq!(policy.digest().unwrap(), members.digest().unwrap());
        prop_assert_eq!(members.added(), usize::from(!plan.iter().any(|one| state(*one) == running)));
        // Nothing else gets in by it.
        for other in (0..6).map(|four| state((four, 5 - four))) {
            let planned = plan.iter().any(|one| state(*one) == other) || other == running;
            let answer = policy.satisfy(&machine(&other), &[]).unwrap();
            prop_assert_eq!(answer.is_ok(), planned);
        }
    }

    #[test]
    fn a_change_that_is_cut_off_anywhere_boots_into_an_alternative(
        partitions in proptest::collection::vec((proptest::option::of(0_u8..4), proptest::option::of(0_u8..4)), 1..4),
        now in entries(),
        then in entries(),
        running in 0_u8..6,
    ) {
        let partitions: Vec<_> = partitions.into_iter().map(|(now, then)| crate::Partition { now, then }).collect();
        let change = Change { partitions: partitions.clone(), now: now.clone(), then: then.clone(), running: Some(running) };
        let state = |(loader, entry): &(u8, u8)| booted_by(*loader, *entry);
        let running_state = booted_by(9, running);
        let booted = Booted::of(&registers(&running_state), None, Bank::Sha256, &[4, 11]).unwrap();
        let during = Members::new(change.starts(Stage::Changing).iter().map(state), &booted).unwrap();
        let after = Members::new(change.starts(Stage::Changed).iter().map(state), &booted).unwrap();
        for written in 0..=partitions.len() {
            let mut possible = BTreeSet::new();
            for (number, partition) in partitions.iter().enumerate() {
                // A partition is being written: either loader may lie there, beside either entries. The running entry always does.
                let stages = [(number >= written, &partition.now, &now), (number <= written, &partition.then, &then)];
                for (_, loader, entries) in stages.into_iter().filter(|(here, ..)| *here) {
                    for entry in entries.iter().copied().chain([running]) {
                        possible.extend(loader.map(|loader| (loader, entry)));
                    }
                }
            }
            for start in &possible {
                // So does the boot that wakes a machine up: it starts the running entry by whichever loader lies there.
                let answer = during.policy().satisfy(&machine(&state(start)), &[]).unwrap();
                prop_assert!(answer.is_ok(), "{:?} after {} partitions", start, written);
            }
        }
        // Once all are in step the old loaders are gone, except where the running system was started by one.
        for loader in partitions.iter().filter_map(|partition| partition.now) {
            let gone = partitions.iter().all(|partition| partition.then != Some(loader));
            for entry in now.iter().chain(&then) {
                let answer = after.policy().satisfy(&machine(&booted_by(loader, *entry)), &[]).unwrap();
                if gone {
                    let refused = matches!(&answer, Err(refusal) if matches!(refusal.cause(), Refusal::Registers { .. }));
                    prop_assert!(refused);
                }
            }
        }
        let answer = after.policy().satisfy(&machine(&running_state), &[]).unwrap();
        prop_assert!(answer.is_ok());
    }
}
