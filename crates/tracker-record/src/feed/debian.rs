//! Debian's tracker in one file: an object of packages, each an object of vulnerabilities, cut into one document
//! a package and vulnerability.
//!
//! Shape: `{"bash": {"CVE-2014-6271": {…}, …}, …}`, some hundred megabytes of it. A document is
//! `{"debian_package":"bash","id":"CVE-2014-6271","tracker":{…}}`, with the file's own bytes in it.
//! Invariant: one package is in memory at a time, and names longer than an id make no documents.

use super::scan::{Member, text_end};
use super::{MAX_PARTS, SplitError};
use crate::read::MAX_ID_BYTES;

/// How much of the beginning tells the shape.
const HEAD_BYTES: usize = 512;

/// Where the first package begins, if a file begins as Debian's does.
pub(super) fn begins(head: &[u8]) -> Option<usize> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let outer = after(head, 0, b'{')?;
    let key = outer + text_end(&head[outer..])?;
    let inner = after(head, after(head, key, b':')?, b'{')?;
    let name = &head[inner..];
    let known = [&b"\"CVE-"[..], b"\"TEMP-"];
    known
        .iter()
        .any(|mark| name.starts_with(mark))
        .then_some(outer)
}

/// The place of the next byte that is no white space, behind a wanted one.
fn after(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let skip = |from: usize| {
        let blank = bytes[from..].iter().take_while(|b| b.is_ascii_whitespace());
        from + blank.count()
    };
    let at = skip(from);
    (bytes.get(at) == Some(&wanted)).then(|| skip(at + 1))
}

/// The documents of a package, `"NAME": {…}`, each with where its vulnerability begins in the member.
pub(super) fn documents(member: &[u8]) -> Result<Vec<(usize, Vec<u8>)>, SplitError> {
    let broken = || SplitError::NotJson {
        found: super::first_line(member),
    };
    let key = text_end(member).ok_or_else(broken)?;
    let open = after(member, key, b':').and_then(|value| after(member, value, b'{'));
    let mut position = open.ok_or_else(broken)?;
    if key > MAX_ID_BYTES {
        return Err(broken());
    }
    let mut found = Vec::new();
    loop {
        let between = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b',';
        position += member[position..].iter().take_while(between).count();
        let rest = &member[position..];
        if rest.first().ok_or_else(broken)? == &b'}' {
            return Ok(found);
        }
        let id = text_end(rest).filter(|end| *end <= MAX_ID_BYTES);
        let id = id.ok_or_else(broken)?;
        let end = Member::new().scan(rest).ok_or_else(broken)?;
        let value = after(rest, id, b':').filter(|value| *value < end);
        let value = value.ok_or_else(broken)?;
        let mut document = Vec::with_capacity(end + key + 64);
        document.extend_from_slice(b"{\"debian_package\":");
        document.extend_from_slice(&member[..key]);
        document.extend_from_slice(b",\"id\":");
        document.extend_from_slice(&rest[..id]);
        document.extend_from_slice(b",\"tracker\":");
        document.extend_from_slice(&rest[value..end]);
        document.push(b'}');
        found.push((position, document));
        if found.len() > MAX_PARTS {
            return Err(SplitError::TooLarge);
        }
        position += end;
    }
}
