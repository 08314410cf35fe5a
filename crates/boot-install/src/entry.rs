//! One entry: what it is made of, and the name that follows from that.

use crate::credential::is_encrypted;
use crate::{Error, Generation, PolicySigning, Result, Sources, System};
use boot_esp::{Companion, Content, NewFile, Stem};
use boot_pe::Image;
use boot_signature::{Certificate, HashAlgorithm, Signer, sign_image};
use boot_spec::{
    BUILD, BootV2, Build, CREDENTIALS, Credentials, Document, EPOCH, INITRD_SECRETS, Loader,
    MICROCODE, Microcode, SYSTEMD_BOOT, SecurityEpoch, UKI, UnifiedImage,
};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};

/// Sort key of entries whose document names none.
const SORT_KEY: &str = "nixos";

/// Who signs.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The key.
    pub signer: &'a dyn Signer,
    /// Its certificate, then further ones that help to reach a trusted one; not empty.
    pub certificates: &'a [&'a Certificate],
}

impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing")
            .field("certificate", &self.certificate().subject())
            .finish_non_exhaustive()
    }
}

impl Signing<'_> {
    /// The signer's own certificate.
    pub(crate) fn certificate(&self) -> &Certificate {
        self.certificates[0]
    }

    /// Signs an image, in place of the signatures that it has.
    pub(crate) fn sign(&self, image: &mut Vec<u8>, subject: &str) -> Result<()> {
        let hash = HashAlgorithm::Sha256;
        sign_image(image, self.signer, self.certificates, hash, false, subject)?;
        Ok(())
    }
}

/// Makes entries on one stub, signed by one key.
#[derive(Debug)]
pub struct Maker<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) stub: &'a [u8],
    pub(crate) signing: Option<Signing<'a>>,
    pub(crate) policy: Option<PolicySigning<'a>>,
    /// Security epoch of generations whose documents state none.
    pub(crate) epoch: u32,
}

/// What an entry is made of.
#[derive(Debug, Clone)]
pub struct EntryPlan {
    /// Its name without counters.
    pub stem: Stem,
    /// Companion files.
    pub companions: Vec<Companion>,
    pub(crate) parts: Parts,
    pub(crate) title: String,
    /// Security epoch of the generation; of an image that was built with it, when its document states one.
    pub(crate) epoch: Option<u32>,
}

#[derive(Debug, Clone)]
pub(crate) enum Parts {
    /// A small image that refers to kernel and initrds.
    Shared {
        kernel: PathBuf,
        initrds: Vec<PathBuf>,
        /// What a program appended, an initrd of its own.
        secrets: Option<Content>,
        devicetree: Option<PathBuf>,
        cmdline: String,
        os_release: String,
        release: Option<String>,
    },
    /// An image that was built with the system.
    Whole(PathBuf),
}

