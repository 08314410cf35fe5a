//! What is new in a repository, into the index.
//!
//! Invariant: commits are appended parents first and before the heads that name them, so an index that is cut off anywhere holds
//! a history that is whole as far as it goes.

use super::error::LandingError;
use super::folder::Writer;
use super::git::{Head, Repository};
use super::links;
use crate::progress::{Phase, Progress, Step};
use jiff::Timestamp;
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tracker_landing::Commit;
use tracker_landing::archive::{HeadSeen, Segment};
use tracker_landing::graph::{Graph, ObjectName};
use tracker_landing::index::{LandingIndex, LineName};
use tracker_landing::log::LogReader;

/// Commits of a segment.
const SEGMENT_COMMITS: usize = 4_000;

/// Bytes of messages' claims and names after which a segment ends early.
const SEGMENT_PARENTS: usize = 100_000;

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);

/// Which history to index, and where.
#[derive(Debug, Clone)]
pub struct IndexRequest {
    /// A clone of Nixpkgs, bare or not, not shallow.
    pub repository: PathBuf,
    /// The index folder; made if it is not there.
    pub folder: PathBuf,
    /// The branch by which ancestry is indexed.
    pub trunk: String,
    /// Patterns of the other branches, as `git for-each-ref` takes them.
    pub branches: Vec<String>,
    /// Patterns of the branches that stand for channels: where they are is recorded, with the time of `now`.
    pub channels: Vec<String>,
    /// The time at which channels are seen.
    pub now: Timestamp,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexSummary {
    /// Commits that were not held before.
    pub new_commits: u64,
    /// Commits that git told of.
    pub read_commits: u64,
    /// Commits held now.
    pub commits: u64,
    /// Branches held.
    pub branches: u64,
    /// Branches that moved.
    pub moved_branches: Vec<String>,
    /// Branches whose new head does not contain the one before: they were rewritten.
    pub rewritten_branches: Vec<String>,
    /// Channels that were seen at another commit than before.
    pub moved_channels: Vec<String>,
    /// Bytes of a damaged end that were cut off and made again.
    pub dropped_bytes: u64,
    /// Size of the index.
    pub bytes: u64,
    /// Commits whose patches were compared with those of others.
    pub compared: u64,
    /// Commits that add a file whose name names a vulnerability.
    pub named_by_files: u64,
    /// What could not be looked at in this repository, and why.
    pub notes: Vec<String>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

/// Takes in what is new in a repository. It waits for `git` and the disk: call it from a thread that may.
///
/// # Errors
/// [`LandingError`]. What was appended before stays, and the next run goes on from there.
pub fn index(
    request: &IndexRequest,
    progress: &dyn Progress,
) -> Result<IndexSummary, LandingError> {
    let repository = Repository::open(&request.repository)?;
    let mut writer = Writer::open(&request.folder)?;
    let trunk = repository.heads(std::slice::from_ref(&request.trunk))?;
    let branches = repository.heads(&request.branches)?;
    let channels = repository.heads(&request.channels)?;
    let Some(trunk) = trunk.into_iter().find(|head| head.name == request.trunk) else {
        return Err(no_trunk(&repository, request)?);
    };
    let mut branches: Vec<Head> = branches
        .into_iter()
        .filter(|head| head.name != trunk.name)
        .collect();
    let held = writer.index().graph().len() as u64;
    let wanted: Vec<Head> = std::iter::once(&trunk)
        .chain(&branches)
        .chain(&channels)
        .filter(|head| writer.index().graph().find(&head.commit).is_none())
        .cloned()
        .collect();
    let read_commits = if wanted.is_empty() {
        0
    } else {
        take_commits(&repository, &mut writer, &wanted, progress)?
    };
    let mut summary = IndexSummary {
        new_commits: writer.index().graph().len() as u64 - held,
        read_commits,
        commits: writer.index().graph().len() as u64,
        branches: branches.len() as u64 + 1,
        moved_branches: Vec::new(),
        rewritten_branches: Vec::new(),
        moved_channels: Vec::new(),
        dropped_bytes: writer.dropped,
        bytes: 0,
        compared: 0,
        named_by_files: 0,
        notes: Vec::new(),
        warnings: Vec::new(),
    };
    // The trunk comes first: ancestry is asked by it.
    branches.insert(0, trunk);
    let mut before: Vec<(String, ObjectName, ObjectName)> = Vec::new();
    for (place, head) in branches.iter().enumerate() {
        let line = if place == 0 {
            LineName::Trunk(head.name.clone())
        } else {
            LineName::Branch(head.name.clone())
        };
        let last = writer.index().last_head(&line).map(|seen| seen.commit);
        let other_trunk = place == 0 && writer.index().trunk() != Some(&head.name);
        if last == Some(head.commit) && !other_trunk {
            continue;
        }
        if let Some(last) = last.filter(|last| *last != head.commit) {
            before.push((head.name.clone(), last, head.commit));
        }
        append_head(&mut writer, &line, head, request.now, false)?;
        summary.moved_branches.push(head.name.clone());
    }
    for head in &channels {
        let line = LineName::Channel(head.name.clone());
        let last = writer.index().last_head(&line);
        if last.is_some_and(|last| last.commit == head.commit) {
            continue;
        }
        let now = request.now.as_second();
        if let Some(last) = last.filter(|last| last.observed && last.time > now) {
            let (name, seen) = (&head.name, last.time);
            summary.warnings.push(format!(
                "`{name}` is not recorded: it was last seen at {seen} (seconds since 1970), which is after this machine's clock, {now}"
            ));
            continue;
        }
        append_head(&mut writer, &line, head, request.now, true)?;
        summary.moved_channels.push(head.name.clone());
    }
    writer.settle_branches();
    if repository.is_partial()? {
        summary.notes.push(
            "the clone is partial: patches and names of files are not compared, for git would fetch them".to_owned(),
        );
    } else {
        links::compare(&repository, &mut writer, request.now, &mut summary)?;
        links::examine(
            &repository,
            &mut writer,
            &branches,
            request.now,
            &mut summary,
        )?;
    }
    writer.sync()?;
    summary.rewritten_branches = rewritten(writer.index(), before);
    summary.bytes = writer.bytes();
    Ok(summary)
}

/// The branches whose new head does not contain the old one.
fn rewritten(index: &LandingIndex, moved: Vec<(String, ObjectName, ObjectName)>) -> Vec<String> {
    let find = |name: &ObjectName| index.graph().find(name);
    let dropped = |old: &ObjectName, new: &ObjectName| {
        let ancestry = index.ancestry()?;
        Some(!ancestry.contains(index.graph(), find(new)?, find(old)?))
    };
    moved
        .into_iter()
        .filter(|(_, old, new)| dropped(old, new).unwrap_or(false))
        .map(|(branch, _, _)| branch)
        .collect()
}

/// Reads commits from git and appends them; says how many git told of.
fn take_commits(
    repository: &Repository,
    writer: &mut Writer,
    wanted: &[Head],
    progress: &dyn Progress,
) -> Result<u64, LandingError> {
    let known = tips(writer.index().graph());
    // How far it is is worth a walk of git's own only where it is far.
    let total = if known.is_empty() {
        repository.count(wanted)?
    } else {
        0
    };
    let mut stream = repository.log(wanted, &known)?;
    let (mut done, mut shown) = (0_u64, Instant::now());
    let mut segment: Vec<Commit> = Vec::new();
    let mut parents = 0;
    for commit in LogReader::new(&mut stream.stdout) {
        let commit = commit?;
        done += 1;
        // A tip that the repository no longer has cannot be excluded, so commits may come again.
        if writer.index().graph().find(&commit.name).is_some() {
            continue;
        }
        parents += commit.parents.len() + commit.mentions.picked_from.len();
        segment.push(commit);
        if segment.len() >= SEGMENT_COMMITS || parents >= SEGMENT_PARENTS {
            append_commits(writer, std::mem::take(&mut segment))?;
            parents = 0;
        }
        if shown.elapsed() >= TICK {
            shown = Instant::now();
            progress.step(step(done, total));
        }
    }
    // Only a git that ended well has told everything; what it told before is right all the same.
    if !segment.is_empty() {
        append_commits(writer, segment)?;
    }
    stream.finish(repository)?;
    progress.step(step(done, done));
    Ok(done)
}

fn step(done: u64, total: u64) -> Step {
    Step {
        phase: Phase::Landing,
        done,
        total: total.max(done),
        records: done,
    }
}

fn append_commits(writer: &mut Writer, commits: Vec<Commit>) -> Result<(), LandingError> {
    writer.append(Segment::Commits(commits), |index| {
        // The repository is not shallow, so every parent must be there.
        match index.graph().boundary().first() {
            None => Ok(()),
            Some(commit) => Err(LandingError::Incomplete(
                index.graph().name(*commit).to_string(),
            )),
        }
    })
}

pub(super) fn append_head(
    writer: &mut Writer,
    line: &LineName,
    head: &Head,
    now: Timestamp,
    observed: bool,
) -> Result<(), LandingError> {
    let seen = HeadSeen {
        line: line.to_string(),
        commit: head.commit,
        time: now.as_second(),
        release: String::new(),
        observed,
    };
    writer.append(Segment::Head(seen), |_: &LandingIndex| Ok(()))
}

/// The commits that no other one has as a parent: everything held is reached from them.
fn tips(graph: &Graph) -> Vec<ObjectName> {
    graph.tips().map(|commit| graph.name(commit)).collect()
}

fn no_trunk(repository: &Repository, request: &IndexRequest) -> Result<LandingError, LandingError> {
    let all = repository.heads(&["**".to_owned()])?;
    let names: Vec<String> = all
        .iter()
        .take(8)
        .map(|head| format!("`{}`", head.name))
        .collect();
    Ok(LandingError::NoTrunk {
        repository: request.repository.clone(),
        trunk: request.trunk.clone(),
        found: if names.is_empty() {
            "no branches".to_owned()
        } else {
            names.join(", ")
        },
    })
}
