//! What the landing index tells the tracker: fixes that are in a channel's newest release; what channels wait for; when their
//! support ends; and the events that feeds are made of.
//!
//! Invariant: when a fix is held or dropped, its vulnerability is due again in the same transaction, so that its findings follow.

use crate::Store;
use crate::error::Result;
use crate::listing;
use crate::statement::statements;
use crate::value::{Row, Value, values};
use crate::writer::Counter;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tracker_landing::hydra::JobsetState;
use tracker_match::FindingStatus;
use tracker_record::Severity;

statements! {
    FINDINGS_OF = "SELECT vulnerability.id, channel.name, attribute.name, package_match.family, finding.status FROM vulnerability JOIN package_match ON package_match.vulnerability = vulnerability.key JOIN finding ON finding.package_match = package_match.key JOIN channel ON channel.key = finding.channel JOIN attribute ON attribute.key = finding.attribute WHERE vulnerability.id IN ({list:0})";
    FIXES = "SELECT vulnerability, channel, attribute, fix, pull_request, release, landed FROM landed_fix ORDER BY vulnerability, channel, attribute";
    FIXES_OF = "SELECT vulnerability, channel, attribute, fix, pull_request, release, landed FROM landed_fix WHERE vulnerability IN ({list:0})";
    FIX_PUT = "INSERT INTO landed_fix (vulnerability, channel, attribute, fix, pull_request, release, landed) VALUES {rows:7} ON CONFLICT (vulnerability, channel, attribute) DO UPDATE SET fix = excluded.fix, pull_request = excluded.pull_request, release = excluded.release, landed = excluded.landed";
    FIX_DROP = "DELETE FROM landed_fix WHERE vulnerability = $1 AND channel = $2 AND attribute = $3";
    TOUCH = "UPDATE vulnerability SET touched = $2 WHERE id = $1";

    WAITS = "SELECT channel, state, checked FROM channel_wait ORDER BY channel";
    WAIT_PUT = "INSERT INTO channel_wait (channel, state, checked) VALUES ($1, $2, $3) ON CONFLICT (channel) DO UPDATE SET state = excluded.state, checked = excluded.checked";
    SUPPORT = "SELECT channel, ends FROM channel_support ORDER BY channel";
    SUPPORT_PUT = "INSERT INTO channel_support (channel, ends) VALUES ($1, $2) ON CONFLICT (channel) DO UPDATE SET ends = excluded.ends";
    SUPPORT_DROP = "DELETE FROM channel_support WHERE channel = $1";

    EVENTS = "SELECT event.key, event.at, event.text, vulnerability.id, vulnerability.title, vulnerability.families FROM event JOIN vulnerability ON vulnerability.key = event.vulnerability WHERE event.kind = $1 ORDER BY event.key DESC LIMIT $2";
    MATCHED_PACKAGES = "SELECT vulnerability.id, channel.name, attribute.name, package_match.family, package.data, vulnerability.severity FROM vulnerability JOIN package_match ON package_match.vulnerability = vulnerability.key JOIN finding ON finding.package_match = package_match.key JOIN attribute ON attribute.key = finding.attribute JOIN channel ON channel.key = finding.channel JOIN package ON package.attribute = attribute.key JOIN release_package ON release_package.package = package.key AND release_package.channel_release = channel.latest WHERE vulnerability.id IN ({list:0})";
}

/// The kind of the event that every supported channel has a fix.
pub(crate) const FIXED_EVERYWHERE: &str = "fixed-everywhere";

/// A finding, by its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFinding {
    /// Public id of the vulnerability.
    pub vulnerability: String,
    /// Channel.
    pub channel: String,
    /// Attribute.
    pub attribute: String,
    /// The family that was matched.
    pub family: String,
    /// Its status.
    pub status: FindingStatus,
}