impl<'a> Maker<'a> {
    /// A maker, of unsigned entries without `signing`, and without signed PCR policies without `policy`. The stub must know
    /// references.
    pub fn new(
        sources: &'a Sources,
        stub: &'a [u8],
        signing: Option<Signing<'a>>,
        policy: Option<PolicySigning<'a>>,
    ) -> Result<Maker<'a>> {
        let unusable = |why: String| Error::Program { what: "stub", why };
        let image = Image::parse(stub).map_err(|error| unusable(error.to_string()))?;
        if boot_pe::reference::note_of(&image)?.is_none() {
            return Err(unusable(
                "it does not state (`.rsstub`) that it knows shared kernels; systemd's stub does not"
                    .to_owned(),
            ));
        }
        Ok(Maker {
            sources,
            stub,
            signing,
            policy,
            epoch: 0,
        })
    }

    /// The same, with generations whose documents state no security epoch taken to be of this one.
    #[must_use]
    pub fn with_epoch(self, epoch: u32) -> Maker<'a> {
        Maker { epoch, ..self }
    }

    /// What the entry of a system is made of. Reads nothing large unless it lies outside of the store.
    /// `secrets` is an initrd of its own behind the system's, which an image that was built with the system can't have.
    pub fn plan(
        &self,
        generation: &Generation,
        system: &System,
        secrets: Option<Content>,
    ) -> Result<EntryPlan> {
        let refused = |why: String| Error::Generation {
            generation: generation.number,
            why,
        };
        let document = &system.document;
        let boot = &document.boot;
        let mut title = format!("{}, generation {}", boot.label, generation.number);
        if !system.specialisation.is_empty() {
            title = format!("{title} ({})", system.specialisation.join(", "));
        }
        let companions = self.companions(system).map_err(|why| match why {
            Refusal::Because(why) => refused(why),
            Refusal::Failed(error) => error,
        })?;
        let stated = stated_epoch(document).map_err(refused)?;
        let parts = match document.extension::<UnifiedImage>(UKI) {
            Some(UnifiedImage { image }) if secrets.is_none() => Parts::Whole(image.into()),
            Some(_) => {
                let why = "its image was built with the system, and secrets can't be added to that";
                return Err(refused(why.to_owned()));
            }
            None => shared_parts(generation, system, &title, secrets),
        };
        let epoch = match &parts {
            Parts::Whole(_) => stated,
            Parts::Shared { .. } => Some(stated.unwrap_or(self.epoch)),
        };
        let mut hasher = Sha256::new();
        let mut add = |name: &str, value: &[u8]| {
            hasher.update(format!("{name} {}\n", value.len()));
            hasher.update(value);
        };
        add("entry", b"1");
        add("stub", &Sha256::digest(self.stub));
        let certificate = self
            .signing
            .map(|signing| signing.certificate().fingerprint());
        add("signer", certificate.as_deref().unwrap_or_default());
        if let Some(policy) = self.policy {
            add("policy", &policy.identity()?);
        }
        add("toplevel", boot.toplevel.as_bytes());
        if let Some(epoch) = epoch.filter(|epoch| *epoch > 0) {
            add("epoch", epoch.to_string().as_bytes());
        }
        match &parts {
            Parts::Whole(image) => add("image", self.sources.identity(image)?.as_bytes()),
            Parts::Shared {
                kernel,
                initrds,
                secrets,
                devicetree,
                cmdline,
                os_release,
                release,
            } => {
                add("kernel", self.sources.identity(kernel)?.as_bytes());
                for initrd in initrds {
                    add("initrd", self.sources.identity(initrd)?.as_bytes());
                }
                if let Some(secrets) = secrets {
                    add("secrets", secrets.sha256());
                }
                if let Some(path) = devicetree {
                    add("devicetree", self.sources.identity(path)?.as_bytes());
                }
                add("cmdline", cmdline.as_bytes());
                add("os-release", os_release.as_bytes());
                add("uname", release.as_deref().unwrap_or_default().as_bytes());
            }
        }
        for (name, content) in &companions {
            add("companion", name.as_bytes());
            add("content", content.sha256());
        }
        let names: Vec<&str> = system.specialisation.iter().map(String::as_str).collect();
        let digest = hasher.finalize().into();
        let stem = Stem::new(
            generation.profile.as_deref(),
            generation.number,
            &names,
            &digest,
        );
        Ok(EntryPlan {
            stem,
            companions,
            parts,
            title,
            epoch,
        })
    }

    fn companions(&self, system: &System) -> std::result::Result<Vec<Companion>, Refusal> {
        let mut found = Vec::new();
        let document = &system.document;
        let credentials: Credentials = document.extension(CREDENTIALS).unwrap_or_default();
        let secrets: Credentials = document.extension(INITRD_SECRETS).unwrap_or_default();
        let secrets = secrets.into_iter().map(|(target, source)| {
            // A path in the initrd, as the name of a credential.
            let name = target.trim_matches('/').replace('/', "-");
            (name, source)
        });
        for (name, path) in credentials.into_iter().chain(secrets) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if name.is_empty() || name.len() > 128 || !name.chars().all(allowed) {
                return Err(Refusal::Because(format!(
                    "credential `{name}`: a name has 1 to 128 letters, digits, `.`, `_` or `-`"
                )));
            }
            let bytes = self
                .sources
                .read(Path::new(&path))
                .map_err(Refusal::Failed)?;
            if !is_encrypted(&bytes) {
                return Err(Refusal::Because(format!(
                    "credential `{name}`: {path} is not encrypted, and anybody can read the EFI system partition: \
                     encrypt it with `systemd-creds encrypt --name={name}`"
                )));
            }
            found.push((format!("{name}.cred"), Content::bytes(bytes)));
        }
        Ok(found)
    }

    /// The shared files that an entry needs, hashed; the kernel is the first.
    pub fn needs(&self, plan: &EntryPlan) -> Result<Vec<NewFile>> {
        match &plan.parts {
            Parts::Whole(_) => Ok(Vec::new()),
            Parts::Shared {
                kernel,
                initrds,
                secrets,
                ..
            } => {
                let kernel = ("linux", kernel);
                let initrds = initrds.iter().map(|path| ("initrd", path));
                let secrets = secrets.iter().cloned();
                std::iter::once(kernel)
                    .chain(initrds)
                    .map(|(kind, path)| {
                        let content = self.sources.content(path)?;
                        Ok(NewFile::shared(kind, content)?)
                    })
                    .chain(secrets.map(|content| Ok(NewFile::shared("initrd", content)?)))
                    .collect()
            }
        }
    }
}

