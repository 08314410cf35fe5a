//! The rules, each with a name that stays.

use crate::certificates;
use crate::finding::{Finding, Findings, Weight};
use crate::program::{Program, ShimIdentity};
use boot_pe::sbat::{Component, Sbat, SbatLevel};
use boot_pe::{Anomaly, Image, SECTION_EXECUTE, SECTION_WRITE, Severity, StubIdentity};
use jiff::Timestamp;

/// Shims before this version are no longer signed.
const LEAST_SHIM: (u32, u32) = (15, 8);
/// What the submission template asks for.
const CURRENT_SHIM: (u32, u32) = (16, 1);
/// Longest vendor part of a component's name that reviewers find sensible.
const MAX_VENDOR: usize = 32;
/// Texts that a path of the build machine starts with.
const BUILD_PATHS: [&[u8]; 4] = [b"/build/", b"/home/", b"/tmp/", b"/root/"];

/// The newest level that shim 16.1 can apply: what is below it is revoked, or will be.
pub fn current_level() -> SbatLevel {
    let minimum = [("sbat", 1), ("shim", 4), ("grub", 5), ("grub.proxmox", 2)];
    SbatLevel {
        datestamp: "2025051000".to_owned(),
        minimum: minimum
            .into_iter()
            .map(|(name, generation)| Component {
                name: name.to_owned(),
                generation,
                details: Vec::new(),
            })
            .collect(),
    }
}

/// Judges a boot file by `level` at the moment `at`; findings in the order headers, sections, SBAT, shim's own parts.
pub fn lint(file: &[u8], level: &SbatLevel, at: Timestamp) -> crate::Result<Vec<Finding>> {
    let image = Image::parse(file)?;
    let program = Program::of(&image);
    let mut found = Findings::default();
    header(&image, &mut found);
    layout(&image, &mut found);
    memory(&image, &mut found);
    reproducible(&image, &mut found);
    sbat(&image, program, level, &mut found);
    if program == Program::Shim {
        shim(&image, at, &mut found);
    }
    Ok(found.0)
}

fn header(image: &Image<'_>, found: &mut Findings) {
    if image.subsystem != 10 {
        found.add(
            Weight::Error,
            "subsystem",
            format!("subsystem is {}, not 10 (EFI application)", image.subsystem),
            "link it as an EFI application",
        );
    }
    if let boot_pe::Machine::Other(code) = image.machine {
        found.add(
            Weight::Error,
            "machine",
            format!("machine {code:#06x} is none that has 64-bit UEFI firmware"),
            "build it for x86-64, AArch64, RISC-V or LoongArch",
        );
    }
}

/// What makes verifiers disagree, and what only deserves a word.
fn layout(image: &Image<'_>, found: &mut Findings) {
    for anomaly in image.anomalies() {
        match anomaly {
            // Judged by rules of their own, together with the flag.
            Anomaly::NotNxCompatible
            | Anomaly::WritableExecutable { .. }
            | Anomaly::SmallAlignment { .. }
            | Anomaly::MemoryUnaligned { .. } => {}
            Anomaly::Checksum { .. } => found.add(
                Weight::Warning,
                "checksum",
                anomaly.to_string(),
                "write the right checksum or none; signing tools do",
            ),
            Anomaly::TrailingData { symbols: true, .. } => found.add(
                Weight::Note,
                "symbols",
                anomaly.to_string(),
                "strip the symbol table, unless reviewers shall debug with it",
            ),
            anomaly if anomaly.severity() == Severity::Problem => found.add(
                Weight::Error,
                "layout",
                anomaly.to_string(),
                "write the file anew; verifiers may hash it differently",
            ),
            _ => {}
        }
    }
}

/// NX: data must not be executable, and sections must be separable by pages.
fn memory(image: &Image<'_>, found: &mut Findings) {
    let claimed = image.nx_compatible();
    if !claimed {
        found.add(
            Weight::Note,
            "nx-flag",
            "the NX compatibility flag is not set",
            "set it only if everything that the file starts is compatible too",
        );
    }
    for section in &image.sections {
        if section.flags & SECTION_WRITE != 0 && section.flags & SECTION_EXECUTE != 0 {
            // Without the flag firmware gives memory all rights anyway.
            let weight = if claimed {
                Weight::Error
            } else {
                Weight::Warning
            };
            let what = format!("section `{}` is writable and executable", section.name());
            found.add(
                weight,
                "writable-executable",
                what,
                "separate code from data",
            );
        }
    }
    if image.section_alignment < 4096 {
        let weight = if claimed {
            Weight::Warning
        } else {
            Weight::Note
        };
        let what = format!(
            "section alignment is {:#x}: memory attributes need pages of 0x1000",
            image.section_alignment
        );
        found.add(
            weight,
            "section-alignment",
            what,
            "link with a section alignment of 4096",
        );
    }
}

/// What tends to differ between two builds.
fn reproducible(image: &Image<'_>, found: &mut Findings) {
    if image.timestamp != 0 {
        let moment = Timestamp::from_second(image.timestamp.into());
        let moment =
            moment.map_or_else(|_| image.timestamp.to_string(), |moment| moment.to_string());
        found.add(
            Weight::Note,
            "timestamp",
            format!("the header's time stamp is {moment}"),
            "a rebuild must give the same: set SOURCE_DATE_EPOCH, or write zero",
        );
    }
    for section in &image.sections {
        for path in BUILD_PATHS {
            let at = memchr::memmem::find(section.data(), path);
            if let Some(at) = at {
                let rest = &section.data()[at..];
                let text: String = rest
                    .iter()
                    .take(80)
                    .take_while(|byte| byte.is_ascii_graphic())
                    .map(|byte| char::from(*byte))
                    .collect();
                let what = format!(
                    "section `{}` names a path: {text}",
                    image.long_name(section)
                );
                let remedy =
                    "build with -ffile-prefix-map, so that another folder gives the same file";
                found.add(Weight::Note, "build-path", what, remedy);
            }
        }
    }
}

