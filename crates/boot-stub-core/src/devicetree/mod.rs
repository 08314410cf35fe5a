//! Flattened device trees (Devicetree Specification 0.4, chapter 5): how long one is and which board it is for.

#[cfg(test)]
mod tests;

const MAGIC: u32 = 0xd00d_feed;
/// Deepest and longest that is looked through for the root's properties.
const MAX_TOKENS: usize = 1024;
const BEGIN_NODE: u32 = 1;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;

/// The length that the header states; it needs the first eight bytes.
pub fn size(tree: &[u8]) -> Option<usize> {
    (word(tree, 0)? == MAGIC).then_some(word(tree, 4)? as usize)
}

/// The first `compatible` string of the root node.
pub fn board(tree: &[u8]) -> Option<&[u8]> {
    let tree = tree.get(..size(tree)?)?;
    let mut at = word(tree, 8)? as usize;
    let strings = word(tree, 12)? as usize;
    let mut inside = false;
    for _ in 0..MAX_TOKENS {
        let token = word(tree, at)?;
        at += 4;
        match token {
            NOP => {}
            // The root's name is empty: one NUL, padded.
            BEGIN_NODE if !inside => {
                inside = true;
                at += 4;
            }
            PROPERTY if inside => {
                let length = word(tree, at)? as usize;
                let name = strings.checked_add(word(tree, at + 4)? as usize)?;
                let value = tree.get(at + 8..(at + 8).checked_add(length)?)?;
                if text(tree.get(name..)?)? == b"compatible" {
                    return text(value).filter(|board| !board.is_empty());
                }
                at = (at + 8 + length).checked_next_multiple_of(4)?;
            }
            // Properties come before child nodes.
            _ => return None,
        }
    }
    None
}

fn word(tree: &[u8], at: usize) -> Option<u32> {
    let bytes = tree.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Up to the first NUL, which must be there.
fn text(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(&bytes[..end])
}
