//! Where a JSON value ends, followed byte by byte over any division into blocks.
//!
//! Invariant: a scan's answer does not depend on where the blocks are cut.

use super::{Elements, elements_of};
use std::ops::Range;

/// Follows one value: strings, escapes and brackets, nothing else.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// Whether anything of the value was seen.
    begun: bool,
}

impl Scan {
    /// From the first byte of a value inside a list.
    pub(super) const fn element() -> Scan {
        Scan {
            depth: 0,
            in_string: false,
            escaped: false,
            begun: false,
        }
    }

    /// From somewhere between the fields of an object.
    pub(super) const fn inside_object() -> Scan {
        Scan {
            depth: 1,
            in_string: false,
            escaped: false,
            begun: true,
        }
    }

    /// How many of the bytes belong to the value, once it has ended.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut position = 0;
        while position < bytes.len() {
            if self.in_string {
                position = self.string(bytes, position)?;
                if self.depth == 0 {
                    return Some(position);
                }
                continue;
            }
            match bytes[position] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth <= 1 => {
                    // A bracket at depth 0 closes the list and is not the value's.
                    let own = usize::from(self.depth == 1 || !self.begun);
                    return Some(position + own);
                }
                b'}' | b']' => self.depth -= 1,
                b',' if self.depth == 0 => return Some(position),
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return Some(position),
                _ => {}
            }
            self.begun = true;
            position += 1;
        }
        None
    }

    /// Goes on to behind the closing quote; `None` if it is not there yet.
    fn string(&mut self, bytes: &[u8], mut position: usize) -> Option<usize> {
        if self.escaped && position < bytes.len() {
            self.escaped = false;
            position += 1;
        }
        loop {
            let found = position + memchr::memchr2(b'"', b'\\', &bytes[position..])?;
            if bytes[found] == b'"' {
                self.in_string = false;
                return Some(found + 1);
            }
            if found + 1 == bytes.len() {
                self.escaped = true;
                return None;
            }
            position = found + 2;
        }
    }
}

/// Follows one member of an object: a key, a colon, a value.
#[derive(Debug, Clone)]
pub(super) struct Member {
    scan: Scan,
    in_value: bool,
    behind_key: bool,
}

impl Member {
    /// From the key's first byte.
    pub(super) const fn new() -> Member {
        Member {
            scan: Scan::element(),
            in_value: false,
            behind_key: false,
        }
    }

    /// As [`Scan::scan`].
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut position = 0;
        if !self.behind_key {
            position = self.scan.scan(bytes)?;
            self.behind_key = true;
        }
        if !self.in_value {
            let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b':';
            position += bytes[position..].iter().take_while(blank).count();
            if position == bytes.len() {
                return None;
            }
            self.in_value = true;
            self.scan = Scan::element();
        }
        Some(position + self.scan.scan(&bytes[position..])?)
    }
}

/// Where a text at the beginning ends, behind its closing quote; `None` if there is none.
pub(super) fn text_end(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    Scan::element().scan(bytes)
}

/// The key of documents that have a list of a wanted name inside them and are no envelope (CSAF).
const WHOLE: &[u8] = b"document";

/// The longest key that is compared.
const MAX_KEY_BYTES: usize = 32;

/// Follows one object and stops early, behind the opening bracket, if one of its fields is a wanted list.
#[derive(Debug, Clone)]
pub(super) struct Head {
    wanted: &'static [&'static [u8]],
    scan: Scan,
    place: Place,
    key: Vec<u8>,
    found: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the object's bracket.
    Outside,
    /// Where a key may come.
    BeforeKey,
    /// In a key's text.
    Key,
    /// Behind a key, before its value.
    BeforeValue,
    /// In a value, or behind it.
    Value,
}

impl Head {
    pub(super) const fn new(wanted: &'static [&'static [u8]]) -> Head {
        Head {
            wanted,
            scan: Scan::element(),
            place: Place::Outside,
            key: Vec::new(),
            found: false,
        }
    }

    /// Whether the scan ended at a wanted list rather than at the end of the object.
    pub(super) const fn found_list(&self) -> bool {
        self.found
    }

    /// As [`Scan::scan`].
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut position = 0;
        while position < bytes.len() {
            let scan = &mut self.scan;
            if scan.in_string {
                let from = position;
                let end = scan.string(bytes, position);
                if self.place == Place::Key {
                    let part = &bytes[from..end.unwrap_or(bytes.len())];
                    let room = MAX_KEY_BYTES.saturating_sub(self.key.len());
                    self.key.extend_from_slice(&part[..part.len().min(room)]);
                }
                position = end?;
                if self.place == Place::Key {
                    self.key.pop();
                    if self.key == WHOLE {
                        self.wanted = &[];
                    }
                    self.place = Place::BeforeValue;
                }
                continue;
            }
            let byte = bytes[position];
            position += 1;
            match (byte, self.place) {
                (b'{', Place::Outside) => {
                    scan.depth = 1;
                    self.place = Place::BeforeKey;
                }
                (b'"', Place::BeforeKey) if scan.depth == 1 => {
                    self.key.clear();
                    self.place = Place::Key;
                    scan.in_string = true;
                }
                (b'[', Place::BeforeValue) if self.wanted.contains(&self.key.as_slice()) => {
                    self.found = true;
                    return Some(position);
                }
                (b':', Place::BeforeValue) => {}
                (b',', _) if scan.depth == 1 => self.place = Place::BeforeKey,
                (b'}' | b']', _) if scan.depth <= 1 => return Some(position),
                (b'}' | b']', _) => scan.depth -= 1,
                _ => {
                    if !byte.is_ascii_whitespace() && self.place == Place::BeforeValue {
                        self.place = Place::Value;
                    }
                    match byte {
                        b'"' => scan.in_string = true,
                        b'{' | b'[' => scan.depth += 1,
                        _ => {}
                    }
                }
            }
        }
        None
    }

    /// The elements of a wanted list in an object that is wholly in memory; `None` if it has no such list, or
    /// is broken.
    pub(super) fn list_of(raw: &[u8], wanted: &'static [&'static [u8]]) -> Option<Elements> {
        let mut head = Head::new(wanted);
        let start = head.scan(raw)?;
        if !head.found {
            return None;
        }
        let elements = elements_of(&raw[start..])?;
        let moved = |range: Range<usize>| range.start + start..range.end + start;
        Some(elements.into_iter().map(moved).collect())
    }
}

/// A step through a list in memory, from behind its opening bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListStep {
    Element(Range<usize>),
    End,
}

impl ListStep {
    /// `None` if the list breaks off.
    pub(super) fn at(list: &[u8], position: usize) -> Option<ListStep> {
        let between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let skipped = list[position..].iter().take_while(|byte| between(byte));
        let start = position + skipped.count();
        if *list.get(start)? == b']' {
            return Some(ListStep::End);
        }
        let length = Scan::element().scan(&list[start..])?;
        Some(ListStep::Element(start..start + length))
    }
}
