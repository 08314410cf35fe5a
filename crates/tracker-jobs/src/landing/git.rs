//! The `git` program, asked about one repository.
//!
//! Invariant: it only reads: nothing is fetched, no lock is taken, and replacement refs are not followed, so that commits have
//! the parents that their names stand for.

use super::error::LandingError;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use tracker_landing::graph::ObjectName;
use tracker_landing::log;

/// How much of what git says is kept.
const MAX_MESSAGE: u64 = 4096;

/// The longest name of a file that is read whole.
const MAX_LINE: u64 = 64 * 1024;

/// Files of a commit whose names are looked at.
const MAX_FILES: usize = 1_000;

/// The most refs that are read.
const MAX_REFS: usize = 100_000;

/// A repository that is whole and names its objects as the index does.
#[derive(Debug)]
pub(super) struct Repository {
    path: PathBuf,
}

/// A branch and its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) commit: ObjectName,
}

impl Repository {
    /// Opens the repository at `path`, bare or not.
    pub(super) fn open(path: &Path) -> Result<Repository, LandingError> {
        let repository = Repository {
            path: path.to_owned(),
        };
        let arguments = [
            "rev-parse",
            "--is-shallow-repository",
            "--show-object-format",
        ];
        let answer = repository.output(&arguments)?;
        let mut lines = answer.lines();
        if lines.next() == Some("true") {
            return Err(LandingError::Shallow(repository.path));
        }
        match lines.next() {
            Some("sha1") => Ok(repository),
            format => Err(LandingError::ObjectFormat {
                repository: repository.path,
                format: format.unwrap_or("an unknown hash").to_owned(),
            }),
        }
    }

