//! Options that name the TPM's counter of security epochs.

use boot_install::EpochCounter;

/// Where the counter is, unless another index is named.
pub(crate) const INDEX: &str = "0x01d10700";

/// A handle of an NV index, hexadecimal.
pub(crate) fn handle(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    match u32::from_str_radix(digits, 16) {
        Ok(handle) if handle >> 24 == 1 => Ok(handle),
        _ => Err("an NV index is 0x01000000 to 0x01ffffff".to_owned()),
    }
}

/// `START[@INDEX]`.
pub(crate) fn epoch_counter(text: &str) -> Result<EpochCounter, String> {
    let (start, index) = text.split_once('@').unwrap_or((text, INDEX));
    Ok(EpochCounter {
        index: handle(index)?,
        start: start
            .parse()
            .map_err(|_| "expected what the counter started at, a number".to_owned())?,
    })
}
