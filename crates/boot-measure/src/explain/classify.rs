//! From a difference to its cause.

use super::align::Change;
use super::{Cause, Finding};
use crate::foresee::{CALLING, EXITING, RETURNING};
use crate::{Bank, Content, EventType, Measurement};
use boot_variables::read_lists;

/// Words that systemd measures as the boot goes on.
const PHASES: [&str; 7] = [
    "enter-initrd",
    "leave-initrd",
    "os-separator",
    "sysinit",
    "ready",
    "shutdown",
    "final",
];

/// One difference with what it is about.
#[derive(Clone, Copy)]
struct Difference<'m> {
    before: Option<&'m Measurement>,
    after: Option<&'m Measurement>,
    /// Whether it comes before the register's separator.
    early: bool,
}

impl<'m> Difference<'m> {
    /// The side that is there, or else the expected one.
    fn shown(&self) -> &'m Measurement {
        self.after.or(self.before).expect("a difference has a side")
    }

    /// Picks by what happened.
    fn pick(&self, added: Cause, removed: Cause, changed: Cause) -> Cause {
        match (self.before, self.after) {
            (None, _) => added,
            (_, None) => removed,
            _ => changed,
        }
    }
}

/// The findings of one register.
pub(super) fn findings(
    pcr: u8,
    before: &[Measurement],
    after: &[Measurement],
    changes: &[Change],
) -> Vec<Finding> {
    let mut found = Vec::new();
    let separator = |side: &[Measurement]| side.iter().position(|m| m.kind == EventType::SEPARATOR);
    let (before_end, after_end) = (separator(before), separator(after));
    let mut attempts = 0_i64;
    let mut moved = Vec::new();
    for change in changes {
        let difference = match *change {
            Change::Moved(at) => {
                if !is_attempt(&after[at]) {
                    moved.push(after[at].content.describe());
                }
                continue;
            }
            Change::Described(b, a) => {
                let detail = format!(
                    "{} {}, expected {} {}",
                    after[a].kind,
                    after[a].content.describe(),
                    before[b].kind,
                    before[b].content.describe()
                );
                found.push(Finding::new(pcr, Cause::DescriptionChanged, detail));
                continue;
            }
            Change::Changed(b, a) => Difference {
                before: Some(&before[b]),
                after: Some(&after[a]),
                early: after_end.is_some_and(|end| a < end),
            },
            Change::Removed(b) => Difference {
                before: Some(&before[b]),
                after: None,
                early: before_end.is_some_and(|end| b < end),
            },
            Change::Added(a) => Difference {
                before: None,
                after: Some(&after[a]),
                early: after_end.is_some_and(|end| a < end),
            },
        };
        if is_attempt(difference.shown()) {
            let returning = difference.shown().content == Content::Text(RETURNING.to_owned());
            let count = i64::from(returning);
            attempts += if difference.after.is_some() {
                count
            } else {
                -count
            };
            continue;
        }
        one(pcr, difference, &mut found);
    }
    if attempts != 0 {
        let cause = if attempts > 0 {
            Cause::BootOptionFailed
        } else {
            Cause::BootOptionWorks
        };
        let options = if attempts.abs() == 1 {
            "option"
        } else {
            "options"
        };
        let detail = format!(
            "{} boot {options} {}",
            attempts.abs(),
            if attempts > 0 {
                "more came back or could not be started"
            } else {
                "fewer came back"
            }
        );
        found.push(Finding::new(pcr, cause, detail));
    }
    if !moved.is_empty() {
        found.push(Finding::new(pcr, Cause::OrderChanged, moved.join(", ")));
    }
    found
}

fn is_attempt(measurement: &Measurement) -> bool {
    matches!(&measurement.content, Content::Text(text) if text == CALLING || text == RETURNING)
}

fn one(pcr: u8, difference: Difference<'_>, found: &mut Vec<Finding>) {
    let shown = difference.shown();
    let mut detail = shown.content.describe();
    let cause = match (pcr, shown.kind) {
        (_, EventType::SEPARATOR) => separator(&difference),
        (0..=3, _) => firmware(pcr, &difference),
        (4, _) => program(&difference, &mut detail),
        (5, _) => configuration(&difference),
        (6, _) => Cause::VendorEvent,
        (7, EventType::EFI_VARIABLE_DRIVER_CONFIG) => {
            return variable(pcr, &difference, found);
        }
        (7, _) => authority(&difference, &mut detail),
        (8, _) => Cause::GrubCommands,
        (9, _) => kernel_input(shown),
        (10, _) => Cause::RunningSystem,
        (11, _) => section(&difference),
        (12, _) => beside(shown),
        (13, _) => Cause::SystemExtensions,
        (14, _) => shim(shown),
        (15, _) => Cause::MachineIdentity,
        _ => Cause::Unknown,
    };
    found.push(Finding::new(pcr, cause, detail));
}

