//! Any bytes as an event log, and as the parts that stand in one: read or refused; what reads is replayed, shown, compared
//! with itself and written as it was.
#![no_main]

use boot_measure::{
    BootOption, Content, DevicePath, EventLog, Expectation, Gpt, Registers, to_cel_json,
};
use std::io::Cursor;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(log) = EventLog::read(data) {
        assert!(data.starts_with(&log.write()), "what was read is written as it was");
        let registers = Registers::replay(&log);
        assert!(registers.differences(&registers).is_empty());
        let _ = to_cel_json(&log);
        for event in &log.events {
            let _ = Content::of(event).describe();
        }
        let expectation = Expectation::of_log(&log);
        let _ = expectation.registers(&[]);
    }
    let _ = DevicePath::read(data).map(|path| path.describe());
    let _ = BootOption::read(0, data);
    let _ = Gpt::read(&mut Cursor::new(data));
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Registers::parse(text);
    }
});
