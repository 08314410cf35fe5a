//! What bytes are, by looking at them: files, and the members of archives within archives.
//!
//! Invariants: contents stream through, at most [`HEAD`] bytes of a member and [`MAX_ZIP`] of a zip file are in
//! memory; a [`Budget`] bounds depth, members and unpacked bytes of everything together, so that an archive bomb
//! costs its budget and is named; members are looked at, never written, so their names can lead nowhere.

mod packed;
mod sniff;
mod tar;
mod text;

pub(crate) use packed::Unpacked;
pub(crate) use sniff::Packing;

use crate::{Class, Problem, Verdict};
use nix_archive::{Event, Reader};
use sniff::Kind;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

/// How many bytes of a member decide its class.
pub const HEAD: usize = 64 << 10;
/// Largest zip file that is looked into; its directory is at its end, so it must be held whole.
pub const MAX_ZIP: u64 = 256 << 20;
/// Opaque members that are named in a summary.
const MAX_EXAMPLES: usize = 20;
/// Problems that are named in a summary.
const MAX_PROBLEMS: usize = 20;

/// How much may be looked at; shared by everything within one root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Archives within archives.
    pub depth: u32,
    /// Members of all of them.
    pub members: u64,
    /// Bytes after unpacking.
    pub bytes: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            depth: 8,
            members: 1 << 20,
            bytes: 8 << 30,
        }
    }
}

/// Files and bytes of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub files: u64,
    /// How large together.
    pub bytes: u64,
}

/// What a root holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// By class.
    pub classes: BTreeMap<Class, Share>,
    /// Some members that nobody can read: where, what, how large.
    pub examples: Vec<(String, Class, u64)>,
    /// What could not be looked into.
    pub problems: Vec<Problem>,
    /// Were there more problems than are named?
    pub more_problems: bool,
}

impl Content {
    /// All files and bytes with this verdict.
    pub fn total(&self, verdict: Verdict) -> Share {
        let mut total = Share::default();
        for share in self
            .classes
            .iter()
            .filter(|(class, _)| class.verdict() == verdict)
            .map(|(_, share)| share)
        {
            total.files += share.files;
            total.bytes += share.bytes;
        }
        total
    }

    /// The class to name the whole by: of its worst verdict, the one with most bytes.
    pub fn main_class(&self) -> Class {
        let worst = self
            .classes
            .iter()
            .max_by_key(|(class, share)| (class.verdict(), share.bytes));
        worst.map_or(Class::Unknown, |(class, _)| *class)
    }

    fn add(&mut self, place: &str, class: Class, bytes: u64) {
        let share = self.classes.entry(class).or_default();
        share.files += 1;
        share.bytes += bytes;
        if class.verdict() == Verdict::Opaque && self.examples.len() < MAX_EXAMPLES {
            self.examples.push((place.to_owned(), class, bytes));
        }
    }

    pub(crate) fn problem(&mut self, place: &str, message: impl ToString) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                place: place.to_owned(),
                message: message.to_string(),
            });
        } else {
            self.more_problems = true;
        }
    }
}

/// Looks at things and adds up what they are.
#[derive(Debug)]
pub struct Classifier {
    content: Content,
    budget: Budget,
    /// Are members of a static library looked at?
    in_library: bool,
}

impl Classifier {
    /// Nothing looked at yet.
    pub fn new(budget: Budget) -> Classifier {
        Classifier {
            content: Content::default(),
            budget,
            in_library: false,
        }
    }

    /// What was found.
    pub fn finish(self) -> Content {
        self.content
    }

    /// Notes something that could not be looked at.
    pub fn problem(&mut self, place: &str, message: impl ToString) {
        self.content.problem(place, message);
    }

    /// Looks at one file, and into it if it is an archive. `place` names it in reports.
    pub fn file(&mut self, place: &str, mut stream: &mut dyn Read) {
        self.stream(place, &mut stream, 0);
    }

