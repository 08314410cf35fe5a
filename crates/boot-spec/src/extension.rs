//! The registry of extensions: which there are, which fields they have, and typed reading of those that installers use.

use crate::field::Kind;
use crate::{Document, Field};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Secrets for the initrd, by their path in it (from the text of RFC 165).
pub const INITRD_SECRETS: &str = "org.nixos.initrd-secrets.v1";
/// What nixpkgs tells its builder for systemd-boot.
pub const SYSTEMD_BOOT: &str = "org.nixos.systemd-boot";
/// A unified kernel image that was built with the system.
pub const UKI: &str = "org.rootstock.uki.v1";
/// The store's integrity tree.
pub const VERITY: &str = "org.rootstock.verity.v1";
/// Encrypted credentials to hand to the system.
pub const CREDENTIALS: &str = "org.rootstock.credentials.v1";
/// Facts about the build.
pub const BUILD: &str = "org.rootstock.build.v1";
/// The generation's security epoch.
pub const EPOCH: &str = "org.rootstock.epoch.v1";
/// Processor microcode.
pub const MICROCODE: &str = "org.rootstock.microcode.v1";
/// What a conversion could not say in the other version.
pub const CARRIED: &str = "org.rootstock.carried.v1";

/// What an extension's value looks like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// An object with these fields; strict reading allows no others.
    Object(&'static [Field]),
    /// An object whose keys are free and whose values are of one kind.
    Map(Kind),
}

/// A registered extension.
#[derive(Debug, Clone, Copy)]
pub struct Extension {
    /// Its key.
    pub key: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its value.
    pub shape: Shape,
}

/// Every registered extension.
pub const REGISTRY: &[Extension] = &[
    Extension {
        key: INITRD_SECRETS,
        about: "secrets for the initrd: path in the initrd to path on the running machine",
        shape: Shape::Map(Kind::Path),
    },
    Extension {
        key: SYSTEMD_BOOT,
        about: "what nixpkgs tells its builder for systemd-boot",
        shape: Shape::Object(&[
            Field::optional("sortKey", Kind::Text, "sort key of the menu entry"),
            Field::optional("devicetree", Kind::StorePath, "device tree to load"),
        ]),
    },
    Extension {
        key: "org.nix-community.lanzaboote",
        about: "what lanzaboote is told",
        shape: Shape::Object(&[Field::optional(
            "sort_key",
            Kind::Text,
            "sort key of the menu entry",
        )]),
    },
    Extension {
        key: UKI,
        about: "a unified kernel image that was built with the system; it is installed as it is",
        shape: Shape::Object(&[Field::required(
            "image",
            Kind::StorePath,
            "the image, signed or not",
        )]),
    },
    Extension {
        key: VERITY,
        about: "integrity tree of the partition that the store is on",
        shape: Shape::Object(&[
            Field::required("rootHash", Kind::Sha256, "root hash of the tree"),
            Field::optional(
                "signature",
                Kind::StorePath,
                "PKCS#7 signature of the root hash",
            ),
            Field::optional(
                "dataPartition",
                Kind::Text,
                "unique identifier of the data partition",
            ),
            Field::optional(
                "treePartition",
                Kind::Text,
                "unique identifier of the tree's partition",
            ),
        ]),
    },
    Extension {
        key: CREDENTIALS,
        about: "encrypted credentials: name to the file that systemd-creds made",
        shape: Shape::Map(Kind::Path),
    },
    Extension {
        key: BUILD,
        about: "facts about the build, which nothing has to be guessed from",
        shape: Shape::Object(&[
            Field::optional(
                "builtAt",
                Kind::Number,
                "seconds since 1970 of the sources' last change",
            ),
            Field::optional("kernelRelease", Kind::Text, "as `uname -r` prints it"),
            Field::optional(
                "version",
                Kind::Text,
                "version of the system, such as nixos-version prints it",
            ),
            Field::optional("revision", Kind::Text, "commit of the sources"),
        ]),
    },
    Extension {
        key: EPOCH,
        about: "security epoch: once a machine's floor is above it, its TPM unlocks nothing for this generation",
        shape: Shape::Object(&[Field::required(
            "epoch",
            Kind::Number,
            "0 to 4294967295; raised when an older generation must not unlock any more",
        )]),
    },
    Extension {
        key: MICROCODE,
        about: "processor microcode, loaded before every initrd",
        shape: Shape::Object(&[Field::required(
            "archive",
            Kind::StorePath,
            "cpio archive, not compressed",
        )]),
    },
    Extension {
        key: CARRIED,
        about: "what the other version says and this one cannot; written by conversion alone",
        shape: Shape::Object(&[
            Field::optional(
                "initrdSecrets",
                Kind::StorePath,
                "version 1: program that appends secrets",
            ),
            Field::optional("initrds", Kind::StorePaths, "version 2: all initrds"),
            Field::optional(
                "devicetree",
                Kind::StorePath,
                "version 2: device tree to load",
            ),
            Field::optional(
                "fdtdir",
                Kind::StorePath,
                "version 2: folder of device trees",
            ),
        ]),
    },
];

/// [`UKI`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UnifiedImage {
    /// The image.
    pub image: String,
}

/// [`VERITY`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verity {
    /// 64 hexadecimal digits.
    pub root_hash: String,
    /// PKCS#7 file.
    pub signature: Option<String>,
    /// Identifier of the data partition.
    pub data_partition: Option<String>,
    /// Identifier of the tree's partition.
    pub tree_partition: Option<String>,
}

/// [`BUILD`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Build {
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_at: Option<u64>,
    /// As `uname -r` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_release: Option<String>,
    /// Version of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Commit of the sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// [`EPOCH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SecurityEpoch {
    /// The epoch.
    pub epoch: u32,
}

/// [`MICROCODE`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Microcode {
    /// The archive.
    pub archive: String,
}

/// [`SYSTEMD_BOOT`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Loader {
    /// Sort key.
    pub sort_key: Option<String>,
    /// Device tree.
    pub devicetree: Option<String>,
}

/// [`CREDENTIALS`] and [`INITRD_SECRETS`]: name to file.
pub type Credentials = BTreeMap<String, String>;

impl<B> Document<B> {
    /// The extension at `key`, read as `T`; `None` when it is absent or of another shape (which reading the document has
    /// reported).
    pub fn extension<T: for<'de> Deserialize<'de>>(&self, key: &str) -> Option<T> {
        T::deserialize(self.extensions.get(key)?).ok()
    }

    /// The extension at `key` as it is.
    pub fn extension_value(&self, key: &str) -> Option<&Value> {
        self.extensions.get(key)
    }
}
