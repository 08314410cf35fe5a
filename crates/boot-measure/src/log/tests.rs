//! Logs made here, read back; every cut and every changed byte of them ends in a named error or a named difference. The
//! same parser against `tpm2_eventlog` and real firmware is in the binary's tests.

use super::{Algorithm, Digest, Event, EventLog, EventType, Form, LogError, QuirkKind};
use crate::{Bank, Expectation, Registers, to_cel_json};
use proptest::prelude::*;

/// An event whose digests are those of its data.
pub(crate) fn event(banks: &[Bank], pcr: u32, kind: EventType, data: &[u8]) -> Event {
    let digests = banks
        .iter()
        .map(|bank| Digest {
            algorithm: bank.algorithm(),
            value: match kind {
                EventType::NO_ACTION => vec![0; bank.length()],
                _ => bank.digest(&[data]),
            },
        })
        .collect();
    Event {
        pcr,
        kind,
        digests,
        data: data.to_vec(),
        offset: 0,
    }
}

fn spec_id(banks: &[Bank]) -> Event {
    let mut data = b"Spec ID Event03\0".to_vec();
    data.extend([0, 0, 0, 0, 0, 2, 0, 2]);
    data.extend((banks.len() as u32).to_le_bytes());
    for bank in banks {
        data.extend(bank.algorithm().to_le_bytes());
        data.extend((bank.length() as u16).to_le_bytes());
    }
    data.push(3);
    data.extend(b"odd");
    let mut first = event(&[Bank::Sha1], 0, EventType::NO_ACTION, &data);
    first.digests[0].value = vec![0; 20];
    first
}

/// A log of these events, in bytes; SHA-1 alone has the old form.
pub(crate) fn bytes(banks: &[Bank], events: Vec<Event>) -> Vec<u8> {
    let mut log = EventLog {
        form: Form::Sha1,
        events,
        quirks: Vec::new(),
    };
    if banks != [Bank::Sha1] {
        log.form = Form::CryptoAgile {
            algorithms: banks.iter().copied().map(Algorithm::of).collect(),
        };
        log.events.insert(0, spec_id(banks));
    }
    log.write()
}

const BANKS: [Bank; 2] = [Bank::Sha256, Bank::Sha384];

/// Events of odd lengths in all of firmware's registers.
pub(crate) fn usual(banks: &[Bank]) -> Vec<Event> {
    let mut events = vec![
        event(banks, 0, EventType::NO_ACTION, b"StartupLocality\0\x03"),
        event(banks, 0, EventType::S_CRTM_VERSION, b"v\x001\0\0\0"),
        event(banks, 1, EventType::PLATFORM_CONFIG_FLAGS, b"odd"),
        event(
            banks,
            4,
            EventType::EFI_ACTION,
            b"Calling EFI Application from Boot Option",
        ),
    ];
    events.extend((0..8).map(|pcr| event(banks, pcr, EventType::SEPARATOR, &[0; 4])));
    events.push(event(
        banks,
        5,
        EventType::EFI_ACTION,
        b"Exit Boot Services Invocation",
    ));
    events
}

fn kinds(log: &EventLog) -> Vec<QuirkKind> {
    log.quirks.iter().map(|quirk| quirk.kind).collect()
}

#[test]
fn both_forms_are_read_and_written_as_they_were() {
    for banks in [&[Bank::Sha1][..], &[Bank::Sha256], &BANKS, &Bank::ALL] {
        let written = bytes(banks, usual(banks));
        let log = EventLog::read(&written).unwrap();
        assert_eq!(log.write(), written);
        assert_eq!(log.banks(), banks);
        assert_eq!(log.startup_locality(), 3);
        let sha1 = (banks == [Bank::Sha1]).then_some(QuirkKind::Sha1Only);
        assert_eq!(kinds(&log), Vec::from_iter(sha1));
    }
}

#[test]
fn registers_follow_by_hand() {
    let log = EventLog::read(&bytes(&BANKS, usual(&BANKS))).unwrap();
    let registers = Registers::replay(&log);
    for bank in BANKS {
        let mut zero = vec![0; bank.length()];
        *zero.last_mut().unwrap() = 3;
        for data in [&b"v\x001\0\0\0"[..], &[0; 4]] {
            zero = bank.digest(&[&zero, &bank.digest(&[data])]);
        }
        assert_eq!(registers.get(bank, 0).unwrap(), zero);
        assert_eq!(registers.get(bank, 8), None);
    }
    // A register that saw one separator, known from many machines.
    let separated = "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969";
    assert_eq!(
        hex::encode(registers.get(Bank::Sha256, 2).unwrap()),
        separated
    );
}

