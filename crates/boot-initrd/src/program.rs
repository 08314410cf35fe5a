//! Whether a program can be the only one of an initrd.

use crate::{Error, Result};
use object::Endianness;
use object::elf::{ET_DYN, ET_EXEC, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};

/// An ELF program of 64 bits that is linked statically: it asks for no interpreter.
///
/// # Errors
/// When it is no such program.
pub fn check_program(bytes: &[u8]) -> Result<()> {
    let wrong = |why: &str| Error::Program {
        why: why.to_owned(),
    };
    let malformed = |error: object::Error| Error::Program {
        why: format!("is no ELF program of 64 bits: {error}"),
    };
    let header = FileHeader64::<Endianness>::parse(bytes).map_err(malformed)?;
    let order = header.endian().map_err(malformed)?;
    if !matches!(header.e_type(order), ET_EXEC | ET_DYN) {
        return Err(wrong("is an ELF file, but no program"));
    }
    for segment in header.program_headers(order, bytes).map_err(malformed)? {
        if let Some(interpreter) = segment.interpreter(order, bytes).map_err(malformed)? {
            let interpreter = String::from_utf8_lossy(interpreter);
            return Err(wrong(&format!(
                "is linked dynamically, by {interpreter}, which an initrd does not have: link it statically"
            )));
        }
    }
    Ok(())
}
