//! Writing channel releases: contents are kept once, releases only point at them.
//!
//! Invariant: a release is written whole or not at all, and writing it again changes nothing.

pub(crate) mod statements;

use crate::Store;
use crate::error::{Result, StoreError};
use crate::triage::family;
use crate::value::{Row, Value, clean, json, values};
use crate::words;
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use statements as sql;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use tracker_inventory::{Package, Release};

/// A package of a release, with the family that it is counted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasePackage {
    /// The package.
    pub package: Package,
    /// Its family within the distribution, as matching gives it; what people merged and split is laid over that.
    pub family: String,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReleaseOutcome {
    /// Whether it was not held before; otherwise nothing was written.
    pub new: bool,
    /// Packages in it.
    pub packages: u32,
    /// Packages that the release before it did not have; `None` for the first.
    pub added: Option<u32>,
    /// Packages that the release before it had.
    pub removed: Option<u32>,
    /// Packages whose version is another one.
    pub moved: Option<u32>,
    /// Whether it is the latest of its channel, so that matches are due.
    pub current: bool,
}

/// A release's row.
struct Held {
    key: i64,
    packages: u32,
    added: Option<u32>,
    removed: Option<u32>,
    moved: Option<u32>,
}

impl Held {
    fn read(row: &Row) -> Result<Held> {
        let optional = |index| {
            let value = row.optional_integer(index)?;
            Ok::<_, StoreError>(value.and_then(|value| u32::try_from(value).ok()))
        };
        Ok(Held {
            key: row.integer(0)?,
            packages: row.number(1)?,
            added: optional(2)?,
            removed: optional(3)?,
            moved: optional(4)?,
        })
    }
}

impl Store {
    /// Keeps a release of a channel. A revision that is held already is left as it is.
    pub async fn put_release(
        &self,
        release: &Release,
        mut packages: Vec<ReleasePackage>,
    ) -> Result<ReleaseOutcome> {
        let refused = |reason: String| StoreError::Release {
            channel: release.channel.clone(),
            revision: release.revision.clone(),
            reason,
        };
        let mut seen = HashSet::with_capacity(packages.len());
        for given in &packages {
            if !seen.insert(given.package.attribute.as_str()) {
                return Err(refused(format!(
                    "attribute `{}` occurs twice",
                    given.package.attribute
                )));
            }
        }
        let mut writer = self.writer().await?;
        let (channel, latest) = channel(&mut writer, release, &refused).await?;
        let session = &mut writer.session;
        let by_revision = values![channel, release.revision.as_str()];
        if let Some(row) = session.row(&sql::RELEASE_HELD, by_revision).await? {
            let held = Held::read(&row)?;
            return Ok(ReleaseOutcome {
                new: false,
                packages: held.packages,
                added: held.added,
                removed: held.removed,
                moved: held.moved,
                current: latest == Some(held.key),
            });
        }
        let key = writer.next(Counter::Release);
        let builds: Vec<Build> = packages
            .iter_mut()
            .map(|given| Build::take(&mut given.package))
            .collect();
        let packages: Arc<[ReleasePackage]> = packages.into();
        let contents = write_packages(&mut writer, &release.distribution, &packages).await?;
        let mut rows = Vec::with_capacity(packages.len() * 5);
        for (build, content) in builds.into_iter().zip(&contents) {
            rows.extend(values![
                key,
                *content,
                build.derivation,
                build.output,
                build.dependents.map(i64::from)
            ]);
        }
        let session = &mut writer.session;
        session.insert(&sql::RELEASE_PACKAGE_ADD, 5, rows).await?;
        let released = release.released.as_microsecond();
        let row = values![
            key,
            channel,
            release.revision.as_str(),
            released,
            packages.len() as i64
        ];
        session.execute(&sql::RELEASE_ADD, row).await?;
        // The releases on both sides of it: it differs from the one before, the one after differs from it.
        let neighbour = values![channel, released, key];
        let before = session.row(&sql::RELEASE_BEFORE, neighbour.clone()).await?;
        let after = session.row(&sql::RELEASE_AFTER, neighbour).await?;
        let mut outcome = ReleaseOutcome {
            new: true,
            packages: packages.len() as u32,
            current: after.is_none(),
            ..ReleaseOutcome::default()
        };
        if let Some(before) = before {
            let counts = count_difference(&mut writer, Held::read(&before)?.key, key).await?;
            (outcome.added, outcome.removed, outcome.moved) =
                (Some(counts[0]), Some(counts[1]), Some(counts[2]));
        }
        if let Some(after) = after {
            count_difference(&mut writer, key, Held::read(&after)?.key).await?;
        } else {
            let session = &mut writer.session;
            session
                .execute(&sql::CHANNEL_LATEST, values![channel, key])
                .await?;
            let distribution = values![release.distribution.as_str()];
            session
                .execute(&sql::DISTRIBUTION_DUE, distribution)
                .await?;
        }
        writer.commit().await?;
        Ok(outcome)
    }
}