    /// The branches that match one of the patterns: the repository's own, and where it has none of a name, those of `origin`.
    pub(super) fn heads(&self, patterns: &[String]) -> Result<Vec<Head>, LandingError> {
        const SPACES: [&str; 2] = ["refs/heads/", "refs/remotes/origin/"];
        let mut arguments = vec![
            "for-each-ref".to_owned(),
            "--format=%(objectname) %(refname)".to_owned(),
        ];
        for space in SPACES {
            arguments.extend(patterns.iter().map(|pattern| format!("{space}{pattern}")));
        }
        if patterns.is_empty() {
            return Ok(Vec::new());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let listing = self.output(&arguments)?;
        let mut heads: BTreeMap<String, ObjectName> = BTreeMap::new();
        for space in SPACES {
            for line in listing.lines().take(MAX_REFS) {
                let head = line.split_once(' ').and_then(|(commit, name)| {
                    let name = name.strip_prefix(space)?.to_owned();
                    Some((name, commit.parse().ok()?))
                });
                if let Some((name, commit)) = head {
                    heads.entry(name).or_insert(commit);
                }
            }
        }
        let head = |(name, commit)| Head { name, commit };
        Ok(heads.into_iter().map(head).collect())
    }

    /// How many commits `heads` have.
    pub(super) fn count(&self, heads: &[Head]) -> Result<u64, LandingError> {
        let arguments = ["rev-list", "--count", "--ignore-missing", "--stdin"];
        let mut stream = self.stream(&arguments, &revisions(heads, &[]))?;
        let mut text = String::new();
        let read = stream.stdout.by_ref().take(64).read_to_string(&mut text);
        stream.finish(self)?;
        Ok(read
            .ok()
            .and_then(|_| text.trim().parse().ok())
            .unwrap_or(0))
    }

    /// The commits that `heads` have and `known` ones have not, parents first, in the form that [`log`] reads.
    pub(super) fn log(&self, heads: &[Head], known: &[ObjectName]) -> Result<Stream, LandingError> {
        let mut arguments = log::ARGUMENTS.to_vec();
        arguments.extend([
            "--encoding=UTF-8",
            "--no-show-signature",
            "--no-patch",
            "--ignore-missing",
            "--stdin",
        ]);
        // Where some commits are known, git shall walk from the newest down until it meets them. To order by parents it would
        // rather count the children of every commit down to the oldest one named, which is nearly the whole history where an
        // old branch is among them. Asked for children, it collects before it orders; what is printed stays the same.
        if !known.is_empty() {
            arguments.push("--children");
        }
        self.stream(&arguments, &revisions(heads, known))
    }

    /// Whether objects are missing that git would fetch when it needs them.
    pub(super) fn is_partial(&self) -> Result<bool, LandingError> {
        let keys = r"^(extensions\.partialclone|remote\..*\.promisor)$";
        let arguments = ["config", "--get-regexp", keys];
        let output = self.command(&arguments).stdin(Stdio::null()).output();
        // Git answers 1 where there is no such key.
        Ok(!output.map_err(LandingError::NoGit)?.stdout.is_empty())
    }

    /// What commits change, each with its patch id; those that change nothing are left out.
    pub(super) fn patches(
        &self,
        commits: &[ObjectName],
    ) -> Result<Vec<(ObjectName, ObjectName)>, LandingError> {
        // The same options for every commit and every user, or equal changes would have other ids.
        let arguments = [
            "diff-tree",
            "--stdin",
            "-r",
            "--patch",
            "--unified=3",
            "--diff-algorithm=myers",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-color",
            "--src-prefix=a/",
            "--dst-prefix=b/",
        ];
        let mut differ = self
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(LandingError::NoGit)?;
        let mut input = differ.stdin.take().expect("stdin is piped");
        let patches = differ.stdout.take().expect("stdout is piped");
        let named: Vec<String> = commits.iter().map(ObjectName::to_string).collect();
        let named = named.join("\n") + "\n";
        // Written beside: git answers while it still reads.
        let writer = std::thread::spawn(move || input.write_all(named.as_bytes()));
        let naming = ["patch-id", "--stable"];
        let output = self
            .command(&naming)
            .stdin(Stdio::from(patches))
            .output()
            .map_err(LandingError::NoGit)?;
        let status = differ.wait().map_err(LandingError::NoGit)?;
        // A git that ended early has not read everything; its status says so.
        let _ = writer.join();
        if !status.success() {
            return Err(self.failure(&arguments, b""));
        }
        if !output.status.success() {
            return Err(self.failure(&naming, &output.stderr));
        }
        let listing = String::from_utf8_lossy(&output.stdout);
        let pair = |line: &str| {
            let (patch, commit) = line.split_once(' ')?;
            Some((commit.trim().parse().ok()?, patch.parse().ok()?))
        };
        Ok(listing.lines().filter_map(pair).collect())
    }

    /// Commits since `since` that `heads` have and `known` ones have not, and that add files whose names hold `CVE-`.
    pub(super) fn added_files(
        &self,
        heads: &[Head],
        known: &[ObjectName],
        since: Timestamp,
    ) -> Result<Vec<(ObjectName, Vec<String>)>, LandingError> {
        let since = format!("--since={since:.0}");
        let arguments = [
            "log",
            "--no-merges",
            "--full-history",
            "--diff-filter=A",
            "--no-renames",
            "--name-only",
            "--format=%x01%H",
            "--ignore-missing",
            &since,
            "--stdin",
            "--",
            ":(icase,glob)**/*CVE-*",
        ];
        let mut stream = self.stream(&arguments, &revisions(heads, known))?;
        let mut found: Vec<(ObjectName, Vec<String>)> = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = stream.stdout.by_ref().take(MAX_LINE);
            match limited.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line);
            if let Some(name) = text.strip_prefix('\u{1}') {
                found.extend(name.trim().parse().ok().map(|name| (name, Vec::new())));
            } else if let Some((_, files)) = found.last_mut()
                && files.len() < MAX_FILES
            {
                files.push(text.trim().to_owned());
            }
        }
        stream.finish(self)?;
        Ok(found)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.path);
        command
            .args(["-c", "core.commitGraph=true"])
            .args(arguments);
        // A caller inside a repository of its own must not change which one is meant.
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
        ] {
            command.env_remove(name);
        }
        command
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C");
        command
    }

    fn output(&self, arguments: &[&str]) -> Result<String, LandingError> {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(LandingError::NoGit)?;
        if !output.status.success() {
            return Err(self.failure(arguments, &output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn stream(&self, arguments: &[&str], input: &str) -> Result<Stream, LandingError> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(LandingError::NoGit)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut stdin = stdin.expect("stdin is piped");
        let mut stderr = stderr.expect("stderr is piped");
        // Read beside, so that a talkative git cannot block on a full pipe.
        let message = std::thread::spawn(move || {
            let mut said = Vec::new();
            // Whatever could be read is what is told; a failure to read it is no failure of the job.
            let _ = stderr.by_ref().take(MAX_MESSAGE).read_to_end(&mut said);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            said
        });
        // Git reads all revisions before it writes. A git that ended early says why on its own.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Ok(Stream {
            child,
            command: arguments.iter().map(ToString::to_string).collect(),
            stdout: BufReader::with_capacity(1 << 18, stdout.expect("stdout is piped")),
            message: Some(message),
        })
    }

    fn failure(&self, arguments: &[impl AsRef<str>], said: &[u8]) -> LandingError {
        let said = String::from_utf8_lossy(said);
        let message: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .take(3)
            .collect();
        LandingError::Git {
            command: arguments
                .first()
                .map_or(String::new(), |name| name.as_ref().to_owned()),
            repository: self.path.clone(),
            message: if message.is_empty() {
                "it said nothing".to_owned()
            } else {
                message.join("; ")
            },
        }
    }
}

fn revisions(heads: &[Head], known: &[ObjectName]) -> String {
    let mut input = String::with_capacity(42 * (heads.len() + known.len()));
    for head in heads {
        input.push_str(&head.commit.to_string());
        input.push('\n');
    }
    for commit in known {
        input.push('^');
        input.push_str(&commit.to_string());
        input.push('\n');
    }
    input
}

/// What a running git writes. Dropped early, it ends the process.
#[derive(Debug)]
pub(super) struct Stream {
    child: Child,
    command: Vec<String>,
    pub(super) stdout: BufReader<ChildStdout>,
    message: Option<JoinHandle<Vec<u8>>>,
}

impl Stream {
    /// Waits for the end, and says what git said if it failed.
    pub(super) fn finish(mut self, repository: &Repository) -> Result<(), LandingError> {
        let status = self.child.wait().map_err(LandingError::NoGit)?;
        let said = self.message.take().and_then(|thread| thread.join().ok());
        if status.success() {
            return Ok(());
        }
        Err(repository.failure(&self.command, &said.unwrap_or_default()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