fn separator(difference: &Difference<'_>) -> Cause {
    let failed = |measurement: &Measurement| {
        Bank::ALL.into_iter().any(|bank| {
            let error = bank.digest(&[&1_u32.to_le_bytes()]);
            measurement.digest(bank) == Some(&error)
        })
    };
    match difference.after {
        None => Cause::LogEndsEarly,
        Some(after) if failed(after) => Cause::FirmwareError,
        Some(_) => Cause::SeparatorChanged,
    }
}

fn firmware(pcr: u8, difference: &Difference<'_>) -> Cause {
    let shown = difference.shown();
    let option = |name: &str| name.len() == 8 && name.starts_with("Boot");
    match (shown.kind, &shown.content) {
        (EventType::CPU_MICROCODE, _) => Cause::Microcode,
        (EventType::NONHOST_CODE | EventType::NONHOST_CONFIG | EventType::NONHOST_INFO, _) => {
            Cause::NonHost
        }
        (
            EventType::EFI_HANDOFF_TABLES
            | EventType::EFI_HANDOFF_TABLES2
            | EventType::TABLE_OF_DEVICES,
            _,
        ) => Cause::HardwareTables,
        (EventType::S_CRTM_VERSION, _) => Cause::FirmwareVersion,
        (
            EventType::EFI_VARIABLE_BOOT | EventType::EFI_VARIABLE_BOOT2,
            Content::Variable { name, .. },
        ) if option(name) => difference.pick(
            Cause::BootOptionAdded,
            Cause::BootOptionRemoved,
            Cause::BootOptionChanged,
        ),
        (EventType::EFI_VARIABLE_BOOT | EventType::EFI_VARIABLE_BOOT2, _) => Cause::BootOrder,
        _ => match pcr {
            0 => Cause::FirmwareCode,
            1 => Cause::FirmwareSettings,
            2 => difference.pick(
                Cause::DriverAdded,
                Cause::DriverRemoved,
                Cause::DriverChanged,
            ),
            _ => Cause::DriverSettings,
        },
    }
}

fn path_of(measurement: Option<&Measurement>) -> String {
    match measurement.map(|m| &m.content) {
        Some(Content::Image { path }) => path.clone(),
        _ => String::new(),
    }
}

fn program(difference: &Difference<'_>, detail: &mut String) -> Cause {
    if difference.shown().kind != EventType::EFI_BOOT_SERVICES_APPLICATION {
        return Cause::Unknown;
    }
    if difference.early {
        return Cause::FirmwareApplication;
    }
    let (before, after) = (path_of(difference.before), path_of(difference.after));
    let changed = if after.eq_ignore_ascii_case(&before)
        || before.ends_with(&after)
        || after.ends_with(&before)
    {
        let path = after.to_ascii_lowercase();
        if path.contains(r"\linux\") || path.contains("nixos") || path.contains("vmlinuz") {
            Cause::ImageChanged
        } else {
            Cause::LoaderChanged
        }
    } else {
        *detail = format!("{after} instead of {before}");
        Cause::OtherProgram
    };
    difference.pick(Cause::ProgramAdded, Cause::ProgramMissing, changed)
}

fn configuration(difference: &Difference<'_>) -> Cause {
    let shown = difference.shown();
    match (shown.kind, &shown.content) {
        (
            EventType::EFI_GPT_EVENT | EventType::EFI_GPT_EVENT2 | EventType::IPL_PARTITION_DATA,
            _,
        ) => Cause::PartitionTable,
        (_, Content::Text(text)) if EXITING.contains(&text.as_str()) => {
            difference.pick(Cause::LaterMoment, Cause::EarlierMoment, Cause::Unknown)
        }
        (EventType::EVENT_TAG | EventType::IPL, _) => Cause::LoaderConfiguration,
        _ => Cause::Unknown,
    }
}

