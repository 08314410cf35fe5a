//! What shim 16.1 measures of its variables, and the second stage that it starts.

use super::chain::Boot;
use super::{Foresight, Started};
use crate::content::variable_data;
use crate::{Content, EventType};
use boot_pe::Image;
use boot_pe::sbat::{Sbat, SbatLevel};
use boot_signature::HashAlgorithm;
use boot_variables::{Entry, EntryKind, Guid, Shim, guids, write_lists};

/// The generation of shim's SBAT data from which these rules hold (15.8 and 16.x).
const GENERATION: u32 = 4;
/// Name of the second stage when no load option says another.
const SECOND_STAGE: [(boot_pe::Machine, &str); 2] = [
    (boot_pe::Machine::X64, "grubx64.efi"),
    (boot_pe::Machine::Aa64, "grubaa64.efi"),
];
/// The owner of a lone certificate, which has none in shim.
const NOBODY: Guid = Guid([0; 16]);
/// Variables that shim measures too once they are there, in a form that was not proven.
const UNPROVEN: [&str; 3] = ["MokListTrusted", "MokPolicy", "HSIStatus"];

impl Foresight<'_, '_> {
    /// shim's variables, then what it starts.
    pub(super) fn second_stage(
        &mut self,
        boot: &mut Boot<'_>,
        file: &Started<'_>,
        image: &Image<'_>,
        own: Shim,
        next: &mut Vec<Started<'_>>,
    ) {
        self.shim_variables(boot, file, image, &own);
        boot.shim = Some(own);
        if !next.is_empty() {
            let second = next.remove(0);
            self.start(boot, &second, next);
            return;
        }
        let Some(disk) = self.situation.disk else {
            self.doubt_all(
                &[4, 5, 7, 8, 9, 11, 12, 13],
                "what shim starts is not known: name the file, or give the disk",
            );
            return;
        };
        let folder = file.path.rsplit_once('\\').map_or("", |(folder, _)| folder);
        let usual = SECOND_STAGE
            .iter()
            .find(|(machine, _)| *machine == image.machine);
        let named = named_in(&boot.options);
        let name = named.as_deref().or(usual.map(|(_, name)| *name));
        let path = match name {
            Some(name) if name.starts_with('\\') => name.to_owned(),
            Some(name) => format!(r"{folder}\{name}"),
            None => String::new(),
        };
        match disk.read(&path) {
            Some(bytes) => {
                let second = Started { path, bytes };
                self.start(boot, &second, next);
            }
            None => {
                let why = format!(
                    "shim does not find its second stage `{path}`: what it does then is not known"
                );
                self.doubt_all(&[4, 5, 7, 8, 9, 11, 12, 13], &why);
            }
        }
    }

    fn shim_variables(
        &mut self,
        boot: &Boot<'_>,
        file: &Started<'_>,
        image: &Image<'_>,
        own: &Shim,
    ) {
        let sbat = image
            .section(".sbat")
            .and_then(|s| Sbat::parse(s.data()).ok());
        let generation = sbat.and_then(|sbat| {
            let entry = sbat.components.iter().find(|entry| entry.name == "shim")?;
            Some(entry.generation)
        });
        if generation.is_none_or(|generation| generation < GENERATION) {
            let why = format!(
                "{} is a shim before 15.8, whose measurements are not known",
                file.path
            );
            self.doubt_all(&[7, 14], &why);
            return;
        }
        if self.situation.variables.is_none() {
            let why = "shim's variables are not in a log: give the machine's variables";
            self.doubt_all(&[7, 14], why);
            return;
        }
        let variable = |name: &str| {
            boot.variables
                .get(guids::SHIM, name)
                .map(|v| v.data.clone())
        };
        let Some(built_in) = built_in(image, own) else {
            self.expectation.doubt(
                14,
                format!("{}: the lists inside it can't be read", file.path),
            );
            return;
        };
        for (name, mut mirror) in ["MokList", "MokListX"].into_iter().zip(built_in) {
            mirror.extend(variable(name).unwrap_or_default());
            if mirror.is_empty() {
                mirror = write_lists(&[nothing()]);
            }
            self.list(name, &mirror);
        }
        if let Some(state) = variable("MokSBState") {
            self.shim_variable("MokSBState", &state);
            self.list("MokSBState", &state);
        }
        match level(variable("SbatLevel"), image) {
            Some(level) => self.shim_variable("SbatLevel", &level),
            None => self
                .expectation
                .doubt(7, format!("{}: its SBAT level can't be read", file.path)),
        }
        self.list("MokListTrusted", &[1]);
        for name in UNPROVEN {
            if variable(name).is_some() {
                self.expectation.doubt(
                    14,
                    format!("{name} is set; how shim measures it was not proven"),
                );
            }
        }
    }

