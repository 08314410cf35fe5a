//! Claims: what a vulnerability's records say it is about, each a name with its context.
//!
//! Invariant: a claim is made only of effective statements (a curated overlay replaces NVD's); two statements that
//! say the same are one claim.

use crate::address::{self, Address};
use crate::name::fold;
use nix_version::Bound;
use std::collections::BTreeSet;
use tracker_record::cpe::{Cpe, Part};
use tracker_record::record::{Affected, Source};
use tracker_record::{Statement, Vulnerability};

/// Most claims of one vulnerability that are followed up; vendors' roundup records name thousands of products.
pub const MAX_CLAIMS: usize = 256;

/// Most references that are looked at.
pub const MAX_REFERENCES: usize = 64;

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The product of a CPE.
    Cpe,
    /// A package's name in its ecosystem, or of a package URL.
    Package,
    /// A CNA's product.
    Product,
    /// The repository that a statement names.
    Repository,
}

/// One name and its context. Texts are folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// Where the name stands.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The name as the source writes it, for showing.
    pub shown: String,
    /// Vendor, owner or group.
    pub vendor: Option<String>,
    /// The world it lives in: CPE target software, ecosystem, purl type; lower case as written.
    pub world: Option<String>,
    /// CPE part, where a CPE says it: application, operating system, hardware.
    pub part: Option<char>,
    /// Least and greatest first number of the versions named.
    pub numbers: Option<(u64, u64)>,
    /// Who says so.
    pub source: Source,
}

/// All that a vulnerability says about its subject.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The claims, distinct.
    pub claims: Vec<Claim>,
    /// Addresses that its references and repositories name.
    pub addresses: Vec<Address>,
    /// Its texts' words, folded and joined by blanks, with a blank at either end.
    pub text: String,
    /// It concerns a service that nobody else runs.
    pub hosted: bool,
}

/// Longest name that is shown, in characters.
const MAX_SHOWN: usize = 100;

/// Longest description that is searched for names, in bytes.
const MAX_TEXT: usize = 2000;

/// Collects the claims of a vulnerability; what a distribution says of its packages claims nothing of another's.
pub fn subject(vulnerability: &Vulnerability, ecosystem: Option<&str>) -> Subject {
    let mut claims = BTreeSet::new();
    let mut addresses = Vec::new();
    for statement in vulnerability.effective_affected() {
        if claims.len() >= MAX_CLAIMS {
            break;
        }
        if !concerns(statement.affected, ecosystem) {
            continue;
        }
        of_statement(statement.affected, statement.source, &mut claims);
        let repository = statement.affected.repository.as_deref();
        addresses.extend(repository.and_then(address::parse));
    }
    let references = vulnerability
        .records
        .iter()
        .flat_map(|record| &record.references);
    addresses.extend(
        references
            .take(MAX_REFERENCES)
            .filter_map(|reference| address::parse(&reference.value.url)),
    );
    addresses.sort_by(|a, b| {
        (&a.site, &a.owner, &a.repository).cmp(&(&b.site, &b.owner, &b.repository))
    });
    addresses.dedup();
    let hosted = vulnerability
        .records
        .iter()
        .flat_map(|record| &record.tags)
        .any(|tag| tag.value == "exclusively-hosted-service");
    Subject {
        claims: claims.into_iter().take(MAX_CLAIMS).collect(),
        addresses,
        text: text(vulnerability),
        hosted,
    }
}

/// Whether a statement is about no distribution's package, or one of this distribution and, where both name one,
/// of this release.
pub(crate) fn concerns(affected: &Affected, ecosystem: Option<&str>) -> bool {
    let Some(told) = affected.distribution() else {
        return true;
    };
    let parts = |text: &str| match text.split_once(':') {
        Some((base, release)) => (base.to_owned(), Some(release.to_owned())),
        None => (text.to_owned(), None),
    };
    let Some((base, release)) = ecosystem.map(parts) else {
        return false;
    };
    let (told_base, told_release) = parts(told);
    base == told_base && (release == told_release || release.is_none() || told_release.is_none())
}

