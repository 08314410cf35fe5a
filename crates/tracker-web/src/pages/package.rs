//! `/packages/DISTRIBUTION/ATTRIBUTE`: a package on every channel, and what is known against it.

use super::channels::short_revision;
use super::{Link, Row, Section, Shell};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::{Day, External, Gauge, Marked, StatusBadge};
use crate::error::{Error, Suggestion};
use crate::path;
use crate::twin::Format;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tracker_store::view::{PackageDetail, PackageVersion, PackageVulnerability};

/// Suggestions on the page of an attribute that is not there.
const SUGGESTIONS: u32 = 6;

#[derive(Debug, Template)]
#[template(path = "package.html")]
struct PackagePage {
    shell: Shell,
    distribution: String,
    attribute: String,
    pname: String,
    family: Link,
    members: String,
    description: Option<String>,
    homepages: Vec<External>,
    maintainers: Vec<Link>,
    position: Option<String>,
    versions: Vec<VersionLine>,
    channels: Vec<Link>,
    vulnerabilities: Vec<VulnerabilityLine>,
    open: usize,
    relatives: Vec<Link>,
    events: String,
}

/// A release that has the package.
#[derive(Debug)]
struct VersionLine {
    channel: Link,
    revision: String,
    released: Day,
    version: Option<String>,
    patches: Vec<String>,
    known_vulnerabilities: Vec<String>,
}

/// A vulnerability against the package, with a cell for each channel.
#[derive(Debug)]
struct VulnerabilityLine {
    row: Row,
    gauge: Gauge,
    cells: Vec<Option<Cell>>,
}

#[derive(Debug)]
struct Cell {
    channel: String,
    status: StatusBadge,
    version: Option<String>,
    decided: Option<Marked>,
}

impl PackagePage {
    fn new(view: &PackageDetail, ask: &Ask) -> PackagePage {
        let mut channels: Vec<&str> = view
            .vulnerabilities
            .iter()
            .flat_map(|one| &one.findings)
            .map(|finding| finding.channel.as_str())
            .collect();
        channels.sort_unstable();
        channels.dedup();
        let open = view.vulnerabilities.iter().filter(|one| {
            one.findings
                .iter()
                .any(|finding| finding.status == tracker_match::FindingStatus::Affected)
        });
        PackagePage {
            shell: Shell::new(Section::Packages, ask),
            distribution: view.distribution.clone(),
            attribute: view.attribute.clone(),
            pname: view.pname.clone(),
            family: Link::new(path::vulnerabilities_of(&view.family), &*view.family),
            members: path::family(&view.distribution, &view.family),
            description: view.description.clone(),
            homepages: view
                .homepages
                .iter()
                .map(|url| External::new(url))
                .collect(),
            maintainers: view
                .maintainers
                .iter()
                .map(|name| Link::new(path::maintainer(name), &**name))
                .collect(),
            position: view.position.clone(),
            events: path::events_of("package", &view.attribute),
            versions: view
                .versions
                .iter()
                .map(|version| VersionLine::new(version, ask))
                .collect(),
            open: open.count(),
            vulnerabilities: view
                .vulnerabilities
                .iter()
                .map(|one| VulnerabilityLine::new(one, &channels, ask))
                .collect(),
            channels: channels
                .iter()
                .map(|name| Link::new(path::channel(name), *name))
                .collect(),
            relatives: view
                .relatives
                .iter()
                .map(|attribute| {
                    Link::new(path::package(&view.distribution, attribute), &**attribute)
                })
                .collect(),
        }
    }
}

impl VersionLine {
    fn new(version: &PackageVersion, ask: &Ask) -> VersionLine {
        VersionLine {
            channel: Link::new(path::channel(&version.channel), &*version.channel),
            revision: short_revision(&version.revision),
            released: Day::new(version.released, ask.now),
            version: version.version.clone(),
            patches: version.patches.clone(),
            known_vulnerabilities: version.known_vulnerabilities.clone(),
        }
    }
}

impl VulnerabilityLine {
    fn new(one: &PackageVulnerability, channels: &[&str], ask: &Ask) -> VulnerabilityLine {
        let cell = |channel: &&str| {
            let finding = one
                .findings
                .iter()
                .find(|finding| finding.channel == *channel)?;
            Some(Cell {
                channel: finding.channel.clone(),
                status: StatusBadge::new(finding.status),
                version: finding.version.clone(),
                decided: finding.evidence.first().map(|text| Marked::new(text)),
            })
        };
        VulnerabilityLine {
            row: Row::new(&one.summary, ask.now),
            gauge: Gauge::new(one.score),
            cells: channels.iter().map(cell).collect(),
        }
    }
}

/// Answers `/packages/DISTRIBUTION/ATTRIBUTE`.
pub(crate) async fn package(
    ask: Ask,
    Names((distribution, attribute)): Names<(String, String)>,
    State(app): State<App>,
) -> Result<Response, Error> {
    if let Some(view) = app.store.package(&distribution, &attribute).await? {
        return ask.answer(&view, || PackagePage::new(&view, &ask));
    }
    // A proxy may decode `foo%2Ejson` to `foo.json` and so turn the page of `foo.json` into the twin of `foo`.
    if ask.format == Format::Json {
        let whole = format!("{attribute}.json");
        if let Some(view) = app.store.package(&distribution, &whole).await? {
            let ask = ask.for_page(path::package(&distribution, &whole));
            return ask.answer(&view, || PackagePage::new(&view, &ask));
        }
    }
    let near = app
        .store
        .similar_attributes(&attribute, SUGGESTIONS)
        .await?;
    let near = near
        .into_iter()
        .map(|(distribution, attribute)| Suggestion {
            href: path::package(&distribution, &attribute),
            text: attribute,
        })
        .collect();
    Err(Error::NotFound {
        kind: "package",
        name: format!("{distribution}/{attribute}"),
        near,
    })
}
