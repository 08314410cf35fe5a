//! `pcrlock.json`: up to eight states as systemd-pcrlock writes them, more as states of ours, and those that are held to the floor in any
//! number; what is read is written again.

use crate::{
    Booted, Error, Floor, Layout, Members, NvPublic, PcrSet, Place, Policy, Refusal, State,
    StoredPolicy,
};
use base64ct::{Base64, Encoding};
use boot_measure::{Bank, Registers};
use proptest::prelude::*;
use serde_json::{Value, json};

fn value(number: usize) -> Vec<u8> {
    Bank::Sha256.digest(&[&number.to_be_bytes()])
}

fn state(number: usize) -> PcrSet {
    PcrSet::new(
        Bank::Sha256,
        [(4, value(number)), (7, value(0)), (11, value(number + 100))],
    )
    .unwrap()
}

fn machine(state: &PcrSet) -> State {
    let mut registers = Registers::default();
    for (pcr, value) in state.iter() {
        registers.insert(Bank::Sha256, pcr, value.to_vec());
    }
    State {
        registers,
        ..State::default()
    }
}

fn members(count: usize) -> Members {
    let now = machine(&state(count - 1));
    let booted = Booted::of(&now.registers, None, Bank::Sha256, &[4, 7, 11]).unwrap();
    Members::new((0..count - 1).map(state), &booted).unwrap()
}

fn stored(count: usize) -> StoredPolicy {
    StoredPolicy {
        layout: Layout::of(&members(count)).unwrap(),
        place: Place {
            index: NvPublic::of_pcrlock(0x0180_1234, &[3; 32]),
            parent: vec![1, 2, 3],
            pin_public: vec![4],
            pin_private: vec![5, 6],
        },
    }
}

#[test]
fn up_to_eight_states_stand_as_systemd_writes_them_and_more_as_ours() {
    for count in [1, 2, 8, 9, 64, 65, 500, 4096] {
        let policy = stored(count);
        let json = policy.to_json().unwrap();
        assert_eq!(StoredPolicy::from_json(json.as_bytes()).unwrap(), policy);
        let value: Value = serde_json::from_str(&json).unwrap();
        let keys: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys.contains(&"rootstockStates"), count > 8);
        assert_eq!(policy.layout.pcrs(), [4, 7, 11]);
        // By the library that reads systemd's documents, with the digest that pcrlock's own formula gives.
        let peer = boot_measure::pcrlock::Policy::from_json(json.as_bytes()).unwrap();
        if count <= 8 {
            assert_eq!(peer.digest(), policy.layout.digest().unwrap().0);
            assert!(peer.nv.is_some());
        } else {
            assert!(peer.values.is_empty());
        }
        // Any of the states satisfies what the index holds, within the commands that the layout's depth needs.
        let rules = Policy::of(policy.layout.rules().unwrap());
        let depth = match count {
            1 => 1,
            2..=8 => 5,
            9..=64 => 3,
            65..=512 => 4,
            _ => 5,
        };
        for number in [0, count / 2, count - 1] {
            let commands = rules
                .satisfy(&machine(&state(number)), &[])
                .unwrap()
                .unwrap();
            assert_eq!(commands.len(), depth, "{count}");
        }
        assert!(
            rules
                .satisfy(&machine(&state(count)), &[])
                .unwrap()
                .is_err()
        );
    }
}

