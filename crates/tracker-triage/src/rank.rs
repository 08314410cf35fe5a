//! How urgent a match is, as a sum that anybody can check. The page `docs/tracker/triage.md` tells it in words.
//!
//! ```text
//! rank = (severity + exploitation + reach) × confidence + age
//! ```
//!
//! Invariants: whole thousandths of a point throughout, so that every database and machine agrees; age adds the same to
//! every match, so that an order once stored holds at any later time.

use jiff::Timestamp;
use serde::Serialize;

/// Thousandths of a point for each tenth of a CVSS base score: 40 points at 10.0.
pub const PER_SCORE_TENTH: i64 = 400;
/// The score, in tenths, that stands for one that nobody gave.
pub const UNKNOWN_SCORE_TENTHS: u8 = 50;
/// A vulnerability that is known to be exploited.
pub const EXPLOITED: i64 = 30_000;
/// A certain prediction of exploitation; the square root of the probability counts, so that 1 % is a tenth of it.
pub const PREDICTED: i64 = 25_000;
/// Each doubling of the packages that depend on it.
pub const PER_DOUBLING: i64 = 1_000;
/// A package that every installation has.
pub const DEFAULT_INSTALL: i64 = 10_000;
/// Each day that a match waits: five months are as much as a step of 15 points.
pub const PER_DAY: i64 = 100;

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;
const MILLION: i64 = 1_000_000;

/// What a rank is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankInputs {
    /// The leading CVSS base score (version 2, 3 or 4) in tenths.
    pub score_tenths: Option<u8>,
    /// Whether it is in the KEV catalogue.
    pub exploited: bool,
    /// EPSS probability in millionths.
    pub epss_ppm: Option<u32>,
    /// Probability of the match in millionths.
    pub confidence_ppm: u32,
    /// How many packages depend on it, directly or not.
    pub dependents: Option<u32>,
    /// Whether every installation has it.
    pub default_install: bool,
    /// When it was first matched.
    pub since: Timestamp,
}

/// A rank with its parts, in thousandths of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// What severity adds.
    pub severity: i64,
    /// What exploitation, known or predicted, adds.
    pub exploitation: i64,
    /// What reach adds.
    pub reach: i64,
    /// By what the sum is multiplied, in millionths.
    pub confidence_ppm: u32,
    /// What waiting adds.
    pub age: i64,
    /// All of it.
    pub total: i64,
}

impl Rank {
    /// The rank at a time.
    pub fn at(inputs: &RankInputs, now: Timestamp) -> Rank {
        let waited = now.as_microsecond() - inputs.since.as_microsecond();
        // By days and then by the rest of one, which together stay far below 64 bits.
        let days = waited.div_euclid(MICROSECONDS_A_DAY);
        let rest = waited.rem_euclid(MICROSECONDS_A_DAY);
        let age = days * PER_DAY + rest * PER_DAY / MICROSECONDS_A_DAY;
        Rank::with_age(inputs, age)
    }

    fn with_age(inputs: &RankInputs, age: i64) -> Rank {
        let score = inputs.score_tenths.unwrap_or(UNKNOWN_SCORE_TENTHS).min(100);
        let severity = i64::from(score) * PER_SCORE_TENTH;
        let predicted = i64::from(inputs.epss_ppm.unwrap_or(0)).min(MILLION);
        let exploitation = if inputs.exploited {
            EXPLOITED
        } else {
            // The root of millionths is thousandths.
            predicted.isqrt() * PREDICTED / 1000
        };
        let doublings = i64::from(inputs.dependents.unwrap_or(0).saturating_add(1).ilog2());
        let default = if inputs.default_install {
            DEFAULT_INSTALL
        } else {
            0
        };
        let reach = doublings * PER_DOUBLING + default;
        let confidence_ppm = inputs.confidence_ppm.min(1_000_000);
        let sum = severity + exploitation + reach;
        Rank {
            severity,
            exploitation,
            reach,
            confidence_ppm,
            age,
            total: sum * i64::from(confidence_ppm) / MILLION + age,
        }
    }

    /// What is stored to order by: the rank as if now were 1970, with age to the thousandth of a point rounded once.
    pub fn order(inputs: &RankInputs) -> i64 {
        Rank::at(inputs, Timestamp::UNIX_EPOCH).total
    }
}

/// Points as shown: `71.2`.
pub fn points(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let tenths = (thousandths.abs() + 50) / 100;
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

/// Package families in the closure of every NixOS system, however small: what boots, logs in, updates and talks TLS.
const DEFAULT_FAMILIES: &[&str] = &[
    "acl",
    "attr",
    "audit",
    "bash",
    "bash-interactive",
    "brotli",
    "bzip2",
    "cacert",
    "coreutils",
    "cryptsetup",
    "curl",
    "dbus",
    "diffutils",
    "e2fsprogs",
    "elfutils",
    "expat",
    "file",
    "findutils",
    "gawk",
    "gcc",
    "getent",
    "glibc",
    "gmp",
    "gnugrep",
    "gnused",
    "gnutar",
    "gzip",
    "iproute2",
    "iptables",
    "kexec-tools",
    "kmod",
    "krb5",
    "less",
    "libcap",
    "libgcrypt",
    "libidn2",
    "libpsl",
    "libseccomp",
    "libsodium",
    "libssh2",
    "libunistring",
    "libxcrypt",
    "linux",
    "linux-pam",
    "lvm2",
    "mkpasswd",
    "nano",
    "ncurses",
    "nftables",
    "nghttp2",
    "nix",
    "openssh",
    "openssl",
    "pcre2",
    "perl",
    "procps",
    "readline",
    "rsync",
    "shadow",
    "sqlite",
    "sudo",
    "systemd",
    "tzdata",
    "util-linux",
    "xz",
    "zlib",
    "zstd",
];

/// Whether every NixOS installation has a family.
pub fn is_default_install(distribution: &str, family: &str) -> bool {
    distribution == "nixpkgs" && DEFAULT_FAMILIES.binary_search(&family).is_ok()
}

#[cfg(test)]
mod tests {
    use super::DEFAULT_FAMILIES;

    #[test]
    fn default_families_are_in_order() {
        assert!(DEFAULT_FAMILIES.is_sorted());
    }
}
