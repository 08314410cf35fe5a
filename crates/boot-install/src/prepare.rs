//! From a request to one plan a volume.

use crate::loader::{LoaderChoice, LoaderPaths, is_whole, loader_choice};
use crate::{
    EntryPlan, Error, Foreseen, Generation, InitrdSecrets, Maker, PolicySigning, Profiles, Result,
    Signing, Sources, System, foresee, judge,
};
use boot_esp::{
    Content, Counter, ENTRIES, EntryName, EspPath, FoundEntry, Judgement, LoaderConfig, MenuEntry,
    NewFile, Outlook, Plan, Protected, Stem, Survey, Volume, Wanted, WantedEntry, choose, plan,
    survey,
};
use boot_measure::Bank;
use boot_pe::Image;
use serde::Serialize;
use std::path::Path;

/// Pattern of every entry of ours: the loader takes the newest that is not bad.
const NEWEST: &str = "rootstock-*";

/// An EFI system partition, and the extended boot partition of the same disk when entries are to lie there.
pub struct Target<'a> {
    /// Holds the boot loader, and entries when there is no other.
    pub esp: &'a dyn Volume,
    /// Holds the entries.
    pub xbootldr: Option<&'a dyn Volume>,
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let split = self.xbootldr.is_some();
        f.debug_struct("Target").field("split", &split).finish()
    }
}

/// What is asked for beside the generations.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Tries of a new entry; `None` without boot counting.
    pub tries: Option<u32>,
    /// Seconds that the menu is shown.
    pub timeout: Option<u32>,
    /// Whether the command line may be edited in the menu.
    pub editor: bool,
    /// The loader's `console-mode`.
    pub console_mode: Option<String>,
    /// The entry that the machine runs (`LoaderEntrySelected`).
    pub booted: Option<String>,
    /// Checks the digest of every file that is there.
    pub verify: bool,
    /// Replaces a loader although no second copy of it is in use.
    pub update_single_loader: bool,
    /// What becomes of secrets that a program appends to initrds.
    pub initrd_secrets: InitrdSecrets,
    /// Security epoch of generations whose documents state none.
    pub epoch: u32,
}

/// Everything that an installation is made from.
#[derive(Debug)]
pub struct Request<'a> {
    /// Files of the system.
    pub sources: &'a Sources,
    /// Generations.
    pub profiles: &'a Profiles,
    /// Top-level folder of the generation that starts by default; the profile's own when `None`.
    pub default: Option<&'a Path>,
    /// The stub that entries are made on.
    pub stub: &'a [u8],
    /// The boot loader, not signed; `None` leaves loader and configuration alone.
    pub loader: Option<&'a [u8]>,
    /// Who signs; `None` for a machine without Secure Boot.
    pub signing: Option<Signing<'a>>,
    /// Who signs PCR policies; `None` leaves them out.
    pub policy: Option<PolicySigning<'a>>,
    /// Where to install; the first one's boot counters count.
    pub targets: &'a [Target<'a>],
    /// The rest.
    pub settings: &'a Settings,
}

/// One volume's plan.
#[derive(Debug, Serialize)]
pub struct Prepared {
    /// Index of the target.
    pub target: usize,
    /// Whether it is the extended boot partition.
    pub xbootldr: bool,
    /// What will be done.
    pub plan: Plan,
}

/// All plans.
#[derive(Debug, Serialize)]
pub struct Installation {
    /// In the order in which they are to be carried out.
    pub volumes: Vec<Prepared>,
    /// Name of the entry that starts by default.
    pub default: String,
    /// How many entries there will be of the wanted generations.
    pub entries: usize,
    /// How many of them were made in this run.
    pub made: usize,
    /// What a person should know.
    pub notes: Vec<String>,
    #[serde(skip)]
    wanted: Wanted,
}

