//! References to files beside the image, on the host's side: made from files, looked for in stubs. The format itself is
//! [`boot_stub_core::reference`], which the stub reads with the same code.

use crate::{Error, Image, Result};
use boot_stub_core::{NOTE_SECTION, StubNote};
use sha2::{Digest, Sha256};
use std::num::NonZeroU32;

pub use boot_stub_core::reference::{
    MAX_PATH, MAX_REFERENCES, MAX_TEXT, Part, PathError, Reference, ReferenceError, References,
    SECTION, check_path,
};

/// The reference to `file` at `path` of the volume that the image will be loaded from.
pub fn reference_to(part: Part, path: &str, file: &[u8]) -> Result<Reference> {
    let wrong = |why| Error::Referenced {
        path: path.to_owned(),
        why,
    };
    let size = u32::try_from(file.len()).map_err(|_| wrong("it is larger than 4 GiB"))?;
    let size = NonZeroU32::new(size).ok_or(wrong("it is empty"))?;
    let digest = Sha256::digest(file).into();
    Reference::new(part, digest, size, path).map_err(|error| wrong(error.why))
}

/// What the stub of an image says about itself; `None` when it is not ours.
pub fn note_of(image: &Image<'_>) -> Result<Option<StubNote>> {
    let section = image.section(NOTE_SECTION);
    let note = section.map(|section| StubNote::parse(section.data()).map_err(Error::Note));
    note.transpose()
}

/// Whether the stub of an image knows references as they are written here.
pub(crate) fn understood_by(stub: &Image<'_>) -> Result<bool> {
    let ours = StubNote::OURS.references;
    Ok(note_of(stub)?.is_some_and(|note| note.references == ours))
}
