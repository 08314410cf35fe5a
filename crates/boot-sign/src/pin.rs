//! The PIN or passphrase of a run: where it comes from, asked once, wiped at the end, never printed.

use crate::{Error, Result};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Longest PIN or passphrase.
const MAX_PIN: u64 = 1024;

/// A text that shows itself to nobody.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller must not keep a copy.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text itself, for the call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where the PIN comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinSource {
    /// Asked for on the terminal.
    Prompt,
    /// First line of a file.
    File(PathBuf),
    /// A credential of the service manager: a file of this name in `$CREDENTIALS_DIRECTORY`.
    Credential {
        /// The folder that the service manager names.
        folder: PathBuf,
        /// The credential.
        name: String,
    },
}

/// The PIN of a run.
#[derive(Debug)]
pub struct Pins {
    source: PinSource,
    known: Option<Secret>,
}

impl Pins {
    /// Not asked yet.
    pub fn new(source: PinSource) -> Pins {
        Pins {
            source,
            known: None,
        }
    }

    /// The PIN; the first call asks for it, naming `what` it opens.
    pub fn get(&mut self, what: &str) -> Result<Secret> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let secret = match &self.source {
            PinSource::Prompt => prompt(what)?,
            PinSource::File(path) => first_line(path)?,
            PinSource::Credential { folder, name } => {
                if name.is_empty() || name.contains('/') || name.starts_with('.') {
                    return Err(Error::Pin {
                        why: format!("`{name}` is not the name of a credential"),
                    });
                }
                first_line(&folder.join(name))?
            }
        };
        self.known = Some(secret.clone());
        Ok(secret)
    }
}

fn first_line(path: &PathBuf) -> Result<Secret> {
    let wrong = |source| Error::File {
        path: path.clone(),
        source,
    };
    let file = File::open(path).map_err(wrong)?;
    line(&mut BufReader::new(file.take(MAX_PIN))).map_err(wrong)
}

fn line(reader: &mut impl BufRead) -> std::io::Result<Secret> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_PIN as usize));
    reader.read_line(&mut text)?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Asks on the terminal, not on standard input, with echo off.
fn prompt(what: &str) -> Result<Secret> {
    let failed = |error: std::io::Error| Error::Pin {
        why: format!("no terminal to ask on ({error}); use a PIN file or a credential"),
    };
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(failed)?;
    let before = tcgetattr(&terminal).map_err(|error| failed(error.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    write!(terminal, "PIN for {what}: ").map_err(failed)?;
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|error| failed(error.into()))?;
    let answer = line(&mut BufReader::new((&terminal).take(MAX_PIN)));
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    let _ = writeln!(terminal);
    restored.map_err(|error| failed(error.into()))?;
    answer.map_err(failed)
}
