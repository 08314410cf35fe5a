//! Which bytes of a program are instructions: a walk over all paths from its entry, by decoding alone.
//! Invariant: no two instructions overlap, and each one found is where an annotation says it is.

use crate::listing::{BASE, Checked};
use crate::x86::decode::{Operation, Place, Unknown, decode};
use std::collections::BTreeMap;
use thiserror::Error;

/// What the walk found wrong; offsets are in the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FlowError {
    /// Bytes that are no instruction of the subset.
    #[error("offset {offset:#x}: {unknown}")]
    Unknown {
        /// Where.
        offset: usize,
        /// The bytes.
        unknown: Unknown,
    },
    /// A path leaves the file.
    #[error("offset {0:#x}: a path leaves the file here")]
    Outside(usize),
    /// A jump to a computed place, which the walk cannot follow.
    #[error("offset {0:#x}: a jump to a computed place")]
    Computed(usize),
    /// A path executes bytes that are not annotated as an instruction beginning there.
    #[error("offset {0:#x}: executed, but no instruction is annotated here")]
    Unannotated(usize),
    /// The decoder and the annotation disagree about the length.
    #[error("offset {offset:#x}: `{text}` is decoded with {length} bytes")]
    Length {
        /// Where.
        offset: usize,
        /// The annotation.
        text: String,
        /// Length by the decoder.
        length: usize,
    },
    /// The decoder and the annotation disagree about the operation.
    #[error("offset {offset:#x}: `{text}` is decoded as {operation:?}")]
    Differs {
        /// Where.
        offset: usize,
        /// The annotation.
        text: String,
        /// Operation by the decoder.
        operation: Operation,
    },
    /// An annotated instruction that no path reaches.
    #[error("offset {offset:#x}: no path reaches `{text}`")]
    Unreached {
        /// Where.
        offset: usize,
        /// The annotation.
        text: String,
    },
    /// Bytes that are neither executed nor annotated as data, or are both.
    #[error("offset {0:#x}: covered by no annotation, or by two")]
    Coverage(usize),
}

/// Walks all paths of a checked listing and compares them with its annotations.
pub fn walk(listing: &Checked) -> Result<usize, FlowError> {
    let entry = crate::x86::memory::field(&listing.bytes, 24, 8).unwrap_or_default();
    let annotated: BTreeMap<usize, &String> = listing
        .instructions
        .iter()
        .map(|(offset, text)| (*offset, text))
        .collect();
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    let mut open = vec![entry.wrapping_sub(BASE as u64) as usize];
    while let Some(offset) = open.pop() {
        if found.contains_key(&offset) {
            continue;
        }
        let bytes = listing
            .bytes
            .get(offset..)
            .filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or(FlowError::Outside(offset))?;
        let instruction =
            decode(bytes).map_err(|unknown| FlowError::Unknown { offset, unknown })?;
        let length = usize::from(instruction.length);
        let text = annotated
            .get(&offset)
            .ok_or(FlowError::Unannotated(offset))?;
        let operation = instruction.operation;
        if !agrees(text, operation) {
            let text = (*text).clone();
            return Err(FlowError::Differs {
                offset,
                text,
                operation,
            });
        }
        let next = listing
            .lines
            .iter()
            .map(|(start, _)| *start)
            .find(|start| *start > offset);
        if next.unwrap_or(listing.bytes.len()) != offset + length {
            let text = (*text).clone();
            return Err(FlowError::Length {
                offset,
                text,
                length,
            });
        }
        found.insert(offset, length);
        let target = match instruction.target {
            Place::Number(distance) => Ok((offset + length).wrapping_add_signed(distance as isize)),
            _ => Err(FlowError::Computed(offset)),
        };
        match operation {
            Operation::Ret => {}
            Operation::Jmp => open.push(target?),
            Operation::Jump(_) | Operation::Call => open.extend([target?, offset + length]),
            // exit: what follows the last system call of a path is not executed.
            Operation::Syscall if ends(listing, offset) => {}
            _ => open.push(offset + length),
        }
    }
    if let Some((offset, text)) = annotated
        .iter()
        .find(|(offset, _)| !found.contains_key(offset))
    {
        let (offset, text) = (*offset, (*text).clone());
        return Err(FlowError::Unreached { offset, text });
    }
    let mut covered = vec![0_u8; listing.bytes.len()];
    let code = found
        .iter()
        .map(|(offset, length)| *offset..offset + length);
    for range in code.chain(listing.data.iter().cloned()) {
        for count in covered.get_mut(range).into_iter().flatten() {
            *count += 1;
        }
    }
    match covered.iter().position(|count| *count != 1) {
        Some(offset) => Err(FlowError::Coverage(offset)),
        None => Ok(found.len()),
    }
}

/// Whether the system call at `offset` is `exit`: the two instructions before it are `push 60`, `pop rax`.
fn ends(listing: &Checked, offset: usize) -> bool {
    let place = listing
        .instructions
        .iter()
        .position(|(start, _)| *start == offset);
    place
        .and_then(|place| listing.instructions.get(place.checked_sub(2)?..place))
        .is_some_and(|before| before[0].1 == "push 60" && before[1].1 == "pop rax")
}

/// Whether the mnemonic of an annotation is the decoded operation's.
fn agrees(text: &str, operation: Operation) -> bool {
    let mnemonic = text.split(' ').next().unwrap_or_default();
    let condition = |prefix: &str| {
        mnemonic
            .strip_prefix(prefix)
            .and_then(crate::x86::encode::condition)
    };
    match operation {
        Operation::Jump(code) => condition("j") == Some(code),
        Operation::Set(code) => condition("set") == Some(code),
        Operation::ImulBy(_) => mnemonic == "imul",
        Operation::RepMovs => text == "rep movsb",
        Operation::RepStos => text == "rep stosb",
        Operation::RepeCmps => text == "repe cmpsb",
        Operation::Lods | Operation::Stos | Operation::Movs => {
            let name = format!("{operation:?}").to_lowercase();
            mnemonic
                .strip_prefix(&name)
                .is_some_and(|width| ["b", "d", "q"].contains(&width))
        }
        _ => format!("{operation:?}").to_lowercase() == mnemonic,
    }
}
