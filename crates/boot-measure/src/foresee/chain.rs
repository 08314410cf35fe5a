//! From the first program to the kernel: who verifies and measures each, and what the known ones measure themselves.

use super::{Foresight, Started, StubChoice};
use crate::content::variable_data;
use crate::handover::{NOTHING, handed_line, loader_version};
use crate::pcr11::FileOf;
use crate::{Bank, Content, Digest, EventType, Measurement, Order, Rules};
use boot_pe::reference::{Reference, SECTION, note_of};
use boot_pe::{Image, StubIdentity};
use boot_stub_core::companions::utf16;
use boot_variables::{
    Asker, Decision, Entry, EntryName, Guid, Machine, Reason, Shim, Variables, firmware, guids,
    shim,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Images that start one another; shim, a loader, a unified kernel image and what follows.
const MAX_CHAIN: usize = 16;
/// Last stub whose way of starting the kernel inside is known not to be measured.
const QUIET_STUB: u32 = 257;
/// The systemd-boot whose measurements were proven.
const PROVEN_LOADER: u32 = 252;
/// Registers that programs of a boot chain may extend.
const LATER: [u8; 9] = [4, 5, 7, 8, 9, 11, 12, 13, 14];

/// A boot under way.
pub(super) struct Boot<'v> {
    pub(super) machine: Machine,
    pub(super) variables: &'v Variables,
    /// Entries of lists (EFI_SIGNATURE_DATA) that firmware has measured.
    pub(super) by_firmware: BTreeSet<Vec<u8>>,
    /// Events that shim has measured.
    by_shim: BTreeSet<Vec<u8>>,
    /// The shim that is there.
    pub(super) shim: Option<Shim>,
    /// Load options of the boot option.
    pub(super) options: Vec<u8>,
    table: bool,
    depth: usize,
}

impl<'v> Boot<'v> {
    pub(super) fn new(machine: Machine, variables: &'v Variables) -> Boot<'v> {
        Boot {
            machine,
            variables,
            by_firmware: BTreeSet::new(),
            by_shim: BTreeSet::new(),
            shim: None,
            options: Vec::new(),
            table: false,
            depth: 0,
        }
    }

    /// The option's programs have come back.
    pub(super) fn leave(&mut self) {
        self.shim = None;
        self.by_shim.clear();
        self.depth = 0;
    }
}

/// What a program is to the chain.
enum Role {
    Shim(Shim),
    Loader(u32),
    Kernel,
    Other,
}

fn role(image: &Image<'_>) -> Role {
    let shims = [".sbatlevel", ".vendor_cert"];
    if shims
        .iter()
        .any(|name| image.section_by_long_name(name).is_some())
    {
        return Shim::read(image).map_or(Role::Other, Role::Shim);
    }
    let has_kernel = image.section(".linux").is_some() || image.section(SECTION).is_some();
    if let Some(version) = loader_version(image) {
        return Role::Loader(version);
    }
    match StubIdentity::of(image) {
        Some(identity) if identity.name.ends_with("stub") && has_kernel => Role::Kernel,
        _ if has_kernel && matches!(note_of(image), Ok(Some(_))) => Role::Kernel,
        _ => Role::Other,
    }
}

impl Foresight<'_, '_> {
    /// One program of the chain and those that it starts; `next` are the files that are known to follow.
    pub(super) fn start(
        &mut self,
        boot: &mut Boot<'_>,
        file: &Started<'_>,
        next: &mut Vec<Started<'_>>,
    ) {
        boot.depth += 1;
        if boot.depth > MAX_CHAIN {
            self.doubt_all(&LATER, "programs start one another without end");
            return;
        }
        let image = match Image::parse(&file.bytes) {
            Ok(image) => image,
            Err(error) => {
                self.doubt_all(&LATER, &format!("{}: {error}", file.path));
                return;
            }
        };
        let role = role(&image);
        let kernel = matches!(role, Role::Kernel);
        // Hashing is nearly all of the work: the program's own hash, the one that its signature states, and its sections.
        let banks = self.expectation.banks.clone();
        let machine = &boot.machine;
        let verifier = boot.shim.as_ref();
        let choice = self.situation.stub;
        let disk = self.situation.disk;
        let file_of = |reference: &Reference| {
            let path = reference.path().replace('/', "\\");
            disk.and_then(|disk| disk.read(&path)).map(Cow::into_owned)
        };
        let (decision, digests, sections) = std::thread::scope(|scope| {
            let decision = scope.spawn(|| match verifier {
                None => firmware(machine, &file.bytes),
                Some(own) if boot.depth == 2 => shim(machine, own, Asker::Shim, &file.bytes),
                Some(own) => shim(machine, own, Asker::SecondStage, &file.bytes),
            });
            let digests = scope.spawn(|| digests(&image, &banks));
            let sections = kernel.then(|| sections(&image, choice, &banks, &file_of));
            let joined = "a thread that only computes does not panic";
            (
                decision.join().expect(joined),
                digests.join().expect(joined),
                sections,
            )
        });
        if !decision.boots {
            let why = format!(
                "{} is refused ({}): what is done then is not known",
                file.path,
                reason(&decision)
            );
            self.doubt_all(&LATER, &why);
            return;
        }
        self.authority(boot, &decision, &file.path);
        self.partition_table(boot);
        match digests {
            Ok(digests) => self.expectation.measurements.push(Measurement {
                pcr: 4,
                kind: EventType::EFI_BOOT_SERVICES_APPLICATION,
                digests,
                content: Content::Image {
                    path: file.path.clone(),
                },
            }),
            Err(error) => self.expectation.doubt(4, format!("{}: {error}", file.path)),
        }
        match role {
            Role::Shim(own) => self.second_stage(boot, file, &image, own, next),
            Role::Loader(version) => self.loader(boot, file, version, next),
            Role::Kernel => self.kernel(file, &image, sections, boot.machine.secure_boot),
            Role::Other if !next.is_empty() => {
                let why = format!(
                    "{} is a program whose own measurements are not known",
                    file.path
                );
                self.doubt_all(&[5, 8, 9, 11, 12, 13], &why);
                let following = next.remove(0);
                self.start(boot, &following, next);
            }
            Role::Other => {
                let why = format!(
                    "{} is none of shim, systemd-boot and a unified kernel image: what it starts and measures is not known",
                    file.path
                );
                self.doubt_all(&LATER, &why);
            }
        }
    }

