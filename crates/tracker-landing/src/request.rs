//! Pull requests in the shape of GitHub's API (`GET /repos/{owner}/{repo}/pulls`): an array of objects, or an object a line.
//!
//! Read are `number`, `title`, `body`, `state`, `user.login`, `base.ref`, `head.ref`, `labels[].name`, `created_at`, `updated_at`,
//! `closed_at`, `merged_at`, `merge_commit_sha`, and, where it is given, `files[].filename`. The body is not kept, only what it claims.
//! Invariant: an entry is read whole or named with its place; a merge commit counts only of a pull request that is merged.

use crate::graph::ObjectName;
use crate::message::Mentions;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest page or line that is read.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The longest title, branch, label or name that is kept, in characters.
pub const MAX_TEXT: usize = 400;

/// The most labels or files of a pull request.
pub const MAX_LIST: usize = 3_000;

/// How a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Not merged yet.
    Open,
    /// Merged.
    Merged,
    /// Closed without being merged.
    Closed,
}

impl RequestState {
    /// As the database and addresses write it.
    pub fn word(self) -> &'static str {
        match self {
            RequestState::Open => "open",
            RequestState::Merged => "merged",
            RequestState::Closed => "closed",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<RequestState> {
        [
            RequestState::Open,
            RequestState::Merged,
            RequestState::Closed,
        ]
        .into_iter()
        .find(|state| state.word() == word)
    }
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// Who opened it.
    pub author: String,
    /// How it stands.
    pub state: RequestState,
    /// The branch that it is for.
    pub base: String,
    /// The branch that it is from.
    pub head: String,
    /// When it was opened.
    pub created: Timestamp,
    /// When anything of it last changed.
    pub updated: Timestamp,
    /// When it was merged.
    pub merged: Option<Timestamp>,
    /// The commit that brought it.
    pub merge_commit: Option<ObjectName>,
    /// Its labels, in order of name.
    pub labels: Vec<String>,
    /// Vulnerabilities that its title, its body or the names of its files name.
    pub vulnerabilities: Vec<String>,
    /// Pull requests that it says it is a backport of.
    pub backport_of: Vec<u32>,
}

/// What a text holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// Pull requests, in the text's order.
    pub requests: Vec<PullRequest>,
    /// Entries that are none: place, counted from 1, and reason.
    pub rejected: Vec<(usize, String)>,
}

/// Why a text cannot be read at all.
#[derive(Debug, Error)]
pub enum RequestsError {
    /// More than [`MAX_BYTES`].
    #[error("the pull requests have {0} bytes; the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// No array, though it begins like one.
    #[error("the text is no array of pull requests")]
    Json(#[from] serde_json::Error),
    /// The server says what is wrong instead of answering.
    #[error("the server answered `{0}`")]
    Message(String),
}

#[derive(Deserialize)]
struct Raw {
    number: u32,
    title: String,
    #[serde(default)]
    body: Option<String>,
    state: String,
    #[serde(default)]
    user: Option<Login>,
    base: Branch,
    #[serde(default)]
    head: Option<Branch>,
    #[serde(default)]
    labels: Vec<Label>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(default)]
    merged_at: Option<Timestamp>,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
}

/// Reads an array of pull requests, or an object a line.
///
/// # Errors
/// [`RequestsError`]; entries that are wrong are listed in the result instead.
pub fn read(bytes: &[u8]) -> Result<Requests, RequestsError> {
    if bytes.len() > MAX_BYTES {
        return Err(RequestsError::TooLarge(bytes.len()));
    }
    let mut requests = Requests::default();
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let entries: Vec<serde_json::Value> = serde_json::from_slice(bytes)?;
        for (place, entry) in entries.into_iter().enumerate() {
            requests.take(place + 1, serde_json::from_value(entry));
        }
        return Ok(requests);
    }
    for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read = serde_json::from_slice::<Raw>(line);
        if let (0, Err(_)) = (requests.requests.len(), &read)
            && let Some(message) = message(line)
        {
            return Err(RequestsError::Message(message));
        }
        requests.take(place + 1, read);
    }
    Ok(requests)
}

/// What GitHub answers when it refuses: `{"message": "...", ...}`.
fn message(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    let refusal: Refusal = serde_json::from_slice(line).ok()?;
    Some(shortened(&refusal.message))
}

impl Requests {
    fn take(&mut self, place: usize, read: serde_json::Result<Raw>) {
        match read.map_err(|error| error.to_string()).and_then(request) {
            Ok(request) => self.requests.push(request),
            Err(reason) => self.rejected.push((place, reason)),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn request(raw: Raw) -> Result<PullRequest, String> {
    if raw.number == 0 {
        return Err("its number is 0".to_owned());
    }
    let state = match (raw.state.as_str(), raw.merged_at) {
        ("open", _) => RequestState::Open,
        ("closed", Some(_)) => RequestState::Merged,
        ("closed", None) => RequestState::Closed,
        (other, _) => return Err(format!("its state is `{}`", shortened(other))),
    };
    let merged = raw.merged_at.filter(|_| state == RequestState::Merged);
    let mentions = Mentions::of_request(&raw.title, raw.body.as_deref().unwrap_or_default());
    let mut vulnerabilities = mentions.vulnerabilities;
    for file in raw.files.iter().take(MAX_LIST) {
        for id in crate::message::vulnerabilities(&file.filename) {
            if !vulnerabilities.contains(&id) {
                vulnerabilities.push(id);
            }
        }
    }
    let mut backport_of = mentions.backport_of;
    let head = raw.head.map_or(String::new(), |head| shortened(&head.name));
    let by_branch = head
        .strip_prefix("backport-")
        .and_then(|rest| rest.split_once("-to-")?.0.parse().ok());
    backport_of.extend(by_branch.filter(|number| !backport_of.contains(number)));
    backport_of.retain(|number| *number != raw.number && *number != 0);
    let mut labels: Vec<String> = raw
        .labels
        .iter()
        .take(MAX_LIST)
        .map(|label| shortened(&label.name))
        .filter(|label| !label.is_empty())
        .collect();
    labels.sort_unstable();
    labels.dedup();
    let commit = raw.merge_commit_sha.filter(|_| merged.is_some());
    Ok(PullRequest {
        number: raw.number,
        title: shortened(&raw.title),
        author: raw
            .user
            .map_or(String::new(), |user| shortened(&user.login)),
        state,
        base: shortened(&raw.base.name),
        head,
        created: raw.created_at,
        updated: raw.updated_at,
        merged,
        merge_commit: commit.and_then(|name| name.parse().ok()),
        labels,
        vulnerabilities,
        backport_of,
    })
}

#[cfg(test)]
mod tests;
