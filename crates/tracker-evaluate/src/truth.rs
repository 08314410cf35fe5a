//! Labels: pairs of vulnerability and package name, and what is known about them.
//!
//! Shape: tab-separated files with a header line naming at least `cve` (or `id`) and `name` (or `package`), and
//! `label` or `verdict`; `strength`, `sources`, `versions`, `reason` where there. Invariant: a name is compared
//! folded, as a package name, an attribute or a family.

use crate::corpus::open;
use crate::error::EvaluateError;
use std::collections::{BTreeSet, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tracker_inventory::Package;
use tracker_match::family_of;
use tracker_match::name::fold;

/// Largest label file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// What a label says about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The vulnerability concerns the package.
    Affects,
    /// It concerns the package, but not in the versions named.
    NotAffected,
    /// It concerns something else of that name.
    OtherProduct,
}

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    /// The vulnerability's id.
    pub id: String,
    /// The package's name, as labelled.
    pub name: String,
    /// What is said.
    pub kind: Kind,
    /// 1 (proved) to 3 (by scanners).
    pub strength: u8,
    /// Where it comes from.
    pub sources: String,
    /// Versions it speaks of.
    pub versions: Vec<String>,
}

/// Proposals of our own for vulnerabilities that no weight is fitted to, drawn at random and judged by reading: what
/// precision is measured on.
pub const SAMPLE: LabelFile = LabelFile {
    name: "sample.tsv",
    text: include_str!("../labels/sample.tsv"),
};

/// Earlier proposals that were judged by reading: weights are fitted to half of them.
pub const JUDGED: LabelFile = LabelFile {
    name: "judged.tsv",
    text: include_str!("../labels/judged.tsv"),
};

/// Pairs of equal name that are no match.
pub const NEGATIVES: LabelFile = LabelFile {
    name: "negatives.tsv",
    text: include_str!("../labels/negatives.tsv"),
};

/// Labels of others that reading showed to be wrong.
pub const DISPUTED: LabelFile = LabelFile {
    name: "disputed.tsv",
    text: include_str!("../labels/disputed.tsv"),
};

/// A label file that the program carries.
#[derive(Debug, Clone, Copy)]
pub struct LabelFile {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl LabelFile {
    /// Its labels, unless other files are given.
    pub fn or(self, paths: &[PathBuf]) -> Result<Vec<Label>, EvaluateError> {
        if paths.is_empty() {
            return parse(self.text).map_err(|(line, reason)| EvaluateError::Label {
                path: self.name.into(),
                line,
                reason,
            });
        }
        let mut labels = Vec::new();
        for path in paths {
            labels.extend(read(path)?);
        }
        Ok(labels)
    }
}

/// Reads a label file.
pub fn read(path: &Path) -> Result<Vec<Label>, EvaluateError> {
    let mut text = String::new();
    open(path)?
        .take(MAX_FILE)
        .read_to_string(&mut text)
        .map_err(|source| EvaluateError::File {
            path: path.to_owned(),
            source,
        })?;
    parse(&text).map_err(|(line, reason)| EvaluateError::Label {
        path: path.to_owned(),
        line,
        reason,
    })
}

/// Reads the text of a label file; the error is line and reason.
pub fn parse(text: &str) -> Result<Vec<Label>, (usize, String)> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let Some((number, header)) = lines.next() else {
        return Ok(Vec::new());
    };
    let columns: HashMap<&str, usize> = header
        .split('\t')
        .enumerate()
        .map(|(i, c)| (c, i))
        .collect();
    let column = |names: &[&str]| names.iter().find_map(|name| columns.get(name).copied());
    let missing = |what: &str| (number, format!("no column `{what}`"));
    let id = column(&["cve", "id"]).ok_or_else(|| missing("cve"))?;
    let name = column(&["name", "package", "debian_source"]).ok_or_else(|| missing("name"))?;
    let verdict = column(&["label", "verdict"]);
    let strength = column(&["strength"]);
    let (sources, versions) = (column(&["sources"]), column(&["versions"]));
    let mut labels = Vec::new();
    for (number, line) in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |index: Option<usize>| index.and_then(|index| fields.get(index)).copied();
        let required = |index| {
            field(Some(index))
                .filter(|text| !text.is_empty())
                .ok_or_else(|| (number, "too few fields".to_owned()))
        };
        let kind = match field(verdict) {
            None | Some("affects" | "right" | "wont-fix-or-disputed" | "already-fixed") => {
                Kind::Affects
            }
            Some("version-not-affected") => Kind::NotAffected,
            Some("other-product" | "wrong") => Kind::OtherProduct,
            Some(other) => return Err((number, format!("unknown label `{other}`"))),
        };
        labels.push(Label {
            id: required(id)?.to_owned(),
            name: required(name)?.to_owned(),
            kind,
            strength: field(strength).and_then(|s| s.parse().ok()).unwrap_or(1),
            sources: field(sources).unwrap_or_default().to_owned(),
            versions: field(versions)
                .unwrap_or_default()
                .split('|')
                .filter(|version| !version.is_empty())
                .map(str::to_owned)
                .collect(),
        });
    }
    Ok(labels)
}

