//! A machine whose TPM releases the key: to each of the generations, across the updates that were foreseen.

use super::enrolled::{Enrolled, LISTS};
use super::machine::{Boot, Machine, Values, measured, says};
use crate::stub::scene::Report;

/// The registers are those that were foreseen, and the phase is over.
pub(super) fn as_foreseen(report: &Report, foreseen: &Values) {
    for (pcr, value) in foreseen {
        let value = match pcr {
            11 => &measured(value, "leave-initrd"),
            _ => value,
        };
        assert_eq!(&report.register(*pcr), value, "PCR {pcr}");
    }
}

fn with_lists(machine: &Machine<'_>) {
    for count in LISTS {
        machine.credential_as_named(&format!("rootstock-generations-{count}.cred"));
    }
}

/// Answers the log of the newest generation's boot, before all updates.
pub(super) fn boots(enrolled: &Enrolled) -> Vec<u8> {
    let store = enrolled.machines.path().join("variables.fd");
    let machine = enrolled
        .machines
        .machine("released", &enrolled.before, &store);
    with_lists(&machine);
    let boot = |step: &str, entry: &str, token: u32| {
        let report = machine.boot(&Boot {
            step,
            entry,
            root: &enrolled.root,
            tpm: Some("tpm"),
            types: None,
        });
        says(&report.screen, &format!("(root) (token {token})"));
        report
    };
    let newest = boot("newest", "rootstock-3-", 0);
    as_foreseen(&newest, &enrolled.newest);
    let log = newest.event_log();
    as_foreseen(&boot("two-back", "rootstock-1-", 2), &enrolled.two_back);
    // The loader is updated, as the installer does it.
    machine.exchange_disk(&enrolled.after);
    with_lists(&machine);
    let updated = boot("loader-updated", "rootstock-3-", 1);
    as_foreseen(&updated, &enrolled.updated);
    // Then one back, which writes the announced update of db to firmware's variables.
    let one_back = boot("one-back", "rootstock-2-", 1);
    as_foreseen(&one_back, &enrolled.one_back);
    assert!(one_back.line("updated").starts_with("db-"));
    let announced = boot("db-updated", "rootstock-3-", 2);
    as_foreseen(&announced, &enrolled.announced);
    log
}
