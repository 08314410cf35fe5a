//! A system to install: a store with generations, a stub that knows references, a boot loader, and a key. All of it is made
//! here; nothing is read from outside.

#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a failed test"
)]

use boot_esp::{Folder, execute};
use boot_install::{
    EpochCounter, Installation, PolicySigning, Request, Settings, Signing, Sources, Target,
    profiles,
};
use boot_measure::{Bank, DEFAULT_PHASES};
use boot_pe::{Image, Machine, NewSection, addon_base, rebuild};
use boot_sign::{FileKey, NewKey, PinSource, Pins, create_in_file};
use boot_signature::{Certificate, CertificateRequest, Profile, Signer, issue};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The profile that generations are made in.
pub(crate) const PROFILE: &str = "/nix/var/nix/profiles/system";

/// A key with its certificate; P-256, because it signs fastest.
pub(crate) struct Key {
    pub(crate) signer: FileKey,
    pub(crate) certificate: Certificate,
}

/// The one key of a test run.
pub(crate) fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| {
        let pem = create_in_file(NewKey::P256).unwrap();
        let mut pins = Pins::new(PinSource::Prompt);
        let signer = FileKey::parse(pem.as_bytes(), Path::new("test"), &mut pins).unwrap();
        let request = CertificateRequest {
            common_name: "entries",
            profile: Profile::Code,
            from: Timestamp::UNIX_EPOCH,
            until: "2040-01-01T00:00:00Z".parse().unwrap(),
            public_key: &signer.public_key().to_der().unwrap(),
        };
        let certificate = issue(&request, &signer, None).unwrap();
        Key {
            signer,
            certificate,
        }
    })
}

/// The one key of a test run for PCR policies, which are RSA's.
pub(crate) fn policy_key() -> &'static FileKey {
    static KEY: OnceLock<FileKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let pem = create_in_file(NewKey::Rsa2048).unwrap();
        let mut pins = Pins::new(PinSource::Prompt);
        FileKey::parse(pem.as_bytes(), Path::new("test"), &mut pins).unwrap()
    })
}

/// The form of what systemd-creds writes: key of 32 bytes, blocks of 1, vector of 12, tag of 16.
pub(crate) fn encrypted(secret: &[u8]) -> Vec<u8> {
    let mut file = vec![0x5a; 16];
    for word in [32_u32, 1, 12, 16] {
        file.extend(word.to_le_bytes());
    }
    file.extend([7; 60]);
    file.extend(secret);
    file
}

/// An image that does nothing, with these sections.
pub(crate) fn program(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let base = addon_base(Machine::X64).unwrap();
    let image = Image::parse(&base).unwrap();
    let mut list: Vec<NewSection<'_>> = image.sections.iter().map(NewSection::keep).collect();
    for (name, data) in sections {
        list.push(NewSection::data(name, Cow::Borrowed(data)).unwrap());
    }
    rebuild(&image, &list).unwrap()
}

/// A stub that says that it knows references, of about `size` bytes.
pub(crate) fn stub(size: usize) -> Vec<u8> {
    let note = boot_stub_core::StubNote::OUR_TEXT.as_bytes();
    program(&[(".rsstub", note), (".data", &vec![0x5a; size.max(1)])])
}

/// A boot loader of a version.
pub(crate) fn loader(version: &str) -> Vec<u8> {
    let magic = format!("#### LoaderInfo: systemd-boot {version} ####");
    program(&[(".sdmagic", magic.as_bytes())])
}

