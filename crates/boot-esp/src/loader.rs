//! What systemd-boot does with a list of entries: their order, the default, and the file that configures it.
//!
//! Source: UAPI.1 "sorting"; systemd's `boot.c` (`boot_entry_compare`, `config_select_default_entry`, `efi_fnmatch`).

use crate::{EntryName, State};
use std::cmp::{Ordering, Reverse};
use uapi_version::strverscmp;

/// What the loader knows about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// Its file name.
    pub name: EntryName,
    /// `IMAGE_ID` or `ID` of a unified image's os-release.
    pub sort_key: Option<String>,
    /// `IMAGE_VERSION`, `VERSION`, `VERSION_ID` or `BUILD_ID`, the first that is there.
    pub version: Option<String>,
}

impl MenuEntry {
    /// The identifier that patterns are compared with: the file name in lower case without counters.
    pub fn id(&self) -> String {
        self.name.blessed().to_string().to_lowercase()
    }
}

/// Orders two entries as the menu does: bad ones last, then by sort key, version from new to old, name from Z to A, tries.
pub fn order(a: &MenuEntry, b: &MenuEntry) -> Ordering {
    let bad = |entry: &MenuEntry| entry.name.state() == State::Bad;
    let by_key = match (&a.sort_key, &b.sort_key) {
        (Some(first), Some(second)) => {
            let (old, new) = (a.version.as_deref(), b.version.as_deref());
            first
                .cmp(second)
                .then_with(|| strverscmp(new.unwrap_or_default(), old.unwrap_or_default()))
        }
        (first, second) => first.is_none().cmp(&second.is_none()),
    };
    let tries = |entry: &MenuEntry| entry.name.counter.map(|c| (Reverse(c.left), c.done));
    bad(a)
        .cmp(&bad(b))
        .then(by_key)
        .then_with(|| strverscmp(&b.id(), &a.id()))
        // The loader calls an entry without counter equal to each of its name with one, which is no order; it is put first.
        .then_with(|| tries(a).cmp(&tries(b)))
}

/// The entry that starts when nobody touches the keyboard: the first in order that matches the pattern, else the first.
pub fn choose<'a>(entries: &'a [MenuEntry], pattern: Option<&str>) -> Option<&'a MenuEntry> {
    let mut sorted: Vec<&MenuEntry> = entries.iter().collect();
    sorted.sort_by(|a, b| order(a, b));
    let matching = pattern.and_then(|pattern| {
        let pattern = pattern.to_lowercase();
        sorted.iter().find(|entry| glob(&pattern, &entry.id()))
    });
    matching.or(sorted.first()).copied()
}

/// Matches like the loader: `*`, `?`, and `[...]` with ranges.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    // Position after a `*`, and the text position that it has swallowed up to.
    let (mut p, mut t, mut star) = (0, 0, None);
    loop {
        if pattern.get(p) == Some(&'*') {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        let step = match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(_), Some(c)) => one(&pattern[p..], *c),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => (p, t) = (p + length, t + 1),
            (None, Some((after, swallowed))) if swallowed < text.len() => {
                star = Some((after, swallowed + 1));
                (p, t) = (after, swallowed + 1);
            }
            _ => return false,
        }
    }
}

/// How many characters of the pattern match `c`.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern[0] {
        '?' => Some(1),
        '[' => {
            let end = 2 + pattern.get(2..)?.iter().position(|c| *c == ']')?;
            let set = &pattern[1..end];
            let mut index = 0;
            let mut found = false;
            while index < set.len() {
                if set.get(index + 1) == Some(&'-') && index + 2 < set.len() {
                    found |= (set[index]..=set[index + 2]).contains(&c);
                    index += 3;
                } else {
                    found |= set[index] == c;
                    index += 1;
                }
            }
            found.then_some(end + 1)
        }
        plain => (plain == c).then_some(1),
    }
}

/// `loader/loader.conf` as we write it: one sector, so that it is replaced whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Pattern of the default entry.
    pub default: String,
    /// Seconds that the menu is shown; `None` leaves it to the loader.
    pub timeout: Option<u32>,
    /// Whether the command line may be edited in the menu (never when Secure Boot is on).
    pub editor: bool,
    /// `console-mode`.
    pub console_mode: Option<String>,
}

impl LoaderConfig {
    /// First line of the files that we write.
    pub const MARK: &'static str = "# written by rootstock-boot\n";
    /// Length of the file: one sector.
    pub const LENGTH: usize = 512;

    /// The file, padded with line ends; `None` when it would be longer than a sector.
    pub fn render(&self) -> Option<Vec<u8>> {
        use std::fmt::Write;
        let mut text = LoaderConfig::MARK.to_owned();
        let _ = writeln!(text, "default {}", self.default);
        if let Some(timeout) = self.timeout {
            let _ = writeln!(text, "timeout {timeout}");
        }
        if let Some(mode) = &self.console_mode {
            let _ = writeln!(text, "console-mode {mode}");
        }
        let _ = writeln!(text, "editor {}", if self.editor { "yes" } else { "no" });
        let mut bytes = text.into_bytes();
        if bytes.len() > LoaderConfig::LENGTH {
            return None;
        }
        bytes.resize(LoaderConfig::LENGTH, b'\n');
        Some(bytes)
    }

    /// The pattern of the default entry that a file states.
    pub fn default_of(file: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(file);
        text.lines()
            .filter_map(|line| line.trim().split_once([' ', '\t']))
            .rfind(|(key, _)| *key == "default")
            .map(|(_, value)| value.trim().to_owned())
    }
}
