//! The event log that firmware keeps (EFI_TCG2_PROTOCOL.GetEventLog, crypto-agile form), byte by byte.
//!
//! The `uefi` crate reads events but not the bytes they stand in, and those bytes are what a log reader is tested with.

use crate::report::{Hex, Report};
use uefi::boot;
use uefi::proto::unsafe_protocol;
use uefi_raw::protocol::tcg::v2::{Tcg2EventLogBitmap, Tcg2Protocol};

/// Bytes of one line.
const LINE: usize = 256;
/// Longest log that is reported; OVMF's is below 64 KiB.
const LONGEST: usize = 1 << 20;
/// PCR, type and count of digests: what stands before an event's digests.
const START: usize = 12;

/// The protocol without the `uefi` crate's view of the log.
#[unsafe_protocol(Tcg2Protocol::GUID)]
#[repr(transparent)]
struct Protocol(Tcg2Protocol);

/// Reports the whole log in lines of `probe log HEX`, or nothing where there is no TPM.
pub(crate) fn events(report: &mut Report) {
    let Ok(handle) = boot::get_handle_for_protocol::<Protocol>() else {
        return;
    };
    let Ok(mut protocol) = boot::open_protocol_exclusive::<Protocol>(handle) else {
        return;
    };
    match bytes(&mut protocol) {
        Some(log) => {
            for line in log.chunks(LINE) {
                report.line(format_args!("log {}", Hex(line)));
            }
        }
        None => report.line(format_args!("log unreadable")),
    }
}

/// The log's memory. It stays where it is while boot services run, and nothing is measured while this program reads.
fn bytes(protocol: &mut Protocol) -> Option<&'static [u8]> {
    let (mut start, mut last) = (0_u64, 0_u64);
    let mut truncated = false.into();
    let format = Tcg2EventLogBitmap::TCG_2;
    #[expect(
        unsafe_code,
        reason = "a call of firmware with pointers to variables of this function"
    )]
    let status = unsafe {
        (protocol.0.get_event_log)(
            &raw mut protocol.0,
            format,
            &raw mut start,
            &raw mut last,
            &raw mut truncated,
        )
    };
    let before = usize::try_from(last.checked_sub(start)?).ok()?;
    if status.is_error() || start == 0 || before > LONGEST {
        return None;
    }
    // Firmware reserves the whole area, so a short look behind the start of the last event stays inside of it.
    let at = |offset: usize, length: usize| {
        let place = usize::try_from(start).ok()?.checked_add(offset)? as *const u8;
        #[expect(
            unsafe_code,
            reason = "the log's memory, whose place firmware has told"
        )]
        Some(unsafe { core::slice::from_raw_parts(place, length) })
    };
    let number = |offset: usize, length: usize| {
        let bytes = at(offset, length)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        )
    };
    let mut end = before + START;
    for _ in 0..number(before + 8, 4)?.min(8) {
        end += 2 + match number(end, 2)? {
            0x04 => 20,
            0x0b | 0x12 => 32,
            0x0c => 48,
            0x0d => 64,
            _ => return None,
        };
    }
    end += 4 + number(end, 4)?;
    if end > LONGEST { None } else { at(0, end) }
}
