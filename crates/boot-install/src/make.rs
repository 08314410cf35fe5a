//! One entry's image: assembled on the stub or taken as it was built, with signed PCR policies, signed.

use crate::entry::Parts;
use crate::{EntryPlan, Error, Maker, PolicySigning, Result};
use boot_esp::{Content, EspPath, NewFile};
use boot_measure::Rules;
use boot_pe::epoch::{epoch_of, sbat_of};
use boot_pe::reference::{Part, Reference, References};
use boot_pe::{Image, NewSection, SectionName, Uki, UkiSection, rebuild};
use std::borrow::Cow;
use std::num::NonZeroU32;

impl Maker<'_> {
    /// The image, signed; adds to `notes` what a person should know about it.
    pub fn make(&self, plan: &EntryPlan, notes: &mut Vec<String>) -> Result<Content> {
        let mut image = match &plan.parts {
            Parts::Whole(path) => {
                let built = self.sources.read(path)?;
                agrees(&built, plan)?;
                match self.policy {
                    Some(policy) => complete(built, policy, plan, notes)?,
                    None => built,
                }
            }
            Parts::Shared {
                devicetree,
                cmdline,
                os_release,
                release,
                ..
            } => {
                let needs = self.needs(plan)?;
                let references = references(&needs)?.to_string();
                let mut base = vec![
                    section(SectionName::Rsref, references),
                    section(SectionName::Cmdline, cmdline.clone()),
                    section(SectionName::Osrel, os_release.clone()),
                ];
                if let Some(epoch) = plan.epoch.and_then(NonZeroU32::new) {
                    base.push(section(SectionName::Sbat, sbat_of(epoch).to_string()));
                }
                if let Some(release) = release {
                    base.push(section(SectionName::Uname, release.clone()));
                }
                if let Some(path) = devicetree {
                    base.push(section(SectionName::Dtb, self.sources.read(path)?));
                }
                self.assemble(base, &needs, plan)?
            }
        };
        if let Some(signing) = self.signing {
            signing.sign(&mut image, &format!("boot entry of {}", plan.title))?;
        }
        Ok(Content::bytes(image))
    }

    /// The image of these sections, with signed policies when those are asked for.
    fn assemble(
        &self,
        base: Vec<UkiSection<'_>>,
        needs: &[NewFile],
        plan: &EntryPlan,
    ) -> Result<Vec<u8>> {
        let stub = Image::parse(self.stub)?;
        let mut uki = Uki {
            base,
            profiles: Vec::new(),
        };
        let Some(policy) = self.policy else {
            return Ok(uki.write(&stub)?);
        };
        uki.base
            .push(section(SectionName::Pcrpkey, policy.public_key()?));
        let mut files = Vec::new();
        if policy.needs_files() {
            for need in needs {
                files.push((absolute(&need.path), need.content.to_vec()?));
            }
        }
        let file_of = |reference: &Reference| {
            let found = files.iter().find(|(path, _)| path == reference.path());
            found.map(|(_, file)| file.clone())
        };
        // Not measured itself, so it is signed for the image that lacks it.
        let signatures = policy.sign(&uki.write(&stub)?, &plan.title, &file_of)?;
        uki.base.push(section(SectionName::Pcrsig, signatures));
        Ok(uki.write(&stub)?)
    }
}

/// Whether an image that was built with the system states the epoch that its document does, where that states one.
fn agrees(built: &[u8], plan: &EntryPlan) -> Result<()> {
    let states = epoch_of(&Image::parse(built)?)?;
    match plan.epoch {
        Some(wanted) if wanted != states => Err(Error::Generation {
            generation: plan.stem.generation(),
            why: format!(
                "its document states epoch {wanted} and its image {states}: build it with `uki build --epoch {wanted}`"
            ),
        }),
        _ => Ok(()),
    }
}

/// An image that was built with the system, with signed policies unless it has some or its stub is not known.
fn complete(
    built: Vec<u8>,
    policy: PolicySigning<'_>,
    plan: &EntryPlan,
    notes: &mut Vec<String>,
) -> Result<Vec<u8>> {
    let image = Image::parse(&built)?;
    // A section behind a profile would belong to that profile.
    let kept = [".pcrsig", ".pcrpkey", ".profile"]
        .into_iter()
        .find(|name| image.section(name).is_some())
        .map(|name| format!("its image was built with `{name}`"));
    let unknown = || Some(Rules::of(&image).err()?.to_string());
    if let Some(why) = kept.or_else(unknown) {
        notes.push(format!("{}: no PCR policies are added: {why}", plan.title));
        return Ok(built);
    }
    let with = |more: &[(SectionName, &[u8])]| -> Result<Vec<u8>> {
        let mut sections: Vec<NewSection<'_>> =
            image.sections.iter().map(NewSection::keep).collect();
        for (name, data) in more {
            sections.push(NewSection::data(name.as_str(), Cow::Borrowed(*data))?);
        }
        Ok(rebuild(&image, &sections)?)
    };
    let key = policy.public_key()?;
    let key = (SectionName::Pcrpkey, &*key);
    let signatures = policy.sign(&with(&[key])?, &plan.title, &|_| None)?;
    with(&[key, (SectionName::Pcrsig, &signatures)])
}

fn section(name: SectionName, data: impl Into<Vec<u8>>) -> UkiSection<'static> {
    UkiSection {
        name,
        data: Cow::Owned(data.into()),
    }
}

fn references(needs: &[NewFile]) -> Result<References> {
    let mut list = Vec::new();
    // The kernel is the first.
    let parts = std::iter::once(Part::Linux).chain(std::iter::repeat(Part::Initrd));
    for (need, part) in needs.iter().zip(parts) {
        let wrong = |why: &'static str| boot_pe::Error::Referenced {
            path: need.path.to_string(),
            why,
        };
        let size = u32::try_from(need.content.size())
            .ok()
            .and_then(NonZeroU32::new);
        let size = size.ok_or_else(|| wrong("its size is 0 or more than 4 GiB"))?;
        let path = absolute(&need.path);
        let reference = Reference::new(part, *need.content.sha256(), size, &path);
        list.push(reference.map_err(|error| wrong(error.why))?);
    }
    References::new(list).map_err(|error| boot_pe::Error::Reference(error).into())
}

fn absolute(path: &EspPath) -> String {
    format!("/{path}")
}
