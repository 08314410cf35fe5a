//! The device tree that firmware's tables name: what a kernel would be given.

use crate::report::{Hex, Report};
use uefi::{Guid, guid};

const TABLE: Guid = guid!("b1b621d5-f19c-41a5-830b-d9152c69aae0");
/// First word of a flattened device tree.
const MAGIC: u32 = 0xd00d_feed;
/// Longest tree that is reported.
const LONGEST: usize = 1 << 16;
/// Bytes of one line.
const LINE: usize = 256;

/// Reports it in lines of `probe tree HEX`, or nothing where there is none.
pub(crate) fn show(report: &mut Report) {
    let table = uefi::system::with_config_table(|tables| {
        let table = tables.iter().find(|table| table.guid == TABLE);
        table.map(|table| table.address)
    });
    let Some(start) = table.filter(|address| !address.is_null()) else {
        return;
    };
    let bytes = |length: usize| {
        #[expect(
            unsafe_code,
            reason = "a table's memory, whose place firmware has told"
        )]
        // SAFETY: whoever installed the table says by its first two words that it is one and how long; `length` is 8 or that.
        unsafe {
            core::slice::from_raw_parts(start.cast::<u8>(), length)
        }
    };
    let header = bytes(8);
    let word = |at: usize| {
        header[at..at + 4]
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
    };
    let length = word(4) as usize;
    if word(0) != MAGIC || length > LONGEST {
        return report.line(format_args!("tree unreadable"));
    }
    for line in bytes(length).chunks(LINE) {
        report.line(format_args!("tree {}", Hex(line)));
    }
}
