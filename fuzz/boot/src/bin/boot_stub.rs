//! Any bytes as what the stub meets: a program to lay out, an image's sections, an addon, a device tree, load options.
#![no_main]

use boot_stub_core::command_line::{Options, bytes, from_section};
use boot_stub_core::companions::{Addon, own_folder};
use boot_stub_core::devicetree;
use boot_stub_core::pe::{Headers, Machine};
use boot_stub_core::sections::choose;

/// Largest program that is laid out here.
const MAX_IMAGE: u32 = 1 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(headers) = Headers::parse(data) {
        for profile in [None, Some(0), Some(1)] {
            let _ = choose(data, &headers, profile, |data| data.len() % 2 == 0);
        }
        if headers.image_size <= MAX_IMAGE {
            let mut memory = vec![0; headers.image_size as usize];
            for machine in [Machine::X64, Machine::Aa64] {
                let _ = headers.load(data, machine, &mut memory, 0x1000);
            }
            let section = |name: &str| {
                let found = headers.sections.iter().find(|section| section.name() == name);
                found.and_then(|section| section.in_memory(&memory).ok())
            };
            let _ = Addon::read("fuzz", section, Some(b"6.12"));
        }
    }
    let _ = devicetree::board(data);
    let units: Vec<u16> = data.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let options = Options::parse(&units);
    assert!(bytes(&options.command_line).ends_with(&[0, 0]));
    assert!(from_section(data).iter().all(|unit| *unit >= 32));
    let _ = own_folder(&String::from_utf8_lossy(data));
});
