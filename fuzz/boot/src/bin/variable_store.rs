//! Any bytes as a flash image, and any image judged under the variables found there: no panic, and what reads writes.
#![no_main]

use boot_variables::{Asker, Machine, Shim, firmware, read_store, replace_store, shim};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = firmware(&Machine::default(), data);
    if let Ok(image) = boot_pe::Image::parse(data)
        && let Ok(loader) = Shim::read(&image)
    {
        let machine = Machine {
            secure_boot: true,
            mok_validation: true,
            ..Machine::default()
        };
        let _ = shim(&machine, &loader, Asker::Shim, data);
    }
    if let Ok(variables) = read_store(data) {
        if let Ok(machine) = Machine::read(&variables) {
            let _ = firmware(&machine, data);
        }
        if let Ok(image) = replace_store(data, &variables) {
            assert_eq!(read_store(&image).expect("what was written reads back"), variables);
        }
    }
});