    /// PCR 14: content, under a name.
    fn list(&mut self, name: &str, data: &[u8]) {
        self.measure(14, EventType::IPL, &[data], Content::Text(name.to_owned()));
    }

    /// PCR 7: as firmware measures a variable.
    fn shim_variable(&mut self, name: &str, data: &[u8]) {
        let measured = variable_data(guids::SHIM, name, data);
        let content = Content::Variable {
            vendor: guids::SHIM,
            name: name.to_owned(),
            data: data.to_vec(),
        };
        self.measure(7, EventType::EFI_VARIABLE_AUTHORITY, &[&measured], content);
    }
}

/// The allow list and the deny list that are built into shim, as it mirrors them: a lone certificate as an entry of
/// shim's, lists as they are.
fn built_in(image: &Image<'_>, own: &Shim) -> Option<[Vec<u8>; 2]> {
    let Some(section) = image.section_by_long_name(".vendor_cert") else {
        return Some([Vec::new(), Vec::new()]);
    };
    let data = section.data();
    let number =
        |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize);
    let part = |size: usize, offset: usize| {
        let start = number(offset)?;
        data.get(start..start.checked_add(number(size)?)?)
    };
    let allowed = match &own.authorized[..] {
        [entry] if entry.owner == NOBODY => write_lists(&[Entry {
            owner: guids::SHIM,
            ..entry.clone()
        }]),
        _ => part(0, 8)?.to_vec(),
    };
    Some([allowed, part(4, 12)?.to_vec()])
}

/// What shim mirrors when a list is empty: the hash of no file.
fn nothing() -> Entry {
    Entry {
        kind: EntryKind::Image(HashAlgorithm::Sha256),
        owner: guids::SHIM,
        data: vec![0; 32],
    }
}

/// The text of the level that counts: the machine's, or shim's own where that is newer, as shim writes it then.
fn level(machines: Option<Vec<u8>>, image: &Image<'_>) -> Option<Vec<u8>> {
    let own = image
        .section_by_long_name(".sbatlevel")
        .and_then(|section| {
            let data = section.data();
            let four = data.get(4..8)?.try_into().ok()?;
            let text = data.get((u32::from_le_bytes(four) as usize).checked_add(4)?..)?;
            let end = text.iter().position(|byte| *byte == 0)?;
            Some(text[..end].to_vec())
        });
    let date = |text: &Option<Vec<u8>>| {
        text.as_ref()
            .and_then(|text| Some(SbatLevel::parse(text).ok()?.datestamp))
    };
    if date(&own) > date(&machines) {
        own
    } else {
        machines
    }
}

/// The path of a second stage in load options: a text that ends in `.efi`.
fn named_in(options: &[u8]) -> Option<String> {
    let (pairs, _) = options.as_chunks::<2>();
    let units: Vec<u16> = pairs
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .take_while(|unit| *unit != 0)
        .collect();
    let text = String::from_utf16(&units).ok()?;
    let last = text.split_whitespace().last()?.to_owned();
    last.to_ascii_lowercase().ends_with(".efi").then_some(last)
}
