//! The index over a release's packages: from a claim to the families it could mean, scored.
//!
//! Invariant: looking up a vulnerability costs its claims, not the number of packages.

use crate::address::{self, Address};
use crate::claim::{self, Claim, Kind, Subject, leading_number};
use crate::family::{Set, bare_name, family_of, set_of};
use crate::feature::{Context, Feature, Features};
use crate::name::{fold, is_weak, squeeze, stems};
use crate::reason::{Match, Reason};
use crate::weights::{Weights, probability};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tracker_inventory::Package;
use tracker_record::Vulnerability;
use tracker_record::cpe::Cpe;

/// Most families of one name that are looked at; a name with more means nothing in particular.
pub const MAX_NAMESAKES: usize = 24;

/// Most matches of one vulnerability, best first.
pub const MAX_MATCHES: usize = 40;

/// An index over the packages of one or more releases of a distribution.
#[derive(Debug)]
pub struct Index {
    weights: Weights,
    families: Vec<Family>,
    by_family: HashMap<String, u32>,
    /// Bare names of families.
    by_name: HashMap<String, Vec<u32>>,
    /// Members' names and attributes.
    by_member: HashMap<String, Vec<u32>>,
    /// Bare names without dashes.
    by_squeezed: HashMap<String, Vec<u32>>,
    /// Stems of bare names.
    by_stem: HashMap<String, Vec<u32>>,
    /// Beginnings of bare names, up to each dash.
    by_beginning: HashMap<String, Vec<u32>>,
    /// `owner/repository` on forges.
    by_repository: HashMap<(String, String), Vec<u32>>,
    /// `vendor:product` of stated CPEs.
    by_cpe: HashMap<String, Vec<u32>>,
    /// `type/namespace/name` of stated package URLs.
    by_purl: HashMap<String, Vec<u32>>,
}

/// A family in the index.
#[derive(Debug)]
struct Family {
    name: String,
    bare: String,
    set: Option<Set>,
    attributes: Vec<String>,
    /// Words of the addresses of its members: sites' labels, owners, repositories; squeezed.
    makers: BTreeSet<String>,
    sites: BTreeSet<String>,
    repositories: BTreeSet<(String, String)>,
    has_address: bool,
    /// First numbers of its members' versions.
    majors: BTreeSet<u64>,
    /// Telling words of its members' descriptions.
    words: BTreeSet<String>,
}

/// A scored pair of vulnerability and family, before the threshold.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The family's name.
    pub family: String,
    /// Attributes of its members.
    pub attributes: Vec<String>,
    /// What was found.
    pub features: Features,
    /// Log-odds.
    pub log_odds: f64,
    /// The claim that led here.
    pub claim: Claim,
}

impl Index {
    /// Indexes packages with the weights that the program carries.
    pub fn new(packages: &[Package]) -> Self {
        Self::with_weights(packages, Weights::embedded())
    }

