//! Updates of signature lists that are to come, and what a variable holds after them.

use boot_variables::{EfiTime, Entry, Variable, Variables, read_lists};

/// An update of PK, KEK, db, dbx or another list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedUpdate {
    /// The variable.
    pub name: String,
    /// Signature lists, without the signature of the update.
    pub lists: Vec<u8>,
    /// Whether it adds to what is there.
    pub append: bool,
}

/// Length of a list's header: type, three sizes.
const HEADER: usize = 28;

/// The lists without the entries that are there already, and without lists that are empty then: what firmware appends
/// (EDK II, `FilterSignatureList`).
fn new_lists(before: &[Entry], lists: &[u8]) -> boot_variables::Result<Vec<u8>> {
    // This checks every length that is used below.
    read_lists(lists)?;
    let number =
        |at: usize| u32::from_le_bytes(lists[at..at + 4].try_into().expect("four bytes")) as usize;
    let mut kept = Vec::new();
    let mut at = 0;
    while at < lists.len() {
        let (length, header, size) = (number(at + 16), number(at + 20), number(at + 24));
        let start = at + HEADER + header;
        let mut entries: Vec<u8> = Vec::new();
        for entry in lists[start..at + length].chunks_exact(size) {
            let mut alone = lists[at..at + HEADER].to_vec();
            alone[16..20].copy_from_slice(&((HEADER + size) as u32).to_le_bytes());
            alone[20..24].fill(0);
            alone.extend(entry);
            let known = read_lists(&alone)?
                .iter()
                .all(|entry| before.contains(entry));
            if !known {
                entries.extend(entry);
            }
        }
        if !entries.is_empty() {
            let mut head = lists[at..start].to_vec();
            let total = (HEADER + header + entries.len()) as u32;
            head[16..20].copy_from_slice(&total.to_le_bytes());
            kept.extend(head);
            kept.extend(entries);
        }
        at += length;
    }
    Ok(kept)
}

/// Puts an update into effect.
pub(super) fn apply(
    variables: &mut Variables,
    update: &PlannedUpdate,
) -> boot_variables::Result<()> {
    let blank = Variable::secure_boot(&update.name, Vec::new(), EfiTime::default());
    let before = variables.get(blank.vendor, &blank.name);
    let data = match before {
        Some(before) if update.append => {
            let mut data = before.data.clone();
            data.extend(new_lists(&read_lists(&before.data)?, &update.lists)?);
            data
        }
        _ => {
            read_lists(&update.lists)?;
            update.lists.clone()
        }
    };
    variables.insert(Variable { data, ..blank });
    Ok(())
}
