//! A document of either version, and how it is written.

use crate::{Field, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How deep specialisations may be nested in version 2.
pub const SPECIALISATION_DEPTH: usize = 4;

/// What one version of the format says about one system.
pub trait Boot: Serialize + for<'de> Deserialize<'de> + Clone + PartialEq {
    /// Key of the system's object.
    const KEY: &'static str;
    /// Key of the specialisations.
    const SPECIALISATIONS: &'static str;
    /// The version's number.
    const VERSION: u32;
    /// Its fields.
    const FIELDS: &'static [Field];
}

const LABEL: Field = Field::required("label", Kind::Text, "what a boot menu shows");
const SYSTEM: Field = Field::required("system", Kind::Platform, "platform that the system runs on");
const INIT: Field = Field::required("init", Kind::StorePath, "first program of stage 2");
const TOPLEVEL: Field = Field::required("toplevel", Kind::StorePath, "the system's own store path");
const KERNEL: Field = Field::required("kernel", Kind::StorePath, "kernel image");
const PARAMS: Field = Field::required(
    "kernelParams",
    Kind::Words,
    "parameters of the kernel, without init=",
);

/// `org.nixos.bootspec.v1` (RFC 125).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootV1 {
    /// What a boot menu shows.
    pub label: String,
    /// Platform, such as `x86_64-linux`.
    pub system: String,
    /// First program of stage 2.
    pub init: String,
    /// The system's store path.
    pub toplevel: String,
    /// Kernel image.
    pub kernel: String,
    /// Kernel parameters, without `init=`.
    pub kernel_params: Vec<String>,
    /// The one initrd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initrd: Option<String>,
    /// A program that appends secrets to a copy of the initrd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initrd_secrets: Option<String>,
}

impl Boot for BootV1 {
    const KEY: &'static str = "org.nixos.bootspec.v1";
    const SPECIALISATIONS: &'static str = "org.nixos.specialisation.v1";
    const VERSION: u32 = 1;
    const FIELDS: &'static [Field] = &[
        LABEL,
        SYSTEM,
        INIT,
        TOPLEVEL,
        KERNEL,
        PARAMS,
        Field::optional("initrd", Kind::StorePath, "the one initrd"),
        Field::optional(
            "initrdSecrets",
            Kind::StorePath,
            "program that appends secrets to a copy of the initrd",
        ),
    ];
}

/// `org.nixos.bootspec.v2` (docs/boot/bootspec-v2.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootV2 {
    /// What a boot menu shows.
    pub label: String,
    /// Platform, such as `x86_64-linux`.
    pub system: String,
    /// First program of stage 2.
    pub init: String,
    /// The system's store path.
    pub toplevel: String,
    /// Kernel image.
    pub kernel: String,
    /// Kernel parameters, without `init=`.
    pub kernel_params: Vec<String>,
    /// Initrds, in the order in which the kernel sees them; may be empty.
    pub initrds: Vec<String>,
    /// Device tree to load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devicetree: Option<String>,
    /// Folder of device trees to choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fdtdir: Option<String>,
}

impl Boot for BootV2 {
    const KEY: &'static str = "org.nixos.bootspec.v2";
    const SPECIALISATIONS: &'static str = "org.nixos.specialisation.v2";
    const VERSION: u32 = 2;
    const FIELDS: &'static [Field] = &[
        LABEL,
        SYSTEM,
        INIT,
        TOPLEVEL,
        KERNEL,
        PARAMS,
        Field::required(
            "initrds",
            Kind::StorePaths,
            "initrds in the order in which the kernel sees them; may be empty",
        ),
        Field::optional("devicetree", Kind::StorePath, "device tree to load"),
        Field::optional(
            "fdtdir",
            Kind::StorePath,
            "folder of device trees, for loaders that choose by hardware",
        ),
    ];
}

/// A document: the system, its specialisations, and what else is said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document<B> {
    /// The system.
    pub boot: B,
    /// Variants of it by name, each a document of its own.
    pub specialisations: BTreeMap<String, Document<B>>,
    /// Every other key of the document: extensions, kept as they are.
    pub extensions: BTreeMap<String, Value>,
}

impl<B: Boot> Document<B> {
    /// A document with neither specialisations nor extensions.
    pub fn new(boot: B) -> Document<B> {
        Document {
            boot,
            specialisations: BTreeMap::new(),
            extensions: BTreeMap::new(),
        }
    }

    /// The document as JSON. `org.nixos.specialisation.*` is left out when there are none.
    pub fn to_value(&self) -> Value {
        let mut map: Map<String, Value> = self.extensions.clone().into_iter().collect();
        let boot = serde_json::to_value(&self.boot).expect("strings and lists are JSON");
        map.insert(B::KEY.to_owned(), boot);
        if !self.specialisations.is_empty() {
            let children: Map<String, Value> = self
                .specialisations
                .iter()
                .map(|(name, child)| (name.clone(), child.to_value()))
                .collect();
            map.insert(B::SPECIALISATIONS.to_owned(), Value::Object(children));
        }
        Value::Object(map)
    }

    /// JSON text with sorted keys and a line end; the same document gives the same bytes.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.to_value())
    }
}

/// A document of either version.
#[derive(Debug, Clone, PartialEq)]
pub enum Any {
    /// Version 1.
    V1(Document<BootV1>),
    /// Version 2.
    V2(Document<BootV2>),
}

impl Any {
    /// The version's number.
    pub fn version(&self) -> u32 {
        match self {
            Any::V1(_) => BootV1::VERSION,
            Any::V2(_) => BootV2::VERSION,
        }
    }

    /// JSON text, see [`Document::to_json`].
    pub fn to_json(&self) -> String {
        match self {
            Any::V1(document) => document.to_json(),
            Any::V2(document) => document.to_json(),
        }
    }
}