    /// Indexes packages with other weights.
    pub fn with_weights<'a>(
        packages: impl IntoIterator<Item = &'a Package>,
        weights: Weights,
    ) -> Self {
        let mut index = Index {
            weights,
            families: Vec::new(),
            by_family: HashMap::new(),
            by_name: HashMap::new(),
            by_member: HashMap::new(),
            by_squeezed: HashMap::new(),
            by_stem: HashMap::new(),
            by_beginning: HashMap::new(),
            by_repository: HashMap::new(),
            by_cpe: HashMap::new(),
            by_purl: HashMap::new(),
        };
        for package in packages {
            index.add(package);
        }
        for id in 0..index.families.len() as u32 {
            index.index_family(id);
        }
        index
    }

    /// The model in use.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How many families there are.
    pub fn families(&self) -> usize {
        self.families.len()
    }

    /// The attributes of a family's members.
    pub fn members(&self, family: &str) -> &[String] {
        self.by_family
            .get(family)
            .map_or(&[], |&id| self.families[id as usize].attributes.as_slice())
    }

    fn add(&mut self, package: &Package) {
        let name = family_of(package);
        let set = set_of(package);
        if set.is_some_and(|set| set.worlds.is_empty()) {
            return;
        }
        let id = *self.by_family.entry(name.clone()).or_insert_with(|| {
            self.families.push(Family {
                name,
                bare: bare_name(package),
                set,
                attributes: Vec::new(),
                makers: BTreeSet::new(),
                sites: BTreeSet::new(),
                repositories: BTreeSet::new(),
                has_address: false,
                majors: BTreeSet::new(),
                words: BTreeSet::new(),
            });
            self.families.len() as u32 - 1
        });
        let family = &mut self.families[id as usize];
        family.learn(package);
        let last = package.attribute.rsplit('.').next().unwrap_or_default();
        let mut members = Vec::new();
        // Within a set that is no world (`unixODBCDrivers.mysql`) the last segment is short for something else.
        if family.set.is_some() || last == package.attribute {
            members.push(fold(last));
        }
        if family.set.is_none() {
            members.push(fold(&package.pname));
        }
        let bare = family.bare.clone();
        for member in members.into_iter().filter(|member| *member != bare) {
            push(&mut self.by_member, member, id);
        }
        for cpe in package.cpes.iter().filter_map(|cpe| Cpe::parse(cpe)) {
            if let (Some(vendor), Some(product)) = (cpe.vendor.text(), cpe.product.text()) {
                push(
                    &mut self.by_cpe,
                    format!("{}:{}", fold(vendor), fold(product)),
                    id,
                );
            }
        }
        for (kind, namespace, name) in package.purls.iter().filter_map(|p| claim::split_purl(p)) {
            let namespace = namespace.map(|n| fold(&n)).unwrap_or_default();
            push(
                &mut self.by_purl,
                format!("{kind}/{namespace}/{}", fold(&name)),
                id,
            );
        }
    }

    fn index_family(&mut self, id: u32) {
        let family = &self.families[id as usize];
        let bare = family.bare.clone();
        for key in &family.repositories {
            let list = self.by_repository.entry(key.clone()).or_default();
            list.push(id);
        }
        push(&mut self.by_squeezed, squeeze(&bare), id);
        for stem in stems(&bare) {
            push(&mut self.by_stem, stem, id);
        }
        if family.set.is_none() {
            for (dash, _) in bare.match_indices('-') {
                push(&mut self.by_beginning, bare[..dash].to_owned(), id);
            }
        }
        push(&mut self.by_name, bare, id);
    }

    /// The matches of a vulnerability from the threshold on, best first.
    pub fn matches(&self, vulnerability: &Vulnerability) -> Vec<Match> {
        self.candidates(vulnerability)
            .into_iter()
            .filter(|candidate| probability(candidate.log_odds) >= self.weights.threshold)
            .take(MAX_MATCHES)
            .map(|candidate| candidate.into_match(&vulnerability.id, &self.weights))
            .collect()
    }

    /// Every family that any claim could mean, best first, ties by name.
    pub fn candidates(&self, vulnerability: &Vulnerability) -> Vec<Candidate> {
        let subject = claim::subject(vulnerability);
        let mut found: BTreeMap<u32, Vec<(usize, Feature)>> = BTreeMap::new();
        let mut exact = vec![false; subject.claims.len()];
        for (number, claim) in subject.claims.iter().enumerate() {
            for (relation, id) in self.related(claim) {
                exact[number] |= matches!(
                    relation,
                    Feature::NameEquals | Feature::MemberEquals | Feature::Alias
                );
                let relations = found.entry(id).or_default();
                if !relations.iter().any(|(n, _)| *n == number) {
                    relations.push((number, relation));
                }
            }
        }
        let mut candidates: Vec<Candidate> = found
            .into_iter()
            .filter_map(|(id, relations)| {
                self.best(&self.families[id as usize], &subject, &relations, &exact)
            })
            .collect();
        candidates.sort_by(|a, b| {
            b.log_odds
                .total_cmp(&a.log_odds)
                .then_with(|| a.family.cmp(&b.family))
        });
        candidates
    }

    /// The families that a claim could mean, strongest relation first.
    fn related(&self, claim: &Claim) -> Vec<(Feature, u32)> {
        let mut related = Vec::new();
        let mut add = |relation, ids: Option<&Vec<u32>>| {
            let ids = ids.map_or(&[][..], Vec::as_slice);
            related.extend(ids.iter().take(MAX_NAMESAKES).map(|&id| (relation, id)));
        };
        let name = &claim.name;
        let vendor = claim.vendor.as_deref().unwrap_or_default();
        if !self.by_cpe.is_empty() {
            add(
                Feature::StatedCpe,
                self.by_cpe.get(&format!("{vendor}:{name}")),
            );
        }
        if let Some(world) = &claim.world
            && !self.by_purl.is_empty()
        {
            add(
                Feature::StatedPurl,
                self.by_purl.get(&format!("{world}/{vendor}/{name}")),
            );
        }
        for family in self.weights.aliases(vendor, name) {
            let id = self.by_family.get(family).map(|&id| vec![id]);
            add(Feature::Alias, id.as_ref());
        }
        add(Feature::NameEquals, self.by_name.get(name));
        add(Feature::MemberEquals, self.by_member.get(name));
        if !vendor.is_empty() {
            let both = format!("{vendor}-{name}");
            add(Feature::VendorProductEquals, self.by_name.get(&both));
            let key = (vendor.to_owned(), name.clone());
            if claim.kind == Kind::Repository {
                add(Feature::RepositoryName, self.by_repository.get(&key));
            }
        }
        add(
            Feature::SqueezedEquals,
            self.by_squeezed.get(&squeeze(name)),
        );
        for stem in stems(name) {
            add(Feature::StemEquals, self.by_name.get(&stem));
        }
        add(Feature::StemEquals, self.by_stem.get(name));
        add(Feature::NameBegins, self.by_beginning.get(name));
        related
    }

    /// The best claim for a family.
    fn best(
        &self,
        family: &Family,
        subject: &Subject,
        relations: &[(usize, Feature)],
        exact: &[bool],
    ) -> Option<Candidate> {
        let sources: BTreeSet<_> = relations
            .iter()
            .map(|(number, _)| subject.claims[*number].source)
            .collect();
        relations
            .iter()
            .map(|&(number, relation)| {
                let claim = &subject.claims[number];
                let mut features = self.features(family, claim, subject, relation);
                features.set(Feature::TwoSources, sources.len() > 1);
                let near = !matches!(
                    relation,
                    Feature::NameEquals
                        | Feature::MemberEquals
                        | Feature::Alias
                        | Feature::StatedCpe
                        | Feature::StatedPurl
                );
                features.set(Feature::BetterElsewhere, near && exact[number]);
                (self.weights.log_odds(features), number, features)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
            .map(|(log_odds, number, features)| Candidate {
                family: family.name.clone(),
                attributes: family.attributes.clone(),
                features,
                log_odds,
                claim: subject.claims[number].clone(),
            })
    }

    fn features(
        &self,
        family: &Family,
        claim: &Claim,
        subject: &Subject,
        relation: Feature,
    ) -> Features {
        let mut features = Features::default();
        features.set(relation, true);
        features.set(
            match claim.kind {
                Kind::Cpe => Feature::FromCpe,
                Kind::Package => Feature::FromPackage,
                Kind::Product => Feature::FromProduct,
                Kind::Repository => Feature::FromRepository,
            },
            true,
        );
        match claim.vendor.as_deref() {
            None => features.set(Feature::VendorAbsent, true),
            Some(vendor) => {
                let own = vendor.strip_suffix("-project").unwrap_or(vendor);
                let squeezed = squeeze(own);
                let is_product = own == claim.name || squeezed == squeeze(&family.bare);
                features.set(Feature::VendorIsProduct, is_product);
                let inside = family.makers.contains(&squeezed);
                features.set(Feature::VendorInAddress, inside);
                features.set(
                    Feature::VendorElsewhere,
                    !inside && !is_product && family.has_address,
                );
            }
        }
        features.set(Feature::AddressUnknown, !family.has_address);
        family.compare_addresses(claim, subject, &mut features);
        family.compare_worlds(claim, &mut features);
        let top = self.by_name.get(&family.bare).is_some_and(|ids| {
            ids.iter()
                .any(|&id| self.families[id as usize].set.is_none())
        });
        features.set(Feature::SetBesideTop, family.set.is_some() && top);
        features.set(Feature::PartHardware, claim.part == Some('h'));
        features.set(Feature::PartSystem, claim.part == Some('o'));
        features.set(Feature::WeakName, is_weak(&claim.name));
        let namesakes = self.by_name.get(&claim.name).map_or(0, Vec::len);
        features.set(Feature::Ambiguous, namesakes > 3);
        let named = subject.text.contains(&format!(" {} ", family.bare));
        features.set(Feature::TextNames, named);
        features.set(Feature::TextSilent, !named && subject.text.len() > 1);
        features.set(Feature::ManyProducts, subject.claims.len() > 10);
        features.set(Feature::Hosted, subject.hosted);
        let shared = family
            .words
            .iter()
            .filter(|word| subject.text.contains(&format!(" {word} ")))
            .count();
        features.set(Feature::DescriptionShared, shared >= 2);
        family.compare_versions(claim, &mut features);
        features
    }
}

/// Worlds of plugins and devices: what lives there is no package of a distribution, unless it has a set for it.
const FOREIGN: &[&str] = &[
    "wordpress",
    "jenkins",
    "drupal",
    "joomla",
    "joomla\\!",
    "joomla!",
    "android",
    "iphone_os",
    "ios",
    "ipados",
    "macos",
    "mac_os_x",
    "windows",
    "windows_10",
    "typo3",
    "magento",
    "prestashop",
    "moodle",
    "mediawiki",
    "confluence",
    "jira",
    "shopware",
    "mattermost",
    "chrome",
    "firefox",
    "safari",
    "edge",
    "opera",
    "nextcloud",
    "owncloud",
    "salesforce",
    "vtiger",
    "xwiki",
    "maven",
    "nuget",
    "asp.net",
    ".net",
    "java",
    "cakephp",
    "symfony",
    "discourse",
    "phpbb",
    "vbulletin",
    "nagios",
    "splunk",
    "ansible",
    "visual_studio_code",
    "home_assistant",
    "homebridge",
    "wordpress_mu",
    "expression_engine",
    "simplemachines",
    "xoops",
    "mambo",
    "sharepoint",
];

impl Family {
    fn learn(&mut self, package: &Package) {
        self.attributes.push(package.attribute.clone());
        let addresses = package.homepages.iter().chain(&package.source_urls);
        for address in addresses.take(16).filter_map(|url| address::parse(url)) {
            self.has_address = true;
            self.learn_address(&address);
        }
        let first_number = package.version.as_deref().and_then(leading_number);
        self.majors.extend(first_number);
        let description = package.description.as_deref().unwrap_or_default();
        for word in description.split_whitespace().take(20).map(fold) {
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

    fn compare_addresses(&self, claim: &Claim, subject: &Subject, features: &mut Features) {
        let mut other = false;
        for address in &subject.addresses {
            if let (Some(owner), Some(repository)) = (&address.owner, &address.repository) {
                let key = (fold(owner), fold(repository));
                if self.repositories.contains(&key) {
                    features.set(Feature::SameRepository, true);
                } else if key.1 == claim.name {
                    other = true;
                }
            } else if address.is_own_site() && self.sites.contains(&address.site) {
                features.set(Feature::SameSite, true);
            }
        }
        let same = features.has(Feature::SameRepository);
        features.set(
            Feature::OtherRepository,
            other && !same && !self.repositories.is_empty(),
        );
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

    fn compare_worlds(&self, claim: &Claim, features: &mut Features) {
        match (claim.world.as_deref(), self.set) {
            (None, None) => {}
            (None, Some(_)) => features.set(Feature::SetAlone, true),
            (Some(world), Some(set)) => {
                let agrees = set.worlds.contains(&world);
                features.set(Feature::WorldAgrees, agrees);
                features.set(Feature::WorldConflicts, !agrees);
            }
            (Some(world), None) => {
                let foreign = FOREIGN.contains(&world);
                features.set(Feature::WorldForeign, foreign);
                features.set(
                    Feature::WorldLanguage,
                    !foreign && !matches!(world, "linux" | "linux_kernel" | "unix"),
                );
            }
        }
    }
}

impl Candidate {
    /// The match that is shown: reasons by weight, the bias among them.
    pub fn into_match(self, vulnerability: &str, weights: &Weights) -> Match {
        let context = Context {
            name: &self.claim.shown,
            vendor: self.claim.vendor.as_deref(),
            world: self.claim.world.as_deref(),
            place: match self.claim.kind {
                Kind::Cpe => "the product of a CPE",
                Kind::Package => "the package name",
                Kind::Product => "the CNA's product",
                Kind::Repository => "the repository",
            },
            family: &self.family,
        };
        let mut reasons: Vec<Reason> = self
            .features
            .iter()
            .map(|feature| Reason {
                feature: feature.name().to_owned(),
                weight: weights.of(feature),
                text: feature.sentence(context).to_string(),
            })
            .filter(|reason| reason.weight != 0.0)
            .collect();
        reasons.push(Reason {
            feature: "bias".to_owned(),
            weight: weights.bias,
            text: "before anything is known, a pair is rather none".to_owned(),
        });
        reasons.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        Match {
            vulnerability: vulnerability.to_owned(),
            score: probability(self.log_odds),
            reasons,
            attributes: self.attributes,
            family: self.family,
        }
    }
}

fn push(map: &mut HashMap<String, Vec<u32>>, key: String, id: u32) {
    let ids = map.entry(key).or_default();
    if ids.last() != Some(&id) && !ids.contains(&id) {
        ids.push(id);
    }
}