/// A variable of Secure Boot, entry by entry.
fn variable(pcr: u8, difference: &Difference<'_>, found: &mut Vec<Finding>) {
    let content = |side: Option<&Measurement>| match side.map(|m| &m.content) {
        Some(Content::Variable { data, .. }) => data.clone(),
        _ => Vec::new(),
    };
    let (before, after) = (content(difference.before), content(difference.after));
    let shown = difference.shown();
    let name = match &shown.content {
        Content::Variable { name, .. } => name.as_str(),
        _ => "",
    };
    let (added, removed) = match name {
        "SecureBoot" => {
            let on = after.first() == Some(&1);
            let cause = if on {
                Cause::SecureBootOn
            } else {
                Cause::SecureBootOff
            };
            let detail = if on { "it is on now" } else { "it is off now" };
            found.push(Finding::new(pcr, cause, detail.to_owned()));
            return;
        }
        "PK" if after.is_empty() => (Cause::PlatformKeyRemoved, Cause::PlatformKeyRemoved),
        "PK" => (Cause::PlatformKeyChanged, Cause::PlatformKeyChanged),
        "KEK" => (Cause::KekChanged, Cause::KekChanged),
        "db" => (Cause::DbAdded, Cause::DbRemoved),
        "dbx" => (Cause::DbxAdded, Cause::DbxRemoved),
        _ => (Cause::SecureBootOther, Cause::SecureBootOther),
    };
    let lists = read_lists(&before).and_then(|before| Ok((before, read_lists(&after)?)));
    let count = found.len();
    if let Ok((before, after)) = lists {
        for change in boot_variables::diff(&before, &after) {
            let (cause, detail) = match change {
                boot_variables::Change::Added(entry) => {
                    (added, format!("{name}: new: {}", entry.describe()))
                }
                boot_variables::Change::Removed(entry) => {
                    (removed, format!("{name}: gone: {}", entry.describe()))
                }
            };
            found.push(Finding::new(pcr, cause, detail));
        }
    }
    if found.len() == count {
        let detail = format!(
            "{name}: other content or order, {} bytes instead of {}",
            after.len(),
            before.len()
        );
        found.push(Finding::new(pcr, added, detail));
    }
}

fn authority(difference: &Difference<'_>, detail: &mut String) -> Cause {
    let shown = difference.shown();
    match &shown.content {
        Content::Text(text) if text.contains("Debug") => return Cause::DebugMode,
        Content::Text(text) if text.contains("DMA") => return Cause::DmaProtection,
        Content::Variable { name, .. } if name == "SbatLevel" || name == "SBAT" => {
            return Cause::SbatLevel;
        }
        Content::Variable { name, .. } if name == "MokSBState" => return Cause::ShimValidation,
        Content::Variable { name, data, .. } => {
            if let Some(subject) = data
                .get(16..)
                .and_then(|der| boot_signature::Certificate::from_der(der).ok())
            {
                *detail = format!("{name}: {}", subject.subject());
            }
        }
        _ => {}
    }
    if shown.kind != EventType::EFI_VARIABLE_AUTHORITY {
        return Cause::Unknown;
    }
    if difference.early {
        return Cause::EarlyAuthority;
    }
    difference.pick(
        Cause::AuthorityAdded,
        Cause::AuthorityMissing,
        Cause::AuthorityChanged,
    )
}

fn kernel_input(shown: &Measurement) -> Cause {
    let text = match &shown.content {
        Content::Text(text) | Content::Tag { text, .. } => text.to_ascii_lowercase(),
        _ => String::new(),
    };
    match shown.kind {
        EventType::EVENT_TAG if text.contains("initrd") => Cause::LoadedInitrd,
        EventType::EVENT_TAG => Cause::KernelOptions,
        _ => Cause::LoadedFiles,
    }
}

fn section(difference: &Difference<'_>) -> Cause {
    let Content::Text(text) = &difference.shown().content else {
        return Cause::Unknown;
    };
    if PHASES.contains(&text.as_str()) {
        return difference.pick(Cause::PhaseLater, Cause::PhaseEarlier, Cause::Unknown);
    }
    if difference.before.is_none() || difference.after.is_none() {
        return match text.as_str() {
            ".profile" => Cause::Profile,
            name if name.starts_with('.') => Cause::SectionsMeasured,
            _ => Cause::Unknown,
        };
    }
    match text.as_str() {
        ".linux" => Cause::Kernel,
        ".initrd" => Cause::Initrd,
        ".cmdline" => Cause::CommandLine,
        ".osrel" => Cause::OsRelease,
        ".ucode" => Cause::Microcode,
        ".dtb" | ".dtbauto" | ".hwids" => Cause::DeviceTree,
        ".pcrpkey" => Cause::PolicyKey,
        ".profile" => Cause::Profile,
        name if name.starts_with('.') => Cause::OtherSection,
        _ => Cause::Unknown,
    }
}

fn beside(shown: &Measurement) -> Cause {
    let text = match &shown.content {
        Content::Text(text) | Content::Tag { text, .. } => text.to_ascii_lowercase(),
        _ => String::new(),
    };
    if text.contains("credential") {
        Cause::Credentials
    } else if text.contains("extension") {
        Cause::SystemExtensions
    } else {
        Cause::PassedOptions
    }
}

fn shim(shown: &Measurement) -> Cause {
    match &shown.content {
        Content::Text(text) => match text.as_str() {
            "MokList" => Cause::MokListChanged,
            "MokListX" => Cause::MokListXChanged,
            "MokSBState" => Cause::ShimValidation,
            _ => Cause::MokTrust,
        },
        _ => Cause::Unknown,
    }
}
