//! The judgement of a policy for CI: SARIF 2.1.0 (OASIS). New and expired seeds are errors, known ones notes.

use super::json::path;
use crate::{Audit, Judgement, Policy, Ruling};
use serde_json::{Value, json};
use std::fmt::Write;

/// The judgement as SARIF.
pub fn sarif(audit: &Audit, policy: &Policy, judgement: &Judgement) -> Value {
    let rule = |id: &str, text: &str| json!({ "id": id, "shortDescription": { "text": text } });
    let mut results = Vec::new();
    for (node, ruling) in &judgement.seeds {
        let name = audit.name(*node);
        let frees = audit.dominators.freed_by(*node).saturating_sub(1);
        let (id, level, text) = match ruling {
            Ruling::New => (
                "new-seed",
                "error",
                format!(
                    "'{name}' is a seed that no policy entry accepts; {frees} packages stand on it alone"
                ),
            ),
            Ruling::Expired(entry, date) => (
                "expired-seed",
                "error",
                format!(
                    "'{name}' was accepted until {date}: {}",
                    policy.allow[*entry].reason
                ),
            ),
            Ruling::Known(entry) => (
                "known-seed",
                "note",
                format!("'{name}' is accepted: {}", policy.allow[*entry].reason),
            ),
        };
        results.push(json!({
            "ruleId": id,
            "level": level,
            "message": { "text": text },
            "locations": [{
                "physicalLocation": { "artifactLocation": { "uri": uri(&path(audit, *node)) } },
                "logicalLocations": [{ "fullyQualifiedName": name, "kind": "resource" }],
            }],
            "partialFingerprints": { "seed/v1": path(audit, *node) },
        }));
    }
    for index in &judgement.unused {
        results.push(json!({
            "ruleId": "unused-entry",
            "level": "warning",
            "message": { "text": format!("policy entry {} accepts nothing that is here", index + 1) },
        }));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "rootstock-seed",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": [
                    rule("new-seed", "A seed that no policy entry accepts"),
                    rule("expired-seed", "A seed whose policy entry has expired"),
                    rule("known-seed", "A seed that a policy entry accepts"),
                    rule("unused-entry", "A policy entry that no seed needs"),
                ],
            } },
            "results": results,
        }],
    })
}

/// A relative URI: everything but unreserved characters and slashes is percent-encoded (RFC 3986).
fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string succeeds");
        }
    }
    text
}
