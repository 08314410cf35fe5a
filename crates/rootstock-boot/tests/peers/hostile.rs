//! Debian's boot files changed and cut in many places: every parser that a boot file meets answers, and none panics.

use crate::common::DEBIAN;
use boot_pe::{Image, inspect};
use boot_review::{current_level, lint, modules, questionnaire};
use boot_signature::{read_signatures, verify_image};
use boot_variables::{Asker, Machine, Shim, firmware, shim};
use jiff::Timestamp;

/// Changes for each file.
const CHANGES: usize = 24;

/// A sequence that is the same in every run.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

fn judge(file: &[u8]) {
    let machine = Machine {
        secure_boot: true,
        mok_validation: true,
        mok_uses_db: true,
        ..Machine::default()
    };
    let _ = firmware(&machine, file);
    let Ok(image) = Image::parse(file) else {
        return;
    };
    let loader = Shim::read(&image).unwrap_or_default();
    let _ = shim(&machine, &loader, Asker::SecondStage, file);
    let _ = read_signatures(&image);
    let _ = verify_image(&image, &[], Timestamp::UNIX_EPOCH);
    let _ = inspect(file);
    let _ = modules(&image);
    let _ = lint(file, &current_level(), Timestamp::UNIX_EPOCH);
    let _ = questionnaire(file);
}

#[test]
fn debians_files_changed_anywhere_are_judged_without_a_panic() {
    let mut sequence = Sequence(1);
    for path in DEBIAN {
        let file = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let image = Image::parse(&file).expect("a boot file");
        let table = image
            .certificate_table()
            .map(|table| table.address as usize);
        for change in 0..CHANGES {
            let mut changed = file.clone();
            // Headers and certificates are where a changed byte leads parsers astray.
            let start = match (change % 3, table) {
                (0, Some(table)) => table,
                (1, _) => sequence.below(file.len() - 1024),
                _ => 0,
            };
            for _ in 0..=sequence.below(4) {
                let at = start + sequence.below(1024);
                let value = [0, 0xff, 0x80, sequence.below(256) as u8][sequence.below(4)];
                if let Some(byte) = changed.get_mut(at) {
                    *byte = value;
                }
            }
            if change % 4 == 0 {
                changed.truncate(sequence.below(file.len()));
            }
            judge(&changed);
        }
    }
}