/// A fix that a channel's newest release has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LandedFix {
    /// Public id of the vulnerability.
    pub vulnerability: String,
    /// Channel.
    pub channel: String,
    /// Attribute.
    pub attribute: String,
    /// The commit that names the vulnerability.
    pub fix: String,
    /// Its pull request.
    pub pull_request: Option<u32>,
    /// The first release that has it.
    pub release: String,
    /// When that was.
    pub landed: Timestamp,
}

/// What a channel waits for, as last seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelWait {
    /// Channel.
    pub channel: String,
    /// What Hydra said.
    pub state: JobsetState,
    /// When it said so.
    pub checked: Timestamp,
}

/// That every supported channel has a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FixedEvent {
    /// Number of the event; it never changes.
    pub key: i64,
    /// When it was found.
    pub at: Timestamp,
    /// What happened, in words.
    pub text: String,
    /// The vulnerability.
    pub vulnerability: String,
    /// Its title.
    pub title: String,
    /// Families that it is matched to, at most five.
    pub families: Vec<String>,
}

/// What a vulnerability concerns on the current releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerned {
    /// Channels.
    pub channels: BTreeSet<String>,
    /// Attributes and families.
    pub packages: BTreeSet<String>,
    /// Maintainers of the packages, by the names that package lists give.
    pub maintainers: BTreeSet<String>,
    /// How severe it is.
    pub severity: Severity,
}

