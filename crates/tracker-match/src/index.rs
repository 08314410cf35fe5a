//! The index over a release's packages: from a claim to the families it could mean, scored.
//!
//! Where people merged or split families, the parts are looked up and scored each by the names and addresses of its own
//! members; what they are counted to is matched as well as the best of its parts, with the members of all of them.
//! Invariant: looking up a vulnerability costs its claims, not the number of packages.

use crate::claim::{self, Claim, Kind};
use crate::compare::{Asked, Beside, Family, Question};
use crate::family::{bare_name, family_of, set_of};
use crate::feature::{Context, Feature, Features};
use crate::name::{fold, initials, stems};
use crate::reason::{Match, Reason};
use crate::siblings::Siblings;
use crate::weights::{Weights, probability};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use tracker_inventory::Package;
use tracker_record::Vulnerability;
use tracker_record::cpe::Cpe;

/// Most families of one name that are looked at; a name with more means nothing in particular.
pub const MAX_NAMESAKES: usize = 24;

/// Most families that are taken to be one release; a home page with more is a forge's or a desktop's.
const MAX_TOGETHER: usize = 16;

/// Shortest name that is looked for at the end of another.
const MIN_TAIL: usize = 4;

/// Most matches of one vulnerability, best first.
pub const MAX_MATCHES: usize = 40;

/// An index over the packages of one or more releases of a distribution.
#[derive(Debug)]
pub struct Index {
    weights: Weights,
    /// Whose versions the packages have, without the release.
    ecosystem: Option<String>,
    families: Vec<Family>,
    /// By own name, the parts of it that are counted to different families.
    by_family: HashMap<Arc<str>, Vec<u32>>,
    /// Members of what is counted as one family.
    members: HashMap<Arc<str>, Arc<[String]>>,
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
    /// Home pages and versions.
    by_release: HashMap<(String, String), Vec<u32>>,
    /// Folders of definitions.
    by_recipe: HashMap<String, Vec<u32>>,
    /// What other distributions call packages, where an operator gave rules for it.
    siblings: Siblings,
}

/// A scored pair of vulnerability and family, before the threshold.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The family's name.
    pub family: Arc<str>,
    /// Attributes of its members.
    pub attributes: Arc<[String]>,
    /// What was found.
    pub features: Features,
    /// Log-odds.
    pub log_odds: f64,
    /// The claim that led here.
    pub claim: Claim,
}

/// How well a claim's name leads anywhere at all.
#[derive(Debug, Clone, Copy, Default)]
struct Named {
    /// To a family of exactly that name, or one that was decided to be meant.
    exactly: bool,
    /// To a family of that name but for separators.
    squeezed: bool,
}

impl Named {
    fn of(relations: &[(u32, usize, Feature)]) -> Self {
        let mut named = Named::default();
        for (_, _, relation) in relations {
            match relation {
                Feature::NameEquals | Feature::MemberEquals | Feature::Alias => {
                    named.exactly = true;
                }
                Feature::SqueezedEquals => named.squeezed = true,
                _ => {}
            }
        }
        named
    }

    /// Whether the name leads to some family by more than a relation; to the related one itself it leads by no more.
    const fn better_than(self, relation: Feature) -> bool {
        match relation {
            Feature::NameEquals
            | Feature::MemberEquals
            | Feature::Alias
            | Feature::StatedCpe
            | Feature::StatedPurl => false,
            Feature::SqueezedEquals => self.exactly,
            _ => self.exactly || self.squeezed,
        }
    }
}

