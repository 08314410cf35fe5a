//! What the initrd's program reads before anything is unlocked: any text as the kernel's command line, as `modules.dep`, and as
//! a list of generations; an order of modules has each of them once.
#![no_main]

use boot_init::{CommandLine, Dependencies};
use boot_measure::Bank;
use boot_unlock::read_generations;

/// Long enough for deep graphs, short enough for many runs.
const LONGEST: usize = 16 * 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if data.len() > LONGEST {
        return;
    }
    for bank in [Bank::Sha1, Bank::Sha256] {
        let _ = read_generations(data, bank);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(line) = CommandLine::parse(text) {
        assert!(line.init.starts_with('/'));
        assert!(!line.name.contains('/'));
    }
    if let Ok(all) = Dependencies::parse(text) {
        let mut order = all.order(all.files());
        let count = order.len();
        assert!(count >= all.files().count());
        order.sort_unstable();
        order.dedup();
        assert_eq!(order.len(), count);
    }
});