impl Store {
    /// The findings of these vulnerabilities.
    pub async fn findings_of(&self, ids: Vec<String>) -> Result<Vec<NamedFinding>> {
        let mut session = self.read().await?;
        let ids = ids.into_iter().map(Value::from).collect();
        let rows = session.rows_in(&FINDINGS_OF, &[], ids).await?;
        let mut findings = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(status) = listing::worst(row.integer(4)?) else {
                continue;
            };
            findings.push(NamedFinding {
                vulnerability: row.text(0)?,
                channel: row.text(1)?,
                attribute: row.text(2)?,
                family: row.text(3)?,
                status,
            });
        }
        Ok(findings)
    }

    /// All fixes that are held.
    pub async fn landed_fixes(&self) -> Result<Vec<LandedFix>> {
        let mut session = self.read().await?;
        let rows = session.rows(&FIXES, Vec::new()).await?;
        rows.iter().map(fix).collect()
    }

    /// The fixes of these vulnerabilities.
    pub async fn landed_fixes_of(&self, ids: Vec<String>) -> Result<Vec<LandedFix>> {
        let mut session = self.read().await?;
        let ids = ids.into_iter().map(Value::from).collect();
        let rows = session.rows_in(&FIXES_OF, &[], ids).await?;
        rows.iter().map(fix).collect()
    }

    /// Holds exactly these fixes; says of how many vulnerabilities any came or went. Those are due again.
    pub async fn set_landed_fixes(&self, fixes: Vec<LandedFix>) -> Result<u64> {
        let mut writer = self.writer().await?;
        let place = |fix: &LandedFix| {
            (
                fix.vulnerability.clone(),
                fix.channel.clone(),
                fix.attribute.clone(),
            )
        };
        let rows = writer.session.rows(&FIXES, Vec::new()).await?;
        let mut held = BTreeMap::new();
        for row in &rows {
            let fix = fix(row)?;
            held.insert(place(&fix), fix);
        }
        let mut touched: BTreeSet<String> = BTreeSet::new();
        let mut given = Vec::new();
        for fix in fixes {
            if held.remove(&place(&fix)).as_ref() == Some(&fix) {
                continue;
            }
            touched.insert(fix.vulnerability.clone());
            given.extend(values![
                fix.vulnerability,
                fix.channel,
                fix.attribute,
                fix.fix,
                fix.pull_request.map(i64::from),
                fix.release,
                fix.landed,
            ]);
        }
        writer.session.insert(&FIX_PUT, 7, given).await?;
        for (vulnerability, channel, attribute) in held.into_keys() {
            let gone = values![vulnerability.as_str(), channel, attribute];
            writer.session.execute(&FIX_DROP, gone).await?;
            touched.insert(vulnerability);
        }
        for id in &touched {
            let position = writer.next(Counter::Touched);
            let moved = values![id.as_str(), position];
            writer.session.execute(&TOUCH, moved).await?;
        }
        writer.commit().await?;
        Ok(touched.len() as u64)
    }

    /// What channels wait for, by name.
    pub async fn channel_waits(&self) -> Result<Vec<ChannelWait>> {
        let mut session = self.read().await?;
        let rows = session.rows(&WAITS, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(ChannelWait {
                    channel: row.text(0)?,
                    state: row.json(1)?,
                    checked: row.instant(2)?,
                })
            })
            .collect()
    }

    /// Keeps what a channel waits for.
    pub async fn put_channel_wait(&self, wait: &ChannelWait) -> Result<()> {
        let mut session = self.write().await?;
        let given = values![
            wait.channel.as_str(),
            crate::value::json(&wait.state),
            wait.checked
        ];
        session.execute(&WAIT_PUT, given).await?;
        session.commit().await
    }

    /// When the support of channels ends, by name.
    pub async fn channel_support(&self) -> Result<BTreeMap<String, Timestamp>> {
        let mut session = self.read().await?;
        let rows = session.rows(&SUPPORT, Vec::new()).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.instant(1)?)))
            .collect()
    }

    /// Keeps when a channel's support ends; `None` where that is not known.
    pub async fn set_channel_support(&self, channel: &str, ends: Option<Timestamp>) -> Result<()> {
        let mut session = self.write().await?;
        match ends {
            Some(ends) => {
                session
                    .execute(&SUPPORT_PUT, values![channel, ends])
                    .await?
            }
            None => session.execute(&SUPPORT_DROP, values![channel]).await?,
        };
        session.commit().await
    }

    /// The latest events that a vulnerability is fixed in every supported channel.
    pub async fn fixed_events(&self, limit: u32) -> Result<Vec<FixedEvent>> {
        let mut session = self.read().await?;
        let given = values![FIXED_EVERYWHERE, limit];
        let rows = session.rows(&EVENTS, given).await?;
        rows.iter()
            .map(|row| {
                Ok(FixedEvent {
                    key: row.integer(0)?,
                    at: row.instant(1)?,
                    text: row.text(2)?,
                    vulnerability: row.text(3)?,
                    title: row.text(4)?,
                    families: row.json(5)?,
                })
            })
            .collect()
    }

    /// What these vulnerabilities concern.
    pub async fn concerned(&self, ids: Vec<String>) -> Result<BTreeMap<String, Concerned>> {
        #[derive(serde::Deserialize)]
        struct Maintained {
            #[serde(default)]
            maintainers: Vec<String>,
        }
        let mut session = self.read().await?;
        let ids = ids.into_iter().map(Value::from).collect();
        let rows = session.rows_in(&MATCHED_PACKAGES, &[], ids).await?;
        let mut all: BTreeMap<String, Concerned> = BTreeMap::new();
        for row in rows {
            let concerned = all.entry(row.text(0)?).or_default();
            concerned.channels.insert(row.text(1)?);
            concerned.packages.extend([row.text(2)?, row.text(3)?]);
            let package: Maintained = row.json(4)?;
            concerned.maintainers.extend(package.maintainers);
            concerned.severity = listing::severity_of(row.integer(5)?);
        }
        Ok(all)
    }
}

fn fix(row: &Row) -> Result<LandedFix> {
    Ok(LandedFix {
        vulnerability: row.text(0)?,
        channel: row.text(1)?,
        attribute: row.text(2)?,
        fix: row.text(3)?,
        pull_request: row.optional_integer(4)?.and_then(|n| u32::try_from(n).ok()),
        release: row.text(5)?,
        landed: row.instant(6)?,
    })
}
