//! The registers of the TPM's SHA-256 bank, read by TPM2_PCR_Read (TCG TPM 2.0 library, part 3, 22.4).

use crate::report::{Hex, Report};
use uefi::boot;
use uefi::proto::tcg::v2::Tcg;

/// Registers that boot programs extend.
const LAST: u8 = 15;

/// Reports registers 0 to 15, or that there is no TPM.
pub(crate) fn registers(report: &mut Report) {
    let Ok(handle) = boot::get_handle_for_protocol::<Tcg>() else {
        return report.line(format_args!("no tpm"));
    };
    let Ok(mut tpm) = boot::open_protocol_exclusive::<Tcg>(handle) else {
        return report.line(format_args!("no tpm"));
    };
    for index in 0..=LAST {
        match read(&mut tpm, index) {
            Some(value) => report.line(format_args!("pcr {index:02} {}", Hex(&value))),
            None => report.line(format_args!("pcr {index:02} unreadable")),
        }
    }
}

/// One register of the SHA-256 bank.
fn read(tpm: &mut Tcg, index: u8) -> Option<[u8; 32]> {
    // TPM_ST_NO_SESSIONS, length 20, TPM_CC_PCR_Read, one selection: TPM_ALG_SHA256, three bytes of a bit map.
    let mut command = [
        0x80, 0x01, 0, 0, 0, 20, 0, 0, 0x01, 0x7e, 0, 0, 0, 1, 0x00, 0x0b, 3, 0, 0, 0,
    ];
    command[17 + usize::from(index / 8)] = 1 << (index % 8);
    let mut answer = [0; 128];
    tpm.submit_command(&command, &mut answer).ok()?;
    // Header of 10 bytes with the response code at its end, update counter, selection as above, count of digests, length.
    const DIGEST: usize = 10 + 4 + 10 + 4 + 2;
    let good = answer[6..10] == [0; 4] && answer[DIGEST - 2..DIGEST] == [0, 32];
    good.then(|| answer[DIGEST..DIGEST + 32].try_into().ok())?
}
