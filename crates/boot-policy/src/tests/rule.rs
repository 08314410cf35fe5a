//! Rules: whatever alternative a machine takes, the commands lead a session to the digest that was compiled, and no machine
//! that breaks a rule is led there.

use crate::{
    Approved, Base, Command, Comparison, KeyArea, MAX_ALTERNATIVES, Name, NvAttributes, NvPublic,
    OrTree, Owner, PcrSet, Policy, PolicyDigest, Refusal, Rule, State,
};
use boot_measure::Bank;
use proptest::prelude::*;

const FLOOR: u32 = 0x0180_1234;

/// What a TPM does with a session's commands: the digest, or none when a command fails.
fn session(commands: &[Command], state: &State) -> Option<PolicyDigest> {
    commands
        .iter()
        .try_fold(PolicyDigest::START, |digest, command| match command {
            Command::Pcr(set) => set
                .differing(&state.registers)
                .is_empty()
                .then(|| digest.pcr(set)),
            Command::Or(list) if !list.contains(&digest) => None,
            Command::Or(list) => PolicyDigest::or(list).ok(),
            Command::Nv {
                index,
                comparison,
                number,
            } => comparison
                .holds(*state.counters.get(&index.index)?, *number)
                .then(|| digest.nv(&index.name(), *comparison, *number)),
            Command::AuthValue => state.pin.then(|| digest.auth_value()),
            Command::Authorize {
                key,
                reference,
                approved,
                ..
            } => (*approved == digest).then(|| PolicyDigest::authorize(&key.name(), reference)),
            Command::AuthorizeNv(index) => Some(PolicyDigest::authorize_nv(&index.name())),
            Command::Signed { key, reference, .. } => Some(digest.signed(&key.name(), reference)),
        })
}

fn value(number: usize) -> Vec<u8> {
    Bank::Sha256.digest(&[&number.to_be_bytes()])
}

fn registers(pairs: &[(u8, usize)]) -> Rule {
    let pairs = pairs.iter().map(|(pcr, number)| (*pcr, value(*number)));
    Rule::Registers(PcrSet::new(Bank::Sha256, pairs).unwrap())
}

fn state(pairs: &[(u8, usize)]) -> State {
    let mut state = State::default();
    for (pcr, number) in pairs {
        state.registers.insert(Bank::Sha256, *pcr, value(*number));
    }
    state
}

/// A rule for the boot chain, then one alternative for each generation.
fn generations(count: usize) -> Policy {
    let alternatives = (0..count).map(|number| vec![registers(&[(4, number), (11, number)])]);
    Policy::of(vec![
        registers(&[(7, 1_000_000)]),
        Rule::AnyOf(alternatives.collect()),
    ])
}

fn booted(number: usize) -> State {
    state(&[(4, number), (7, 1_000_000), (11, number)])
}

#[test]
fn any_number_of_generations_needs_the_depth_of_a_tree_of_eights() {
    for (count, depth) in [
        (1, 0),
        (2, 1),
        (8, 1),
        (9, 2),
        (64, 2),
        (65, 3),
        (500, 3),
        (4096, 4),
    ] {
        let policy = generations(count);
        let digest = policy.digest().unwrap();
        for number in [0, count / 2, count - 1] {
            let commands = policy.satisfy(&booted(number), &[]).unwrap().unwrap();
            assert_eq!(commands.len(), 2 + depth, "{count}");
            assert_eq!(session(&commands, &booted(number)), Some(digest));
        }
        let refusal = policy.satisfy(&booted(count), &[]).unwrap().unwrap_err();
        assert_eq!(refusal.cause(), &Refusal::Registers { pcrs: vec![4, 11] });
    }
    assert!(generations(4097).digest().is_err());
    assert!(generations(0).digest().is_err());
}

#[test]
fn the_nearest_alternative_is_named() {
    let policy = generations(12);
    let mut other = booted(7);
    other.registers.insert(Bank::Sha256, 11, value(99));
    let refusal = policy.satisfy(&other, &[]).unwrap().unwrap_err();
    let text = "none of 12 alternatives holds; the nearest is number 7: PCR 11 has another value than the policy wants";
    assert_eq!(refusal.to_string(), text);
}