/// What an entry's registers will be.
#[derive(Debug, Serialize)]
pub struct EntryRegisters {
    /// The entry's file name.
    pub entry: String,
    /// The registers.
    #[serde(flatten)]
    pub foreseen: Foreseen,
}

impl Installation {
    /// What PCR 11, 12 and 13 will be when each wanted entry's kernel starts, once all is carried out. Other banks than
    /// SHA-256 need every kernel and initrd, and read them.
    pub fn registers(&self, targets: &[Target<'_>], banks: &[Bank]) -> Result<Vec<EntryRegisters>> {
        let holds_entries = |prepared: &&Prepared| {
            prepared.target == 0 && prepared.xbootldr == targets[0].xbootldr.is_some()
        };
        // All targets get the same.
        let Some(prepared) = self.volumes.iter().find(holds_entries) else {
            return Ok(Vec::new());
        };
        let target = &targets[prepared.target];
        let outlook = Outlook::after(target.xbootldr.unwrap_or(target.esp), &prepared.plan);
        // The boot loader lies on the system partition, which has the last plan of its target.
        let own = self.volumes.iter().rfind(|volume| volume.target == 0);
        let esp = Outlook::after(target.esp, &own.unwrap_or(prepared).plan);
        let entries = self.wanted.entries.iter().map(|entry| {
            let name = entry.name.to_string();
            let path = EspPath::new(&format!("{ENTRIES}/{name}"))?;
            let bytes = match &entry.content {
                Some(content) => content.to_vec()?,
                None => outlook.read(&path)?,
            };
            Ok(EntryRegisters {
                entry: name,
                foreseen: foresee(&outlook, &esp, &path, &bytes, banks)?,
            })
        });
        entries.collect()
    }
}

/// Reads the volumes and plans; writes nothing.
pub fn prepare(request: &Request<'_>) -> Result<Installation> {
    let mut notes = request.profiles.notes.clone();
    let default = default_generation(request, &mut notes)?;
    let mut surveys = Vec::new();
    for target in request.targets {
        let volume = target.xbootldr.unwrap_or(target.esp);
        let mut found = survey(volume, &judge)?;
        if request.settings.verify {
            for path in found.verify(volume) {
                notes.push(format!(
                    "{path}: not what its name says; it is written again"
                ));
            }
        }
        surveys.push(found);
    }
    let Collected {
        entries,
        made,
        default: default_stem,
    } = collect(request, default, &surveys, &mut notes)?;
    let esp_surveys = request
        .targets
        .iter()
        .map(|target| {
            target
                .xbootldr
                .map(|_| survey(target.esp, &judge))
                .transpose()
        })
        .collect::<boot_esp::Result<Vec<_>>>()?;
    let holding = surveys.iter().zip(&esp_surveys);
    let protects: Vec<Protected> = holding
        .map(|(here, esp)| protected(request, here, esp.as_ref()))
        .collect();
    let kept = surveys.iter().zip(&protects).flat_map(|(here, protects)| {
        let stems = here.entries.iter().map(|entry| &entry.stem);
        stems.filter(|stem| protects.has(stem))
    });
    let pattern = pattern(&default_stem, &entries, kept);
    let mut volumes = Vec::new();
    let mut signed = None;
    let count = entries.len();
    let wanted = Wanted {
        entries,
        ..Wanted::default()
    };
    for (index, target) in request.targets.iter().enumerate() {
        let (found, protects) = (&surveys[index], &protects[index]);
        let mut boot = wanted.clone();
        let mut esp = Wanted::default();
        let loader = loaders(request, target, &mut signed, &mut notes)?;
        let conf = request
            .loader
            .map(|_| conf(request, &pattern))
            .transpose()?;
        let holder = match target.xbootldr {
            Some(_) => &mut esp,
            None => &mut boot,
        };
        (holder.loaders, holder.conf) = (loader, conf);
        volumes.push(Prepared {
            target: index,
            xbootldr: target.xbootldr.is_some(),
            plan: plan(found, &boot, protects)?,
        });
        if let Some(found) = &esp_surveys[index] {
            let protects = protected(request, found, Some(found));
            volumes.push(Prepared {
                target: index,
                xbootldr: false,
                plan: plan(found, &esp, &protects)?,
            });
        }
    }
    Ok(Installation {
        volumes,
        default: default_stem.to_string(),
        entries: count,
        made,
        notes,
        wanted,
    })
}

struct Collected {
    entries: Vec<WantedEntry>,
    made: usize,
    default: Stem,
}

/// The entries of all generations, made where they are not there.
fn collect(
    request: &Request<'_>,
    default: &Generation,
    surveys: &[Survey],
    notes: &mut Vec<String>,
) -> Result<Collected> {
    let maker = Maker::new(
        request.sources,
        request.stub,
        request.signing,
        request.policy,
    )?
    .with_epoch(request.settings.epoch);
    let mut entries = Vec::new();
    let mut made = 0;
    let mut default_stem = None;
    let mut unsigned = None;
    for generation in &request.profiles.generations {
        for system in &generation.systems {
            let is_default = std::ptr::eq(generation, default) && system.specialisation.is_empty();
            let secrets = secrets(request, generation, system, is_default, notes)?;
            let plan = maker.plan(generation, system, secrets)?;
            if is_default {
                default_stem = Some(plan.stem.clone());
            }
            match wanted_entry(&maker, plan, surveys, request.settings, notes) {
                Ok((entry, new)) => {
                    made += usize::from(new);
                    entries.push(entry);
                }
                // A key that is elsewhere: go on, so that all its requests are written in one run.
                Err(Error::Signature(error)) => {
                    unsigned.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
    }
    if let Some(error) = unsigned {
        return Err(error.into());
    }
    let default = default_stem.ok_or_else(|| Error::NoGeneration {
        path: default.toplevel.clone(),
    })?;
    Ok(Collected {
        entries,
        made,
        default,
    })
}

/// What a program appends to the initrd of a system, when there is one and it is to be run. A default generation without its
/// secrets is an error unless that was asked for.
fn secrets(
    request: &Request<'_>,
    generation: &Generation,
    system: &System,
    is_default: bool,
    notes: &mut Vec<String>,
) -> Result<Option<Content>> {
    let Some(program) = &system.secrets_program else {
        return Ok(None);
    };
    let number = generation.number;
    let why = match request.settings.initrd_secrets {
        InitrdSecrets::Run => match crate::secrets::run(request.sources, program) {
            Ok(secrets) => {
                if secrets.is_some() {
                    notes.push(format!(
                        "generation {number}: the secrets of its initrd lie on the partition in plain"
                    ));
                }
                return Ok(secrets);
            }
            // The files that an old generation's secrets come from may be gone.
            Err(error) if !is_default => error.to_string(),
            Err(error) => return Err(error),
        },
        InitrdSecrets::Refuse if is_default => {
            return Err(Error::Generation {
                generation: number,
                why: format!(
                    "its initrd gets secrets from {program}, which would put them on the partition in plain; \
                     name them as encrypted credentials (docs/boot/migrate.md), or pass --without-initrd-secrets \
                     or --run-initrd-secrets"
                ),
            });
        }
        InitrdSecrets::Refuse | InitrdSecrets::Leave => format!("{program} is not run"),
    };
    notes.push(format!(
        "generation {number}: the secrets of its initrd are not installed: {why}"
    ));
    Ok(None)
}

fn default_generation<'a>(
    request: &Request<'a>,
    notes: &mut Vec<String>,
) -> Result<&'a Generation> {
    let generations = &request.profiles.generations;
    let wanted = match request.default {
        Some(path) => Some(request.sources.resolve(path)?),
        None => request.profiles.current.clone(),
    };
    let own = || generations.iter().filter(|g| g.profile.is_none());
    let found = own().find(|generation| Some(&generation.toplevel) == wanted.as_ref());
    if found.is_none()
        && let Some(path) = &wanted
    {
        notes.push(format!(
            "{}: no generation of the profile; the newest starts by default",
            path.display()
        ));
    }
    found
        .or_else(|| own().max_by_key(|generation| generation.number))
        .ok_or_else(|| Error::NoGeneration {
            path: wanted.unwrap_or_default(),
        })
}

/// The entry as it is to be on every volume, and whether it had to be made.
fn wanted_entry(
    maker: &Maker<'_>,
    plan: EntryPlan,
    surveys: &[Survey],
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<(WantedEntry, bool)> {
    let whole = |entry: &&FoundEntry| {
        entry.stem == plan.stem && matches!(entry.judgement, Judgement::Valid(_))
    };
    // Counters go down on the volume that was booted from; the first volume's count, and a good entry is good everywhere.
    let known = surveys
        .iter()
        .flat_map(|survey| survey.entries.iter().filter(whole))
        .min_by_key(|entry| entry.name.counter.is_some());
    let fresh = EntryName::image(&plan.stem.to_string(), settings.tries.map(Counter::fresh));
    let name = known.map_or(fresh, |entry| entry.name.clone());
    let intact_everywhere = surveys.iter().all(|survey| {
        let here = |entry: &FoundEntry| {
            entry.stem == plan.stem && entry.name == name && survey.is_intact(entry)
        };
        survey.entries.iter().any(here)
    });
    let content = match known {
        Some(entry) => Some(Content::bytes(entry.bytes.clone())),
        None => Some(maker.make(&plan, notes)?),
    };
    let needs = if intact_everywhere {
        Vec::new()
    } else {
        maker.needs(&plan)?
    };
    let entry = WantedEntry {
        stem: plan.stem,
        name,
        content,
        needs,
        companions: plan.companions,
    };
    Ok((entry, known.is_none()))
}

/// The pattern that makes `default` start: every entry of ours when it is the newest, so that the loader goes on to an older
/// one when it fails, else its own name as long as it is not bad. Another of the same generation that is kept, made with another
/// key or stub, counts as newer: the loader tells the two apart by their hashes.
fn pattern<'a>(
    default: &Stem,
    entries: &'a [WantedEntry],
    kept: impl Iterator<Item = &'a Stem>,
) -> String {
    let wanted = entries.iter().map(|entry| &entry.stem);
    let newer = wanted.chain(kept).any(|stem| {
        let of_the_system = stem.profile().is_none() && !stem.is_specialised();
        of_the_system && stem != default && stem.generation() >= default.generation()
    });
    if newer {
        format!("{default}[.+][e1-9]*")
    } else {
        NEWEST.to_owned()
    }
}

fn conf(request: &Request<'_>, pattern: &str) -> Result<Content> {
    let settings = request.settings;
    let config = LoaderConfig {
        default: pattern.to_owned(),
        timeout: settings.timeout,
        editor: settings.editor,
        console_mode: settings.console_mode.clone(),
    };
    let bytes = config.render().ok_or(Error::Configuration)?;
    Ok(Content::bytes(bytes))
}

fn protected(request: &Request<'_>, here: &Survey, esp: Option<&Survey>) -> Protected {
    let booted = request
        .settings
        .booted
        .as_deref()
        .and_then(EntryName::parse)
        .and_then(|name| Stem::parse(&name.stem));
    let conf = esp.unwrap_or(here).loader_conf.as_deref();
    let pattern = conf.and_then(LoaderConfig::default_of);
    let default = would_start(here, pattern.as_deref());
    Protected {
        booted,
        default: default.and_then(|name| Stem::parse(&name.stem)),
        last_good: here.last_good().map(|entry| entry.stem.clone()),
        unread: request.profiles.unread.clone(),
    }
}

/// The intact entry of ours that the loader would start with this pattern in its configuration.
pub fn would_start(here: &Survey, pattern: Option<&str>) -> Option<EntryName> {
    let menu: Vec<MenuEntry> = here
        .entries
        .iter()
        .filter(|entry| here.is_intact(entry))
        .map(menu_entry)
        .collect();
    choose(&menu, pattern).map(|entry| entry.name.clone())
}

/// What the loader sees of an entry.
fn menu_entry(entry: &FoundEntry) -> MenuEntry {
    let text = Image::parse(&entry.bytes)
        .ok()
        .and_then(|image| {
            let section = image.section(".osrel")?;
            Some(String::from_utf8_lossy(section.data()).into_owned())
        })
        .unwrap_or_default();
    let field = |key: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.trim_matches('"').to_owned())
    };
    MenuEntry {
        name: entry.name.clone(),
        sort_key: field("ID"),
        version: field("VERSION_ID"),
    }
}

