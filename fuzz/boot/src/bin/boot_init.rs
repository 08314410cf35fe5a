//! What the initrd's program reads before anything is unlocked, and what the builder of the initrd reads: any bytes as a list of
//! generations, a recovery token, a file system and a program; any text as the kernel's command line and as tables of modules; an
//! order of modules has each of them once, and a choice of some is read again as it was written.
#![no_main]

use boot_init::FileSystem;
use boot_initrd::{CommandLine, Dependencies, Kernel, Root, Tables, check_program};
use boot_measure::Bank;
use boot_unlock::{RecoveryToken, read_generations};

/// Long enough for deep graphs, short enough for many runs.
const LONGEST: usize = 16 * 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(found) = FileSystem::read(data) {
        assert_eq!(found.uuid.len(), 36);
    }
    if data.len() > LONGEST {
        return;
    }
    for bank in [Bank::Sha1, Bank::Sha256] {
        let _ = read_generations(data, bank);
    }
    let _ = serde_json::from_slice::<RecoveryToken>(data);
    let _ = check_program(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(line) = CommandLine::parse(text) {
        assert!(line.init.starts_with('/'));
        assert!(!line.name.contains('/'));
        if let Root::Partition(id) = &line.root {
            let _ = id.bytes();
        }
    }
    if let Ok(all) = Dependencies::parse(text) {
        let mut order = all.order(all.files());
        let count = order.len();
        assert!(count >= all.files().count());
        order.sort_unstable();
        order.dedup();
        assert_eq!(order.len(), count);
    }
    // The tables one behind the other, and what is wanted.
    let parts: Vec<&str> = text.splitn(4, '\u{1}').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let tables = Tables {
        dependencies: part(0),
        built_in: part(1),
        soft: part(2),
        aliases: part(3),
    };
    if let Ok(kernel) = Kernel::read(&tables) {
        let chosen = kernel.choose(text.split_whitespace().take(64));
        let read = Dependencies::parse(&chosen.dependencies.to_text());
        assert_eq!(read.as_ref(), Ok(&chosen.dependencies));
    }
});
