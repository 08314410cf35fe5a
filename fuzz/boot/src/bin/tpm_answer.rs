//! Answers of a TPM: any bytes, one after the other, to every question that is asked without knowing anything.
#![no_main]

use boot_measure::Bank;
use boot_tpm::{Sealed, Tpm, Transport};

/// Splits the input into answers of up to 255 bytes; the last is repeated no more than it takes.
struct Script<'a>(&'a [u8]);

impl Transport for Script<'_> {
    fn exchange(&mut self, _command: &[u8]) -> std::io::Result<Vec<u8>> {
        let ended = || std::io::Error::other("the script has ended");
        let (length, rest) = self.0.split_first().ok_or_else(ended)?;
        let (answer, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        self.0 = rest;
        Ok(answer.to_vec())
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let tpm = || Tpm::new(Script(data));
    let _ = tpm().parent();
    let _ = tpm().floor(0x0180_0000);
    let _ = tpm().define_floor(0x0180_0000, b"");
    let _ = tpm().registers(Bank::Sha256, &[0, 11, 23]);
    let _ = tpm().lockout();
    if let Ok(sealed) = Sealed::from_bytes(data) {
        assert_eq!(sealed.to_bytes(), data);
        let _ = sealed.policy();
    }
});