/// The names by which a statement calls what it is about, each folded, as written, and with its vendor.
pub(crate) fn names(statement: &Statement<'_>, mut each: impl FnMut(String, &str, Option<String>)) {
    each_name(statement.affected, statement.source, |named| {
        if let Some((name, vendor)) = named.folded() {
            each(name, named.shown, vendor);
        }
    });
}

fn text(vulnerability: &Vulnerability) -> String {
    let title = vulnerability.title().unwrap_or_default();
    // An overlay says why it overrides first, and what the vulnerability is last; its word counts where no other is.
    let overlay = || {
        let mut all = vulnerability.records.iter().flat_map(|r| &r.descriptions);
        all.rfind(|description| description.value.is_english())
    };
    let description = vulnerability
        .description()
        .or_else(overlay)
        .map_or("", |description| description.value.text.as_str());
    let mut text = String::from(" ");
    for word in title
        .split_whitespace()
        .chain(description.split_whitespace())
    {
        if text.len() > MAX_TEXT {
            break;
        }
        let folded = fold(word);
        if !folded.is_empty() {
            text.push_str(&folded);
            text.push(' ');
        }
    }
    text
}

/// Least and greatest first number of the versions that ranges name; zero, the usual beginning, aside.
fn numbers(affected: &Affected) -> Option<(u64, u64)> {
    let numbers = affected
        .ranges
        .iter()
        .filter(|range| !matches!(range.scheme.as_str(), "git" | "prose"))
        .flat_map(|range| [&range.lower, &range.upper])
        .filter_map(|bound| match bound {
            Bound::Inclusive(text) | Bound::Exclusive(text) if !is_commit(text) => {
                leading_number(text)
            }
            Bound::Inclusive(_) | Bound::Exclusive(_) | Bound::Unbounded => None,
        });
    numbers.fold(None, |span, number| match span {
        None => Some((number, number)),
        Some((least, greatest)) => Some((least.min(number), greatest.max(number))),
    })
}

/// Whether a version is a commit, whose digits count nothing.
fn is_commit(version: &str) -> bool {
    version.len() >= 7
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && version.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The first number of a version.
pub(crate) fn leading_number(version: &str) -> Option<u64> {
    let start = version.find(|c: char| c.is_ascii_digit())?;
    let digits = &version[start..];
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

fn of_statement(affected: &Affected, source: Source, claims: &mut BTreeSet<Claim>) {
    let numbers = numbers(affected);
    each_name(affected, source, |named| {
        if let Some((name, vendor)) = named.folded() {
            claims.insert(Claim {
                kind: named.kind,
                name,
                shown: shown(named.shown).to_owned(),
                vendor,
                world: named.world,
                part: named.part,
                numbers,
                source,
            });
        }
    });
}

/// What is shown of a name as written.
pub(crate) fn shown(name: &str) -> &str {
    let end = name.char_indices().nth(MAX_SHOWN);
    end.map_or(name, |(end, _)| &name[..end])
}

/// A name in a statement, as written.
struct NameInStatement<'a> {
    kind: Kind,
    shown: &'a str,
    vendor: Option<&'a str>,
    world: Option<String>,
    part: Option<char>,
}

impl NameInStatement<'_> {
    /// Name and vendor folded; `None` if it is a placeholder.
    fn folded(&self) -> Option<(String, Option<String>)> {
        let name = fold(self.shown);
        if name.is_empty() || matches!(name.as_str(), "n-a" | "unspecified" | "unknown" | "na") {
            return None;
        }
        let vendor = self.vendor.map(fold).filter(|vendor| {
            !matches!(
                vendor.as_str(),
                "" | "n-a" | "unknown" | "unspecified" | "na"
            )
        });
        Some((name, vendor))
    }
}