#[test]
fn a_generation_below_the_floor_is_refused_though_its_registers_hold() {
    let key = KeyArea::rsa(&[0xc5; 256], 65_537).unwrap();
    let policy = Policy {
        base: Some(Base::SignedBy {
            key,
            reference: Vec::new(),
        }),
        rules: vec![registers(&[(7, 1)]), Rule::Pin],
    };
    let signed = |epoch: u64| Approved {
        rules: vec![
            registers(&[(11, epoch as usize)]),
            Rule::Counter {
                index: NvPublic::of_floor(FLOOR).written(),
                comparison: Comparison::AtMost,
                number: epoch,
            },
        ],
        signature: vec![1],
    };
    let machine = |epoch: u64, floor: u64| State {
        counters: [(FLOOR, floor)].into(),
        pin: true,
        ..state(&[(7, 1), (11, epoch as usize)])
    };
    for epoch in 0..6 {
        let answer = policy
            .satisfy(&machine(epoch, 3), &[signed(epoch)])
            .unwrap();
        if epoch >= 3 {
            let end = session(&answer.unwrap(), &machine(epoch, 3));
            assert_eq!(end, Some(policy.digest().unwrap()));
        } else {
            let refusal = answer.unwrap_err().to_string();
            let expected = format!(
                "the counter 0x01801234 holds 3, and the policy wants it to be at most {epoch}"
            );
            assert_eq!(refusal, expected);
        }
    }
    let mut machine = machine(4, 3);
    machine.pin = false;
    assert_eq!(
        policy.satisfy(&machine, &[signed(4)]).unwrap(),
        Err(Refusal::Pin)
    );
    assert_eq!(
        policy.satisfy(&machine, &[]).unwrap(),
        Err(Refusal::NothingApproved)
    );
    machine.counters.clear();
    assert_eq!(
        policy.satisfy(&machine, &[signed(4)]).unwrap(),
        Err(Refusal::NoCounter { index: FLOOR })
    );
}

#[test]
fn an_owners_signature_leads_to_the_owners_policy_of_one_object() {
    let owner = Owner {
        key: KeyArea::rsa(&[0xc5; 256], 65_537).unwrap(),
        reference: [7; 32],
    };
    let commands = owner.commands(b"a signature");
    assert_eq!(session(&commands, &booted(1)), Some(owner.policy()));
    let other = Owner {
        reference: [8; 32],
        ..owner.clone()
    };
    assert_ne!(other.policy(), owner.policy());
    let mut expected = [7; 36];
    expected[..4].fill(0);
    assert_eq!(Owner::to_be_signed(&[7; 32]), expected);
}

#[test]
fn pcrlock_policies_compile_to_the_digest_that_pcrlock_stores() {
    for shape in [vec![1], vec![1, 1], vec![2, 8], vec![1, 3, 1, 2]] {
        let values = shape.iter().enumerate().map(|(pcr, count)| {
            (
                pcr as u8,
                (0..*count).map(|number| value(number + pcr * 10)).collect(),
            )
        });
        let document = boot_measure::pcrlock::Policy::new(Bank::Sha256, values.collect()).unwrap();
        let policy = Policy::try_from(&document).unwrap();
        assert_eq!(policy.digest().unwrap().0, document.digest());
        let last = shape
            .iter()
            .enumerate()
            .map(|(pcr, count)| (pcr as u8, count - 1 + pcr * 10));
        let machine = state(&last.collect::<Vec<_>>());
        let index = NvPublic::of_pcrlock(0x0180_0000, &[7; 32]).written();
        let sealed = Policy {
            base: Some(Base::StoredIn(index)),
            rules: Vec::new(),
        };
        let approved = Approved {
            rules: policy.rules,
            signature: Vec::new(),
        };
        let commands = sealed.satisfy(&machine, &[approved]).unwrap().unwrap();
        assert_eq!(session(&commands, &machine), Some(sealed.digest().unwrap()));
    }
}

