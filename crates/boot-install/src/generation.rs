//! Generations of profiles: which there are, and what their documents say.

use crate::{Error, Result, Sources};
use boot_pe::kernel_release;
use boot_spec::{Any, BootV1, BootV2, Document, Strictness, Toplevel, read, upgrade};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// How deep a folder of specialisations is followed when a document is made up.
const MAX_DEPTH: usize = 4;
/// How much of a kernel is read to learn its release.
const KERNEL_HEADER: usize = 256 * 1024;

/// What a generation or one of its specialisations boots.
#[derive(Debug, Clone)]
pub struct System {
    /// Names from the generation down; empty for the generation itself.
    pub specialisation: Vec<String>,
    /// The document, in version 2.
    pub document: Document<BootV2>,
    /// Version 1's program that appends secrets to an initrd.
    pub secrets_program: Option<String>,
}

/// A generation that can be installed.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The profile's name, when it is not the system's own.
    pub profile: Option<String>,
    /// Its number.
    pub number: u64,
    /// Its top-level folder.
    pub toplevel: PathBuf,
    /// The generation itself, then its specialisations.
    pub systems: Vec<System>,
}

/// The generations of all profiles.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    /// Those that can be installed, newest first.
    pub generations: Vec<Generation>,
    /// Those that exist and can't be read.
    pub unread: BTreeSet<(Option<String>, u64)>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// The top-level folder that the first profile points to.
    pub current: Option<PathBuf>,
}

/// Reads profiles such as `/nix/var/nix/profiles/system`. The first one is the system's own. At most `limit` generations of
/// each are taken, and always the one at `default`.
pub fn profiles(
    sources: &Sources,
    paths: &[PathBuf],
    limit: Option<usize>,
    default: Option<&Path>,
) -> Result<Profiles> {
    let mut found = Profiles::default();
    for (index, path) in paths.iter().enumerate() {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new("/"));
        let profile = (index > 0).then(|| name.to_owned());
        let mut numbers: Vec<u64> = sources
            .list(folder)?
            .unwrap_or_default()
            .iter()
            .filter_map(|entry| {
                let number = entry.strip_prefix(name)?.strip_prefix('-')?;
                number.strip_suffix("-link")?.parse().ok()
            })
            .collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let current = sources.resolve(path)?;
        if index == 0 {
            found.current = Some(current.clone());
        }
        let default = match default {
            Some(path) => sources.resolve(path)?,
            None => current,
        };
        let mut taken = 0;
        for number in numbers {
            let link = folder.join(format!("{name}-{number}-link"));
            let toplevel = sources.resolve(&link)?;
            if limit.is_some_and(|limit| taken >= limit) && toplevel != default {
                continue;
            }
            taken += 1;
            match systems(sources, &toplevel) {
                Ok((systems, notes)) => {
                    found.notes.extend(
                        notes
                            .into_iter()
                            .map(|note| format!("generation {number}: {note}")),
                    );
                    found.generations.push(Generation {
                        profile: profile.clone(),
                        number,
                        toplevel,
                        systems,
                    });
                }
                Err(error) => {
                    found
                        .notes
                        .push(format!("generation {number} is left as it is: {error}"));
                    found.unread.insert((profile.clone(), number));
                }
            }
        }
    }
    if found.generations.is_empty() {
        return Err(Error::NoGeneration {
            path: paths.first().cloned().unwrap_or_default(),
        });
    }
    Ok(found)
}

/// The systems of one top-level folder.
fn systems(sources: &Sources, toplevel: &Path) -> Result<(Vec<System>, Vec<String>)> {
    let path = toplevel.join("boot.json");
    let (document, warnings) = match sources.read_if_there(&path)? {
        Some(bytes) => {
            let read = read(&bytes, Strictness::Lenient).map_err(|error| Error::Document {
                path: path.clone(),
                error,
            })?;
            (read.document, read.warnings)
        }
        None => (Any::V1(synthesise(sources, toplevel)?), Vec::new()),
    };
    let notes = warnings.iter().map(ToString::to_string).collect();
    let mut systems = Vec::new();
    match document {
        Any::V1(document) => {
            let mut programs = BTreeMap::new();
            collect_programs(&document, &mut Vec::new(), &mut programs);
            flatten(
                upgrade(&document).0,
                &mut Vec::new(),
                &programs,
                &mut systems,
            );
        }
        Any::V2(document) => flatten(document, &mut Vec::new(), &BTreeMap::new(), &mut systems),
    }
    Ok((systems, notes))
}

/// The document of a top-level folder that was built without one.
pub fn synthesise(sources: &Sources, toplevel: &Path) -> Result<Document<BootV1>> {
    let toplevel = sources.resolve(toplevel)?;
    if sources.list(&toplevel)?.is_none() {
        return Err(Error::Read {
            path: toplevel,
            error: io::ErrorKind::NotFound.into(),
        });
    }
    let facts = facts(sources, &toplevel, 0)?;
    boot_spec::synthesise(&facts).map_err(|error| Error::Document {
        path: toplevel,
        error,
    })
}

fn collect_programs(
    document: &Document<BootV1>,
    path: &mut Vec<String>,
    programs: &mut BTreeMap<Vec<String>, String>,
) {
    if let Some(program) = &document.boot.initrd_secrets {
        programs.insert(path.clone(), program.clone());
    }
    for (name, child) in &document.specialisations {
        path.push(name.clone());
        collect_programs(child, path, programs);
        path.pop();
    }
}

fn flatten(
    mut document: Document<BootV2>,
    path: &mut Vec<String>,
    programs: &BTreeMap<Vec<String>, String>,
    systems: &mut Vec<System>,
) {
    let children = std::mem::take(&mut document.specialisations);
    systems.push(System {
        specialisation: path.clone(),
        document,
        secrets_program: programs.get(path).cloned(),
    });
    for (name, child) in children {
        path.push(name);
        flatten(child, path, programs, systems);
        path.pop();
    }
}

/// What a top-level folder without a document tells.
fn facts(sources: &Sources, toplevel: &Path, depth: usize) -> Result<Toplevel> {
    let text = |name: &str| -> Result<Option<String>> {
        let bytes = sources.read_if_there(&toplevel.join(name))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let target = |name: &str| -> Result<Option<String>> {
        let names = sources.list(toplevel)?.unwrap_or_default();
        if !names.iter().any(|found| found == name) {
            return Ok(None);
        }
        let path = sources.resolve(&toplevel.join(name))?;
        Ok(Some(path.display().to_string()))
    };
    let kernel = target("kernel")?;
    let release = match &kernel {
        Some(path) => {
            let bytes = sources.read(Path::new(path))?;
            let head = &bytes[..bytes.len().min(KERNEL_HEADER)];
            kernel_release(head).map(str::to_owned)
        }
        None => None,
    };
    let mut children = BTreeMap::new();
    for folder in ["specialisation", "fine-tune"] {
        let names = sources.list(&toplevel.join(folder))?.unwrap_or_default();
        if depth < MAX_DEPTH {
            for name in names {
                let child = sources.resolve(&toplevel.join(folder).join(&name))?;
                children.insert(name, facts(sources, &child, depth + 1)?);
            }
        }
    }
    Ok(Toplevel {
        path: toplevel.display().to_string(),
        system: text("system")?,
        version: text("nixos-version")?,
        kernel,
        kernel_params: text("kernel-params")?.unwrap_or_default(),
        initrd: target("initrd")?,
        appends_secrets: target("append-initrd-secrets")?.is_some(),
        kernel_release: release,
        specialisations: children,
    })
}
