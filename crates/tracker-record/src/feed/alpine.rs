//! Alpine's secdb: the security fixes of a repository's packages, cut into one document a package and vulnerability.
//!
//! Shape: `{"distroversion":"v3.20","reponame":"main","packages":[{"pkg":{"name":"bash","secfixes":{"5.1-r0":
//! ["CVE-… XSA-…"]}}}]}`. A document is `{"alpine_repository":"v3.20/main","package":"bash","id":"CVE-…",
//! "aliases":["XSA-…"],"fixed":["5.1-r0"]}`, ordered by package and id.
//! Invariant: a file of another shape stays one document, whose reader says what is wrong with it.

use super::MAX_PARTS;
use crate::read::MAX_ID_BYTES;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Database {
    distroversion: String,
    reponame: String,
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: BTreeMap<String, Option<Vec<String>>>,
}

/// What is said of one vulnerability in one package.
#[derive(Debug, Default)]
struct Fix {
    aliases: BTreeSet<String>,
    fixed: BTreeSet<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    alpine_repository: &'a str,
    package: &'a str,
    id: &'a str,
    aliases: &'a BTreeSet<String>,
    fixed: &'a BTreeSet<String>,
}

/// The documents of a database; `None` if it is none, or names more than are accepted.
pub(super) fn documents(raw: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mentions = |word: &str| memchr::memmem::find(raw, word.as_bytes()).is_some();
    if !(mentions("secfixes") && mentions("distroversion")) {
        return None;
    }
    let database: Database = serde_json::from_slice(raw).ok()?;
    let short = |text: &str| text.len() <= MAX_ID_BYTES;
    let repository = format!("{}/{}", database.distroversion, database.reponame);
    if !short(&repository) {
        return None;
    }
    let mut documents = Vec::new();
    for Entry { pkg } in database.packages {
        let mut fixes: BTreeMap<String, Fix> = BTreeMap::new();
        for (version, entries) in pkg.secfixes {
            for entry in entries.into_iter().flatten() {
                let mut ids = entry.split_whitespace();
                let Some(id) = ids.next() else { continue };
                let fix = fixes.entry(id.to_owned()).or_default();
                fix.aliases.extend(ids.map(str::to_owned));
                fix.fixed.insert(version.clone());
            }
        }
        for (id, Fix { aliases, fixed }) in &fixes {
            let fine =
                short(id) && short(&pkg.name) && aliases.iter().chain(fixed).all(|t| short(t));
            if !fine || documents.len() >= MAX_PARTS {
                return None;
            }
            let document = Document {
                alpine_repository: &repository,
                package: &pkg.name,
                id,
                aliases,
                fixed,
            };
            documents.push(serde_json::to_vec(&document).ok()?);
        }
    }
    Some(documents)
}