    /// The entry of a list that allowed the program, measured once by each who verifies.
    fn authority(&mut self, boot: &mut Boot<'_>, decision: &Decision, path: &str) {
        let (Reason::HashAllowed { entry } | Reason::CertificateAllowed { entry, .. }) =
            &decision.reason
        else {
            return;
        };
        let found = entry_of(boot, entry);
        let Some((vendor, name, found)) = found else {
            let why = format!(
                "{path}: which of several entries of {} allows it is not known",
                entry.list
            );
            self.expectation.doubt(7, why);
            return;
        };
        let mut data = found.owner.0.to_vec();
        data.extend(&found.data);
        let measured = variable_data(vendor, name, &data);
        let first = match boot.shim {
            Some(_) => boot.by_shim.insert(measured.clone()),
            None => boot.by_firmware.insert(data.clone()),
        };
        if first {
            let content = Content::Variable {
                vendor,
                name: name.to_owned(),
                data,
            };
            self.measure(7, EventType::EFI_VARIABLE_AUTHORITY, &[&measured], content);
        }
    }

    /// Firmware measures the partition table before the first program of the disk.
    fn partition_table(&mut self, boot: &mut Boot<'_>) {
        if std::mem::replace(&mut boot.table, true) {
            return;
        }
        match self.situation.disk {
            Some(disk) => {
                if let Some(table) = disk.partition_table() {
                    let content = Content::Bytes(table.to_vec());
                    self.measure(5, EventType::EFI_GPT_EVENT, &[table], content);
                }
            }
            None => match self.situation.log {
                Some(log) => {
                    let tables = [EventType::EFI_GPT_EVENT, EventType::EFI_GPT_EVENT2];
                    let own = log
                        .events
                        .iter()
                        .filter(|event| event.pcr == 5 && tables.contains(&event.kind));
                    self.expectation
                        .measurements
                        .extend(own.filter_map(Measurement::of));
                    let text = "the disk's partition table is that of the log";
                    self.expectation.assumptions.insert(text.to_owned());
                }
                None => self
                    .expectation
                    .doubt(5, "the disk's partition table is not known: give the disk"),
            },
        }
    }

