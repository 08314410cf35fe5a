//! Boot counting in file names, as systemd-boot does it: `NAME+LEFT-DONE.efi`.
//!
//! Source: UAPI.1 (boot loader specification), "boot counting"; systemd's `boot.c` and `bless-boot.c`.

use serde::Serialize;
use std::fmt;

/// Largest count that the loader takes.
pub(crate) const MAX_COUNT: u32 = i32::MAX as u32;

/// What boot counting knows about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Started well at least once, or never counted.
    Good,
    /// Has tries left.
    Untried,
    /// No tries left: the loader puts it last.
    Bad,
}

/// The two counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counter {
    /// Tries left.
    pub left: u32,
    /// Tries done.
    pub done: u32,
    /// Digits that `left` is padded to.
    left_width: usize,
    /// Digits that `done` is padded to; `None` when the name has no such part.
    done_width: Option<usize>,
}

impl Counter {
    /// A counter that nothing has been tried of yet: `+LEFT`.
    pub fn fresh(left: u32) -> Counter {
        Counter {
            left: left.min(MAX_COUNT),
            done: 0,
            left_width: 1,
            done_width: None,
        }
    }

    fn parse(text: &str) -> Option<Counter> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let value: u32 = digits.parse().ok()?;
            (plain && value <= MAX_COUNT).then_some(value)
        };
        let (left, done) = match text.split_once('-') {
            Some((left, done)) => (left, Some(done)),
            None => (text, None),
        };
        Some(Counter {
            left: number(left)?,
            done: done.map_or(Some(0), number)?,
            left_width: left.len(),
            done_width: done.map(str::len),
        })
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:0width$}", self.left, width = self.left_width)?;
        match self.done_width {
            Some(width) => write!(f, "-{:0width$}", self.done),
            None => Ok(()),
        }
    }
}

/// The file name of an entry, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryName {
    /// What stays the same while the counters change.
    pub stem: String,
    /// The counters, when the entry is counted.
    pub counter: Option<Counter>,
    /// `.efi` or `.conf`, as written.
    suffix: String,
}

impl EntryName {
    /// A unified image's name.
    pub fn image(stem: &str, counter: Option<Counter>) -> EntryName {
        EntryName {
            stem: stem.to_owned(),
            counter,
            suffix: ".efi".to_owned(),
        }
    }

    /// Takes a file name apart; `None` when the loader would not look at it (another suffix).
    pub fn parse(name: &str) -> Option<EntryName> {
        let dot = name.rfind('.')?;
        let (body, suffix) = name.split_at(dot);
        if !suffix.eq_ignore_ascii_case(".efi") && !suffix.eq_ignore_ascii_case(".conf") {
            return None;
        }
        // The last `+` counts; anything but counters behind it makes it a part of the name.
        let counted = body
            .rsplit_once('+')
            .and_then(|(stem, counter)| Some((stem, Counter::parse(counter)?)));
        let (stem, counter) = match counted {
            Some((stem, counter)) => (stem, Some(counter)),
            None => (body, None),
        };
        Some(EntryName {
            stem: stem.to_owned(),
            counter,
            suffix: suffix.to_owned(),
        })
    }

    /// What the counters say.
    pub fn state(&self) -> State {
        match self.counter {
            None => State::Good,
            Some(Counter { left: 0, .. }) => State::Bad,
            Some(_) => State::Untried,
        }
    }

    /// The name that the loader gives the file before it starts it: one try less, one done more. A bad entry and one that is
    /// not counted keep theirs. Padding stays, as the specification asks (systemd 252 to 257 drop it).
    #[must_use]
    pub fn attempted(&self) -> EntryName {
        let mut name = self.clone();
        if let Some(counter) = name.counter.as_mut().filter(|counter| counter.left > 0) {
            counter.left -= 1;
            counter.done = counter.done.saturating_add(1).min(MAX_COUNT);
            // Nine tries in one digit become ten in two.
            let digits = counter.done.to_string().len();
            counter.done_width = Some(counter.done_width.unwrap_or(1).max(digits));
        }
        name
    }

    /// The name of an entry that started well: no counters.
    #[must_use]
    pub fn blessed(&self) -> EntryName {
        EntryName {
            counter: None,
            ..self.clone()
        }
    }

    /// The name of an entry that failed: no tries left.
    #[must_use]
    pub fn condemned(&self) -> EntryName {
        let mut name = self.clone();
        let counter = name.counter.get_or_insert(Counter::fresh(0));
        counter.left = 0;
        name
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stem)?;
        if let Some(counter) = &self.counter {
            counter.fmt(f)?;
        }
        f.write_str(&self.suffix)
    }
}