impl Store {
    /// Keeps until when a channel gets fixes; `None` if no end is known. A channel that is not held is left out.
    pub async fn put_support(&self, channel: &str, until: Option<Timestamp>) -> Result<()> {
        let mut writer = self.writer().await?;
        let row = values![channel, until];
        writer.session.execute(&sql::CHANNEL_SUPPORT, row).await?;
        writer.changed();
        writer.commit().await
    }
}

impl Store {
    /// Keeps until when a channel gets fixes as far as is known in general, unless an end is held already: that is
    /// somebody's word, which stands. Gives whether it was kept.
    pub async fn know_support(&self, channel: &str, until: Timestamp) -> Result<bool> {
        let mut writer = self.writer().await?;
        let row = values![channel, until];
        let kept = writer
            .session
            .execute(&sql::CHANNEL_SUPPORT_KNOWN, row)
            .await?;
        if kept == 0 {
            return Ok(false);
        }
        writer.changed();
        writer.commit().await?;
        Ok(true)
    }
}

/// The channel's key, made if it is new, and its latest release.
async fn channel(
    writer: &mut Writer,
    release: &Release,
    refused: &impl Fn(String) -> StoreError,
) -> Result<(i64, Option<i64>)> {
    let name = release.channel.as_str();
    let session = &mut writer.session;
    if let Some(row) = session.row(&sql::CHANNEL_HELD, values![name]).await? {
        let distribution = row.text(1)?;
        if distribution != release.distribution {
            return Err(refused(format!(
                "the channel belongs to `{distribution}`, not to `{}`",
                release.distribution
            )));
        }
        return Ok((row.integer(0)?, row.optional_integer(2)?));
    }
    let key = writer.next(Counter::Channel);
    let row = values![key, release.distribution.as_str(), name];
    writer.session.execute(&sql::CHANNEL_ADD, row).await?;
    Ok((key, None))
}

/// Writes attributes and contents that are not held yet; gives the content's key of each package.
async fn write_packages(
    writer: &mut Writer,
    distribution: &str,
    packages: &Arc<[ReleasePackage]>,
) -> Result<Vec<i64>> {
    // The contents are written out on another core while the database takes the attributes.
    let given = Arc::clone(packages);
    let stored = tokio::task::spawn_blocking(move || given.iter().map(content).collect::<Vec<_>>());
    let attributes = write_attributes(writer, distribution, packages).await?;
    let stored = stored.await.expect("writing out JSON does not panic");
    let mut held: HashMap<(i64, Vec<u8>), i64> = HashMap::new();
    let keys = attributes.iter().filter(|attribute| attribute.held);
    let keys = keys.map(|attribute| Value::from(attribute.key)).collect();
    for row in writer
        .session
        .rows_in(&sql::PACKAGES_HELD, &[], keys)
        .await?
    {
        held.insert((row.integer(1)?, row.bytes(2)?), row.integer(0)?);
    }
    let mut contents = Vec::with_capacity(packages.len());
    let (mut rows, mut maintainers) = (Vec::new(), Vec::new());
    for (((digest, data), attribute), given) in
        stored.into_iter().zip(attributes).zip(packages.iter())
    {
        if attribute.held
            && let Some(key) = held.get(&(attribute.key, digest.to_vec()))
        {
            contents.push(*key);
            continue;
        }
        let key = writer.next(Counter::Package);
        contents.push(key);
        let version = given.package.version.as_deref();
        rows.extend(values![key, attribute.key, &digest[..], version, data]);
        let named = given.package.maintainers.iter().cloned().map(clean);
        for maintainer in named.collect::<BTreeSet<String>>() {
            maintainers.extend(values![key, maintainer]);
        }
    }
    let session = &mut writer.session;
    session.insert(&sql::PACKAGE_ADD, 5, rows).await?;
    session.insert(&sql::MAINTAINER_ADD, 2, maintainers).await?;
    Ok(contents)
}

