//! The kernel's command line, and words of the initrd before it: which volume, under which name, which file system is the root, and which program starts there.
//!
//! Invariant: a word that is not ours is passed over; one of ours that can't be followed is an error, not a guess.

use crate::{Error, Result};

/// The name of the mapping where the command line gives none.
pub const NAME: &str = "root";

/// Longest line that the kernel takes, in bytes.
pub const MAX_LINE: usize = 4096;
/// Longest name of a mapping: the device mapper's is 127, and `/dev/mapper` has one folder.
const MAX_NAME: usize = 127;

/// What is mounted as the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// The volume that is unlocked.
    Mapped,
    /// A device under `/dev`, beside or inside of the volume.
    Device(String),
    /// The file system with this UUID, in lower case as it is written there; or the volume, where it is its own.
    Uuid(String),
    /// The file system with this label.
    Label(String),
    /// The partition with this GUID; or the volume, where it is on that partition.
    Partition(PartitionId),
}

/// The GUID of a partition as the kernel's command line has it, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionId(String);

impl PartitionId {
    /// The bytes as they stand in a partition table: its first three fields are little-endian.
    pub fn bytes(&self) -> [u8; 16] {
        let digits: Vec<u8> = self.0.bytes().filter(u8::is_ascii_hexdigit).collect();
        let digit = |at: usize| {
            let digit = char::from(digits[at]).to_digit(16);
            digit.expect("a UUID's form was checked") as u8
        };
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        order.map(|at| digit(2 * at) << 4 | digit(2 * at + 1))
    }
}

impl std::fmt::Display for PartitionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// UUID of the volume (`rd.luks.uuid=`, `rd.luks.name=`); the only one there is where none is named.
    pub volume: Option<String>,
    /// Name of the mapping.
    pub name: String,
    /// True when `rd.luks.options=discard` lets free blocks be told to the disk.
    pub discard: bool,
    /// The root.
    pub root: Root,
    /// Its kind of file system (`rootfstype=`).
    pub kind: Option<String>,
    /// Options of its mount (`rootflags=`).
    pub flags: Option<String>,
    /// True when it is mounted to be written to (`rw`); not, as the kernel's rule is, where nothing is said.
    pub writable: bool,
    /// The program that starts there (`init=`).
    pub init: String,
    /// Seconds to wait for the device (`rootwait=`).
    pub wait: u64,
}

/// Words, as the kernel separates them: double quotes keep spaces together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' | '\t' | '\n' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("there is always one").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn wrong(what: &str, why: &'static str) -> Error {
    Error::CommandLine {
        what: what.to_owned(),
        why,
    }
}

/// A UUID in lower case; systemd lets one stand behind `luks-`.
fn uuid(word: &str, text: &str) -> Result<String> {
    let text = text.strip_prefix("luks-").unwrap_or(text);
    let form = text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    if text.len() == 36 && form {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(wrong(word, "it names no UUID"))
    }
}

fn name(word: &str, text: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    let good = !text.is_empty() && text.len() <= MAX_NAME && !text.starts_with('.');
    if good && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(wrong(
            word,
            "a mapping's name is up to 127 letters, digits, and - _ . +",
        ))
    }
}

/// UUID of a file system: most are of the usual form, FAT's is shorter.
fn file_system(word: &str, text: &str) -> Result<String> {
    let good = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    if !text.is_empty() && text.len() <= 36 && text.bytes().all(good) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(wrong(word, "it names no UUID"))
    }
}

/// Label of a file system. btrfs has the longest.
fn label(word: &str, text: &str) -> Result<String> {
    if text.is_empty() || text.len() > 255 {
        return Err(wrong(word, "a label is up to 255 bytes"));
    }
    Ok(text.to_owned())
}

