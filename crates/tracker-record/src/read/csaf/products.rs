//! The tree of products of a CSAF document: what a product id stands for.
//!
//! Branches name vendor, product and version on the way to a leaf; relationships make new products of two (a
//! component in a platform). Invariant: memory is bounded by the document, each leaf copies at most its own names.

use super::super::versions::{self, CUSTOM, PROSE};
use crate::cpe::without_version;
use crate::json::{At, Warnings};
use crate::record::Affected;
use nix_version::{Bound, Range, Status};
use std::collections::BTreeMap;

/// The most products that are read of one tree.
const MAX_PRODUCTS: usize = 200_000;

/// What an id stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Product {
    vendor: Option<String>,
    product: Option<String>,
    version: Option<Version>,
    cpe: Option<String>,
    purl: Option<Purl>,
    platform: Option<String>,
}

#[derive(Debug, Clone)]
enum Version {
    Exact(String),
    Range(String),
}

/// A package URL's parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Purl {
    /// Up to the version.
    bare: String,
    kind: String,
    namespace: Option<String>,
    version: Option<String>,
}

/// What statements about a product are gathered under.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name<'p> {
    vendor: Option<&'p str>,
    product: Option<&'p str>,
    cpe: Option<&'p str>,
    purl: Option<&'p str>,
    platform: Option<&'p str>,
}

impl Product {
    pub(super) fn name(&self) -> Name<'_> {
        Name {
            vendor: self.vendor.as_deref(),
            product: self.product.as_deref(),
            cpe: self.cpe.as_deref(),
            purl: self.purl.as_ref().map(|purl| purl.bare.as_str()),
            platform: self.platform.as_deref(),
        }
    }

    /// A statement about it that says nothing of versions yet.
    pub(super) fn statement(&self) -> Affected {
        let mut affected = Affected::new(Status::Unknown);
        affected.vendor.clone_from(&self.vendor);
        affected.product.clone_from(&self.product);
        affected.cpes.extend(self.cpe.clone());
        affected.platforms.extend(self.platform.clone());
        if let Some(purl) = &self.purl {
            affected.purl = Some(purl.bare.clone());
            affected.ecosystem = purl.distribution();
        }
        affected
    }

    /// The versions that a status is said of; `None`: all of them.
    pub(super) fn range(&self, status: Status) -> Option<Range> {
        let scheme = self.purl.as_ref().map_or(CUSTOM, |purl| &purl.kind);
        let of = |scheme: &str, lower, upper| Range {
            scheme: scheme.to_owned(),
            lower,
            upper,
            status,
            changes: Vec::new(),
        };
        let exact = |text: &str| {
            let bound = Bound::Inclusive(text.to_owned());
            of(scheme, bound.clone(), bound)
        };
        let stated = self.purl.as_ref().and_then(|purl| purl.version.as_deref());
        match (stated, &self.version) {
            (Some(version), _) => Some(exact(version)),
            (None, Some(Version::Exact(text))) => Some(exact(text)),
            (None, Some(Version::Range(text))) => {
                let (kind, bounds) = bounds(text);
                let prose = || Bound::Inclusive(text.clone());
                Some(match bounds {
                    Some((lower, upper)) => of(kind.unwrap_or(scheme), lower, upper),
                    None => of(PROSE, prose(), prose()),
                })
            }
            (None, None) => None,
        }
    }
}

/// `vers:TYPE/>=1|<2`, `vers:TYPE/*`, or a comparison in words; the type of the first.
fn bounds(text: &str) -> (Option<&str>, Option<(Bound, Bound)>) {
    let Some((kind, constraints)) = text.strip_prefix("vers:").and_then(|v| v.split_once('/'))
    else {
        return (None, versions::comparison(text));
    };
    let bounds = match constraints.trim() {
        "*" => Some((Bound::Unbounded, Bound::Unbounded)),
        exact if !exact.contains(['<', '>', '=', '!', '|', '*']) => {
            let bound = Bound::Inclusive(exact.to_owned());
            Some((bound.clone(), bound))
        }
        constraints => versions::comparison(&constraints.replace('|', ",")),
    };
    (Some(kind), bounds)
}

