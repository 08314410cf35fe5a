//! The seeds as a bill of materials: CycloneDX 1.6 (ECMA-424).

use super::json::path;
use crate::{Audit, Origin, Root};
use nix_store_path::Algorithm;
use serde_json::{Value, json};

/// The seeds as CycloneDX components. The document carries no time and no serial number, so that the same audit
/// gives the same bytes.
pub fn cyclonedx(audit: &Audit) -> Value {
    let components: Vec<Value> = audit
        .seed_roots()
        .into_iter()
        .map(|seed| component(audit, seed))
        .collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "rootstock-seed", "version": env!("CARGO_PKG_VERSION") }] },
        },
        "components": components,
    })
}

fn component(audit: &Audit, root: &Root) -> Value {
    let item = audit.graph.data(root.node);
    let mut component = json!({
        "type": "file",
        "bom-ref": path(audit, root.node),
        "name": audit.name(root.node),
        "properties": [
            { "name": "rootstock:class", "value": root.class.name() },
            { "name": "rootstock:evidence", "value": root.evidence.to_string() },
            { "name": "rootstock:frees", "value": audit.dominators.freed_by(root.node).saturating_sub(1).to_string() },
        ],
    });
    if let Some(Origin::Fixed {
        address: Some(address),
        ..
    }) = item.map(|item| &item.origin)
    {
        let algorithm = match address.hash.algorithm() {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
            Algorithm::Blake3 => "BLAKE3",
        };
        // The hash of a NAR is none of the file's bytes, which is what CycloneDX means by a hash.
        if address.method == nix_store_path::Method::Flat {
            component["hashes"] = json!([{ "alg": algorithm, "content": address.hash.base16() }]);
        } else if let Some(properties) = component["properties"].as_array_mut() {
            properties
                .push(json!({ "name": "rootstock:contentAddress", "value": address.to_string() }));
        }
    }
    if let Some(url) = item
        .and_then(|item| item.url.as_deref())
        .filter(|url| is_uri(url))
    {
        component["externalReferences"] = json!([{ "type": "distribution", "url": url }]);
    }
    component
}

/// Addresses that are no URIs (Nixpkgs' `mirror://` is one) would make the document invalid.
fn is_uri(url: &str) -> bool {
    url.contains("://")
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}