/// What stands behind a tag, or behind udev's folder of links, which an initrd without udev does not have.
fn tagged<'a>(text: &'a str, tag: &str, folder: &str) -> Option<&'a str> {
    let link = || {
        text.strip_prefix("/dev/disk/")?
            .strip_prefix(folder)?
            .strip_prefix('/')
    };
    text.strip_prefix(tag).or_else(link)
}

/// What `root=` names, besides the unlocked volume itself.
fn root(text: &str) -> Result<Root> {
    if let Some(text) = tagged(text, "UUID=", "by-uuid") {
        return file_system("root", text).map(Root::Uuid);
    }
    if let Some(text) = tagged(text, "LABEL=", "by-label") {
        return label("root", text).map(Root::Label);
    }
    if let Some(text) = tagged(text, "PARTUUID=", "by-partuuid") {
        return uuid("root", text).map(|id| Root::Partition(PartitionId(id)));
    }
    let device = path("root", text)?;
    if device.starts_with("/dev/disk/") {
        return Err(wrong(
            text,
            "of the links there by-uuid, by-label and by-partuuid are known",
        ));
    }
    if device.starts_with("/dev/") {
        return Ok(Root::Device(device));
    }
    Err(wrong(
        text,
        "the root is a device under /dev, or the unlocked volume",
    ))
}

/// A path that stays where it begins.
fn path(word: &str, text: &str) -> Result<String> {
    if text.starts_with('/') && !text.split('/').any(|part| part == "..") {
        Ok(text.to_owned())
    } else {
        Err(wrong(word, "it is no absolute path"))
    }
}

impl CommandLine {
    /// Reads a line. Of two words of a kind the later counts, as for the kernel.
    ///
    /// # Errors
    /// When it is longer than 4 KiB, or a word can't be followed.
    pub fn parse(line: &str) -> Result<CommandLine> {
        CommandLine::after("", line)
    }

    /// Reads a line behind words of the initrd.
    ///
    /// # Errors
    /// As for [`CommandLine::parse`].
    pub fn after(words_before: &str, line: &str) -> Result<CommandLine> {
        for text in [words_before, line] {
            if text.len() > MAX_LINE {
                return Err(wrong("the whole", "it is longer than 4096 bytes"));
            }
        }
        let mut said = CommandLine {
            volume: None,
            name: NAME.to_owned(),
            discard: false,
            root: Root::Mapped,
            kind: None,
            flags: None,
            writable: false,
            init: "/sbin/init".to_owned(),
            wait: 30,
        };
        let mut named = None;
        for word in words(words_before).into_iter().chain(words(line)) {
            let (key, value) = word.split_once('=').unwrap_or((&word, ""));
            match key {
                "rd.luks.uuid" => said.volume = Some(uuid(&word, value)?),
                "rd.luks.name" => {
                    let (first, second) = value.split_once('=').unwrap_or((value, NAME));
                    said.volume = Some(uuid(&word, first)?);
                    said.name = name(&word, second)?;
                }
                "rd.luks.options" => {
                    let options = value.rsplit('=').next().unwrap_or(value);
                    said.discard = options.split(',').any(|option| option == "discard");
                }
                "root" => named = Some(value.to_owned()),
                "rootfstype" => said.kind = Some(value.to_owned()),
                "rootflags" => said.flags = Some(value.to_owned()),
                "rw" if word == "rw" => said.writable = true,
                "ro" if word == "ro" => said.writable = false,
                "init" => said.init = path(&word, value)?,
                "rootwait" if !value.is_empty() => {
                    let wait = value.parse();
                    said.wait = wait.map_err(|_| wrong(&word, "it is no number of seconds"))?;
                }
                _ => {}
            }
        }
        if let Some(text) = named {
            let mapped = text.strip_prefix("/dev/mapper/") == Some(&said.name);
            // NixOS and systemd say so where a table of file systems tells; the unlocked volume is the root then.
            if !mapped && text != "fstab" && text != "gpt-auto" {
                said.root = root(&text)?;
            }
        }
        Ok(said)
    }
}
