//! The security epoch of an image: a component of its `.sbat`, by which a machine tells the generations that are revoked.
//!
//! `.sbat` and not a section of our own: every stub since systemd's 254 measures it into PCR 11 and firmware's signature covers
//! it, it says of a component which generation of fixes it has, which is what an epoch is, and shim can revoke by it too.
//!
//! Invariant: an image states one epoch; one without the component is of epoch 0.

use crate::sbat::{Component, Sbat};
use crate::{Error, Image, Result};
use std::num::NonZeroU32;

/// The component's name.
pub const COMPONENT: &str = "rootstock.epoch";

/// The text of an `.sbat` section that states an epoch, to be merged with the stub's.
pub fn sbat_of(epoch: NonZeroU32) -> Sbat {
    let component = |name: &str, generation: u32, details: [&str; 4]| Component {
        name: name.to_owned(),
        generation,
        details: details.map(str::to_owned).to_vec(),
    };
    let source = "https://github.com/rhboot/shim/blob/main/SBAT.md";
    let version = epoch.to_string();
    Sbat {
        components: vec![
            component("sbat", 1, ["SBAT Version", "sbat", "1", source]),
            component(
                COMPONENT,
                epoch.get(),
                ["Rootstock", "security epoch", &version, source],
            ),
        ],
    }
}

/// The epoch that an image states.
///
/// # Errors
/// When it states two, has two `.sbat` sections, or one that can't be read.
pub fn epoch_of(image: &Image<'_>) -> Result<u32> {
    let mut sections = image.sections.iter().filter(|s| s.name() == ".sbat");
    let Some(section) = sections.next() else {
        return Ok(0);
    };
    if sections.next().is_some() {
        return Err(Error::Section {
            section: ".sbat".to_owned(),
            why: "there are two, and each may state an epoch",
        });
    }
    let sbat = Sbat::parse(section.data())?;
    let mut stated = sbat.components.iter().enumerate();
    let mut own = stated.by_ref().filter(|(_, c)| c.name == COMPONENT);
    let Some((_, component)) = own.next() else {
        return Ok(0);
    };
    match own.next() {
        None => Ok(component.generation),
        Some((line, _)) => Err(Error::Sbat {
            line: line + 1,
            why: "it states a second epoch",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{epoch_of, sbat_of};
    use crate::sbat::Sbat;
    use crate::{Image, Machine, NewSection, addon_base, rebuild};
    use std::borrow::Cow;
    use std::num::NonZeroU32;

    fn stated(texts: &[String]) -> crate::Result<u32> {
        let base = addon_base(Machine::X64).unwrap();
        let image = Image::parse(&base).unwrap();
        let mut sections: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
        for text in texts {
            sections.push(NewSection::data(".sbat", Cow::Borrowed(text.as_bytes())).unwrap());
        }
        let written = rebuild(&image, &sections).unwrap();
        epoch_of(&Image::parse(&written).unwrap())
    }

    #[test]
    fn an_image_states_one_epoch_or_none() {
        let of = |epoch| sbat_of(NonZeroU32::new(epoch).unwrap());
        let stub = Sbat::parse(b"sbat,1,a,b,c,d\nstub,4,a,b,c,d\n").unwrap();
        assert_eq!(stated(&[]).unwrap(), 0);
        assert_eq!(stated(&[stub.to_string()]).unwrap(), 0);
        assert_eq!(stated(&[stub.merge(&of(7)).to_string()]).unwrap(), 7);
        let twice = stub.merge(&of(7)).merge(&of(8));
        let error = stated(&[twice.to_string()]).unwrap_err();
        assert!(error.to_string().contains("second epoch"), "{error}");
        let error = stated(&[of(1).to_string(), of(2).to_string()]).unwrap_err();
        assert!(error.to_string().contains("there are two"), "{error}");
        assert!(stated(&["nonsense".to_owned()]).is_err());
    }
}
