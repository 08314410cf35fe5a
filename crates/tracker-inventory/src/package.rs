//! A package of a release, and the release it belongs to.
//!
//! Invariant: `attribute` is unique within a release; everything else may be absent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A dated state of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The distribution (`nixpkgs`, an overlay's name, `guix`).
    pub distribution: String,
    /// The channel (`nixos-26.05`).
    pub channel: String,
    /// The source revision.
    pub revision: String,
    /// When the channel moved to it.
    pub released: Timestamp,
}

/// A package as a release has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Package {
    /// Attribute path, unique in its release (`python3Packages.requests`).
    pub attribute: String,
    /// Name without version.
    pub pname: String,
    /// Version, if the name has one.
    pub version: Option<String>,
    /// One-line description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Home page or pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub homepages: Vec<String>,
    /// Where it is defined (`pkgs/…/default.nix:23`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// GitHub handles of its maintainers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<String>,
    /// `meta.knownVulnerabilities`: texts, mostly CVE ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_vulnerabilities: Vec<String>,
    /// CPE 2.3 strings of `meta.identifiers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpes: Vec<String>,
    /// Package URLs of `meta.identifiers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purls: Vec<String>,
    /// Base name of its derivation in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivation: Option<String>,
    /// Base name of its default output in the store: joins it to a derivation graph where no derivation is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Source addresses, from the derivation graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_urls: Vec<String>,
    /// Names of patches that its derivation applies, from the derivation graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<String>,
    /// Whose versions it has, in OSV's words, with the release (`Debian:bookworm`); none for what counts as its
    /// upstream does, like Nix-based distributions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<String>,
    /// How many packages of the release depend on it, directly or not; from the derivation graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<u32>,
}