/// The best claim for a family.
struct Score {
    family: u32,
    claim: usize,
    features: Features,
    log_odds: f64,
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
        Self::counted(packages, weights, |_, own| own)
    }

    /// Indexes packages that people may have counted to other families than their own: `count` is asked for the family of
    /// each, by its own.
    pub fn counted<'a>(
        packages: impl IntoIterator<Item = &'a Package>,
        weights: Weights,
        count: impl Fn(&Package, String) -> String,
    ) -> Self {
        let mut index = Index {
            weights,
            families: Vec::new(),
            by_family: HashMap::new(),
            members: HashMap::new(),
            by_name: HashMap::new(),
            by_member: HashMap::new(),
            by_squeezed: HashMap::new(),
            by_stem: HashMap::new(),
            by_beginning: HashMap::new(),
            by_repository: HashMap::new(),
            by_cpe: HashMap::new(),
            by_purl: HashMap::new(),
            by_release: HashMap::new(),
            by_recipe: HashMap::new(),
            siblings: Siblings::default(),
            ecosystem: None,
        };
        let mut attributes: Vec<Vec<String>> = Vec::new();
        let mut versions: Vec<BTreeSet<&str>> = Vec::new();
        let mut members: Vec<BTreeSet<String>> = Vec::new();
        for package in packages {
            if index.ecosystem.is_none() {
                let whole = package.ecosystem.as_deref();
                let base = whole.and_then(|whole| whole.split(':').next());
                index.ecosystem = base.map(str::to_owned);
            }
            if let Some(id) = index.add(package, &count) {
                let parts = index.families.len();
                attributes.resize_with(parts, Vec::new);
                versions.resize_with(parts, BTreeSet::new);
                members.resize_with(parts, BTreeSet::new);
                let last = package.attribute.rsplit('.').next().unwrap_or_default();
                attributes[id as usize].push(package.attribute.clone());
                versions[id as usize].extend(package.version.as_deref());
                members[id as usize].insert(fold(last));
            }
        }
        for id in 0..index.families.len() as u32 {
            index.index_family(id);
        }
        let mut all: HashMap<Arc<str>, Vec<String>> = HashMap::new();
        for (id, attributes) in attributes.into_iter().enumerate() {
            let counted = all.entry(index.families[id].counted.clone());
            counted.or_default().extend(attributes);
            let family = &index.families[id];
            let beside = members[id]
                .iter()
                .chain([&family.bare])
                .filter_map(|name| index.by_name.get(name))
                .flatten()
                .map(|&other| other as usize)
                .filter(|&other| index.families[other].set.is_none())
                .map(|other| {
                    if versions[id].is_disjoint(&versions[other]) {
                        Beside::Namesake
                    } else {
                        Beside::Twin
                    }
                })
                .max()
                .unwrap_or(Beside::None);
            index.families[id].finish(beside);
        }
        let all = all.into_iter();
        index.members = all.map(|(family, all)| (family, all.into())).collect();
        index
    }

    /// The same index, which also knows what other distributions call packages.
    #[must_use]
    pub fn with_siblings(mut self, siblings: Siblings) -> Self {
        self.siblings = siblings;
        self
    }

    /// The model in use.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How many families there are.
    pub fn families(&self) -> usize {
        self.members.len()
    }

    /// The attributes of a family's members.
    pub fn members(&self, family: &str) -> &[String] {
        self.members.get(family).map_or(&[], |members| &**members)
    }

    /// Adds a package; `None` if it is of a set that is left out.
    fn add(
        &mut self,
        package: &Package,
        count: &impl Fn(&Package, String) -> String,
    ) -> Option<u32> {
        let name = family_of(package);
        let set = set_of(package);
        if set.is_some_and(|set| set.worlds.is_empty()) {
            return None;
        }
        let counted = count(package, name.clone());
        let parts = self.by_family.get(name.as_str());
        let part = |id: &&u32| *self.families[**id as usize].counted == *counted;
        let known = parts.and_then(|parts| parts.iter().find(part).copied());
        let id = known.unwrap_or_else(|| {
            let family = Family::new(&name, &counted, bare_name(package), set);
            let id = self.families.len() as u32;
            let parts = self.by_family.entry(family.name.clone()).or_default();
            parts.push(id);
            self.families.push(family);
            id
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
        Some(id)
    }

    fn index_family(&mut self, id: u32) {
        let family = &self.families[id as usize];
        let bare = family.bare.clone();
        for key in &family.repositories {
            let list = self.by_repository.entry(key.clone()).or_default();
            list.push(id);
        }
        for release in &family.releases {
            let list = self.by_release.entry(release.clone()).or_default();
            list.push(id);
        }
        for folder in &family.recipes {
            let list = self.by_recipe.entry(folder.clone()).or_default();
            list.push(id);
        }
        push(&mut self.by_squeezed, family.squeezed.clone(), id);
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
        self.look_up(vulnerability, |score| {
            probability(score.log_odds) >= self.weights.threshold
        })
        .into_iter()
        .take(MAX_MATCHES)
        .map(|candidate| candidate.into_match(&vulnerability.id, &self.weights))
        .collect()
    }

    /// Every family that any claim could mean, best first, ties by name.
    pub fn candidates(&self, vulnerability: &Vulnerability) -> Vec<Candidate> {
        self.look_up(vulnerability, |_| true)
    }

    fn look_up(
        &self,
        vulnerability: &Vulnerability,
        wanted: impl Fn(&Score) -> bool,
    ) -> Vec<Candidate> {
        let subject = claim::subject(vulnerability, self.ecosystem.as_deref());
        let mut question = Question::new(&subject);
        let mut found: Vec<(u32, usize, Feature)> = Vec::new();
        let mut named = vec![Named::default(); question.claims.len()];
        for (number, asked) in question.claims.iter_mut().enumerate() {
            let namesakes = self.by_name.get(&asked.claim.name);
            let ambiguous = namesakes.is_some_and(|all| all.len() > 3 && self.distinct(all) > 3);
            asked.features.set(Feature::Ambiguous, ambiguous);
            let shared = self.weights.has_several_makers(&asked.claim.name);
            asked.features.set(Feature::SeveralMakers, shared);
            let from = found.len();
            self.related(asked, |relation, id| found.push((id, number, relation)));
            named[number] = Named::of(&found[from..]);
            self.released_together(asked.claim, &mut found, number, from);
        }
        // Stable: of the relations of one claim to one family, the first, strongest, stays.
        found.sort_by_key(|&(id, number, _)| (id, number));
        found.dedup_by_key(|(id, number, _)| (*id, *number));
        let mut scores: Vec<Score> = found
            .chunk_by(|a, b| a.0 == b.0)
            .map(|relations| self.best(&question, relations, &named))
            .filter(|score| wanted(score))
            .collect();
        scores.sort_by(|a, b| {
            let name = |score: &Score| &self.families[score.family as usize].counted;
            b.log_odds
                .total_cmp(&a.log_odds)
                .then_with(|| name(a).cmp(name(b)))
        });
        let mut seen = HashSet::new();
        scores
            .into_iter()
            .filter(|score| seen.insert(&self.families[score.family as usize].counted))
            .map(|score| {
                let family = &self.families[score.family as usize];
                Candidate {
                    family: family.counted.clone(),
                    attributes: self.members[&family.counted].clone(),
                    features: score.features,
                    log_odds: score.log_odds,
                    claim: subject.claims[score.claim].clone(),
                }
            })
            .collect()
    }

    /// How many families there are among parts, by their own names.
    fn distinct(&self, parts: &[u32]) -> usize {
        let names = parts.iter().map(|&id| &self.families[id as usize].name);
        names.collect::<HashSet<_>>().len()
    }

    /// The families that a claim could mean, strongest relation first.
    fn related(&self, asked: &Asked<'_>, mut each: impl FnMut(Feature, u32)) {
        let mut add = |relation, ids: Option<&Vec<u32>>| {
            for &id in ids.into_iter().flatten().take(MAX_NAMESAKES) {
                each(relation, id);
            }
        };
        let claim = asked.claim;
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
            add(Feature::Alias, self.by_family.get(family.as_str()));
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
            self.by_squeezed.get(&asked.squeezed),
        );
        for stem in stems(name) {
            add(Feature::StemEquals, self.by_name.get(&stem));
        }
        add(Feature::StemEquals, self.by_stem.get(name));
        add(Feature::NameBegins, self.by_beginning.get(name));
        for sibling in self.siblings.of(name) {
            add(Feature::Sibling, self.by_name.get(sibling));
        }
        if claim.part == Some('o') {
            // `enterprise_linux`: systems are called after the kernel, and are not it.
            return;
        }
        for (dash, _) in name.match_indices('-') {
            let tail = &name[dash + 1..];
            if tail.len() >= MIN_TAIL {
                add(Feature::NameEnds, self.by_name.get(tail));
            }
        }
        if let Some(initials) = initials(name) {
            add(Feature::Initials, self.by_name.get(&initials));
        }
    }

    /// Adds the families that have home page and version in common with the one that a claim names.
    fn released_together(
        &self,
        claim: &Claim,
        found: &mut Vec<(u32, usize, Feature)>,
        number: usize,
        from: usize,
    ) {
        let Some(named) = self.by_name.get(&claim.name) else {
            return;
        };
        let top = named
            .iter()
            .map(|&id| (id, &self.families[id as usize]))
            .filter(|(_, family)| family.set.is_none());
        for (named, family) in top {
            for release in &family.releases {
                let together = self.by_release.get(release).map_or(&[][..], Vec::as_slice);
                if together.len() > MAX_TOGETHER {
                    continue;
                }
                for &id in together.iter().filter(|&&id| id != named) {
                    let known = found[from..].iter().any(|&(other, _, _)| other == id);
                    if !known {
                        found.push((id, number, Feature::SameRelease));
                    }
                }
            }
        }
    }

    /// Whether a family has home page and version in common with another that has the claim's name.
    fn is_of_release(&self, family: &Family, claim: &Claim) -> bool {
        let named = self.by_name.get(&claim.name).map_or(&[][..], Vec::as_slice);
        named
            .iter()
            .map(|&id| &self.families[id as usize])
            .any(|other| other.name != family.name && !other.releases.is_disjoint(&family.releases))
    }

    /// Whether a family is defined in one folder with another that has the claim's name; a folder of many says nothing.
    fn is_of_recipe(&self, family: &Family, claim: &Claim) -> bool {
        let named = self.by_name.get(&claim.name).map_or(&[][..], Vec::as_slice);
        family.recipes.iter().any(|folder| {
            let together = self.by_recipe.get(folder).map_or(&[][..], Vec::as_slice);
            together.len() <= MAX_TOGETHER && together.iter().any(|id| named.contains(id))
        })
    }

    /// The best claim for a family; the relations are all of that family, at least one.
    fn best(
        &self,
        question: &Question<'_>,
        relations: &[(u32, usize, Feature)],
        named: &[Named],
    ) -> Score {
        let family = &self.families[relations[0].0 as usize];
        let source = |number: usize| question.claims[number].claim.source;
        let first = source(relations[0].1);
        let mut about = family.about(question);
        about.set(
            Feature::TwoSources,
            relations
                .iter()
                .any(|&(_, number, _)| source(number) != first),
        );
        let mut best: Option<Score> = None;
        for &(id, number, relation) in relations {
            let mut features = family.compare(&question.claims[number], about);
            features.set(relation, true);
            features.set(
                Feature::BetterElsewhere,
                named[number].better_than(relation),
            );
            let claim = question.claims[number].claim;
            match relation {
                Feature::NameBegins | Feature::StemEquals => {
                    features.set(Feature::SameRelease, self.is_of_release(family, claim));
                    features.set(Feature::SameRecipe, self.is_of_recipe(family, claim));
                }
                Feature::SameRelease => {
                    features.set(Feature::SameRecipe, self.is_of_recipe(family, claim));
                }
                Feature::Alias => {
                    let own = self.by_name.get(&claim.name);
                    let other = |other: &u32| self.families[*other as usize].name != family.name;
                    let own = own.is_some_and(|own| own.iter().any(other));
                    features.set(Feature::Component, own);
                }
                Feature::RepositoryName => {
                    let vendor = claim.vendor.clone().unwrap_or_default();
                    let inner = family.only_contains(&(vendor, claim.name.clone()));
                    features.set(Feature::Component, inner);
                }
                _ => {}
            }
            let proofs = [
                Feature::VendorInAddress,
                Feature::SameRepository,
                Feature::SameSite,
                Feature::SameRelease,
                Feature::SameRecipe,
                Feature::MakerInName,
            ];
            let only_near = matches!(
                relation,
                Feature::StemEquals
                    | Feature::NameBegins
                    | Feature::NameEnds
                    | Feature::Initials
                    | Feature::Sibling
            );
            let proved = proofs.into_iter().any(|proof| features.has(proof));
            features.set(Feature::NearUnproved, only_near && !proved);
            let exact = matches!(
                relation,
                Feature::NameEquals | Feature::MemberEquals | Feature::SqueezedEquals
            );
            let by_name_alone = exact && features.has(Feature::VendorElsewhere);
            features.set(Feature::ExactUnproved, by_name_alone && !proved);
            let weak = features.has(Feature::WeakName) || features.has(Feature::SeveralMakers);
            features.set(Feature::WeakUnproved, by_name_alone && weak && !proved);
            let maker =
                features.has(Feature::VendorIsProduct) || features.has(Feature::VendorInAddress);
            if relation != Feature::Alias && !maker {
                let decided = self
                    .weights
                    .aliases(claim.vendor.as_deref().unwrap_or_default(), &claim.name);
                let here = |name: &String| **name == *family.name;
                let elsewhere = decided
                    .iter()
                    .any(|name| self.by_family.contains_key(&**name));
                let elsewhere = elsewhere && !decided.iter().any(here);
                features.set(Feature::DecidedElsewhere, elsewhere);
            }
            let log_odds = self.weights.log_odds(features);
            if best.as_ref().is_none_or(|best| log_odds > best.log_odds) {
                best = Some(Score {
                    family: id,
                    claim: number,
                    features,
                    log_odds,
                });
            }
        }
        best.expect("a family is found by at least one relation")
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
            .filter(|reason| reason.weight != 0.0 || reason.feature == Feature::Component.name())
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
            attributes: self.attributes.to_vec(),
            family: self.family.to_string(),
        }
    }
}

fn push(map: &mut HashMap<String, Vec<u32>>, key: String, id: u32) {
    let ids = map.entry(key).or_default();
    if ids.last() != Some(&id) && !ids.contains(&id) {
        ids.push(id);
    }
}