#[test]
fn live_values_are_compared() {
    let log = EventLog::read(&bytes(&BANKS, usual(&BANKS))).unwrap();
    let replayed = Registers::replay(&log);
    let value = hex::encode(replayed.get(Bank::Sha256, 2).unwrap());
    let zeros = "0".repeat(64);
    let ones = "f".repeat(64);
    let text = format!(
        "# a comment\nsha256:\n  2 : 0x{}\n  9 : 0x{zeros}\n",
        value.to_uppercase()
    );
    assert_eq!(replayed.differences(&Registers::parse(&text).unwrap()), []);
    let text = format!("sha256/17 {ones}\n2:sha256={zeros}\n");
    let different = replayed.differences(&Registers::parse(&text).unwrap());
    assert_eq!(different.len(), 1);
    assert_eq!((different[0].pcr, &different[0].live), (2, &zeros));
    for wrong in [
        "",
        "sha256:\n",
        "sha256:\n99 : 0x00\n",
        "1:sha256=00\n",
        "md5:\n",
        "2 : 0x00\n",
    ] {
        Registers::parse(wrong).unwrap_err();
    }
}

#[test]
fn oddities_are_named_and_read() {
    let banks = [Bank::Sha256];
    let separator = |data: &[u8]| event(&banks, 0, EventType::SEPARATOR, data);
    let variable = |length: u64| {
        let mut data = vec![0; 16];
        data.extend(2_u64.to_le_bytes());
        data.extend(length.to_le_bytes());
        data.extend(b"d\0b\0x");
        event(&banks, 7, EventType::EFI_VARIABLE_AUTHORITY, &data)
    };
    let mut wrong = event(&banks, 5, EventType::EFI_ACTION, b"text");
    wrong.data = b"TEXT".to_vec();
    let mut fewer = event(&BANKS, 1, EventType::IPL, b"x");
    fewer.digests.pop();
    let mut failed = separator(&[0xff; 4]);
    failed.digests[0].value = Bank::Sha256.digest(&[&1_u32.to_le_bytes()]);
    let cases = [
        (QuirkKind::LongSeparator, &banks[..], separator(&[0x61; 50])),
        (QuirkKind::ErrorSeparator, &banks, failed),
        (QuirkKind::EarlyAuthority, &banks, variable(1)),
        (QuirkKind::MalformedVariable, &banks, variable(2)),
        (
            QuirkKind::EarlyApplication,
            &banks,
            event(&banks, 4, EventType::EFI_BOOT_SERVICES_APPLICATION, &[]),
        ),
        (QuirkKind::DigestMismatch, &banks, wrong),
        (QuirkKind::MissingDigest, &BANKS, fewer),
        (
            QuirkKind::UnknownRegister,
            &banks,
            event(&banks, 24, EventType::IPL, b"x"),
        ),
        (
            QuirkKind::UnknownType,
            &banks,
            event(&banks, 1, EventType(0x1234), b"x"),
        ),
        (
            QuirkKind::MissingSeparator,
            &banks,
            event(&banks, 1, EventType::IPL, b"x"),
        ),
    ];
    for (kind, banks, odd) in cases {
        let log = EventLog::read(&bytes(banks, vec![odd])).unwrap();
        assert!(kinds(&log).contains(&kind), "{kind:?}: {:?}", log.quirks);
    }
    let twice = vec![separator(&[0; 4]), separator(&[0; 4])];
    let log = EventLog::read(&bytes(&banks, twice)).unwrap();
    assert!(kinds(&log).contains(&QuirkKind::RepeatedSeparator));
    for fill in [0, 0xff] {
        let mut padded = bytes(&banks, usual(&banks));
        padded.extend([fill; 1000]);
        let log = EventLog::read(&padded).unwrap();
        assert_eq!(kinds(&log), [QuirkKind::Padding]);
        assert_eq!(log.events.len(), usual(&banks).len() + 1);
    }
}

#[test]
fn a_bank_that_is_not_computed_is_carried_along() {
    let mut log = EventLog::read(&bytes(&BANKS, usual(&BANKS))).unwrap();
    // SHA-384 under the number of another algorithm of 48 bytes.
    const OTHER: u16 = 0x28;
    log.events[0].data = {
        let mut data = log.events[0].data.clone();
        let at = data.len() - 4 - 4;
        data[at..at + 2].copy_from_slice(&OTHER.to_le_bytes());
        data
    };
    for digest in log
        .events
        .iter_mut()
        .skip(1)
        .filter_map(|event| event.digests.get_mut(1))
    {
        digest.algorithm = OTHER;
    }
    let written = log.write();
    let log = EventLog::read(&written).unwrap();
    assert_eq!(log.banks(), [Bank::Sha256]);
    assert_eq!(kinds(&log), [QuirkKind::UnknownBank]);
    assert_eq!(log.write(), written);
}

