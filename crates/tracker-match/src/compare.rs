//! One family against one claim: which features hold.
//!
//! What concerns the vulnerability alone is prepared once for it ([`Question`]), what concerns the family alone once
//! for the index. Invariant: comparing a pair folds no text anew.

use crate::address::{self, Address};
use crate::claim::{Claim, Kind, Subject, leading_number};
use crate::family::Set;
use crate::feature::{Feature, Features};
use crate::known::{COMMERCIAL, COMPANIONS, FOREIGN};
use crate::name::{fold, is_weak, squeeze};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use tracker_inventory::Package;

/// A vulnerability prepared for being compared with many families.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) claims: Vec<Asked<'a>>,
    /// Words of its texts.
    words: HashSet<&'a str>,
    /// `owner/repository` on forges that its references lead to.
    repositories: Vec<(String, String)>,
    /// Sites of one maker that its references lead to.
    sites: Vec<&'a str>,
}

/// A claim prepared for being compared.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) squeezed: String,
    /// The vendor, `-project` aside, and squeezed.
    vendor: Option<(&'a str, String)>,
    /// What holds whatever the family.
    pub(crate) features: Features,
    /// A reference leads to a repository of the claim's name.
    repository_named: bool,
    foreign: bool,
}

impl<'a> Question<'a> {
    pub(crate) fn new(subject: &'a Subject) -> Self {
        let words = subject.text.split(' ').filter(|word| !word.is_empty());
        let repositories: Vec<(String, String)> = subject
            .addresses
            .iter()
            .filter_map(|address| {
                Some((
                    fold(address.owner.as_ref()?),
                    fold(address.repository.as_ref()?),
                ))
            })
            .collect();
        let is_site = |address: &&Address| {
            (address.owner.is_none() || address.repository.is_none()) && address.is_own_site()
        };
        let mut common = Features::default();
        common.set(Feature::ManyProducts, subject.claims.len() > 10);
        common.set(Feature::Hosted, subject.hosted);
        Question {
            claims: subject
                .claims
                .iter()
                .map(|claim| Asked::new(claim, common, &repositories))
                .collect(),
            words: words.collect(),
            sites: subject
                .addresses
                .iter()
                .filter(is_site)
                .map(|a| a.site.as_str())
                .collect(),
            repositories,
        }
    }
}

impl<'a> Asked<'a> {
    fn new(claim: &'a Claim, common: Features, repositories: &[(String, String)]) -> Self {
        let mut features = common;
        features.set(
            match claim.kind {
                Kind::Cpe => Feature::FromCpe,
                Kind::Package => Feature::FromPackage,
                Kind::Product => Feature::FromProduct,
                Kind::Repository => Feature::FromRepository,
            },
            true,
        );
        let vendor = claim.vendor.as_deref();
        features.set(Feature::VendorAbsent, vendor.is_none());
        let commercial = vendor.is_some_and(|vendor| COMMERCIAL.binary_search(&vendor).is_ok());
        features.set(Feature::VendorCommercial, commercial);
        features.set(Feature::PartHardware, claim.part == Some('h'));
        features.set(Feature::PartSystem, claim.part == Some('o'));
        features.set(Feature::WeakName, is_weak(&claim.name));
        Asked {
            claim,
            squeezed: squeeze(&claim.name),
            vendor: claim.vendor.as_deref().map(|vendor| {
                let own = vendor.strip_suffix("-project").unwrap_or(vendor);
                (own, squeeze(own))
            }),
            features,
            repository_named: repositories.iter().any(|(_, name)| *name == claim.name),
            foreign: claim
                .world
                .as_deref()
                .is_some_and(|world| FOREIGN.contains(&world)),
        }
    }
}

/// What stands at the top level beside a family of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Beside {
    /// Nothing of its name.
    None,
    /// A family of its name.
    Namesake,
    /// A family of its name with a version in common: both are made from one source.
    Twin,
}

/// A family in the index.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: Arc<str>,
    /// The family that its members are counted to, which people may have made of several or of a part of one.
    pub(crate) counted: Arc<str>,
    pub(crate) bare: String,
    pub(crate) squeezed: String,
    pub(crate) set: Option<Set>,
    /// Words of the addresses of its members: sites' labels, owners, repositories; squeezed.
    makers: BTreeSet<String>,
    sites: BTreeSet<String>,
    pub(crate) repositories: BTreeSet<(String, String)>,
    /// Those that are its home, and not only where some of its sources come from.
    home: BTreeSet<(String, String)>,
    /// Folders that its members are defined in.
    pub(crate) recipes: BTreeSet<String>,
    /// Home page and version of its members: what is released together has both in common.
    pub(crate) releases: BTreeSet<(String, String)>,
    has_address: bool,
    /// First numbers of its members' versions.
    majors: BTreeSet<u64>,
    /// Telling words of its members' descriptions.
    words: BTreeSet<String>,
    /// What holds whatever the claim.
    pub(crate) features: Features,
}

