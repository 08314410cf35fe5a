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
    /// Pull requests that this one brings to another branch: `backport-N-to-BRANCH` as the merged branch, or in the body
    /// `Backport of #N` and the like, as Nixpkgs' bot and people write it.
    pub backport_of: Vec<u32>,
    /// Pull requests that this one undoes: `revert-N-BRANCH` as the merged branch, or `Reverts #N`, as GitHub writes it.
    pub reverts_requests: Vec<u32>,
    /// What a change that names a vulnerability is about: the words before the first colon of its subject, or of the title
    /// that a pull request's merge repeats.
    pub topic: Option<String>,
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
            && self.backport_of.is_empty()
            && self.reverts_requests.is_empty()
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
            references(line, &mut mentions);
        }
        if let Some(merge) = &mentions.merge {
            let numbered = |prefix: &str, end: &str| {
                let rest = merge.from.strip_prefix(prefix)?;
                rest.split_once(end)?.0.parse::<u32>().ok()
            };
            mentions.backport_of.extend(numbered("backport-", "-to-"));
            mentions.reverts_requests.extend(numbered("revert-", "-"));
        }
        for list in [&mut mentions.backport_of, &mut mentions.reverts_requests] {
            list.retain(|number| *number != 0 && Some(*number) != mentions.pull_request);
            list.sort_unstable();
            list.dedup();
        }
        if !mentions.vulnerabilities.is_empty() {
            mentions.topic = topic(message, mentions.pull_request.is_some());
        }
        mentions
    }

    /// Reads what a pull request says of itself: its title, and the body that its author wrote.
    pub fn of_request(title: &str, body: &str) -> Mentions {
        let mut mentions = Mentions::read(&format!("{title}\n\n{body}"));
        // A title that ends with a number speaks of another pull request; this one's number is known.
        mentions.pull_request = None;
        mentions.merge = None;
        mentions
    }
}

/// The most pull requests that one message refers to.
const MAX_REFERENCES: usize = 16;

/// Beginnings of lines that say of which pull request this one is a backport, lower case.
const BACKPORT_WORDS: &[&str] = &[
    "backport of ",
    "(backport of ",
    "backports ",
    "manual backport of ",
];

/// What Nixpkgs' bot writes: ``Bot-based backport to `release-25.05`, triggered by a label in #N.``
const BOT_WORDS: (&str, &str) = ("bot-based backport to ", "triggered by a label in ");

/// The references to other pull requests that a line makes.
fn references(line: &str, mentions: &mut Mentions) {
    let full = |list: &[u32]| list.len() >= MAX_REFERENCES;
    let lower = line.to_ascii_lowercase();
    let lower = lower.trim_start_matches(['*', '-', ' ', '_']);
    for words in BACKPORT_WORDS {
        if let Some(rest) = lower.strip_prefix(words)
            && !full(&mentions.backport_of)
        {
            mentions.backport_of.extend(reference(rest));
            return;
        }
    }
    if let Some((_, rest)) = lower
        .strip_prefix(BOT_WORDS.0)
        .and_then(|rest| rest.split_once(BOT_WORDS.1))
        && !full(&mentions.backport_of)
    {
        mentions.backport_of.extend(reference(rest));
    } else if let Some(rest) = lower.strip_prefix("reverts ")
        && !full(&mentions.reverts_requests)
    {
        mentions.reverts_requests.extend(reference(rest));
    }
}

/// A pull request of Nixpkgs: `#N`, `nixos/nixpkgs#N`, or its address. The text is lower case.
fn reference(text: &str) -> Option<u32> {
    let word = text.split([' ', ')', ',', ';']).next()?;
    let word = word.trim_end_matches(['.', ':', '/']);
    let number = word
        .strip_prefix("https://github.com/nixos/nixpkgs/pull/")
        .or_else(|| word.strip_prefix("nixos/nixpkgs#"))
        .or_else(|| word.strip_prefix('#'))?;
    number.parse().ok()
}

/// The longest topic that is kept.
const MAX_TOPIC: usize = 120;

/// What a message is about: what stands before the colon of its title, less a tag such as `[25.05]`.
fn topic(message: &str, merges_request: bool) -> Option<String> {
    let mut lines = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut title = lines.next()?;
    if merges_request && title.starts_with("Merge ") {
        title = lines.next()?;
    }
    let title = title_without_tags(title);
    let (topic, _) = title.split_once(": ")?;
    let fits = !topic.is_empty() && topic.len() <= MAX_TOPIC;
    fits.then(|| topic.to_owned())
}

/// A title without the tags before it: `[Backport release-25.05] [Security] curl: fix` becomes `curl: fix`.
pub fn title_without_tags(title: &str) -> &str {
    let mut title = title.trim();
    while let Some((_, rest)) = title
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        title = rest.trim_start();
    }
    title
}

/// Whether a topic is about the package of this name: `curl`, `curl, wget`, `{curl,wget}`, `python3Packages.curl`.
pub fn is_about(topic: &str, package: &str) -> bool {
    topic
        .split([',', '{', '}', ' ', '/'])
        .filter(|word| !word.is_empty())
        .any(|word| word == package || word.rsplit('.').next() == Some(package))
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
pub(crate) fn vulnerabilities(text: &str) -> Vec<String> {
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
