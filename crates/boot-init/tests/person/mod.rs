//! Somebody at the machine, for tests.

use boot_init::{Console, Error};
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Somebody who types these lines, and reads.
#[derive(Default)]
pub(crate) struct Person {
    types: VecDeque<Vec<u8>>,
    pub(crate) heard: Vec<String>,
}

impl Person {
    pub(crate) fn who_types(lines: &[&[u8]]) -> Person {
        Person {
            types: lines.iter().map(|line| line.to_vec()).collect(),
            heard: Vec::new(),
        }
    }

    pub(crate) fn heard(&self, text: &str) {
        let heard = self.heard.join("\n");
        assert!(heard.contains(text), "`{text}` is not in:\n{heard}");
    }
}

impl Console for Person {
    fn say(&mut self, line: &str) {
        self.heard.push(line.to_owned());
    }

    fn ask(&mut self, question: &str) -> boot_init::Result<Zeroizing<Vec<u8>>> {
        self.heard.push(question.to_owned());
        self.types
            .pop_front()
            .map(Zeroizing::new)
            .ok_or(Error::Console)
    }
}
