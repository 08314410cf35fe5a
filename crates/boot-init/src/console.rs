//! The console: what is said, and what somebody types.
//!
//! Invariant: what is typed is not shown, and is wiped.

use crate::{Error, Result};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Longest secret that is typed, in bytes: cryptsetup's limit.
pub const MAX_SECRET: usize = 512;

/// Who can be told and asked.
pub trait Console {
    /// Says one line.
    fn say(&mut self, line: &str);

    /// Asks for a secret: a line without its end.
    ///
    /// # Errors
    /// [`Error::Console`] when no line comes any more.
    fn ask(&mut self, question: &str) -> Result<Zeroizing<Vec<u8>>>;
}

/// A terminal.
#[derive(Debug)]
pub struct Terminal(File);

impl Terminal {
    /// Opens `/dev/console`, or another.
    ///
    /// # Errors
    /// When it is not there.
    pub fn open(path: &Path) -> Result<Terminal> {
        let file = File::options().read(true).write(true).open(path);
        file.map(Terminal).map_err(|source| Error::File {
            path: path.to_owned(),
            what: "the console",
            source,
        })
    }

    /// Shows what is typed, or not. What is no terminal shows nothing anyway.
    fn echo(&self, on: bool) {
        if let Ok(mut modes) = tcgetattr(&self.0) {
            modes.local_modes.set(LocalModes::ECHO, on);
            // Lines whole, their end told by either key; what came before the question stays, since it may be the answer.
            modes.local_modes.insert(LocalModes::ICANON);
            let _ = tcsetattr(&self.0, OptionalActions::Drain, &modes);
        }
    }
}

/// Reads a line; none at the end of the input. What does not fit is left out, so that the line is wrong and not cut.
pub(crate) fn line(input: &mut impl Read) -> Option<Zeroizing<Vec<u8>>> {
    // As long as it gets from the start, so that growing leaves no copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 1));
    let mut byte = Zeroizing::new([0]);
    loop {
        match input.read(byte.as_mut_slice()) {
            Ok(1) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            _ => return None,
        }
        match byte[0] {
            b'\n' | b'\r' => return Some(line),
            byte if line.len() <= MAX_SECRET => line.push(byte),
            _ => {}
        }
    }
}

impl Console for Terminal {
    fn say(&mut self, text: &str) {
        // A console that takes nothing has no other place to say so.
        let _ = self.0.write_all(format!("boot-init: {text}\n").as_bytes());
    }

    fn ask(&mut self, question: &str) -> Result<Zeroizing<Vec<u8>>> {
        self.echo(false);
        let _ = self
            .0
            .write_all(format!("boot-init: {question} ").as_bytes());
        let answer = line(&mut self.0);
        self.echo(true);
        let _ = self.0.write_all(b"\n");
        answer.ok_or(Error::Console)
    }
}
