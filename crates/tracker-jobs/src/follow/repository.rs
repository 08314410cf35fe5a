//! A repository on GitHub with a file a record: its newest commit, what changed since the last one, an archive.
//!
//! Below the feed's address (`…/repos/OWNER/NAME/` of the API) lie `commits/HEAD`, `compare/OLD...NEW` and
//! `zipball/NEW`. Files are asked for by the paths that a comparison names, below an address of our own making.
//! What a file stated is taken back with the file: a record whose database this is, or what CISA adds to a record of
//! the CVE list. Invariant: the cursor is a commit all of whose files are imported; a history that goes back is refused.

use super::FollowError;
use super::file::{broken, read, shape};
use super::run::Run;
use super::snapshot::{self, Domain};
use crate::fetch::{Fetched, Validators};
use crate::input::{Input, is_json};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tracker_record::Source;
use tracker_store::Withdrawal;

/// Files that a comparison lists at most; with so many it may have left some out.
const MAX_FILES: usize = 300;

/// The time between two requests for files.
const BETWEEN: Duration = Duration::from_millis(20);

/// How far the repository was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    commit: Option<String>,
    validators: Validators,
}

#[derive(Debug, Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Debug, Deserialize)]
struct Comparison {
    status: String,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    filename: String,
    status: String,
    previous_filename: Option<String>,
}

/// What changed between two commits.
#[derive(Debug, Default)]
struct Changes {
    /// Paths of the records that are there.
    files: Vec<String>,
    /// Paths of those that are there no more.
    gone: Vec<String>,
}

/// What CISA's container is called in the records that it is added to.
const CISA: &str = "adp:CISA-ADP";

/// What the ids of GitHub's advisories begin with.
const ADVISORY: &str = "GHSA-";

pub(super) async fn follow(run: &mut Run<'_>, folder: &str) -> Result<(), FollowError> {
    let held: State = run.cursor();
    let url = format!("{}commits/HEAD", run.feed.url);
    let asked = run.get(url, held.validators, Duration::ZERO).await?;
    let (commit, validators) = match asked {
        Fetched::Unchanged => return Ok(()),
        Fetched::Absent => return Err(shape("there is no repository at its address")),
        Fetched::New {
            download,
            validators,
            ..
        } => {
            let commit: Commit =
                serde_json::from_slice(&read(&download)?).map_err(|error| broken(&error))?;
            (commit.sha, validators)
        }
    };
    if !is_commit(&commit) {
        return Err(shape(format!("{commit:?} is no commit")));
    }
    match held.commit {
        Some(old) if old == commit => {}
        Some(old) => match changes(run, &old, &commit, folder).await? {
            Some(changes) => take(run, &commit, changes).await?,
            None => archive(run, &commit, folder).await?,
        },
        None => archive(run, &commit, folder).await?,
    }
    let reached = State {
        commit: Some(commit),
        validators,
    };
    run.save(&reached).await
}

/// The records that changed between two commits; `None` if that cannot be told.
async fn changes(
    run: &mut Run<'_>,
    old: &str,
    new: &str,
    folder: &str,
) -> Result<Option<Changes>, FollowError> {
    let url = format!("{}compare/{old}...{new}", run.feed.url);
    let download = match run.get(url, Validators::default(), BETWEEN).await? {
        Fetched::New { download, .. } => download,
        // The old commit is no longer in the history.
        Fetched::Absent | Fetched::Unchanged => return Ok(None),
    };
    let comparison: Comparison =
        serde_json::from_slice(&read(&download)?).map_err(|error| broken(&error))?;
    match comparison.status.as_str() {
        "ahead" => {}
        "behind" => {
            return Err(FollowError::Older {
                held: old.to_owned(),
                given: new.to_owned(),
            });
        }
        _ => return Ok(None),
    }
    if comparison.files.len() >= MAX_FILES {
        return Ok(None);
    }
    let mut changes = Changes::default();
    for file in comparison.files {
        let wanted = |path: &String| path.starts_with(folder) && is_json(path);
        let (there, before) = match file.status.as_str() {
            "removed" => (None, Some(file.filename)),
            "renamed" => (Some(file.filename), file.previous_filename),
            _ => (Some(file.filename), None),
        };
        for path in there.iter().chain(&before).filter(|path| wanted(path)) {
            if !is_path(path) {
                return Err(shape(format!("{path:?} is no path")));
            }
        }
        changes.files.extend(there.filter(wanted));
        changes.gone.extend(before.filter(wanted));
    }
    // One that was moved within the folder is there.
    let names: Vec<String> = changes.files.iter().map(|path| name(path)).collect();
    changes.gone.retain(|path| !names.contains(&name(path)));
    Ok(Some(changes))
}

/// The name of a record's file, which is its id.
fn name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.trim_end_matches(".json").to_owned()
}

async fn take(run: &mut Run<'_>, commit: &str, changes: Changes) -> Result<(), FollowError> {
    let root = raw(&run.feed.url);
    let mut records = Vec::new();
    for path in changes.files {
        let url = format!("{root}{commit}/{path}");
        if let Fetched::New { download, .. } = run.get(url, Validators::default(), BETWEEN).await? {
            records.push(Input::Bytes {
                name: path,
                bytes: read(&download)?,
            });
        }
    }
    if !records.is_empty() {
        run.import_changes(records).await?;
    }
    let gone: Vec<String> = changes.gone.iter().map(|path| name(path)).collect();
    let (advisories, others): (Vec<_>, Vec<_>) =
        gone.into_iter().partition(|id| id.starts_with(ADVISORY));
    run.withdraw(Source::Osv, &advisories, Withdrawal::Whole)
        .await?;
    run.withdraw(Source::CveList, &others, Withdrawal::Of(CISA))
        .await
}

async fn archive(run: &mut Run<'_>, commit: &str, folder: &str) -> Result<(), FollowError> {
    let url = format!("{}zipball/{commit}", run.feed.url);
    match run.get(url, Validators::default(), Duration::ZERO).await? {
        Fetched::New { download, .. } if folder.is_empty() => {
            run.import(vec![download.folder(folder)]).await
        }
        // A folder is that of a database's own records, so those that it lacks are gone.
        Fetched::New { download, .. } => {
            let domain = Domain {
                source: Source::Osv,
                prefix: ADVISORY.to_owned(),
            };
            let lost = snapshot::lost(run, &domain, download.folder(folder)).await?;
            run.import(vec![download.folder(folder)]).await?;
            snapshot::take_back(run, &lost).await
        }
        Fetched::Absent | Fetched::Unchanged => Err(shape("there is no archive of it")),
    }
}

/// Where files lie, by commit and path: GitHub's raw files, elsewhere `raw/` below the address.
fn raw(url: &str) -> String {
    match url.strip_prefix("https://api.github.com/repos/") {
        Some(repository) => format!("https://raw.githubusercontent.com/{repository}"),
        None => format!("{url}raw/"),
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a path of a record stays below its repository.
fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let fine = |part: &str| !part.starts_with('.') && !part.is_empty() && part.bytes().all(plain);
    path.split('/').all(fine)
}

#[cfg(test)]
mod tests {
    use super::{is_path, raw};

    #[test]
    fn files_stay_below_their_repository() {
        assert_eq!(
            raw("https://api.github.com/repos/cisagov/vulnrichment/"),
            "https://raw.githubusercontent.com/cisagov/vulnrichment/"
        );
        assert!(is_path("2024/1xxx/CVE-2024-1234.json"));
        for bad in [
            "../x.json",
            "/x.json",
            "a//b.json",
            "a/.git/b.json",
            "a?b.json",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
