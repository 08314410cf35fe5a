//! Any bytes as a PE file: parsed, inspected, rebuilt, signed and stripped without a panic.
#![no_main]

use boot_pe::{Image, NewSection, inspect, pad, rebuild, replace_certificates};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(image) = Image::parse(data) else {
        return;
    };
    let _ = inspect(data);
    let kept: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
    if let Ok(file) = rebuild(&image, &kept) {
        let again = Image::parse(&file).expect("what was written reads back");
        assert_eq!(again.sections.len(), image.sections.len());
    }
    let mut file = data.to_vec();
    pad(&mut file);
    if replace_certificates(&mut file, &[b"signature"]).is_ok() {
        let signed = Image::parse(&file).expect("a signed file is still an image");
        assert_eq!(signed.certificates().expect("one entry").len(), 1);
    }
});