/// The security epoch that a document states. One that can't be read is not taken for none: the generation would be of another
/// epoch than its author said.
fn stated_epoch(document: &Document<BootV2>) -> std::result::Result<Option<u32>, String> {
    if document.extension_value(EPOCH).is_none() {
        return Ok(None);
    }
    match document.extension::<SecurityEpoch>(EPOCH) {
        Some(stated) => Ok(Some(stated.epoch)),
        None => Err(format!("`{EPOCH}` states no epoch from 0 to {}", u32::MAX)),
    }
}

/// An image that refers to what the document names.
fn shared_parts(
    generation: &Generation,
    system: &System,
    title: &str,
    secrets: Option<Content>,
) -> Parts {
    let document = &system.document;
    let boot = &document.boot;
    let mut cmdline = format!("init={}", boot.init);
    for parameter in &boot.kernel_params {
        cmdline.push(' ');
        cmdline.push_str(parameter);
    }
    let loader: Loader = document.extension(SYSTEMD_BOOT).unwrap_or_default();
    let key = loader.sort_key.as_deref().unwrap_or(SORT_KEY);
    // Generations of the system come first in the menu, and so in what is tried after one that fails.
    let key = match (&generation.profile, system.specialisation.is_empty()) {
        (None, true) => key.to_owned(),
        (None, false) => format!("{key}-specialisation"),
        (Some(_), _) => format!("{key}-profile"),
    };
    let build: Build = document.extension(BUILD).unwrap_or_default();
    let microcode: Option<Microcode> = document.extension(MICROCODE);
    let initrds = microcode
        .map(|microcode| microcode.archive)
        .into_iter()
        .chain(boot.initrds.iter().cloned())
        .map(PathBuf::from)
        .collect();
    Parts::Shared {
        kernel: PathBuf::from(&boot.kernel),
        initrds,
        secrets,
        devicetree: boot
            .devicetree
            .clone()
            .or(loader.devicetree)
            .map(PathBuf::from),
        cmdline,
        os_release: format!(
            "ID={}\nPRETTY_NAME={}\nVERSION_ID={}\n",
            quoted(&key),
            quoted(title),
            generation.number
        ),
        release: build.kernel_release,
    }
}

enum Refusal {
    Because(String),
    Failed(Error),
}

/// A value for os-release: in double quotes, with what a shell would expand escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        if "\"\\$`".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}