/// The content that releases share, as JSON, and the beginning of its SHA-256.
fn content(given: &ReleasePackage) -> ([u8; 16], String) {
    let data = json(&given.package);
    let digest = Sha256::digest(data.as_bytes());
    let digest = *digest.first_chunk().expect("SHA-256 has 32 bytes");
    (digest, data)
}

/// What of a package is another with each rebuild, so that it is no part of the content that releases share.
struct Build {
    derivation: Option<String>,
    output: Option<String>,
    dependents: Option<u32>,
}

impl Build {
    fn take(package: &mut Package) -> Build {
        Build {
            derivation: package.derivation.take(),
            output: package.output.take(),
            dependents: package.dependents.take(),
        }
    }
}

/// An attribute's key, and whether it was held before this release.
#[derive(Debug, Clone, Copy)]
struct Attribute {
    key: i64,
    held: bool,
}

/// Writes attributes that are new or whose name or family moved; gives the attribute of each package.
async fn write_attributes(
    writer: &mut Writer,
    distribution: &str,
    packages: &Arc<[ReleasePackage]>,
) -> Result<Vec<Attribute>> {
    let families = family::families(&mut writer.session).await?;
    let mut held: HashMap<String, (i64, String, String)> = HashMap::new();
    let rows = writer
        .session
        .rows(&sql::ATTRIBUTES_HELD, values![distribution])
        .await?;
    for row in rows {
        let rest = (row.integer(0)?, row.text(2)?, row.text(3)?);
        held.insert(row.text(1)?, rest);
    }
    let mut attributes = Vec::with_capacity(packages.len());
    // What is written of them, by the package's index: their rows, and their words.
    let (mut rows, mut moved, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for (index, given) in packages.iter().enumerate() {
        let name = clean(given.package.attribute.clone());
        let (name, pname) = (name.as_str(), given.package.pname.as_str());
        let entry = held.get(name);
        let attribute = if let Some((key, had, family)) = entry {
            let (key, held) = (*key, true);
            if had == pname && *family == given.family {
                attributes.push(Attribute { key, held });
                continue;
            }
            known.push(Value::from(key));
            Attribute { key, held }
        } else {
            writer.add(Counter::Attributes, 1);
            let (key, held) = (writer.next(Counter::Attribute), false);
            Attribute { key, held }
        };
        attributes.push(attribute);
        moved.push((index, attribute.key));
        let size = name.chars().count() as i64;
        rows.extend(values![
            attribute.key,
            distribution,
            name,
            size,
            pname,
            families.assigned(distribution, name, &given.family),
            0_i64,
            given.family.as_str()
        ]);
    }
    // The words are cut on another core while the database takes the rows.
    let given = Arc::clone(packages);
    let texts = tokio::task::spawn_blocking(move || {
        let mut texts = Vec::with_capacity(moved.len() * 2);
        for (index, key) in moved {
            let package = &given[index].package;
            let name = clean(package.attribute.clone());
            let words = words::name_pieces([name.as_str(), package.pname.as_str()]);
            texts.extend(values![key, words]);
        }
        texts
    });
    let session = &mut writer.session;
    session.insert(&sql::ATTRIBUTE_PUT, 8, rows).await?;
    session
        .execute_in(&sql::ATTRIBUTE_WORDS_GONE, &[], known)
        .await?;
    let texts = texts
        .await
        .expect("cutting names into words does not panic");
    session.insert(&sql::ATTRIBUTE_WORDS_ADD, 2, texts).await?;
    Ok(attributes)
}

/// Counts what came, went and moved from one release to the next, and notes it there.
async fn count_difference(writer: &mut Writer, from: i64, to: i64) -> Result<[u32; 3]> {
    let session = &mut writer.session;
    let mut before: HashMap<i64, Option<String>> = HashMap::new();
    for row in session.rows(&sql::ONLY_IN_FIRST, values![from, to]).await? {
        before.insert(row.integer(0)?, row.optional_text(2)?);
    }
    let [mut added, mut moved] = [0, 0];
    for row in session.rows(&sql::ONLY_IN_FIRST, values![to, from]).await? {
        match before.remove(&row.integer(0)?) {
            None => added += 1,
            Some(version) => moved += u32::from(version != row.optional_text(2)?),
        }
    }
    let removed = before.len() as u32;
    let counts = values![to, added, removed, moved];
    session.execute(&sql::RELEASE_DIFFERS, counts).await?;
    Ok([added, removed, moved])
}