impl Family {
    pub(crate) fn new(name: &str, counted: &str, bare: String, set: Option<Set>) -> Self {
        Family {
            name: name.into(),
            counted: counted.into(),
            squeezed: squeeze(&bare),
            bare,
            set,
            makers: BTreeSet::new(),
            sites: BTreeSet::new(),
            repositories: BTreeSet::new(),
            home: BTreeSet::new(),
            recipes: BTreeSet::new(),
            releases: BTreeSet::new(),
            has_address: false,
            majors: BTreeSet::new(),
            words: BTreeSet::new(),
            features: Features::default(),
        }
    }

    pub(crate) fn learn(&mut self, package: &Package) {
        for address in package
            .homepages
            .iter()
            .filter_map(|url| address::parse(url))
        {
            if let (Some(owner), Some(repository)) = (&address.owner, &address.repository) {
                self.home.insert((fold(owner), fold(repository)));
            }
        }
        if let (Some(home), Some(version)) = (package.homepages.first(), &package.version) {
            let home = home.trim_end_matches('/').to_lowercase();
            self.releases.insert((home, version.clone()));
        }
        let addresses = package.homepages.iter().chain(&package.source_urls);
        for address in addresses.take(16).filter_map(|url| address::parse(url)) {
            self.has_address = true;
            self.learn_address(&address);
        }
        let folder = package.position.as_deref().and_then(|position| {
            let (folder, _) = position.rsplit_once('/')?;
            Some(folder.to_owned())
        });
        self.recipes.extend(folder);
        let version = package
            .version
            .as_deref()
            .filter(|version| !is_date(version));
        self.majors.extend(version.and_then(leading_number));
        let description = package.description.as_deref().unwrap_or_default();
        for word in description.split_whitespace().take(20).map(fold) {
            let binds = self.set.is_some() && BINDINGS.contains(&word.as_str());
            self.features.set(Feature::DescribedBinding, binds);
            if word.len() >= 5 && word != self.bare && !is_weak(&word) && self.words.len() < 24 {
                self.words.insert(word);
            }
        }
    }

    fn learn_address(&mut self, address: &Address) {
        if address.is_own_site() {
            let label = address.site.split('.').next().unwrap_or_default();
            self.makers.insert(squeeze(&fold(label)));
            self.sites.insert(address.site.clone());
        } else if let Some(label) = address
            .site
            .strip_prefix("mirror:")
            .or(address.site.split('.').next())
        {
            // `gnu`, `apache`, `kde`: the shared site's owner is a vendor too.
            self.makers.insert(squeeze(&fold(label)));
        }
        if let Some(repository) = &address.repository {
            self.makers.insert(squeeze(&fold(repository)));
            if let Some(owner) = &address.owner {
                self.repositories.insert((fold(owner), fold(repository)));
            }
        }
        if let Some(owner) = &address.owner {
            self.makers.insert(squeeze(&fold(owner)));
        }
    }

    /// Whether sources come from a repository that is not its home, while it has one.
    pub(crate) fn only_contains(&self, repository: &(String, String)) -> bool {
        !self.home.is_empty() && !self.home.contains(repository)
    }

    /// What is known once all members are.
    pub(crate) fn finish(&mut self, beside: Beside) {
        self.features
            .set(Feature::AddressUnknown, !self.has_address);
        let within = self.set.is_some();
        self.features
            .set(Feature::SetBesideTop, within && beside != Beside::None);
        self.features
            .set(Feature::TwinOfTop, within && beside == Beside::Twin);
    }

    /// What holds between the family and a vulnerability, whatever the claim.
    pub(crate) fn about(&self, question: &Question<'_>) -> Features {
        let mut features = self.features;
        let known = |key: &(String, String)| self.repositories.contains(key);
        features.set(
            Feature::SameRepository,
            question.repositories.iter().any(known),
        );
        features.set(
            Feature::SameSite,
            question.sites.iter().any(|site| self.sites.contains(*site)),
        );
        let named = question.words.contains(self.bare.as_str());
        features.set(Feature::TextNames, named);
        features.set(Feature::TextSilent, !named && !question.words.is_empty());
        let shared = |word: &&String| question.words.contains(word.as_str());
        let shared = self.words.iter().filter(shared).take(2).count();
        features.set(Feature::DescriptionShared, shared == 2);
        features
    }

