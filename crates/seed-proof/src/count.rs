//! How much there is to read. Invariant: lines are counted as they are read, prose and blank lines included, and
//! those with code apart.

use std::ops::AddAssign;

/// Lines of sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Files.
    pub files: usize,
    /// All lines.
    pub all: usize,
    /// Lines that are neither blank nor comments alone.
    pub code: usize,
}

impl AddAssign for Lines {
    fn add_assign(&mut self, other: Lines) {
        self.files += other.files;
        self.all += other.all;
        self.code += other.code;
    }
}

/// Extensions of sources that a person must read.
const SOURCES: [&str; 6] = ["hex0", "hex1", "s2", "c", "h", "S"];

/// The lines of one file; `None` if its name says that it is no source.
pub fn lines(name: &str, text: &str) -> Option<Lines> {
    let (_, extension) = name.rsplit_once('.')?;
    SOURCES.contains(&extension).then(|| Lines {
        files: 1,
        all: text.lines().count(),
        code: text.lines().filter(|line| is_code(line)).count(),
    })
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with(';') && !line.starts_with("//")
}
