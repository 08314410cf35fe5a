//! Any text as a chain file: no panic; a refusal names the file; what is accepted has distinct names and refers backwards only.
#![no_main]

use seed_build::chain::{Chain, MAX_ITEMS};
use std::collections::BTreeSet;
use std::path::Path;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Chain::parse(text, Path::new("chain.toml")) {
        Err(error) => assert!(error.to_string().starts_with("chain.toml")),
        Ok(chain) => {
            let names: BTreeSet<&str> = chain.items.iter().map(|item| item.name.as_str()).collect();
            assert!(names.len() == chain.items.len() && names.len() <= MAX_ITEMS);
            for (number, item) in chain.items.iter().enumerate() {
                assert!(item.made.needs().into_iter().all(|need| need < number));
                assert_eq!(chain.find(item.name.as_str()), Some(number));
            }
        }
    }
});