/// The copies of the loader that are to be written, the ones that nothing depends on first.
fn loaders(
    request: &Request<'_>,
    target: &Target<'_>,
    signed: &mut Option<Content>,
    notes: &mut Vec<String>,
) -> Result<Vec<NewFile>> {
    let Some(loader) = request.loader else {
        return Ok(Vec::new());
    };
    let unusable = |why: String| Error::Program {
        what: "boot loader",
        why,
    };
    let image = Image::parse(loader).map_err(|error| unusable(error.to_string()))?;
    if boot_pe::StubIdentity::of(&image).is_none() {
        return Err(unusable(
            "it does not say (`.sdmagic`) which one it is".to_owned(),
        ));
    }
    let paths = LoaderPaths::of(image.machine)?;
    let fingerprint = request
        .signing
        .map(|signing| hex::encode(signing.certificate().fingerprint()));
    let mut copies = Vec::new();
    for path in [paths.own, paths.fallback] {
        let present = read(target.esp, &path);
        let choice = loader_choice(present.as_deref(), loader, fingerprint.as_deref())?;
        let usable = choice != LoaderChoice::Foreign && present.as_deref().is_some_and(is_whole);
        if let (LoaderChoice::Keep, Some(bytes)) = (choice, present) {
            // Every partition gets the same bytes, also when the key's signatures differ from one time to the next.
            signed.get_or_insert(Content::bytes(bytes));
        }
        copies.push((path, choice, usable));
    }
    let mut write = Vec::new();
    // A copy that does not work is written before one that does.
    copies.sort_by_key(|(_, _, usable)| *usable);
    let foreign = copies.iter().any(|(_, c, _)| *c == LoaderChoice::Foreign);
    for (path, choice, usable) in copies {
        match choice {
            LoaderChoice::Keep => continue,
            LoaderChoice::KeepNewer => {
                notes.push(format!("{path}: a newer boot loader is there and stays"));
                continue;
            }
            LoaderChoice::Foreign => {
                notes.push(format!("{path}: another program is there and stays"));
                continue;
            }
            LoaderChoice::Update if usable && foreign && !request.settings.update_single_loader => {
                notes.push(format!(
                    "{path}: not updated, because it is the only copy and would be missing for a moment; \
                     --update-single-loader updates it all the same"
                ));
                continue;
            }
            LoaderChoice::Install | LoaderChoice::Update => {}
        }
        let content = match &*signed {
            Some(content) => Content::clone(content),
            None => {
                let mut bytes = loader.to_vec();
                if let Some(signing) = request.signing {
                    signing.sign(&mut bytes, "boot loader")?;
                }
                signed.insert(Content::bytes(bytes)).clone()
            }
        };
        write.push(NewFile { path, content });
    }
    Ok(write)
}

/// The whole file; `None` when it is not there.
fn read(volume: &dyn Volume, path: &EspPath) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match volume.read(path, &mut |piece| bytes.extend_from_slice(piece)) {
        Ok(()) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        // A chain of clusters that was cut: to be written again.
        Err(_) => Some(Vec::new()),
    }
}
