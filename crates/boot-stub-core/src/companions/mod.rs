//! What lies beside an image and takes part in the boot: addons, credentials, extensions of the system. From it follow a
//! longer command line, archives for the initial file system, and what PCR 12 and 13 get, in systemd 257's order.
//!
//! The stub carries the [`Effects`] out, the host prints them: the same function, so the same registers.

mod addon;
mod folder;
#[cfg(test)]
mod tests;

pub use addon::{Addon, AddonError};
pub use folder::{ADDONS, CREDENTIALS, Kind, own_folder};

use crate::archive::{Modes, TooLarge, archive};
use crate::command_line;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Register of the command line, credentials, configuration and addons.
pub const PARAMETERS: u8 = 12;
/// Register of extensions of the system.
pub const EXTENSIONS: u8 = 13;

/// Tags of events (the systemd project's list of `EV_EVENT_TAG` identifiers).
const TAG_PROFILE: u32 = 0x13ae_d6db;
const TAG_DEVICE_TREE: u32 = 0x6c46_f751;
const TAG_INITRD: u32 = 0x49df_fe0f;
const TAG_MICROCODE: u32 = 0xdac0_8e1a;

/// A file: its name without folder, and its content.
pub type File = (String, Vec<u8>);

/// The files beside an image, each list in the order of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Companions {
    /// Those for all images first, then the image's own.
    pub addons: Vec<Addon>,
    /// The image's own credentials.
    pub credentials: Vec<File>,
    /// Credentials for all images.
    pub global_credentials: Vec<File>,
    /// Extensions of the system.
    pub sysexts: Vec<File>,
    /// Extensions of the configuration.
    pub confexts: Vec<File>,
}

/// How an event is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// `EV_IPL`, the description as UTF-16.
    Ipl,
    /// `EV_EVENT_TAG` with this tag, then the description as UTF-16.
    Tagged(u32),
}

/// What becomes of an effect's data once it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing more.
    None,
    /// It goes to the kernel before all other initrds.
    First,
    /// It goes to the kernel behind the image's initrd.
    Middle,
    /// It goes to the kernel behind all other initrds.
    Last,
    /// It changes the device tree.
    DeviceTree,
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The register.
    pub register: u8,
    /// The kind of event.
    pub event: Event,
    /// The event's description.
    pub description: String,
    /// What is hashed, and then used.
    pub data: Vec<u8>,
    /// For what.
    pub place: Place,
}

/// All that follows from the companions and the loader's options, in order of measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    /// The whole command line.
    pub command_line: Vec<u16>,
    /// What is measured.
    pub list: Vec<Effect>,
}

/// What decides about the command line besides addons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings<'a> {
    /// The profile, when one was chosen.
    pub profile: Option<u32>,
    /// The loader's command line, empty when there is none.
    pub given: &'a [u16],
    /// The image's `.cmdline`.
    pub embedded: Option<&'a [u8]>,
    /// Whether Secure Boot is on.
    pub secure_boot: bool,
}

impl Settings<'_> {
    /// True when the loader gave a command line that must not replace the signed one.
    fn refuses_given(&self) -> bool {
        !self.given.is_empty() && self.embedded.is_some() && self.secure_boot
    }

    /// True when a person should hear of that: the line is another than the image's own. systemd-boot before 254 hands every
    /// image its own line.
    pub fn refuses_another(&self) -> bool {
        let own = self.embedded.map(command_line::from_section);
        self.refuses_given() && own.as_deref() != Some(self.given)
    }
}

/// What follows from `settings` and `companions`.
pub fn effects(settings: &Settings<'_>, companions: &Companions) -> Result<Effects, TooLarge> {
    let mut list = Vec::new();
    let command_line = settle(settings, &companions.addons, &mut list);
    let tag = Event::Tagged(TAG_DEVICE_TREE);
    let trees = parts(companions, |addon| addon.device_tree.as_deref());
    list.extend(trees.map(|(name, data)| addition(tag, name, data, Place::DeviceTree)));
    archives(companions, &mut list)?;
    let tag = Event::Tagged(TAG_MICROCODE);
    // The kernel takes the first microcode that fits, so what overrides comes first.
    let microcode = parts(companions, |addon| addon.microcode.as_deref()).rev();
    list.extend(microcode.map(|(name, data)| addition(tag, name, data, Place::First)));
    let tag = Event::Tagged(TAG_INITRD);
    let initrds = parts(companions, |addon| addon.initrd.as_deref());
    list.extend(initrds.map(|(name, data)| addition(tag, name, data, Place::Last)));
    Ok(Effects { command_line, list })
}