    fn stream(&mut self, place: &str, stream: &mut dyn Read, depth: u32) {
        if self.budget.members == 0 || self.budget.bytes == 0 {
            return;
        }
        self.budget.members -= 1;
        if self.budget.members == 0 {
            self.content.problem(
                place,
                "more members than the limit: the rest was not looked at",
            );
        }
        let mut counted = Counted {
            stream,
            left: self.budget.bytes,
            read: 0,
        };
        let mut head = Vec::with_capacity(HEAD);
        if let Err(error) = (&mut counted).take(HEAD as u64).read_to_end(&mut head) {
            self.content.problem(place, error);
        }
        let kind = sniff::kind(place, &head);
        let nested = matches!(
            kind,
            Kind::Packed(_) | Kind::Tar | Kind::Zip | Kind::Nar | Kind::Ar
        );
        if !nested || depth == self.budget.depth {
            let class = match kind {
                Kind::Plain(Class::Elf) if self.in_library => Class::StaticLibrary,
                Kind::Plain(class) => class,
                _ => Class::Compressed,
            };
            if nested {
                self.content
                    .problem(place, "nested deeper than the limit: not looked into");
            }
            let class = self.drain(place, class, &head, &mut counted);
            let size = counted.read;
            self.spend(place, size);
            self.content.add(place, class, size);
            return;
        }
        let before = self
            .content
            .classes
            .values()
            .map(|share| share.files)
            .sum::<u64>();
        let mut whole = Cursor::new(head).chain(&mut counted);
        match kind {
            Kind::Packed(packing) => self.packed(place, packing, &mut whole, depth),
            Kind::Tar => {
                if self.members(place, &mut tar::Tar::new(&mut whole), depth) {
                    self.behind(place, &mut whole, depth);
                }
            }
            Kind::Ar => {
                let outer = std::mem::replace(&mut self.in_library, true);
                self.members(place, &mut tar::Ar::new(&mut whole), depth);
                self.in_library = outer;
            }
            Kind::Zip => self.zip(place, &mut whole, depth),
            Kind::Nar | Kind::Plain(_) => self.nar(place, &mut whole, depth),
        }
        // What passed by without being a member of anything costs as well.
        self.spend(place, counted.read);
        let after = self
            .content
            .classes
            .values()
            .map(|share| share.files)
            .sum::<u64>();
        if before == after
            && self
                .content
                .problems
                .iter()
                .any(|problem| problem.place.starts_with(place))
        {
            // Nothing could be taken out: the bytes as such are what there is.
            let size = counted.read;
            self.content.add(place, Class::Compressed, size);
        }
    }

    fn packed(&mut self, place: &str, packing: Packing, stream: &mut dyn Read, depth: u32) {
        let mut unpacked = Unpacked::new(packing, stream);
        self.stream(&inner_name(place), &mut unpacked, depth + 1);
        if let Some(mut rest) = unpacked.rest() {
            self.behind(place, &mut rest, depth);
        }
    }

