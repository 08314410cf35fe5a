//! Every cause, from a log that was changed in the way that brings it about. Real logs of deliberate changes are in the
//! binary's tests of virtual machines.

use super::{Cause, Explanation, Observed, explain};
use crate::content::variable_data;
use crate::log::tests::{bytes, event};
use crate::{Bank, DevicePath, Digest, Event, EventLog, EventType, Expectation, Form, Mismatch};
use boot_signature::HashAlgorithm;
use boot_variables::{Entry, EntryKind, Guid, guids, write_lists};
use std::collections::BTreeSet;

const BANKS: [Bank; 1] = [Bank::Sha256];
type Kind = EventType;

fn entry(byte: u8) -> Entry {
    Entry {
        kind: EntryKind::Image(HashAlgorithm::Sha256),
        owner: Guid([7; 16]),
        data: vec![byte; 32],
    }
}

fn of(pcr: u32, kind: Kind, data: &[u8]) -> Event {
    event(&BANKS, pcr, kind, data)
}

/// An event whose data only describe what was measured.
fn described(pcr: u32, kind: Kind, text: &[u8], measured: &[u8]) -> Event {
    Event {
        digests: vec![Digest {
            algorithm: Bank::Sha256.algorithm(),
            value: Bank::Sha256.digest(&[measured]),
        }],
        ..of(pcr, kind, text)
    }
}

fn variable(kind: Kind, vendor: Guid, name: &str, data: &[u8]) -> Event {
    let pcr = if name.starts_with("Boot") { 1 } else { 7 };
    of(pcr, kind, &variable_data(vendor, name, data))
}

fn config(name: &str, data: &[u8]) -> Event {
    let vendor = match name {
        "db" | "dbx" | "dbt" => guids::SECURITY_DATABASE,
        _ => guids::GLOBAL,
    };
    variable(Kind::EFI_VARIABLE_DRIVER_CONFIG, vendor, name, data)
}

fn authority(vendor: Guid, name: &str, data: &[u8]) -> Event {
    variable(Kind::EFI_VARIABLE_AUTHORITY, vendor, name, data)
}

fn image(pcr: u32, kind: Kind, path: &str, content: &[u8]) -> Event {
    let path = DevicePath::of_file(path);
    let mut data = vec![0; 24];
    data.extend((path.len() as u64).to_le_bytes());
    data.extend(path);
    described(pcr, kind, &data, content)
}

