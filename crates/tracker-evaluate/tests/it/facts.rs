//! A package list, records and labels of made-up tools.
//!
//! Invariant: every tool has one package and one vulnerability, and every third a namesake elsewhere that is none.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How many tools there are: enough for both halves of the vulnerabilities.
const TOOLS: usize = 240;

/// The files of a run.
pub(crate) struct Files {
    pub(crate) packages: PathBuf,
    pub(crate) records: PathBuf,
    pub(crate) truth: PathBuf,
    pub(crate) judged: PathBuf,
    pub(crate) negatives: PathBuf,
    pub(crate) folder: PathBuf,
}

fn id(tool: usize) -> String {
    format!("CVE-2018-{}", 10_000 + tool)
}

fn namesake(tool: usize) -> String {
    format!("CVE-2019-{}", 10_000 + tool)
}

fn record(id: &str, criteria: &str, text: &str) -> Value {
    json!({"cve": {
        "id": id, "published": "2019-01-01T00:00:00.000", "lastModified": "2019-01-01T00:00:00.000",
        "vulnStatus": "Analyzed",
        "descriptions": [{"lang": "en", "value": text}],
        "configurations": [{"nodes": [{"operator": "OR", "negate": false, "cpeMatch": [
            {"vulnerable": true, "criteria": criteria, "versionEndExcluding": "2.0"}
        ]}]}],
    }})
}

/// Writes the files; where `told`, packages name the vulnerabilities that they are labelled with, in every way a package
/// list can.
pub(crate) fn write(folder: &Path, told: bool) -> Files {
    let mut packages = serde_json::Map::new();
    let mut records = Vec::new();
    let mut truth = vec!["cve\tname\tlabel\tstrength".to_owned()];
    let mut negatives = vec!["cve\tname".to_owned()];
    for tool in 0..TOOLS {
        let name = format!("tool{tool}x");
        let mut meta = json!({"homepage": format!("https://{name}.example.org/")});
        let mut package = json!({
            "name": format!("{name}-1.0"), "pname": name, "version": "1.0", "system": "x86_64-linux", "outputName": "out",
        });
        if told {
            meta["knownVulnerabilities"] = json!([id(tool), namesake(tool)]);
            package["patches"] = json!([format!("{}.patch", id(tool))]);
        }
        package["meta"] = meta;
        packages.insert(name.clone(), package);
        let cpe = format!("cpe:2.3:a:{name}:{name}:*:*:*:*:*:*:*:*");
        let text = format!("{name} before 2.0 lets anybody in");
        records.push(record(&id(tool), &cpe, &text).to_string());
        let strength = tool % 3 + 1;
        truth.push(format!("{}\t{name}\taffects\t{strength}", id(tool)));
        if tool % 3 == 0 {
            let cpe = format!("cpe:2.3:a:acme:{name}:*:*:*:*:*:wordpress:*:*");
            let text = format!("The {name} plugin before 2.0 for WordPress");
            records.push(record(&namesake(tool), &cpe, &text).to_string());
            negatives.push(format!("{}\t{name}", namesake(tool)));
        }
    }
    let list = json!({"version": 2, "packages": packages});
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    Files {
        packages: file("packages.json", list.to_string()),
        records: file("records.jsonl", records.join("\n")),
        truth: file("truth.tsv", truth.join("\n")),
        judged: file(
            "judged.tsv",
            format!("id\tpackage\tverdict\n{}\ttool1x\tright\n", id(1)),
        ),
        negatives: file("negatives.tsv", negatives.join("\n")),
        folder: folder.to_owned(),
    }
}