    /// What follows the end of an archive: tools pass it over, but a build can take it out.
    fn behind(&mut self, place: &str, stream: &mut dyn Read, depth: u32) {
        let mut buffer = [0; 4096];
        loop {
            let count = match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) => return self.content.problem(place, error),
            };
            // Zeros are the padding of tapes.
            if let Some(first) = buffer[..count].iter().position(|byte| *byte != 0) {
                self.content.problem(place, "more bytes follow its end");
                let mut rest = Cursor::new(&buffer[first..count]).chain(stream);
                return self.stream(&format!("{place}/behind the end"), &mut rest, depth + 1);
            }
        }
    }

    /// Looks at every member; was the archive's end reached?
    fn members(&mut self, place: &str, archive: &mut dyn Members, depth: u32) -> bool {
        loop {
            match archive.next_member() {
                Ok(Some(name)) => {
                    let inner = format!("{place}/{name}");
                    self.check_name(&inner, &name);
                    self.stream(&inner, &mut MemberReader(archive), depth + 1);
                }
                Ok(None) => return true,
                Err(error) => {
                    self.content.problem(place, error);
                    return false;
                }
            }
            if self.budget.members == 0 || self.budget.bytes == 0 {
                return false;
            }
        }
    }

    fn zip(&mut self, place: &str, stream: &mut dyn Read, depth: u32) {
        let mut bytes = Vec::new();
        if let Err(error) = stream.take(MAX_ZIP + 1).read_to_end(&mut bytes) {
            return self.content.problem(place, error);
        }
        if bytes.len() as u64 > MAX_ZIP {
            return self.content.problem(
                place,
                "the zip file is larger than the limit: not looked into",
            );
        }
        let mut archive = match zip::ZipArchive::new(Cursor::new(&bytes)) {
            Ok(archive) => archive,
            Err(error) => return self.content.problem(place, error),
        };
        for index in 0..archive.len() {
            match archive.by_index(index) {
                Ok(file) if file.is_dir() => {}
                Ok(mut file) => {
                    let name = file
                        .name()
                        .map_or_else(|_| format!("member {index}"), std::borrow::Cow::into_owned);
                    let inner = format!("{place}/{name}");
                    self.check_name(&inner, &name);
                    self.stream(&inner, &mut file, depth + 1);
                }
                Err(error) => self.content.problem(place, error),
            }
            if self.budget.members == 0 || self.budget.bytes == 0 {
                return;
            }
        }
    }

    fn nar(&mut self, place: &str, stream: &mut dyn Read, depth: u32) {
        let mut reader = Reader::new(stream);
        let mut names: Vec<String> = Vec::new();
        let mut named = false;
        loop {
            match reader.next_event() {
                Ok(Some(Event::Entry { name })) => {
                    if named {
                        names.pop();
                    }
                    names.push(name.to_string());
                    named = true;
                }
                Ok(Some(Event::Directory)) => named = false,
                Ok(Some(Event::Leave)) => {
                    if named {
                        names.pop();
                    }
                    named = !names.is_empty();
                }
                Ok(Some(Event::Link { .. })) => {}
                Ok(Some(Event::File { .. })) => {
                    let inner = format!("{place}/{}", names.join("/"));
                    self.stream(&inner, &mut reader, depth + 1);
                }
                Ok(None) => return,
                Err(error) => return self.content.problem(place, error),
            }
            if self.budget.members == 0 || self.budget.bytes == 0 {
                return;
            }
        }
    }

    fn check_name(&mut self, place: &str, name: &str) {
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            self.content
                .problem(place, "the member's name leads out of its archive");
        }
    }

    /// Reads the rest, to learn the size, and whether what began as text goes on as text.
    fn drain(&mut self, place: &str, class: Class, head: &[u8], stream: &mut Counted<'_>) -> Class {
        let mut buffer = [0; 16 << 10];
        let mut tail = text::Tail::default();
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => tail.add(&buffer[..count]),
                Err(error) => {
                    self.content.problem(place, error);
                    break;
                }
            }
        }
        let text = matches!(class, Class::Source | Class::Generated | Class::Minified);
        if text && !tail.continues(head) {
            Class::UnknownBinary
        } else {
            class
        }
    }

    fn spend(&mut self, place: &str, bytes: u64) {
        let before = self.budget.bytes;
        self.budget.bytes = before.saturating_sub(bytes);
        if self.budget.bytes == 0 && before > 0 {
            self.content.problem(
                place,
                "more unpacked bytes than the limit: the rest was not looked at",
            );
        }
    }
}

/// `a.tar.gz` unpacks to `a.tar`; other names to themselves.
fn inner_name(place: &str) -> String {
    let stem = [".gz", ".bz2", ".xz", ".zst"]
        .iter()
        .find_map(|ending| place.strip_suffix(ending));
    stem.unwrap_or(place).to_owned()
}

/// An archive read member by member.
trait Members {
    /// The next member's name; its bytes follow by `read_member`.
    fn next_member(&mut self) -> io::Result<Option<String>>;
    /// Bytes of the current member.
    fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

struct MemberReader<'a>(&'a mut dyn Members);

impl Read for MemberReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_member(buffer)
    }
}

/// Counts what is read, and ends when the budget does, or after an error: decoders must not be asked again then.
struct Counted<'a> {
    stream: &'a mut dyn Read,
    left: u64,
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.left.min(buffer.len() as u64) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        match self.stream.read(&mut buffer[..wanted]) {
            Ok(count) => {
                self.left -= count as u64;
                self.read += count as u64;
                Ok(count)
            }
            Err(error) => {
                self.left = 0;
                Err(error)
            }
        }
    }
}