fn application(path: &str, content: &[u8]) -> Event {
    image(4, Kind::EFI_BOOT_SERVICES_APPLICATION, path, content)
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn section(name: &str, content: &[u8]) -> [Event; 2] {
    let text = wide(name);
    [format!("{name}\0").as_bytes(), content]
        .map(|measured| described(11, Kind::IPL, &text, measured))
}

fn tagged(pcr: u32, id: u32, text: &str, measured: &[u8]) -> Event {
    let text = wide(text);
    let mut data = id.to_le_bytes().to_vec();
    data.extend((text.len() as u32).to_le_bytes());
    data.extend(text);
    described(pcr, Kind::EVENT_TAG, &data, measured)
}

const CALLING: &[u8] = b"Calling EFI Application from Boot Option";
const RETURNING: &[u8] = b"Returning from EFI Application from Boot Option";
const LOADER: &str = r"\EFI\BOOT\BOOTX64.EFI";
const IMAGE: &str = r"\EFI\Linux\nixos.efi";

/// A boot with something in every register.
fn usual() -> Vec<Event> {
    let mut events = vec![
        of(0, Kind::NO_ACTION, b"StartupLocality\0\x03"),
        of(0, Kind::S_CRTM_VERSION, &wide("1.0")),
        described(0, Kind::EFI_PLATFORM_FIRMWARE_BLOB, &[0; 16], b"code"),
        of(0, Kind::NONHOST_INFO, b"controller"),
        of(1, Kind::CPU_MICROCODE, b"microcode"),
        of(1, Kind::PLATFORM_CONFIG_FLAGS, b"settings"),
        described(1, Kind::EFI_HANDOFF_TABLES, &[0; 8], b"smbios"),
        variable(
            Kind::EFI_VARIABLE_BOOT,
            guids::GLOBAL,
            "BootOrder",
            &[1, 0, 2, 0],
        ),
        variable(Kind::EFI_VARIABLE_BOOT, guids::GLOBAL, "Boot0001", b"one"),
        variable(Kind::EFI_VARIABLE_BOOT, guids::GLOBAL, "Boot0002", b"two"),
        image(2, Kind::EFI_BOOT_SERVICES_DRIVER, r"\rom", b"option rom"),
        of(3, Kind::PLATFORM_CONFIG_FLAGS, b"card"),
        of(6, Kind::COMPACT_HASH, b"woken"),
        config("SecureBoot", &[1]),
        config("PK", &write_lists(&[entry(1)])),
        config("KEK", &write_lists(&[entry(2)])),
        config("db", &write_lists(&[entry(3), entry(4)])),
        config("dbx", &write_lists(&[entry(5), entry(6)])),
        of(7, Kind::SEPARATOR, &[0; 4]),
        of(4, Kind::EFI_ACTION, CALLING),
    ];
    events.extend((0..7).map(|pcr| of(pcr, Kind::SEPARATOR, &[0; 4])));
    events.extend([
        authority(guids::SECURITY_DATABASE, "db", &[3; 48]),
        of(5, Kind::EFI_GPT_EVENT, b"table"),
        application(LOADER, b"loader"),
        described(14, Kind::IPL, b"MokList\0", b"keys"),
        described(14, Kind::IPL, b"MokListX\0", b"revocations"),
        described(14, Kind::IPL, b"MokListTrusted\0", b"\x01"),
        authority(guids::SHIM, "SbatLevel", b"sbat,1,2025021800\n"),
        application(IMAGE, b"image"),
        tagged(5, 0xf5bc_582a, "loader.conf", b"timeout 3"),
        described(8, Kind::IPL, b"grub_cmd: boot\0", b"boot"),
        described(9, Kind::IPL, b"/grub/grub.cfg\0", b"configuration"),
        tagged(9, 0x8f3b_22ec, "Linux initrd", b"initrd"),
        tagged(9, 0x8f3b_22ed, "LOADED_IMAGE::LoadOptions", b"options"),
        described(10, Kind::IPL, b"ima", b"boot_aggregate"),
        of(12, Kind::IPL, &wide("quiet")),
        described(
            13,
            Kind::IPL,
            &wide("System extension initrd"),
            b"extensions",
        ),
    ]);
    for name in [
        ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".dtb", ".uname", ".pcrpkey",
        ".profile",
    ] {
        events.extend(section(name, name.as_bytes()));
    }
    events.extend([
        of(11, Kind::IPL, b"enter-initrd"),
        described(15, Kind::IPL, b"machine-id:\0", b"id"),
        of(5, Kind::EFI_ACTION, b"Exit Boot Services Invocation"),
        of(
            5,
            Kind::EFI_ACTION,
            b"Exit Boot Services Returned with Success",
        ),
    ]);
    events
}

fn log(events: Vec<Event>) -> EventLog {
    EventLog::read(&bytes(&BANKS, events)).unwrap()
}

fn explained(expected: Vec<Event>, actual: Vec<Event>) -> Explanation {
    let expected = Expectation::of_log(&log(expected));
    let observed = Observed {
        log: &log(actual),
        mismatches: &[],
    };
    explain(&expected, observed)
}

/// The event of a register whose data hold this text.
fn place(events: &[Event], pcr: u32, text: &[u8]) -> usize {
    let has = |event: &Event| {
        event.pcr == pcr
            && (text.is_empty() || event.data.windows(text.len()).any(|part| part == text))
    };
    events
        .iter()
        .position(has)
        .unwrap_or_else(|| panic!("PCR {pcr}: {text:?}"))
}

fn replace(pcr: u32, text: &'static [u8], new: Event) -> Vec<Event> {
    let mut events = usual();
    let at = place(&events, pcr, text);
    events[at] = new;
    events
}

fn without(pcr: u32, text: &[u8]) -> Vec<Event> {
    let mut events = usual();
    let at = place(&events, pcr, text);
    events.remove(at);
    events
}

fn with(new: Event) -> Vec<Event> {
    let mut events = usual();
    events.push(new);
    events
}

/// Before the event of this text.
fn before(pcr: u32, text: &[u8], new: Vec<Event>) -> Vec<Event> {
    let mut events = usual();
    let at = place(&events, pcr, text);
    events.splice(at..at, new);
    events
}

/// Another content of a section; its name stays.
fn other_section(name: &str) -> Vec<Event> {
    let mut events = usual();
    let at = place(&events, 11, &wide(name)) + 1;
    events[at] = section(name, b"other")[1].clone();
    events
}

const MODE: &[u8] = b"B\0o\0o\0t\0O\0r\0d\0e\0r\0";

/// Firmware and the variables of Secure Boot.
fn of_firmware() -> Vec<(Cause, Vec<Event>)> {
    let failed = described(3, Kind::SEPARATOR, &[0xff; 4], &1_u32.to_le_bytes());
    let mut altered = usual();
    let at = place(&altered, 1, b"settings");
    altered[at].data = b"SETTINGS".to_vec();
    let mut swapped = usual();
    let at = place(&swapped, 1, b"settings");
    swapped.swap(at, at - 1);
    let mut renamed = usual();
    let at = place(&renamed, 9, b"/grub");
    renamed[at].data = b"/boot/grub.cfg\0".to_vec();
    let boot =
        |name: &str, data: &[u8]| variable(Kind::EFI_VARIABLE_BOOT, guids::GLOBAL, name, data);
    let driver = |content: &[u8]| image(2, Kind::EFI_BOOT_SERVICES_DRIVER, r"\rom", content);
    vec![
        (Cause::LogAltered, altered),
        (Cause::DescriptionChanged, renamed),
        (Cause::OrderChanged, swapped),
        (Cause::LogEndsEarly, without(3, &[0; 4])),
        (Cause::FirmwareError, replace(3, &[0; 4], failed)),
        (
            Cause::SeparatorChanged,
            replace(3, &[0; 4], of(3, Kind::SEPARATOR, &[b'a'; 50])),
        ),
        (
            Cause::StartupLocality,
            replace(
                0,
                b"StartupLocality",
                of(0, Kind::NO_ACTION, b"StartupLocality\0\x00"),
            ),
        ),
        (
            Cause::FirmwareVersion,
            replace(0, b"1\0.\0", of(0, Kind::S_CRTM_VERSION, &wide("1.1"))),
        ),
        (
            Cause::FirmwareCode,
            replace(
                0,
                &[0; 16],
                described(0, Kind::EFI_PLATFORM_FIRMWARE_BLOB, &[0; 16], b"new"),
            ),
        ),
        (
            Cause::NonHost,
            replace(0, b"controller", of(0, Kind::NONHOST_INFO, b"new")),
        ),
        (
            Cause::Microcode,
            replace(1, b"microcode", of(1, Kind::CPU_MICROCODE, b"new")),
        ),
        (
            Cause::FirmwareSettings,
            replace(1, b"settings", of(1, Kind::PLATFORM_CONFIG_FLAGS, b"new")),
        ),
        (
            Cause::HardwareTables,
            replace(
                1,
                &[0; 8],
                described(1, Kind::EFI_HANDOFF_TABLES, &[0; 8], b"new"),
            ),
        ),
        (
            Cause::BootOrder,
            replace(1, MODE, boot("BootOrder", &[2, 0, 1, 0])),
        ),
        (
            Cause::BootOptionAdded,
            before(1, &[0; 4], vec![boot("Boot0003", b"three")]),
        ),
        (Cause::BootOptionRemoved, without(1, b"two")),
        (
            Cause::BootOptionChanged,
            replace(1, b"two", boot("Boot0002", b"new")),
        ),
        (
            Cause::DriverAdded,
            before(
                2,
                &[0; 4],
                vec![image(2, Kind::EFI_BOOT_SERVICES_DRIVER, r"\card", b"card")],
            ),
        ),
        (Cause::DriverRemoved, without(2, b"r\0o\0m\0")),
        (
            Cause::DriverChanged,
            replace(2, b"r\0o\0m\0", driver(b"new")),
        ),
        (
            Cause::DriverSettings,
            replace(3, b"card", of(3, Kind::PLATFORM_CONFIG_FLAGS, b"new")),
        ),
        (
            Cause::VendorEvent,
            replace(6, b"woken", of(6, Kind::COMPACT_HASH, b"new")),
        ),
    ]
}

fn of_secure_boot() -> Vec<(Cause, Vec<Event>)> {
    let at = |name: &str| -> Vec<u8> { name.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let list = |name: &str, entries: &[u8]| {
        let mut events = usual();
        let place = place(&events, 7, &at(name));
        let entries: Vec<Entry> = entries.iter().map(|byte| entry(*byte)).collect();
        events[place] = config(name, &write_lists(&entries));
        events
    };
    // The name `db` stands in `dbx` too, but the first event is that of db.
    vec![
        (
            Cause::SecureBootOff,
            replace(7, b"S\0e\0c\0u\0r\0e\0", config("SecureBoot", &[0])),
        ),
        (Cause::PlatformKeyRemoved, list("PK", &[])),
        (Cause::PlatformKeyChanged, list("PK", &[9])),
        (Cause::KekChanged, list("KEK", &[2, 9])),
        (Cause::DbAdded, list("db", &[3, 4, 9])),
        (Cause::DbRemoved, list("db", &[3])),
        (Cause::DbxAdded, list("dbx", &[5, 6, 9])),
        (Cause::DbxRemoved, list("dbx", &[5])),
        (
            Cause::SecureBootOther,
            before(7, &[0; 4], vec![config("dbt", &[1])]),
        ),
        (Cause::EarlyAuthority, {
            let mut events = usual();
            let at = events
                .iter()
                .position(|e| e.pcr == 7 && e.kind == Kind::SEPARATOR)
                .unwrap();
            events.insert(at, authority(guids::SECURITY_DATABASE, "db", &[8; 48]));
            events
        }),
        (
            Cause::AuthorityChanged,
            replace(
                7,
                &[3; 48],
                authority(guids::SECURITY_DATABASE, "db", &[4; 48]),
            ),
        ),
        (
            Cause::AuthorityAdded,
            with(authority(guids::SHIM, "MokListRT", &[4; 48])),
        ),
        (Cause::AuthorityMissing, without(7, &[3; 48])),
        (
            Cause::DebugMode,
            before(
                7,
                b"S\0e\0c\0u\0r\0e\0",
                vec![of(7, Kind::EFI_ACTION, b"UEFI Debug Mode")],
            ),
        ),
        (
            Cause::DmaProtection,
            before(
                7,
                b"S\0e\0c\0u\0r\0e\0",
                vec![of(7, Kind::EFI_ACTION, b"DMA Protection Disabled")],
            ),
        ),
        (
            Cause::SbatLevel,
            replace(
                7,
                b"sbat,1",
                authority(guids::SHIM, "SbatLevel", b"sbat,1,2026010100\n"),
            ),
        ),
        (
            Cause::ShimValidation,
            with(described(14, Kind::IPL, b"MokSBState\0", b"\x01")),
        ),
        (
            Cause::MokListChanged,
            replace(
                14,
                b"MokList\0",
                described(14, Kind::IPL, b"MokList\0", b"new"),
            ),
        ),
        (
            Cause::MokListXChanged,
            replace(
                14,
                b"MokListX\0",
                described(14, Kind::IPL, b"MokListX\0", b"new"),
            ),
        ),
        (
            Cause::MokTrust,
            replace(
                14,
                b"MokListTrusted\0",
                described(14, Kind::IPL, b"MokListTrusted\0", b"\0"),
            ),
        ),
    ]
}

fn of_programs() -> Vec<(Cause, Vec<Event>)> {
    let loader: &[u8] = b"B\0O\0O\0T\0X\0";
    let linux: &[u8] = b"n\0i\0x\0o\0s\0";
    let attempt = || {
        vec![
            of(4, Kind::EFI_ACTION, RETURNING),
            of(4, Kind::EFI_ACTION, CALLING),
        ]
    };
    vec![
        (Cause::BootOptionFailed, before(4, loader, attempt())),
        (
            Cause::LoaderChanged,
            replace(4, loader, application(LOADER, b"new")),
        ),
        (
            Cause::OtherProgram,
            replace(4, linux, application(r"\EFI\tools\memtest.efi", b"tool")),
        ),
        (
            Cause::ImageChanged,
            replace(4, linux, application(IMAGE, b"new")),
        ),
        (
            Cause::FirmwareApplication,
            before(4, CALLING, vec![application(r"\maker.efi", b"maker")]),
        ),
        (
            Cause::ProgramAdded,
            before(4, linux, vec![application(r"\shell.efi", b"shell")]),
        ),
        (Cause::ProgramMissing, without(4, loader)),
        (
            Cause::PartitionTable,
            replace(5, b"table", of(5, Kind::EFI_GPT_EVENT, b"new")),
        ),
        (
            Cause::LoaderConfiguration,
            replace(
                5,
                b"l\0o\0a\0d\0",
                tagged(5, 0xf5bc_582a, "loader.conf", b"new"),
            ),
        ),
        (
            Cause::EarlierMoment,
            without(5, b"Exit Boot Services Returned"),
        ),
        (
            Cause::GrubCommands,
            replace(
                8,
                b"grub",
                described(8, Kind::IPL, b"grub_cmd: linux\0", b"linux"),
            ),
        ),
        (
            Cause::LoadedFiles,
            replace(
                9,
                b"/grub",
                described(9, Kind::IPL, b"/grub/grub.cfg\0", b"new"),
            ),
        ),
        (
            Cause::LoadedInitrd,
            replace(
                9,
                b"i\0n\0i\0t\0",
                tagged(9, 0x8f3b_22ec, "Linux initrd", b"new"),
            ),
        ),
        (
            Cause::KernelOptions,
            replace(
                9,
                b"L\0O\0A\0D\0",
                tagged(9, 0x8f3b_22ed, "LOADED_IMAGE::LoadOptions", b"new"),
            ),
        ),
        (
            Cause::RunningSystem,
            replace(10, b"ima", described(10, Kind::IPL, b"ima", b"new")),
        ),
    ]
}

fn of_images() -> Vec<(Cause, Vec<Event>)> {
    vec![
        (Cause::Kernel, other_section(".linux")),
        (Cause::OsRelease, other_section(".osrel")),
        (Cause::CommandLine, other_section(".cmdline")),
        (Cause::Initrd, other_section(".initrd")),
        (Cause::Microcode, other_section(".ucode")),
        (Cause::DeviceTree, other_section(".dtb")),
        (Cause::OtherSection, other_section(".uname")),
        (Cause::PolicyKey, other_section(".pcrpkey")),
        (Cause::Profile, other_section(".profile")),
        (
            Cause::SectionsMeasured,
            before(11, b"enter-initrd", section(".sbat", b"sbat").to_vec()),
        ),
        (Cause::PhaseLater, with(of(11, Kind::IPL, b"leave-initrd"))),
        (Cause::PhaseEarlier, without(11, b"enter-initrd")),
        (
            Cause::PassedOptions,
            replace(12, b"q\0u\0", of(12, Kind::IPL, &wide("init=/bin/sh"))),
        ),
        (
            Cause::Credentials,
            with(described(
                12,
                Kind::IPL,
                &wide("Credentials initrd"),
                b"secret",
            )),
        ),
        (
            Cause::SystemExtensions,
            replace(
                13,
                b"S\0y\0",
                described(13, Kind::IPL, &wide("System extension initrd"), b"new"),
            ),
        ),
        (
            Cause::MachineIdentity,
            replace(
                15,
                b"machine",
                described(15, Kind::IPL, b"machine-id:\0", b"new"),
            ),
        ),
        (Cause::Unknown, with(of(23, Kind::IPL, b"what"))),
    ]
}

#[test]
fn each_change_has_its_cause_and_no_other() {
    let mut told = BTreeSet::new();
    for (cause, changed) in of_firmware()
        .into_iter()
        .chain(of_secure_boot())
        .chain(of_programs())
        .chain(of_images())
    {
        let explanation = explained(usual(), changed);
        let causes: BTreeSet<Cause> = explanation
            .findings
            .iter()
            .map(|finding| finding.cause)
            .collect();
        assert_eq!(
            causes,
            BTreeSet::from([cause]),
            "{:?}",
            explanation.findings
        );
        let described = matches!(cause, Cause::DescriptionChanged | Cause::LogAltered);
        assert_eq!(explanation.different.is_empty(), described, "{cause:?}");
        if !described {
            assert_eq!(explanation.different, [explanation.findings[0].pcr]);
        }
        told.insert(cause);
    }
    // What needs another expectation or another log than the usual one.
    told.extend(reversed());
    told.extend([Cause::BankMissing, Cause::LogIncomplete]);
    let all: BTreeSet<Cause> = Cause::ALL.iter().copied().collect();
    assert_eq!(told, all, "each cause has a test");
    assert!(all.len() >= 25);
}

/// Changes the other way round: what is usual came after what was expected.
fn reversed() -> [Cause; 3] {
    let cases = [
        (
            Cause::SecureBootOn,
            replace(7, b"S\0e\0c\0u\0r\0e\0", config("SecureBoot", &[0])),
        ),
        (
            Cause::LaterMoment,
            without(5, b"Exit Boot Services Returned"),
        ),
        (
            Cause::BootOptionWorks,
            before(
                4,
                b"B\0O\0O\0T\0X\0",
                vec![
                    of(4, Kind::EFI_ACTION, RETURNING),
                    of(4, Kind::EFI_ACTION, CALLING),
                ],
            ),
        ),
    ];
    cases.map(|(cause, expected)| {
        let explanation = explained(expected, usual());
        let causes: Vec<Cause> = explanation
            .findings
            .iter()
            .map(|finding| finding.cause)
            .collect();
        assert_eq!(causes, [cause]);
        cause
    })
}

#[test]
fn the_same_is_as_expected() {
    let explanation = explained(usual(), usual());
    assert!(explanation.is_as_expected(), "{explanation:?}");
    assert_eq!(explanation.same.len(), 16);
}

#[test]
fn a_register_that_is_not_foreseen_is_not_judged() {
    let mut expected = Expectation::of_log(&log(usual()));
    expected.doubt(4, "a test");
    let actual = log(replace(4, b"B\0O\0O\0T\0X\0", application(LOADER, b"new")));
    let explanation = explain(
        &expected,
        Observed {
            log: &actual,
            mismatches: &[],
        },
    );
    assert!(explanation.is_as_expected());
    assert_eq!(explanation.unforeseen, [4]);
}

#[test]
fn banks_in_common_are_needed() {
    let expected = Expectation::of_log(&log(usual()));
    let old = EventLog {
        form: Form::Sha1,
        events: vec![event(&[Bank::Sha1], 0, Kind::SEPARATOR, &[0; 4])],
        quirks: Vec::new(),
    };
    let explanation = explain(
        &expected,
        Observed {
            log: &old,
            mismatches: &[],
        },
    );
    assert_eq!(explanation.findings[0].cause, Cause::BankMissing);
    assert_eq!(
        explanation.findings[0].detail,
        "expected sha256, the log has sha1"
    );
}

#[test]
fn a_log_that_does_not_lead_to_the_registers_is_named() {
    let expected = Expectation::of_log(&log(usual()));
    let mismatch = Mismatch {
        bank: Bank::Sha256,
        pcr: 4,
        replayed: "00".to_owned(),
        live: "11".to_owned(),
    };
    let observed = Observed {
        log: &log(usual()),
        mismatches: &[mismatch],
    };
    let explanation = explain(&expected, observed);
    assert_eq!(explanation.findings[0].cause, Cause::LogIncomplete);
    assert!(!explanation.is_as_expected());
}

#[test]
fn what_follows_comes_behind_its_cause() {
    let mut events = replace(7, b"S\0e\0c\0u\0r\0e\0", config("SecureBoot", &[0]));
    let at = place(&events, 7, &[3; 48]);
    events.remove(at);
    let explanation = explained(usual(), events);
    let found: Vec<_> = explanation
        .findings
        .iter()
        .map(|f| (f.cause, f.follows_from))
        .collect();
    assert_eq!(
        found,
        [
            (Cause::SecureBootOff, None),
            (Cause::AuthorityMissing, Some(Cause::SecureBootOff))
        ]
    );
}

#[test]
fn any_part_of_a_log_is_explained_against_the_whole() {
    for count in 0..usual().len() {
        let explanation = explained(usual(), usual()[..count].to_vec());
        assert!(!explanation.findings.is_empty(), "{count} events");
        explained(usual()[..count].to_vec(), usual());
    }
}