#[test]
fn a_field_that_breaks_its_rule_is_named() {
    let good: Value = serde_json::from_str(&stored(9).to_json().unwrap()).unwrap();
    let states = good["rootstockStates"].clone();
    for (field, value, said) in [
        ("pcrBank", json!("md5"), "pcrBank"),
        (
            "pcrValues",
            json!([{"pcr": 4, "values": ["00"]}]),
            "rootstockStates",
        ),
        ("nvIndex", json!(0x0180_1235), "nvPublic"),
        ("nvPublic", json!("AAE="), "nvPublic"),
        ("nvPublic", json!("*"), "nvPublic"),
        ("nvHandle", json!("AAAA"), "nvHandle"),
        ("srkHandle", json!("A".repeat(4097)), "srkHandle"),
        ("pinPublic", json!("="), "pinPublic"),
        ("rootstockStates", json!([{"4": "zz"}]), "rootstockStates"),
        (
            "rootstockStates",
            json!([{"24": "00".repeat(32)}]),
            "PCR 24",
        ),
        ("rootstockStates", json!([{}]), "registers"),
        (
            "rootstockStates",
            json!(vec![states[0].clone(); 4097]),
            "more than 4096",
        ),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let error = StoredPolicy::from_json(bad.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(said), "{field}: {error}");
    }
    for field in ["nvIndex", "pinPrivate"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(field);
        assert!(
            StoredPolicy::from_json(bad.to_string().as_bytes()).is_err(),
            "{field}"
        );
    }
    let mut more = good.clone();
    more["another"] = json!(1);
    assert!(StoredPolicy::from_json(more.to_string().as_bytes()).is_err());
    // An index that others may write is none that a policy is stored in.
    let mut open = NvPublic::of_pcrlock(0x0180_1234, &[3; 32]);
    open.attributes = open.attributes.and(crate::NvAttributes::OWNER_WRITE);
    let mut other = stored(2);
    other.place.index = open;
    let error = StoredPolicy::from_json(other.to_json().unwrap().as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no policy is stored in such an index")
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = StoredPolicy::from_json(&bytes);
        let _ = StoredPolicy::from_credential(&bytes);
    }

    #[test]
    fn a_credential_that_was_changed_anywhere_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let text = stored(2).to_credential("pcrlock.test").unwrap();
        let mut bytes = Base64::decode_vec(text.trim_end()).unwrap();
        *at.get_mut(&mut bytes) ^= flip;
        prop_assert!(StoredPolicy::from_credential(Base64::encode_string(&bytes).as_bytes()).is_err());
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(StoredPolicy::from_credential(Base64::encode_string(&bytes).as_bytes()).is_err());
    }
}

#[test]
fn a_credential_holds_the_document() {
    for (count, name) in [(1, ""), (8, "pcrlock.test"), (65, &*"n".repeat(255))] {
        let policy = stored(count);
        let text = policy.to_credential(name).unwrap();
        assert_eq!(
            StoredPolicy::from_credential(text.as_bytes()).unwrap(),
            policy
        );
        let json = policy.to_json().unwrap();
        assert_eq!(
            StoredPolicy::from_credential(json.as_bytes()).unwrap(),
            policy
        );
    }
    assert!(stored(1).to_credential(&"n".repeat(256)).is_err());
}

#[test]
fn credentials_of_systemd_are_read() {
    // `systemd-creds encrypt --with-key=tpm2-absent --name=pcrlock.x` of systemd 252, over `{"hello":1}`.
    let text = "BYRp2vb1QySABUnaD46i+yAAAAABAAAADAAAABAAAADjFt02+Dy4w3uJdO8AAAAAwCpazxrSbqjnrL0\n\
        MyoO5gIP7z0o48jd5k23+Klt0wCJUf+5MkoMjlEl9BT4fgCCpnWzg4L9u2aVA74M=\n";
    let error = StoredPolicy::from_credential(text.as_bytes()).unwrap_err();
    // It was decrypted: what is wrong is its content.
    assert!(matches!(error, Error::Stored(_)), "{error}");
    // The first letters say which key it is for.
    let other = text.replacen("BYRp", "BYRq", 1);
    let error = StoredPolicy::from_credential(other.as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("a key of the host or its TPM"),
        "{error}"
    );
}

const FLOOR: u32 = 0x01d1_0700;

fn floor(epoch: u64) -> Floor {
    Floor {
        index: FLOOR,
        epoch,
    }
}

/// `count` states of boots, one an epoch from 5 on, and the running one, which no boot of the plan has, with epoch 7.
fn held(count: usize) -> Members {
    let now = machine(&state(count));
    let booted = Booted::of(&now.registers, None, Bank::Sha256, &[4, 7, 11]).unwrap();
    let plan = (0..count).map(|number| (state(number), floor(5 + number as u64)));
    Members::held(plan, &booted, floor(7)).unwrap()
}

