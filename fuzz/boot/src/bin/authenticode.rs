//! Any bytes as a signature, a certificate, or a signed image: read and judged without a panic.
#![no_main]

use boot_pe::Image;
use boot_signature::{Certificate, SignedMessage, attach, verify_image};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(message) = SignedMessage::read(data) {
        for certificate in message.certificates() {
            let _ = message.is_signed_by(certificate, data);
            let _ = (certificate.may_sign(), certificate.validity(), certificate.subject());
        }
        let mut file = boot_pe::addon_base(boot_pe::Machine::X64).expect("x64 is known");
        let _ = attach(&mut file, data);
    }
    if let Ok(certificates) = Certificate::read_all(data) {
        for certificate in &certificates {
            assert_eq!(Certificate::read(certificate.pem().as_bytes()).expect("PEM reads back"), *certificate);
        }
    }
    if let Ok(image) = Image::parse(data) {
        let _ = verify_image(&image, &[], jiff::Timestamp::UNIX_EPOCH);
    }
});