/// Something measured as a parameter.
fn addition(event: Event, description: &str, data: &[u8], place: Place) -> Effect {
    Effect {
        register: PARAMETERS,
        event,
        description: String::from(description),
        data: data.to_vec(),
        place,
    }
}

/// The command line: the loader's or the image's, then those of addons. The chosen profile is measured first.
fn settle(settings: &Settings<'_>, addons: &[Addon], list: &mut Vec<Effect>) -> Vec<u16> {
    if let Some(profile) = settings.profile.filter(|profile| *profile != 0) {
        let text = profile.to_string();
        let tag = Event::Tagged(TAG_PROFILE);
        list.push(addition(tag, &text, &utf16(&text), Place::None));
    }
    let measured = |line: &[u16]| {
        let text = String::from_utf16_lossy(line);
        addition(Event::Ipl, &text, &command_line::bytes(line), Place::None)
    };
    let mut line = if settings.given.is_empty() || settings.refuses_given() {
        let embedded = settings.embedded.map(command_line::from_section);
        embedded.unwrap_or_default()
    } else {
        list.push(measured(settings.given));
        settings.given.to_vec()
    };
    let mut more = Vec::new();
    for addon in addons {
        command_line::append(&mut more, &addon.command_line);
    }
    if !more.is_empty() {
        list.push(measured(&more));
        command_line::append(&mut line, &more);
    }
    line
}

/// Files as archives, those of each kind together.
fn archives(companions: &Companions, list: &mut Vec<Effect>) -> Result<(), TooLarge> {
    for (files, folder, modes, register, description) in [
        (
            &companions.credentials,
            ".extra/credentials",
            Modes::SECRET,
            PARAMETERS,
            "Credentials initrd",
        ),
        (
            &companions.global_credentials,
            ".extra/global_credentials",
            Modes::SECRET,
            PARAMETERS,
            "Global credentials initrd",
        ),
        (
            &companions.sysexts,
            ".extra/sysext",
            Modes::PUBLIC,
            EXTENSIONS,
            "System extension initrd",
        ),
        (
            &companions.confexts,
            ".extra/confext",
            Modes::PUBLIC,
            PARAMETERS,
            "Configuration extension initrd",
        ),
    ] {
        if !files.is_empty() {
            let files = files.iter().map(|(name, data)| (&**name, &**data));
            list.push(Effect {
                register,
                event: Event::Ipl,
                description: String::from(description),
                data: archive(folder, modes, files)?,
                place: Place::Middle,
            });
        }
    }
    Ok(())
}

/// One part of each addon that has it, with the addon's name.
fn parts<'a>(
    companions: &'a Companions,
    part: impl Fn(&'a Addon) -> Option<&'a [u8]> + 'a,
) -> impl DoubleEndedIterator<Item = (&'a str, &'a [u8])> {
    let addons = companions.addons.iter();
    addons.filter_map(move |addon| Some((&*addon.name, part(addon)?)))
}

/// Text as firmware has it, with a NUL at the end.
pub fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

/// What the log holds about an effect.
pub fn event_data(effect: &Effect) -> Vec<u8> {
    let description = utf16(&effect.description);
    match effect.event {
        Event::Ipl => description,
        Event::Tagged(tag) => {
            let mut data = tag.to_le_bytes().to_vec();
            data.extend_from_slice(&(description.len() as u32).to_le_bytes());
            data.extend_from_slice(&description);
            data
        }
    }
}

/// Archives of sections that the system asks for under `/.extra`, by section name; not measured, for the sections are, or
/// must not be (`.pcrsig`).
pub fn handed_over<'a>(
    section: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<Vec<u8>>, TooLarge> {
    let mut archives = Vec::new();
    for (name, file) in [
        (".pcrsig", "tpm2-pcr-signature.json"),
        (".pcrpkey", "tpm2-pcr-public-key.pem"),
        (".osrel", "os-release"),
        (".profile", "profile"),
    ] {
        if let Some(data) = section(name) {
            archives.push(archive(
                ".extra",
                Modes::PUBLIC,
                [(file, data)].into_iter(),
            )?);
        }
    }
    Ok(archives)
}