/// Bytes that look like no others: a kernel or initrd.
pub(crate) fn payload(name: &str, size: usize) -> Vec<u8> {
    let mut state = name.bytes().fold(0x9e37_79b9_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let next = std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    next.take(size).collect()
}

/// A machine: its store below a temporary root.
pub(crate) struct Machinery {
    pub(crate) root: TempDir,
    pub(crate) stub: Vec<u8>,
    pub(crate) loader: Option<Vec<u8>>,
    pub(crate) settings: Settings,
    /// Whether entries are signed.
    pub(crate) signed: bool,
    /// Profiles besides the system's own, in the same folder.
    pub(crate) profiles: Vec<&'static str>,
    /// Who signs PCR policies, for which banks.
    pub(crate) policy: Option<(&'static dyn Signer, &'static [Bank])>,
    /// The counter that policies hold generations to.
    pub(crate) floor: Option<EpochCounter>,
}

impl Machinery {
    pub(crate) fn new() -> Machinery {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("nix/store")).unwrap();
        fs::create_dir_all(root.path().join("nix/var/nix/profiles")).unwrap();
        Machinery {
            root,
            stub: stub(4096),
            loader: Some(loader("257.9")),
            settings: Settings::default(),
            signed: true,
            profiles: Vec::new(),
            policy: None,
            floor: None,
        }
    }

    fn real(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// A store path by name; the same name is the same path.
    pub(crate) fn store_path(name: &str) -> String {
        let digest: String = payload(name, 32)
            .iter()
            .map(|byte| char::from(b"0123456789abcdfghijklmnpqrsvwxyz"[usize::from(byte % 32)]))
            .collect();
        format!("/nix/store/{digest}-{name}")
    }

    /// Puts a file into the store, once.
    pub(crate) fn store(&self, name: &str, content: &[u8]) -> String {
        let path = Machinery::store_path(name);
        if !self.real(&path).exists() {
            fs::write(self.real(&path), content).unwrap();
        }
        path
    }

    /// The document of a system with this kernel and initrd, named after them.
    pub(crate) fn document(name: &str, kernel: &str, initrd: &str) -> Value {
        let toplevel = Machinery::store_path(name);
        json!({
            "org.nixos.bootspec.v2": {
                "label": format!("NixOS {name}"),
                "system": "x86_64-linux",
                "init": format!("{toplevel}/init"),
                "toplevel": toplevel,
                "kernel": kernel,
                "kernelParams": ["quiet"],
                "initrds": [initrd],
            }
        })
    }

    /// Makes a generation with this document the current one.
    pub(crate) fn generation(&self, number: u64, document: &Value) {
        self.add(PROFILE, &format!("nixos-{number}"), number, document);
        self.switch(number);
    }

    /// Adds a generation to a profile; the name is its top-level folder's.
    fn add(&self, profile: &str, name: &str, number: u64, document: &Value) {
        let toplevel = Machinery::store_path(name);
        fs::create_dir_all(self.real(&toplevel)).unwrap();
        let text = document.to_string();
        fs::write(self.real(&toplevel).join("boot.json"), text).unwrap();
        let link = self.real(&format!("{profile}-{number}-link"));
        let _ = fs::remove_file(&link);
        symlink(&toplevel, &link).unwrap();
    }

    /// Makes a generation of another profile with the kernel and initrd of generation 1, and points that profile to it.
    pub(crate) fn of_profile(&mut self, profile: &'static str, number: u64) {
        if !self.profiles.contains(&profile) {
            self.profiles.push(profile);
        }
        let name = format!("{profile}-{number}");
        let [kernel, initrd] = ["linux-1", "initrd-1"].map(Machinery::store_path);
        let document = Machinery::document(&name, &kernel, &initrd);
        let path = format!("/nix/var/nix/profiles/system-profiles/{profile}");
        fs::create_dir_all(self.real(&path).parent().unwrap()).unwrap();
        self.add(&path, &name, number, &document);
        let _ = fs::remove_file(self.real(&path));
        symlink(format!("{profile}-{number}-link"), self.real(&path)).unwrap();
    }

    /// Removes a generation from the profile.
    pub(crate) fn forget(&self, number: u64) {
        fs::remove_file(self.real(&format!("{PROFILE}-{number}-link"))).unwrap();
    }

    /// Lets the profile point to a generation.
    pub(crate) fn switch(&self, number: u64) {
        let profile = self.real(PROFILE);
        let _ = fs::remove_file(&profile);
        symlink(format!("system-{number}-link"), profile).unwrap();
    }

    /// A generation with a kernel and an initrd of its own, the initrd twice as large.
    pub(crate) fn simple(&self, number: u64, size: usize) {
        self.sized(number, size, 2 * size);
    }

    /// A generation with a kernel and an initrd of its own.
    pub(crate) fn sized(&self, number: u64, kernel: usize, initrd: usize) {
        let name = format!("nixos-{number}");
        let kernel = payload(&format!("k{number}"), kernel);
        let kernel = self.store(&format!("linux-{number}"), &kernel);
        let initrd = payload(&format!("i{number}"), initrd);
        let initrd = self.store(&format!("initrd-{number}"), &initrd);
        self.generation(number, &Machinery::document(&name, &kernel, &initrd));
    }

    /// The store.
    pub(crate) fn sources(&self) -> Sources {
        Sources::new(self.root.path())
    }

    /// Plans an installation.
    pub(crate) fn prepare(
        &self,
        targets: &[Target<'_>],
        limit: Option<usize>,
    ) -> boot_install::Result<Installation> {
        let sources = self.sources();
        self.prepare_from(&sources, targets, limit)
    }

    /// Plans an installation from these sources.
    pub(crate) fn prepare_from(
        &self,
        sources: &Sources,
        targets: &[Target<'_>],
        limit: Option<usize>,
    ) -> boot_install::Result<Installation> {
        let others = self.profiles.iter();
        let others =
            others.map(|name| format!("/nix/var/nix/profiles/system-profiles/{name}").into());
        let all: Vec<PathBuf> = std::iter::once(PROFILE.into()).chain(others).collect();
        let found = profiles(sources, &all, limit, None).unwrap();
        let key = key();
        let certificates = [&key.certificate];
        boot_install::prepare(&Request {
            sources,
            profiles: &found,
            default: None,
            stub: &self.stub,
            loader: self.loader.as_deref(),
            signing: self.signed.then_some(Signing {
                signer: &key.signer,
                certificates: &certificates,
            }),
            policy: self.policy.map(|(signer, banks)| PolicySigning {
                signer,
                banks,
                phases: &DEFAULT_PHASES,
                floor: self.floor,
            }),
            targets,
            settings: &self.settings,
        })
    }
}

/// A folder that stands for a mounted partition.
pub(crate) fn partition() -> (TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let volume = Folder::open(folder.path()).unwrap();
    (folder, volume)
}

/// One partition that holds everything.
pub(crate) fn alone(esp: &Folder) -> [Target<'_>; 1] {
    [Target {
        esp,
        xbootldr: None,
    }]
}

/// Plans and carries out.
pub(crate) fn install(
    machine: &Machinery,
    targets: &[Target<'_>],
    limit: Option<usize>,
) -> Installation {
    let installation = machine.prepare(targets, limit).unwrap();
    for prepared in &installation.volumes {
        let target = &targets[prepared.target];
        let volume = match target.xbootldr {
            Some(volume) if prepared.xbootldr => volume,
            _ => target.esp,
        };
        execute(volume, &prepared.plan, &mut |_| {}).unwrap();
    }
    installation
}

/// Every file below a folder, by path.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// Names of the entries, newest last.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let names = tree(folder).into_keys();
    names
        .filter_map(|name| name.strip_prefix("EFI/Linux/").map(str::to_owned))
        .filter(|name| !name.contains('/'))
        .collect()
}
