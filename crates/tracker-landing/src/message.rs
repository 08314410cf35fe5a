//! What a commit's message says of other commits and of pull requests, in the forms that Nixpkgs uses.
//!
//! Invariant: only whole object names and whole numbers count; a mention in prose is no claim.

use crate::graph::ObjectName;

/// A message is read no further than this: the claims stand in its first line and its trailers.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// Claims of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The pull request that brought it: `Merge pull request #N from …`, or `(#N)` at the end of a squashed one's subject.
    pub pull_request: Option<u32>,
    /// `(cherry picked from commit …)`, as `git cherry-pick -x` writes it.
    pub picked_from: Vec<ObjectName>,
    /// `This reverts commit ….`, as `git revert` writes it.
    pub reverts: Vec<ObjectName>,
    /// Vulnerability ids, upper case, in order of appearance.
    pub vulnerabilities: Vec<String>,
    /// The branches of a merge, as its subject names them.
    pub merge: Option<MergedBranches>,
}

/// `Merge FROM into INTO`, `Merge branch 'FROM' into INTO`, `Merge pull request #N from FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedBranches {
    /// The branch that was merged, without its owner.
    pub from: String,
    /// The branch that took it, where the subject says so.
    pub into: Option<String>,
}

impl Mentions {
    /// Whether the message makes no claim.
    pub fn is_empty(&self) -> bool {
        self.pull_request.is_none()
            && self.picked_from.is_empty()
            && self.reverts.is_empty()
            && self.vulnerabilities.is_empty()
            && self.merge.is_none()
    }

    /// Reads a message: subject, blank line, body.
    pub fn read(message: &str) -> Mentions {
        let mut end = message.len().min(MAX_MESSAGE);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        let message = message.get(..end).unwrap_or_default();
        let subject = message.lines().next().unwrap_or_default();
        let mut mentions = Mentions {
            pull_request: pull_request(subject),
            vulnerabilities: vulnerabilities(message),
            merge: merged_branches(subject),
            ..Mentions::default()
        };
        for line in message.lines() {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("(cherry picked from commit ") {
                mentions
                    .picked_from
                    .extend(name(rest.trim_end_matches(')')));
            } else if let Some(rest) = line.strip_prefix("This reverts commit ") {
                mentions
                    .reverts
                    .extend(name(rest.split(['.', ',', ' ']).next().unwrap_or_default()));
            }
        }
        mentions
    }
}

fn name(text: &str) -> Option<ObjectName> {
    text.trim().parse().ok()
}

/// The longest branch name that is kept.
const MAX_BRANCH: usize = 255;

/// The branches that a merge's subject names.
fn merged_branches(subject: &str) -> Option<MergedBranches> {
    let rest = subject.trim_end().strip_prefix("Merge ")?;
    if let Some(request) = rest.strip_prefix("pull request #") {
        let (_, from) = request.split_once(" from ")?;
        let branch = from.split_once('/').map_or(from, |(_, branch)| branch);
        return branch_name(branch).map(|from| MergedBranches { from, into: None });
    }
    let rest = rest.strip_prefix("remote-tracking ").unwrap_or(rest);
    let rest = rest.strip_prefix("branch ").unwrap_or(rest);
    let (from, into) = match rest.split_once(" into ") {
        Some((from, into)) => (from, Some(into)),
        None => (rest, None),
    };
    let from = from.trim_matches('\'');
    let from = from.strip_prefix("origin/").unwrap_or(from);
    let into = into.and_then(|into| branch_name(into.trim_matches('\'')));
    branch_name(from).map(|from| MergedBranches { from, into })
}

/// A single word that can be a branch's name; prose is none.
fn branch_name(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= MAX_BRANCH && !text.contains([' ', ':', ',']);
    fits.then(|| text.to_owned())
}

/// The pull request that a subject line names as its own.
fn pull_request(subject: &str) -> Option<u32> {
    if let Some(rest) = subject.strip_prefix("Merge pull request #") {
        return rest.split(' ').next()?.parse().ok();
    }
    subject
        .trim_end()
        .strip_suffix(')')?
        .rsplit_once("(#")?
        .1
        .parse()
        .ok()
}

/// `CVE-YYYY-N…` ids of a text, each once.
fn vulnerabilities(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let upper = text.to_ascii_uppercase();
    for (at, _) in upper.match_indices("CVE-") {
        let rest = upper.get(at + 4..).unwrap_or_default();
        let year: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let Some(after) = rest
            .get(year.len()..)
            .and_then(|rest| rest.strip_prefix('-'))
        else {
            continue;
        };
        let number: String = after.chars().take_while(char::is_ascii_digit).collect();
        let id = format!("CVE-{year}-{number}");
        if year.len() == 4 && (4..=19).contains(&number.len()) && !found.contains(&id) {
            found.push(id);
        }
    }
    found
}
