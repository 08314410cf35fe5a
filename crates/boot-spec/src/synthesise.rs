//! A document for a generation that has none: built before Bootspec, but its top-level folder tells the same.

use crate::extension::BUILD;
use crate::{BootV1, Build, Document, Error, Problem, Result};
use std::collections::BTreeMap;

/// What is in a system's top-level folder; the caller reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toplevel {
    /// The folder's own path, a store path.
    pub path: String,
    /// Content of `system`; `x86_64-linux` was the only one before the file existed.
    pub system: Option<String>,
    /// Content of `nixos-version`.
    pub version: Option<String>,
    /// Where `kernel` points to.
    pub kernel: Option<String>,
    /// Content of `kernel-params`.
    pub kernel_params: String,
    /// Where `initrd` points to.
    pub initrd: Option<String>,
    /// Whether `append-initrd-secrets` is there.
    pub appends_secrets: bool,
    /// The kernel's release: from its image, or the one folder of `kernel-modules/lib/modules`.
    pub kernel_release: Option<String>,
    /// What `specialisation` (before 2019 `fine-tune`) holds.
    pub specialisations: BTreeMap<String, Toplevel>,
}

/// The document that the system would have been built with.
pub fn synthesise(toplevel: &Toplevel) -> Result<Document<BootV1>> {
    let path = toplevel.path.trim_end_matches('/');
    let kernel = toplevel.kernel.clone().ok_or_else(|| {
        Error::Rules(vec![Problem {
            path: "$[\"org.nixos.bootspec.v1\"].kernel".to_owned(),
            why: format!("{path} has no kernel: it is no system that boots (a container?)"),
        }])
    })?;
    let version = toplevel.version.as_deref().map(str::trim);
    let release = toplevel.kernel_release.as_deref();
    let label = format!(
        "NixOS {} (Linux {})",
        version.unwrap_or("of unknown version"),
        release.unwrap_or("of unknown release")
    );
    let mut document = Document::new(BootV1 {
        label,
        system: toplevel
            .system
            .as_deref()
            .map_or("x86_64-linux", str::trim)
            .to_owned(),
        init: format!("{path}/init"),
        toplevel: path.to_owned(),
        kernel,
        kernel_params: words(&toplevel.kernel_params),
        initrd: toplevel.initrd.clone(),
        initrd_secrets: toplevel
            .appends_secrets
            .then(|| format!("{path}/append-initrd-secrets")),
    });
    let build = Build {
        kernel_release: release.map(str::to_owned),
        version: version.map(str::to_owned),
        ..Build::default()
    };
    if build != Build::default() {
        let value = serde_json::to_value(&build).expect("strings are JSON");
        document.extensions.insert(BUILD.to_owned(), value);
    }
    for (name, child) in &toplevel.specialisations {
        document
            .specialisations
            .insert(name.clone(), synthesise(child)?);
    }
    Ok(document)
}

/// Splits at blanks outside of quotation marks, as the kernel does.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in text.chars() {
        if character == '"' {
            quoted = !quoted;
        }
        if character.is_whitespace() && !quoted {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(character);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