fn sbat(image: &Image<'_>, program: Program, level: &SbatLevel, found: &mut Findings) {
    const HOW: &str =
        "add an .sbat section: the line `sbat,1,...`, upstream's line and one of your own";
    let Some(section) = image.section(".sbat") else {
        return found.add(
            Weight::Error,
            "sbat-missing",
            "there is no .sbat section",
            HOW,
        );
    };
    if section.flags & (SECTION_WRITE | SECTION_EXECUTE) != 0 {
        found.add(
            Weight::Warning,
            "sbat-access",
            "the .sbat section is not read-only",
            "give it the characteristics 0x40000040",
        );
    }
    let sbat = match Sbat::parse(section.data()) {
        Ok(sbat) => sbat,
        Err(error) => return found.add(Weight::Error, "sbat-malformed", error.to_string(), HOW),
    };
    for revoked in level.check(&sbat) {
        let what = format!(
            "`{}` has generation {}, level {} demands {}",
            revoked.name, revoked.found, level.datestamp, revoked.minimum
        );
        found.add(
            Weight::Error,
            "sbat-revoked",
            what,
            "update to a version whose flaws are mended",
        );
    }
    components(&sbat, found);
    vendor_lines(image, &sbat, program, found);
}

fn components(sbat: &Sbat, found: &mut Findings) {
    for (index, component) in sbat.components.iter().enumerate() {
        let name = &component.name;
        if sbat.components[..index]
            .iter()
            .any(|other| other.name == *name)
        {
            let what = format!("`{name}` occurs more than once");
            found.add(
                Weight::Warning,
                "sbat-duplicate",
                what,
                "keep one line for each component",
            );
        }
        if component.details.iter().any(String::is_empty) {
            let what = format!("`{name}` has an empty field");
            let remedy = "state vendor, package, version and URL: people look for you by them";
            found.add(Weight::Warning, "sbat-empty-field", what, remedy);
        }
        if let Some((_, vendor)) = name.split_once('.')
            && !(2..=MAX_VENDOR).contains(&vendor.len())
        {
            let what = format!(
                "the vendor part of `{name}` has {} characters",
                vendor.len()
            );
            found.add(
                Weight::Warning,
                "sbat-vendor-name",
                what,
                "choose a short name that is clearly yours",
            );
        }
    }
}

/// Every program has upstream's line and its vendor's; a UKI one of its own besides.
fn vendor_lines(image: &Image<'_>, sbat: &Sbat, program: Program, found: &mut Findings) {
    let has = |name: &str| sbat.components.iter().any(|c| c.name == name);
    let upstream = match program {
        Program::Shim | Program::ShimHelper => "shim",
        Program::Grub => "grub",
        Program::Uki | Program::Other => "",
    };
    if !upstream.is_empty() && !has(upstream) {
        let what = format!("there is no line for `{upstream}`");
        found.add(
            Weight::Error,
            "sbat-upstream",
            what,
            "keep upstream's line: revocations go by it",
        );
    }
    let own = |c: &&Component| c.name != "sbat" && c.name.contains('.');
    if !sbat.components.iter().any(|c| own(&c)) {
        let weight = if program == Program::Shim {
            Weight::Error
        } else {
            Weight::Warning
        };
        let what = "no component names a vendor (`NAME.VENDOR`)";
        let remedy = "add a line of your own, so that your build can be revoked without upstream's";
        found.add(weight, "sbat-vendor", what, remedy);
    }
    let uki = |c: &Component| c.name.starts_with("uki.");
    if program == Program::Uki && !sbat.components.iter().any(uki) {
        let what = "the image is a UKI without a `uki.VENDOR` line";
        let remedy = "add one: stub and image are then revoked apart";
        found.add(Weight::Warning, "sbat-uki", what, remedy);
    }
    let stub = StubIdentity::of(image).filter(|stub| stub.name.starts_with("systemd-"));
    if let Some(stub) = stub
        && !has(&stub.name)
        && !has("systemd")
    {
        let what = format!("there is no line for `{}`", stub.name);
        found.add(
            Weight::Error,
            "sbat-upstream",
            what,
            "keep upstream's line: revocations go by it",
        );
    }
}

fn shim(image: &Image<'_>, at: Timestamp, found: &mut Findings) {
    let identity = ShimIdentity::of(image);
    match identity.numbers() {
        None => found.add(
            Weight::Warning,
            "shim-version",
            "it does not say which version it is",
            "build an unchanged release of shim",
        ),
        Some(version) if version < CURRENT_SHIM => {
            let weight = if version < LEAST_SHIM {
                Weight::Error
            } else {
                Weight::Warning
            };
            let what = format!(
                "it is shim {}.{}; reviewers want 16.1",
                version.0, version.1
            );
            found.add(weight, "shim-version", what, "build the current release");
        }
        Some(_) => {}
    }
    if image.section_by_long_name(".sbatlevel").is_none() {
        let what = "it brings no SBAT levels along";
        found.add(
            Weight::Error,
            "sbat-level",
            what,
            "build the current release",
        );
    }
    if let Some(own) = certificates::vendor(image, found) {
        certificates::check(&own, at, found);
    }
}