/// From labelled names to families of a release: by family or package name, else by attribute, else by the
/// attribute's last segment.
#[derive(Debug, Clone)]
pub struct Names([HashMap<String, BTreeSet<String>>; 3]);

impl Names {
    /// Every name that a release's packages go by.
    pub fn new(packages: &[Package]) -> Self {
        let mut tiers: [HashMap<String, BTreeSet<String>>; 3] = Default::default();
        let mut add = |tier: usize, name: &str, family: &str| {
            let families = tiers[tier].entry(fold(name)).or_default();
            families.insert(family.to_owned());
        };
        for package in packages {
            let family = family_of(package);
            add(0, &package.pname, &family);
            add(0, &family, &family);
            add(1, &package.attribute, &family);
            let last = package.attribute.rsplit('.').next().unwrap_or_default();
            add(2, last, &family);
        }
        Names(tiers)
    }

    /// The families that go by a name; empty if none does.
    pub fn families(&self, name: &str) -> BTreeSet<String> {
        let name = fold(name);
        self.0
            .iter()
            .find_map(|tier| tier.get(&name).cloned())
            .unwrap_or_default()
    }
}

/// Whether a vulnerability belongs to the part that weights are fitted to; the rest is reported on. Half of all,
/// by a hash of the id alone.
pub fn is_training(id: &str) -> bool {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(id.as_bytes())[0] & 1 == 0
}

/// A number for an id that has nothing to do with which part it is in.
pub(crate) fn shuffled(id: &str) -> u8 {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(id.as_bytes())[1]
}

#[cfg(test)]
mod tests {
    //! Invariant checked: the committed label files are well formed; what is none is refused by line.

    use super::*;

    #[test]
    fn committed_labels_are_read() {
        for file in [SAMPLE, JUDGED] {
            let judged = file.or(&[]).unwrap();
            assert!(judged.len() >= 300, "{}", file.name);
            assert!(judged.iter().any(|label| label.kind == Kind::OtherProduct));
        }
        // What precision is measured on has no share in the fit.
        assert!(
            SAMPLE
                .or(&[])
                .unwrap()
                .iter()
                .all(|label| !is_training(&label.id))
        );
        let vulnix = parse(include_str!("../labels/vulnix.tsv")).unwrap();
        assert!(vulnix.len() > 190);
        assert!(DISPUTED.or(&[]).unwrap().len() > 20);
        let negatives = NEGATIVES.or(&[]).unwrap();
        assert!(negatives.len() > 100);
        assert!(
            negatives
                .iter()
                .all(|label| label.kind == Kind::OtherProduct)
        );
    }

    #[test]
    fn bad_labels_are_refused_by_line() {
        assert_eq!(parse("cve\tlabel\nx\ty\n").unwrap_err().0, 1);
        assert_eq!(
            parse("cve\tname\tlabel\nCVE-1\ta\tperhaps\n")
                .unwrap_err()
                .0,
            2
        );
        assert_eq!(parse("cve\tname\n\nCVE-1\n").unwrap_err().0, 3);
    }

    #[test]
    fn a_name_means_the_package_before_the_attribute() {
        let package = |attribute: &str, pname: &str| Package {
            attribute: attribute.into(),
            pname: pname.into(),
            ..Package::default()
        };
        let names = Names::new(&[
            package("mysql57", "mysql"),
            package("unixODBCDrivers.mysql", "mysql-connector-odbc"),
            package("apacheHttpd", "apache-httpd"),
        ]);
        assert_eq!(
            names.families("MySQL"),
            BTreeSet::from(["mysql".to_owned()])
        );
        assert_eq!(
            names.families("apacheHttpd"),
            BTreeSet::from(["apache-httpd".to_owned()])
        );
        assert!(names.families("absent").is_empty());
    }
}
