//! A feed that is one file: fetched when it is a newer one, looked at before anything of it is imported.
//!
//! A file states all that its source states: what the one before stated and this one does not is taken back.
//! Invariant: a file that contradicts itself, is older than the one before, or lacks much of it, changes nothing.

use super::FollowError;
use super::run::Run;
use super::snapshot::{self, Domain};
use crate::fetch::{Download, Fetched, Validators};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Read as _};
use std::time::Duration;
use tracker_record::Source;
use tracker_record::unpack::unpack;

/// The longest line of a table, in bytes; a row has some thirty.
const MAX_LINE: u64 = 64 << 10;

/// What is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// CISA's catalogue of known exploited vulnerabilities.
    Kev,
    /// FIRST's table of scores.
    Epss,
    /// Debian's security tracker: an object of packages.
    Debian,
    /// Alpine's security fixes of a repository.
    Alpine,
}

/// How far the feed was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    validators: Validators,
    /// The date that the file states.
    stamp: String,
    records: u64,
}

/// What a file says about itself.
struct Facts {
    stamp: String,
    records: u64,
    /// What the ids of its records begin with.
    prefix: String,
}

impl Content {
    const fn source(self) -> Source {
        match self {
            Content::Kev => Source::Kev,
            Content::Epss => Source::Epss,
            Content::Debian => Source::Debian,
            Content::Alpine => Source::Alpine,
        }
    }
}

pub(super) async fn follow(run: &mut Run<'_>, content: Content) -> Result<(), FollowError> {
    let held: State = run.cursor();
    let asked = run.get(
        run.feed.url.clone(),
        held.validators.clone(),
        Duration::ZERO,
    );
    let (download, validators) = match asked.await? {
        Fetched::Unchanged => return Ok(()),
        Fetched::Absent => return Err(shape("there is nothing at its address")),
        Fetched::New {
            download,
            validators,
            ..
        } => (download, validators),
    };
    let facts = match content {
        Content::Kev => kev(&read(&download)?)?,
        Content::Epss => epss(read(&download)?)?,
        Content::Debian => Facts {
            stamp: stamp(&validators),
            records: debian(&download)?,
            prefix: String::new(),
        },
        Content::Alpine => {
            let (prefix, records) = alpine(&read(&download)?)?;
            Facts {
                stamp: stamp(&validators),
                records,
                prefix,
            }
        }
    };
    // All dates are written so that texts compare as dates do; a server need not state one.
    if !facts.stamp.is_empty() && facts.stamp < held.stamp {
        return Err(FollowError::Older {
            held: held.stamp,
            given: facts.stamp,
        });
    }
    if facts.records < held.records / 2 {
        let reason = format!("{} records after {}", facts.records, held.records);
        return Err(FollowError::Truncated { reason });
    }
    let domain = Domain {
        source: content.source(),
        prefix: facts.prefix,
    };
    let lost = snapshot::lost(run, &domain, download.input()).await?;
    run.import(vec![download.input()]).await?;
    snapshot::take_back(run, &lost).await?;
    let reached = State {
        validators,
        stamp: facts.stamp,
        records: facts.records,
    };
    run.save(&reached).await
}

pub(super) fn read(download: &Download) -> Result<Vec<u8>, FollowError> {
    download.bytes().map_err(shape)
}

pub(super) fn shape(reason: impl ToString) -> FollowError {
    FollowError::Shape {
        reason: reason.to_string(),
    }
}

fn kev(bytes: &[u8]) -> Result<Facts, FollowError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Catalogue {
        date_released: String,
        count: u64,
        vulnerabilities: Vec<IgnoredAny>,
    }
    let catalogue: Catalogue = serde_json::from_slice(bytes).map_err(|error| broken(&error))?;
    let records = catalogue.vulnerabilities.len() as u64;
    if records != catalogue.count {
        let reason = format!("{records} records of {}", catalogue.count);
        return Err(FollowError::Truncated { reason });
    }
    Ok(Facts {
        stamp: catalogue.date_released,
        records,
        prefix: String::new(),
    })
}

/// The date of a file that states none is that of its last modification.
fn stamp(validators: &Validators) -> String {
    let text = validators.last_modified.as_deref().unwrap_or_default();
    let date = jiff::fmt::rfc2822::parse(text);
    date.map_or_else(|_| String::new(), |date| date.timestamp().to_string())
}

/// The number of packages.
fn debian(download: &Download) -> Result<u64, FollowError> {
    type Packages = BTreeMap<String, BTreeMap<String, Tracked>>;
    #[derive(Deserialize)]
    struct Tracked {
        #[serde(rename = "releases")]
        _releases: serde_json::Map<String, serde_json::Value>,
    }
    let input = BufReader::new(download.open().map_err(shape)?);
    let packages: Packages = serde_json::from_reader(input).map_err(|error| broken(&error))?;
    Ok(packages.len() as u64)
}

/// What the ids of its records begin with, and the number of packages.
fn alpine(bytes: &[u8]) -> Result<(String, u64), FollowError> {
    #[derive(Deserialize)]
    struct Database {
        #[serde(rename = "distroversion")]
        release: String,
        #[serde(rename = "reponame")]
        repository: String,
        packages: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(rename = "pkg")]
        _package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        #[serde(rename = "name")]
        _name: String,
        #[serde(default, rename = "secfixes")]
        _fixes: BTreeMap<String, Option<Vec<IgnoredAny>>>,
    }
    let database: Database = serde_json::from_slice(bytes).map_err(|error| broken(&error))?;
    let prefix = format!("{}/{}/", database.release, database.repository);
    Ok((prefix, database.packages.len() as u64))
}

/// JSON that ends too early is cut off; other JSON is of another shape.
pub(super) fn broken(error: &serde_json::Error) -> FollowError {
    if error.is_eof() {
        let reason = error.to_string();
        return FollowError::Truncated { reason };
    }
    shape(error)
}

fn epss(bytes: Vec<u8>) -> Result<Facts, FollowError> {
    let mut facts = Err(shape("it is no table of scores"));
    unpack("epss", Cursor::new(bytes), |_, content| {
        facts = match content {
            Ok(content) => table(BufReader::new(content)),
            Err(error) => Err(shape(error)),
        };
    })
    .map_err(shape)?;
    facts
}

/// `#model_version:v2025.03.14,score_date:2026-01-03T12:55:00Z`, the names of the columns, then a row a record.
fn table(mut content: impl BufRead) -> Result<Facts, FollowError> {
    let mut stamp = None;
    let mut rows = 0_u64;
    let mut held = Vec::new();
    loop {
        held.clear();
        let mut limited = content.by_ref().take(MAX_LINE);
        let read = limited.read_until(b'\n', &mut held);
        let read = read.map_err(|error| FollowError::Truncated {
            reason: error.to_string(),
        })?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE && !held.ends_with(b"\n") {
            return Err(shape(format!(
                "a line of it has more than {MAX_LINE} bytes"
            )));
        }
        let line = String::from_utf8_lossy(&held);
        let line = line.trim_end();
        if stamp.is_none() {
            let date = line.split("score_date:").nth(1);
            stamp = date
                .and_then(|date| date.split(',').next())
                .map(str::to_owned);
            if stamp.is_none() {
                return Err(shape("its first line states no score_date"));
            }
        }
        rows += u64::from(line.starts_with("CVE-"));
    }
    let stamp = stamp.ok_or_else(|| shape("it is empty"))?;
    Ok(Facts {
        stamp,
        records: rows,
        prefix: String::new(),
    })
}