    /// systemd-boot and the entry that it starts.
    fn loader(
        &mut self,
        boot: &mut Boot<'_>,
        file: &Started<'_>,
        version: u32,
        next: &mut Vec<Started<'_>>,
    ) {
        let disk = self.situation.disk;
        let configured = disk.is_none_or(|disk| disk.read(r"\loader\loader.conf").is_some());
        if version > PROVEN_LOADER && configured {
            let why = format!(
                "systemd-boot {version} may measure loader.conf; what it writes there is proven for {PROVEN_LOADER} only"
            );
            self.expectation.doubt(5, why);
        }
        let entry = if next.is_empty() {
            self.entry(&file.path)
        } else {
            Some(next.remove(0))
        };
        let Some(entry) = entry else { return };
        let line = Image::parse(&entry.bytes)
            .ok()
            .and_then(|image| handed_line(version, &image));
        if version >= NOTHING {
            let text =
                format!("systemd-boot {version} passes no options on; proven is {PROVEN_LOADER}");
            self.expectation.assumptions.insert(text);
        }
        // It measures the options when it starts the image, after firmware has measured the image itself.
        let before = self.expectation.measurements.len();
        self.start(boot, &entry, next);
        if let Some(line) = line {
            let wide = utf16(&line);
            self.measure(12, EventType::IPL, &[&wide], Content::Text(line));
            let measured = self.expectation.measurements.pop().expect("one was added");
            let first = self.expectation.measurements[before..]
                .iter()
                .position(|m| m.pcr >= 11);
            let at = first.map_or(self.expectation.measurements.len(), |first| before + first);
            self.expectation.measurements.insert(at, measured);
        }
    }

    /// The only entry there is, or the one that was named.
    fn entry(&mut self, loader: &str) -> Option<Started<'static>> {
        let Some(disk) = self.situation.disk else {
            self.doubt_all(
                &LATER,
                &format!(
                    "{loader} starts an entry that is not known: name the file, or give the disk"
                ),
            );
            return None;
        };
        let path = match self.situation.entry {
            Some(path) => path.to_owned(),
            None => {
                const FOLDER: &str = r"\EFI\Linux";
                let is = |name: &String, end: &str| name.to_ascii_lowercase().ends_with(end);
                let mut images = disk.list(FOLDER);
                images.retain(|name| is(name, ".efi"));
                let mut described = disk.list(r"\loader\entries");
                described.retain(|name| is(name, ".conf"));
                match (&images[..], described.len()) {
                    ([only], 0) => format!(r"{FOLDER}\{only}"),
                    (images, described) => {
                        let count = images.len() + described;
                        let why = format!(
                            "{loader} finds {count} entries, and a person or a variable chooses: name the one that starts"
                        );
                        self.doubt_all(&LATER, &why);
                        return None;
                    }
                }
            }
        };
        match disk.read(&path) {
            Some(bytes) => Some(Started {
                path,
                bytes: bytes.into_owned().into(),
            }),
            None => {
                self.doubt_all(
                    &LATER,
                    &format!("{path}, which {loader} is to start, is not on the disk"),
                );
                None
            }
        }
    }

    fn kernel(
        &mut self,
        file: &Started<'_>,
        image: &Image<'_>,
        sections: Option<crate::Result<(Rules, Vec<Measurement>)>>,
        secure_boot: bool,
    ) {
        match sections {
            Some(Ok((rules, sections))) => {
                self.expectation.measurements.extend(sections);
                if matches!(note_of(image), Ok(Some(_))) {
                    // This stub enters the kernel by itself, so firmware does not measure it.
                    if !secure_boot || image.section(".cmdline").is_none() {
                        let why = format!(
                            "{}: a command line that is handed over counts, and is measured by the stub",
                            file.path
                        );
                        self.expectation.doubt(12, why);
                    }
                } else if rules.version > QUIET_STUB {
                    let why = format!(
                        "{}: whether stub {} has firmware measure the kernel inside is not known",
                        file.path, rules.version
                    );
                    self.expectation.doubt(4, why);
                } else if !secure_boot {
                    self.kernel_by_firmware(file, image, rules.version);
                } else if rules.version > PROVEN_LOADER {
                    let text = format!(
                        "stub {} starts the kernel inside as stub {PROVEN_LOADER} does, unmeasured",
                        rules.version
                    );
                    self.expectation.assumptions.insert(text);
                }
            }
            Some(Err(error)) => self.doubt_all(&[4, 11], &format!("{}: {error}", file.path)),
            None => {}
        }
        self.companions(&file.path);
        for phase in self.situation.phases {
            self.measure(
                11,
                EventType::IPL,
                &[phase.as_bytes()],
                Content::Text((*phase).to_owned()),
            );
        }
        let linux = image.section(".linux");
        let is_linux = linux.is_some_and(|s| s.data().get(0x202..0x206) == Some(b"HdrS"));
        if is_linux || image.section(SECTION).is_some() {
            let why = "the kernel's EFI stub measures its options and the initrd, differently in each version";
            self.expectation.doubt(9, why);
        }
        if !self.situation.phases.is_empty() {
            let why = "systemd measures the machine's name and file systems in the phases that have passed";
            self.expectation.doubt(15, why);
        }
    }