#[test]
fn what_is_held_passes_while_the_counter_is_at_or_below_its_epoch() {
    for count in [1, 2, 8, 64, 500] {
        let layout = Layout::of(&held(count)).unwrap();
        assert_eq!(layout.counters().into_iter().collect::<Vec<_>>(), [FLOOR]);
        assert_eq!(layout.pcrs(), [4, 7, 11]);
        let policy = StoredPolicy {
            layout,
            ..stored(1)
        };
        let json = policy.to_json().unwrap();
        assert_eq!(StoredPolicy::from_json(json.as_bytes()).unwrap(), policy);
        // Only in a field that systemd does not know: no register is let pass by itself.
        let said: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(said["pcrValues"], json!([]));
        assert_eq!(said.get("rootstockStates"), None);
        assert_eq!(
            said["rootstockHeld"].as_array().unwrap().len(),
            count + 1,
            "the running state is a member"
        );
        let rules = Policy::of(policy.layout.rules().unwrap());
        let answer = |number: usize, counter: Option<u64>| {
            let mut machine = machine(&state(number));
            machine.counters.extend(counter.map(|held| (FLOOR, held)));
            rules.satisfy(&machine, &[]).unwrap()
        };
        for number in [0, count / 2, count - 1] {
            let epoch = 5 + number as u64;
            assert!(answer(number, Some(epoch)).is_ok(), "{count}");
            assert!(answer(number, Some(1)).is_ok(), "{count}");
            let refused = answer(number, Some(epoch + 1)).unwrap_err();
            let said = format!(
                "the counter 0x01d10700 holds {}, and the policy wants it to be at most {epoch}",
                epoch + 1
            );
            assert_eq!(refused.cause().to_string(), said);
            let refused = answer(number, None).unwrap_err();
            assert_eq!(refused.cause(), &Refusal::NoCounter { index: FLOOR });
        }
        assert!(answer(count, Some(7)).is_ok() && answer(count, Some(8)).is_err());
        assert_eq!(
            policy.layout.digest().unwrap(),
            held(count).digest().unwrap()
        );
    }
}

#[test]
fn the_epoch_of_a_boot_is_that_of_all_its_phases_and_the_highest_where_registers_tell_no_difference()
 {
    let booted = Booted::of(
        &machine(&state(0)).registers,
        None,
        Bank::Sha256,
        &[4, 7, 11],
    )
    .unwrap();
    let plan = [
        (state(1), floor(3)),
        (state(1), floor(4)),
        (state(1), floor(2)),
    ];
    let members = Members::held(plan, &booted, floor(9)).unwrap();
    let members = members.until_shutdown().unwrap();
    let epochs: Vec<u64> = Layout::of(&members)
        .unwrap()
        .floors()
        .map(|floor| floor.epoch)
        .collect();
    assert_eq!(epochs, [4, 9, 4, 4, 4, 9, 9, 9]);
}

#[test]
fn a_field_of_held_states_that_breaks_its_rule_is_named() {
    let layout = Layout::of(&held(2)).unwrap();
    let good: Value = serde_json::from_str(
        &StoredPolicy {
            layout,
            ..stored(1)
        }
        .to_json()
        .unwrap(),
    )
    .unwrap();
    let one = good["rootstockHeld"][0].clone();
    let without = |field: &str| {
        let mut one = one.clone();
        one.as_object_mut().unwrap().remove(field);
        json!([one])
    };
    for (field, value, said) in [
        (
            "pcrValues",
            json!([{"pcr": 4, "values": ["00"]}]),
            "rootstockHeld",
        ),
        (
            "rootstockStates",
            json!([one["pcrs"].clone()]),
            "held to no floor too",
        ),
        (
            "rootstockHeld",
            json!([{"nvIndex": FLOOR, "epoch": 1, "pcrs": {"4": "zz"}}]),
            "rootstockHeld",
        ),
        (
            "rootstockHeld",
            json!([{"nvIndex": FLOOR, "epoch": 1, "pcrs": {}}]),
            "registers",
        ),
        (
            "rootstockHeld",
            json!(vec![one.clone(); 4097]),
            "more than 4096",
        ),
        ("rootstockHeld", without("epoch"), "stored policy"),
        ("rootstockHeld", without("nvIndex"), "stored policy"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let error = StoredPolicy::from_json(bad.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(said), "{field}: {error}");
    }
}