#[test]
fn public_areas_of_indices_read_back_and_name_them() {
    let floor = NvPublic::of_floor(FLOOR);
    assert!(floor.attributes.has(NvAttributes::COUNTER));
    assert_ne!(floor.name(), floor.written().name());
    for area in [
        floor.clone(),
        floor.written(),
        NvPublic::of_pcrlock(0x0180_0000, &[3; 32]),
    ] {
        assert_eq!(NvPublic::from_bytes(&area.to_bytes()).unwrap(), area);
        let bytes = area.to_bytes();
        for end in 0..bytes.len() {
            assert!(NvPublic::from_bytes(&bytes[..end]).is_err());
        }
        assert!(NvPublic::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
    assert_eq!(
        Name::from_bytes(floor.name().as_bytes()).unwrap(),
        floor.name()
    );
    assert!(Name::from_bytes(&[0, 0x0b, 1]).is_err());
}

/// Rules of any shape over four registers, one counter and a PIN, each value one of three.
fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let leaf = prop_oneof![
        proptest::collection::btree_map(0_u8..4, 0_usize..3, 1..4)
            .prop_map(|pairs| registers(&pairs.into_iter().collect::<Vec<_>>())),
        (0_u64..4).prop_map(|number| Rule::Counter {
            index: NvPublic::of_floor(FLOOR).written(),
            comparison: Comparison::AtMost,
            number,
        }),
        Just(Rule::Pin),
    ];
    let rule = leaf.prop_recursive(2, 40, 12, |inner| {
        proptest::collection::vec(proptest::collection::vec(inner, 1..3), 1..12)
            .prop_map(Rule::AnyOf)
    });
    proptest::collection::vec(rule, 0..4)
}

/// Whether the rules hold, by their meaning alone.
fn holds(rules: &[Rule], state: &State) -> bool {
    rules.iter().all(|rule| match rule {
        Rule::Registers(set) => set.differing(&state.registers).is_empty(),
        Rule::AnyOf(alternatives) => alternatives.iter().any(|rules| holds(rules, state)),
        Rule::Counter {
            index,
            comparison,
            number,
        } => state
            .counters
            .get(&index.index)
            .is_some_and(|held| comparison.holds(*held, *number)),
        Rule::Pin => state.pin,
    })
}

proptest! {
    #[test]
    fn commands_lead_to_the_digest_exactly_when_the_rules_hold(
        rules in rules(),
        values in proptest::array::uniform4(0_usize..3),
        floor in proptest::option::of(0_u64..4),
        pin: bool,
    ) {
        let pairs: Vec<(u8, usize)> = (0_u8..).zip(values).collect();
        let mut machine = state(&pairs);
        machine.pin = pin;
        machine.counters.extend(floor.map(|held| (FLOOR, held)));
        let policy = Policy::of(rules);
        match policy.satisfy(&machine, &[]).unwrap() {
            Ok(commands) => {
                prop_assert!(holds(&policy.rules, &machine));
                prop_assert_eq!(session(&commands, &machine), Some(policy.digest().unwrap()));
            }
            Err(_) => prop_assert!(!holds(&policy.rules, &machine)),
        }
    }

    #[test]
    fn every_leaf_has_a_path_of_the_trees_depth(count in 1_usize..600) {
        let leaf = |number: usize| PolicyDigest(value(number).try_into().unwrap());
        let leaves: Vec<PolicyDigest> = (0..count).map(leaf).collect();
        let tree = OrTree::new(&leaves).unwrap();
        for (number, leaf) in leaves.iter().enumerate() {
            let path = tree.path(number).unwrap();
            prop_assert_eq!(path.len(), tree.depth());
            let end = path.iter().try_fold(*leaf, |digest, group| {
                (group.contains(&digest) && group.len() <= MAX_ALTERNATIVES).then(|| PolicyDigest::or(group).unwrap())
            });
            prop_assert_eq!(end, Some(tree.root()));
        }
        prop_assert_eq!(tree.path(count), None);
    }
}