    /// Where Secure Boot is off, stub 252 has firmware load the kernel inside as any program, and firmware measures it;
    /// where it is on, the stub answers in place of firmware's verifier, which is what measures.
    fn kernel_by_firmware(&mut self, file: &Started<'_>, image: &Image<'_>, version: u32) {
        if version > PROVEN_LOADER {
            let why = format!(
                "{}: whether stub {version} has firmware measure the kernel inside where Secure Boot is off is not known",
                file.path
            );
            self.expectation.doubt(4, why);
            return;
        }
        let Some(kernel) = image.section(".linux") else {
            return;
        };
        let banks = self.expectation.banks.clone();
        let measured = Image::parse(kernel.data()).and_then(|kernel| digests(&kernel, &banks));
        match measured {
            Ok(digests) => self.expectation.measurements.push(Measurement {
                pcr: 4,
                kind: EventType::EFI_BOOT_SERVICES_APPLICATION,
                digests,
                content: Content::Image {
                    path: format!("{}, its kernel", file.path),
                },
            }),
            Err(error) => {
                let why = format!("the kernel in {}: {error}", file.path);
                self.expectation.doubt(4, why);
            }
        }
    }

    /// Credentials, extensions and addons beside an image, which its stub measures.
    fn companions(&mut self, path: &str) {
        let Some(disk) = self.situation.disk else {
            let text = "no credentials, extensions or addons lie beside the image";
            self.expectation.assumptions.insert(text.to_owned());
            return;
        };
        let beside = disk.list(&format!("{path}.extra.d"));
        let shared = disk.list(r"\loader\credentials");
        let addons = disk.list(r"\loader\addons");
        if !beside.is_empty() || !shared.is_empty() || !addons.is_empty() {
            let why = format!(
                "credentials, extensions or addons lie beside {path} or in \\loader; what the stub makes of them is not foreseen"
            );
            self.doubt_all(&[12, 13], &why);
        }
    }
}

fn reason(decision: &Decision) -> String {
    let text = serde_json::to_value(&decision.reason).ok();
    let text = text.and_then(|value| Some(value.get("reason")?.as_str()?.to_owned()));
    text.unwrap_or_default()
}

/// PCR 11 of a unified kernel image: section by section.
fn sections(
    image: &Image<'_>,
    choice: StubChoice,
    banks: &[Bank],
    file_of: &FileOf<'_>,
) -> crate::Result<(Rules, Vec<Measurement>)> {
    let mut rules = match choice.version {
        Some(version) => Rules {
            order: Order::Systemd,
            version,
        },
        None => Rules::of(image)?,
    };
    rules.order = choice.order.unwrap_or(rules.order);
    Ok((
        rules,
        crate::pcr11::measurements(image, rules, banks, choice.profile, file_of)?,
    ))
}

fn digests(image: &Image<'_>, banks: &[Bank]) -> boot_pe::Result<Vec<Digest>> {
    let of = |bank: &Bank| {
        let value = match bank {
            Bank::Sha1 => image.authenticode::<sha1::Sha1>()?,
            Bank::Sha256 => image.authenticode::<sha2::Sha256>()?,
            Bank::Sha384 => image.authenticode::<sha2::Sha384>()?,
            Bank::Sha512 => image.authenticode::<sha2::Sha512>()?,
        };
        Ok(Digest {
            algorithm: bank.algorithm(),
            value,
        })
    };
    banks.iter().map(of).collect()
}

/// The variable's vendor and name under which an entry is measured, and the entry.
fn entry_of(boot: &Boot<'_>, name: &EntryName) -> Option<(Guid, &'static str, Entry)> {
    match name.list {
        "db" => Some((
            guids::SECURITY_DATABASE,
            "db",
            boot.machine.db.get(name.index)?.clone(),
        )),
        // shim measures both under the name of its mirror; entries of its own are owned by it there.
        "MokList" => {
            let same =
                |entry: &&Entry| entry.owner == name.owner && entry.describe() == name.description;
            let mut found = boot.machine.mok.iter().filter(same);
            let entry = found.next()?;
            // Two certificates of one name look the same here.
            found
                .all(|other| other == entry)
                .then(|| (guids::SHIM, "MokListRT", entry.clone()))
        }
        "shim's own list" => {
            let entry = boot.shim.as_ref()?.authorized.get(name.index)?.clone();
            let owner = if entry.owner == Guid([0; 16]) {
                guids::SHIM
            } else {
                entry.owner
            };
            Some((guids::SHIM, "MokListRT", Entry { owner, ..entry }))
        }
        _ => None,
    }
}
