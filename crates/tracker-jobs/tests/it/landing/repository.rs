//! Real repositories, written by `git fast-import` from a few words a commit.

use std::fmt::Write;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A bare repository that grows.
#[derive(Debug)]
pub(crate) struct Repository {
    folder: tempfile::TempDir,
    marks: usize,
}

/// A commit to be written: on a branch, at an hour, with a message and what it merges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct New<'a> {
    pub(crate) branch: &'a str,
    /// Where the branch begins, if this is its first commit.
    pub(crate) from: Option<usize>,
    pub(crate) merge: &'a [usize],
    pub(crate) hour: i64,
    pub(crate) message: &'a str,
    /// A file that it writes, and what in it.
    pub(crate) file: Option<(&'a str, &'a str)>,
}

/// Noon of a day in 2024, the hours of these histories count from here.
pub(crate) const EPOCH: i64 = 1_714_564_800;

impl Repository {
    pub(crate) fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository { folder, marks: 0 };
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=master"]);
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }

    /// Writes commits; gives each one's mark, to be used as a parent.
    pub(crate) fn write(&mut self, commits: &[New<'_>]) -> Vec<usize> {
        let mut stream = String::new();
        let mut marks = Vec::new();
        for new in commits {
            self.marks += 1;
            marks.push(self.marks);
            let (mark, time, length) = (self.marks, EPOCH + new.hour * 3600, new.message.len());
            let branch = new.branch;
            if let Some(from) = new.from {
                writeln!(stream, "reset refs/heads/{branch}\nfrom :{from}\n").unwrap();
            }
            writeln!(stream, "commit refs/heads/{branch}\nmark :{mark}").unwrap();
            writeln!(
                stream,
                "committer a <a@example.org> {time} +0000\ndata {length}\n{}",
                new.message
            )
            .unwrap();
            for parent in new.merge {
                writeln!(stream, "merge :{parent}").unwrap();
            }
            if let Some((path, content)) = new.file {
                let length = content.len();
                write!(stream, "M 100644 inline {path}\ndata {length}\n{content}\n").unwrap();
            }
            writeln!(stream).unwrap();
        }
        let mut import = Command::new("git");
        let marks_file = "--import-marks-if-exists=marks";
        import.arg("-C").arg(self.path());
        import.args([
            "fast-import",
            "--quiet",
            "--force",
            marks_file,
            "--export-marks=marks",
        ]);
        let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
        import
            .stdin
            .take()
            .unwrap()
            .write_all(self.continued(&stream).as_bytes())
            .unwrap();
        assert!(import.wait().unwrap().success(), "{stream}");
        marks
    }

    /// Fast-import begins a branch anew in every run: it has to be told where each goes on.
    fn continued(&self, stream: &str) -> String {
        let listing = self.git(&[
            "for-each-ref",
            "--format=%(refname) %(objectname)",
            "refs/heads",
        ]);
        let mut whole = String::new();
        for line in listing.lines() {
            let (name, commit) = line.split_once(' ').unwrap();
            writeln!(whole, "reset {name}\nfrom {commit}\n").unwrap();
        }
        whole + stream
    }

    /// Git's name of a commit that was written.
    pub(crate) fn name(&self, mark: usize) -> String {
        let marks = std::fs::read_to_string(self.path().join("marks")).unwrap();
        let wanted = format!(":{mark} ");
        let line = marks.lines().find_map(|line| line.strip_prefix(&wanted));
        line.unwrap().to_owned()
    }

    /// Git's own answer.
    pub(crate) fn is_ancestor(&self, commit: &str, head: &str) -> bool {
        let status = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(["merge-base", "--is-ancestor", commit, head])
            .status();
        status.unwrap().success()
    }
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
