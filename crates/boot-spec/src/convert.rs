//! Version 1 to 2 and back. What the other version cannot say is carried in [`CARRIED`] and reported, so that converting
//! back gives the same document.

use crate::extension::CARRIED;
use crate::{Boot, BootV1, BootV2, Document, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Something that a reader of the new version does not see: where it stood, and what that means.
pub type Loss = Problem;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Carried {
    #[serde(skip_serializing_if = "Option::is_none")]
    initrd_secrets: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initrds: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devicetree: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fdtdir: Option<String>,
}

/// Takes what an earlier conversion carried out of the extensions.
fn take(extensions: &mut BTreeMap<String, Value>) -> Carried {
    extensions
        .remove(CARRIED)
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

fn put(extensions: &mut BTreeMap<String, Value>, carried: &Carried) {
    if *carried != Carried::default() {
        let value = serde_json::to_value(carried).expect("strings and lists are JSON");
        extensions.insert(CARRIED.to_owned(), value);
    }
}

/// Version 1 as version 2. What an earlier [`downgrade`] carried comes back.
pub fn upgrade(document: &Document<BootV1>) -> (Document<BootV2>, Vec<Loss>) {
    let mut losses = Vec::new();
    let document = up(document, "$", &mut losses);
    (document, losses)
}

fn up(document: &Document<BootV1>, path: &str, losses: &mut Vec<Loss>) -> Document<BootV2> {
    let old = &document.boot;
    let mut extensions = document.extensions.clone();
    let carried = take(&mut extensions);
    let own: Vec<String> = old.initrd.iter().cloned().collect();
    let initrds = match carried.initrds {
        // Somebody may have changed the initrd since; then the present statement counts.
        Some(all) if all.first() == old.initrd.as_ref() => all,
        _ => own,
    };
    put(
        &mut extensions,
        &Carried {
            initrd_secrets: old.initrd_secrets.clone(),
            ..Carried::default()
        },
    );
    if old.initrd_secrets.is_some() {
        losses.push(Loss {
            path: format!("{path}[\"{}\"].initrdSecrets", BootV1::KEY),
            why: "version 2 has no program that appends secrets; name them as credentials"
                .to_owned(),
        });
    }
    Document {
        boot: BootV2 {
            label: old.label.clone(),
            system: old.system.clone(),
            init: old.init.clone(),
            toplevel: old.toplevel.clone(),
            kernel: old.kernel.clone(),
            kernel_params: old.kernel_params.clone(),
            initrds,
            devicetree: carried.devicetree,
            fdtdir: carried.fdtdir,
        },
        specialisations: document
            .specialisations
            .iter()
            .map(|(name, child)| {
                (
                    name.clone(),
                    up(child, &below::<BootV1>(path, name), losses),
                )
            })
            .collect(),
        extensions,
    }
}

/// Version 2 as version 1. What an earlier [`upgrade`] carried comes back.
pub fn downgrade(document: &Document<BootV2>) -> (Document<BootV1>, Vec<Loss>) {
    let mut losses = Vec::new();
    let document = down(document, "$", 0, &mut losses);
    (document, losses)
}

fn down(
    document: &Document<BootV2>,
    path: &str,
    depth: usize,
    losses: &mut Vec<Loss>,
) -> Document<BootV1> {
    let old = &document.boot;
    let mut extensions = document.extensions.clone();
    let carried = take(&mut extensions);
    let mut lose = |key: &str, why: &str| {
        losses.push(Loss {
            path: format!("{path}[\"{}\"].{key}", BootV2::KEY),
            why: why.to_owned(),
        });
    };
    let several = old.initrds.len() > 1;
    if several {
        lose(
            "initrds",
            "version 1 has one initrd: a reader loads the first alone, and the system may not start",
        );
    }
    if old.devicetree.is_some() {
        lose("devicetree", "version 1 has no device tree");
    }
    if old.fdtdir.is_some() {
        lose("fdtdir", "version 1 has no device trees");
    }
    if depth > 0 && !document.specialisations.is_empty() {
        losses.push(Loss {
            path: format!("{path}[\"{}\"]", BootV2::SPECIALISATIONS),
            why: "version 1 does not define specialisations of a specialisation; a reader may not show them"
                .to_owned(),
        });
    }
    put(
        &mut extensions,
        &Carried {
            initrd_secrets: None,
            initrds: several.then(|| old.initrds.clone()),
            devicetree: old.devicetree.clone(),
            fdtdir: old.fdtdir.clone(),
        },
    );
    Document {
        boot: BootV1 {
            label: old.label.clone(),
            system: old.system.clone(),
            init: old.init.clone(),
            toplevel: old.toplevel.clone(),
            kernel: old.kernel.clone(),
            kernel_params: old.kernel_params.clone(),
            initrd: old.initrds.first().cloned(),
            initrd_secrets: carried.initrd_secrets,
        },
        specialisations: document
            .specialisations
            .iter()
            .map(|(name, child)| {
                let here = below::<BootV2>(path, name);
                (name.clone(), down(child, &here, depth + 1, losses))
            })
            .collect(),
        extensions,
    }
}

fn below<B: Boot>(path: &str, name: &str) -> String {
    format!("{path}[\"{}\"][{}]", B::SPECIALISATIONS, Value::from(name))
}