#[test]
fn errors_name_the_place() {
    let whole = bytes(&BANKS, usual(&BANKS));
    assert_eq!(EventLog::read(&[]), Err(LogError::Empty));
    let mut two = whole.clone();
    // The count of digests of the second event: the first has 32 bytes and its data.
    let first = 32 + spec_id(&BANKS).data.len();
    two[first + 8] = 3;
    let error = EventLog::read(&two).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "event 1 at offset {:#x}: the count of digests is 0x3: more than the log has banks",
            first + 8
        )
    );
    let mut strange = whole.clone();
    strange[first + 12] = 0x12;
    let error = EventLog::read(&strange).unwrap_err().to_string();
    assert!(
        error.contains("the log's first event does not name this bank"),
        "{error}"
    );
    let mut long = whole;
    let at = 32 + 16 + 8;
    long[at] = 200;
    let error = EventLog::read(&long).unwrap_err().to_string();
    assert!(error.contains("a log has 1 to 16 banks"), "{error}");
}

#[test]
fn a_log_cut_anywhere_is_an_error_or_leads_elsewhere() {
    for banks in [&[Bank::Sha1][..], &BANKS] {
        let whole = bytes(banks, usual(banks));
        let expected = EventLog::read(&whole).unwrap();
        for length in 0..whole.len() {
            match EventLog::read(&whole[..length]) {
                Err(LogError::Truncated { offset, .. }) => assert!(offset <= length),
                Err(error) => assert_eq!((error, length), (LogError::Empty, 0)),
                Ok(log) => {
                    assert!(log.events.len() < expected.events.len());
                    let differ = Registers::replay(&log) != Registers::replay(&expected);
                    assert!(differ || log.events.len() <= 2, "cut at {length}");
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_is_an_error_or_a_difference() {
    for banks in [&[Bank::Sha1][..], &BANKS] {
        let whole = bytes(banks, usual(banks));
        let expected = EventLog::read(&whole).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let Ok(log) = EventLog::read(&changed) else {
                continue;
            };
            assert_ne!(log.events, expected.events, "byte {at}");
            // What changes a register or what is said about one shows when the two are compared; data that no longer fit
            // their digest are named as odd.
            let same = Expectation::of_log(&log) == Expectation::of_log(&expected)
                && log.quirks == expected.quirks;
            let unmeasured = log
                .events
                .iter()
                .zip(&expected.events)
                .filter(|(a, b)| a != b)
                .all(|(a, b)| a.kind == EventType::NO_ACTION || b.kind == EventType::NO_ACTION);
            assert!(
                !same || unmeasured,
                "byte {at} changes nothing that is compared"
            );
        }
    }
}

#[test]
fn the_canonical_form_has_every_event() {
    let log = EventLog::read(&bytes(&BANKS, usual(&BANKS))).unwrap();
    let json = to_cel_json(&log);
    let records = json.as_array().unwrap();
    assert_eq!(records.len(), log.events.len());
    assert_eq!(records[3]["recnum"], 3);
    assert_eq!(records[3]["content_type"], "pcclient_std");
    assert_eq!(
        records[3]["content"]["event_type"],
        "EV_PLATFORM_CONFIG_FLAGS"
    );
    assert_eq!(records[3]["content"]["event_data"], "b2Rk");
    assert_eq!(records[3]["digests"][0]["hashAlg"], "sha256");
    assert_eq!(
        records[3]["digests"][0]["digest"],
        hex::encode(Bank::Sha256.digest(&[b"odd"]))
    );
}

#[test]
fn types_have_their_names() {
    for kind in [
        EventType::IPL,
        EventType::EFI_VARIABLE_AUTHORITY,
        EventType(0x9999),
    ] {
        assert_eq!(EventType::parse(&kind.to_string()), Some(kind));
    }
    assert_eq!(EventType::parse("EV_NOTHING"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(log) = EventLog::read(&data) {
            let written = log.write();
            prop_assert!(data.starts_with(&written));
        }
    }

    #[test]
    fn a_mutated_log_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut data = bytes(&BANKS, usual(&BANKS));
        for (at, byte) in changes {
            let at = at.index(data.len());
            data[at] = byte;
        }
        if let Ok(log) = EventLog::read(&data) {
            let written = log.write();
            prop_assert!(data.starts_with(&written));
            let _ = (Registers::replay(&log), to_cel_json(&log), Expectation::of_log(&log));
        }
    }
}