    /// What holds between the family and one claim.
    pub(crate) fn compare(&self, asked: &Asked<'_>, about: Features) -> Features {
        let mut features = asked.features.and(about);
        if let Some((vendor, squeezed)) = &asked.vendor {
            let is_product = *vendor == asked.claim.name || *squeezed == self.squeezed;
            let inside = self.makers.contains(squeezed);
            features.set(Feature::VendorIsProduct, is_product);
            features.set(Feature::VendorInAddress, inside);
            features.set(Feature::VendorUnchecked, !is_product && !self.has_address);
            let elsewhere = !inside && !is_product && self.has_address;
            features.set(Feature::VendorElsewhere, elsewhere);
            features.set(
                Feature::CommercialElsewhere,
                elsewhere && features.has(Feature::VendorCommercial),
            );
            features.set(
                Feature::SystemOfOther,
                asked.claim.part == Some('o') && !inside && !is_product,
            );
        }
        let led = asked
            .claim
            .name
            .split_once('-')
            .is_some_and(|(lead, rest)| self.bare == rest && self.makers.contains(lead));
        features.set(Feature::MakerInName, led);
        let same = about.has(Feature::SameRepository);
        features.set(
            Feature::OtherRepository,
            asked.repository_named && !same && !self.repositories.is_empty(),
        );
        let added = self
            .bare
            .strip_prefix(asked.claim.name.as_str())
            .and_then(|rest| rest.strip_prefix('-'));
        features.set(
            Feature::Companion,
            added.is_some_and(|added| COMPANIONS.binary_search(&added).is_ok()),
        );
        self.compare_worlds(asked, &mut features);
        self.compare_versions(asked.claim, &mut features);
        features
    }

    /// First numbers of versions: near within one, far where none is within a factor of eight.
    fn compare_versions(&self, claim: &Claim, features: &mut Features) {
        let Some((least, greatest)) = claim.numbers else {
            return;
        };
        let near = |&major: &u64| major + 1 >= least && major <= greatest + 1;
        let far = |&major: &u64| (major + 1) * 8 < least + 1 || major + 1 > (greatest + 1) * 8;
        features.set(Feature::VersionNear, self.majors.iter().any(near));
        features.set(
            Feature::VersionFar,
            !self.majors.is_empty() && self.majors.iter().all(far),
        );
    }

    fn compare_worlds(&self, asked: &Asked<'_>, features: &mut Features) {
        match (asked.claim.world.as_deref(), self.set) {
            (None, None) => {}
            (None, Some(set)) => {
                features.set(Feature::SetAlone, true);
                features.set(Feature::SetSeldomMeant, set.is_seldom_meant());
                let beside = self.features.has(Feature::SetBesideTop);
                features.set(
                    Feature::Binding,
                    beside && !self.features.has(Feature::TwinOfTop),
                );
                features.set(Feature::Extension, set.is_of_extensions());
            }
            (Some(world), Some(set)) => {
                let agrees = set.worlds.contains(&world);
                features.set(Feature::WorldAgrees, agrees);
                features.set(Feature::WorldConflicts, !agrees);
                features.set(Feature::Extension, !agrees && set.is_of_extensions());
            }
            (Some(world), None) => {
                let program = matches!(
                    world,
                    "go" | "golang" | "rust" | "crates.io" | "cargo" | "swift"
                );
                let neutral = matches!(world, "linux" | "linux_kernel" | "unix");
                features.set(Feature::WorldForeign, asked.foreign);
                features.set(Feature::WorldProgram, program);
                features.set(
                    Feature::WorldLanguage,
                    !asked.foreign && !program && !neutral,
                );
            }
        }
    }
}

/// Words by which packages of a language's set say that they only lead to something that is not theirs.
const BINDINGS: &[&str] = &["binding", "bindings", "wrapper", "wrappers"];

/// Whether a version is a day (`unstable-2019-08-01`, `2019-08-01`), which says nothing of the package's numbering.
fn is_date(version: &str) -> bool {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits
        .splitn(3, '-')
        .map(|part| part.bytes().take_while(u8::is_ascii_digit).count());
    matches!((parts.next(), parts.next()), (Some(4), Some(2)))
}