impl Purl {
    /// Reads `pkg:KIND/NAMESPACE/NAME@VERSION?…`.
    fn read(text: &str) -> Option<Purl> {
        let rest = text.strip_prefix("pkg:")?;
        let path = rest.split(['?', '#']).next()?;
        let (path, version) = match path.rsplit_once('@') {
            Some((path, version)) if !version.is_empty() => (path, Some(version.to_owned())),
            _ => (path, None),
        };
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let kind = parts.next()?.to_ascii_lowercase();
        let names: Vec<&str> = parts.collect();
        let namespace = (names.len() > 1).then(|| names[0].to_ascii_lowercase());
        (!names.is_empty()).then(|| Purl {
            bare: format!("pkg:{path}"),
            kind,
            namespace,
            version,
        })
    }

    /// The distribution that the package is of.
    fn distribution(&self) -> Option<String> {
        let name = match (self.kind.as_str(), self.namespace.as_deref()) {
            ("deb", Some("ubuntu")) => "Ubuntu",
            ("deb", _) => "Debian",
            ("apk", Some("wolfi")) => "Wolfi",
            ("apk", _) => "Alpine",
            ("rpm", Some("suse" | "opensuse")) => "SUSE",
            ("rpm", _) => "Red Hat",
            _ => return None,
        };
        Some(name.to_owned())
    }
}

/// The products of a document by their ids.
#[derive(Debug, Default)]
pub(super) struct Products(BTreeMap<String, Product>);

impl Products {
    pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Products {
        let mut products = Products::default();
        let Some(tree) = root.object("product_tree", warnings) else {
            return products;
        };
        products.branches(&tree, &Product::default(), warnings);
        for leaf in tree.list("full_product_names", warnings) {
            products.leaf(&leaf, Product::default(), warnings);
        }
        for relationship in tree.list("relationships", warnings) {
            let mut named = |key| products.get(relationship.text(key, warnings)?).cloned();
            let component = named("product_reference");
            let platform = named("relates_to_product_reference");
            let Some(name) = relationship.object("full_product_name", warnings) else {
                continue;
            };
            let mut product = component.unwrap_or_default();
            product.platform = platform.and_then(|platform| platform.product);
            products.leaf(&name, product, warnings);
        }
        products
    }

    pub(super) fn get(&self, id: &str) -> Option<&Product> {
        self.0.get(id)
    }

    fn branches(&mut self, at: &At<'_, '_>, above: &Product, warnings: &mut Warnings) {
        for branch in at.list("branches", warnings) {
            let name = branch.name("name", warnings).map(str::to_owned);
            let mut here = above.clone();
            match branch.text("category", warnings).unwrap_or_default() {
                "vendor" => here.vendor = name,
                "product_name" => here.product = name,
                "product_version" => here.version = name.map(Version::Exact),
                "product_version_range" => here.version = name.map(Version::Range),
                // Families, architectures and languages narrow down what is named already.
                _ => {}
            }
            if let Some(leaf) = branch.object("product", warnings) {
                self.leaf(&leaf, here.clone(), warnings);
            }
            self.branches(&branch, &here, warnings);
        }
    }

    fn leaf(&mut self, at: &At<'_, '_>, mut product: Product, warnings: &mut Warnings) {
        let Some(id) = at.text("product_id", warnings) else {
            return;
        };
        if self.0.len() >= MAX_PRODUCTS {
            warnings.push(at, "product_id", "more products than are read");
            return;
        }
        if product.product.is_none() {
            product.product = at.text("name", warnings).map(str::to_owned);
        }
        if let Some(helper) = at.object("product_identification_helper", warnings) {
            let cpe = helper.text("cpe", warnings).and_then(without_version);
            product.cpe = cpe.or(product.cpe);
            let purl = helper.text("purl", warnings);
            product.purl = purl.and_then(Purl::read).or(product.purl);
        }
        self.0.insert(id.to_owned(), product);
    }
}