/// Every name in a statement, with what stands beside it.
fn each_name(affected: &Affected, source: Source, mut each: impl FnMut(NameInStatement<'_>)) {
    let mut add = |kind, shown: &str, vendor: Option<&str>, world: Option<String>, part| {
        each(NameInStatement {
            kind,
            shown,
            vendor,
            world,
            part,
        });
    };
    for cpe in affected.cpes.iter().filter_map(|cpe| Cpe::parse(cpe)) {
        let Some(product) = cpe.product.text() else {
            continue;
        };
        let part = match cpe.part {
            Part::Application => Some('a'),
            Part::OperatingSystem => Some('o'),
            Part::Hardware => Some('h'),
            Part::Unspecified => None,
        };
        let world = cpe.target_sw.text().map(str::to_lowercase);
        add(Kind::Cpe, product, cpe.vendor.text(), world, part);
    }
    let world = affected.ecosystem.as_deref().map(|ecosystem| {
        let base = ecosystem.split(':').next().unwrap_or(ecosystem);
        base.to_lowercase()
    });
    if affected.cpes.is_empty() || source == Source::CveList {
        let vendor = affected.vendor.as_deref();
        let collection = world.clone().or_else(|| collection_world(affected));
        if let Some(product) = &affected.product {
            // `GROUP/NAME` and `GROUP:NAME` name the owner before the product.
            match product.rsplit_once(['/', ':']) {
                Some((owner, name)) if !product.contains(' ') => {
                    let owner = owner.rsplit(['/', ':']).next().unwrap_or(owner);
                    add(Kind::Product, name, Some(owner), collection.clone(), None);
                }
                _ => add(Kind::Product, product, vendor, collection.clone(), None),
            }
        }
        if let Some(package) = &affected.package_name {
            let (owner, name) = split_package(package, collection.as_deref());
            add(Kind::Package, name, owner.or(vendor), collection, None);
        }
    }
    if let Some(purl) = &affected.purl
        && let Some((kind, namespace, name)) = split_purl(purl)
    {
        add(Kind::Package, &name, namespace.as_deref(), Some(kind), None);
    }
    if let Some(address) = affected.repository.as_deref().and_then(address::parse)
        && let Some(repository) = &address.repository
    {
        add(
            Kind::Repository,
            repository,
            address.owner.as_deref(),
            None,
            None,
        );
    }
}

/// Owner and name of a package: the last segment of a path (a Go module's version aside), an npm scope, a group.
fn split_package<'a>(package: &'a str, world: Option<&str>) -> (Option<&'a str>, &'a str) {
    let mut segments: Vec<&str> = package
        .split(['/', ':'])
        .filter(|s| !s.is_empty())
        .collect();
    let is_major = |segment: &&str| {
        segment.len() >= 2
            && segment.starts_with('v')
            && segment[1..].bytes().all(|b| b.is_ascii_digit())
    };
    if segments.len() > 1 && segments.last().is_some_and(is_major) {
        segments.pop();
    }
    // A Go module on a forge is owner and repository, whatever package inside it is meant.
    if world == Some("go") && segments.len() >= 3 && segments[0].contains('.') {
        return (Some(segments[1]), segments[2]);
    }
    match segments.as_slice() {
        [] => (None, package),
        [name] => (None, name),
        [.., owner, name] => (Some(owner.trim_start_matches('@')), name),
    }
}

/// The ecosystem that a CNA's `collectionURL` stands for.
fn collection_world(affected: &Affected) -> Option<String> {
    let url = affected.collection_url.as_deref()?.to_lowercase();
    let world = [
        ("pypi", "pypi"),
        ("npmjs", "npm"),
        ("rubygems", "rubygems"),
        ("crates.io", "crates.io"),
        ("packagist", "packagist"),
        ("maven", "maven"),
        ("nuget", "nuget"),
        ("wordpress", "wordpress"),
        ("cpan", "cpan"),
        ("hackage", "hackage"),
        ("pkg.go.dev", "go"),
        ("jenkins", "jenkins"),
        ("drupal", "drupal"),
        ("hex.pm", "hex"),
    ];
    world
        .iter()
        .find(|(text, _)| url.contains(text))
        .map(|(_, world)| (*world).to_owned())
}

/// Type, namespace and name of a package URL, percent-decoding aside.
pub(crate) fn split_purl(purl: &str) -> Option<(String, Option<String>, String)> {
    let rest = purl.strip_prefix("pkg:")?.trim_start_matches('/');
    let rest = rest.split(['@', '?', '#']).next()?;
    let (kind, path) = rest.split_once('/')?;
    let (namespace, name) = match path.rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, path),
    };
    let namespace = namespace.map(|n| {
        n.trim_start_matches("%40")
            .trim_start_matches('@')
            .to_owned()
    });
    (!name.is_empty()).then(|| (kind.to_lowercase(), namespace, name.to_owned()))
}
