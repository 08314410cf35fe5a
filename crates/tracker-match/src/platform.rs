//! Platforms: whether a statement holds only where no package that is tracked here runs.
//!
//! A source limits a statement by the systems that a CPE configuration must run on, or by a list of platforms. Packages
//! are built for Linux, Darwin and the BSDs; none runs on Windows, Android or Apple's telephones. Invariant: a statement
//! that names any other system, or none, is never taken to be about elsewhere.

use tracker_record::cpe::{Cpe, Part};
use tracker_record::record::Affected;

/// Beginnings of systems' names (CPE products, or words of a CNA) for which no package is built.
const ELSEWHERE: &[&str] = &[
    "windows",
    "android",
    "iphone_os",
    "iphone os",
    "ios",
    "ipados",
];

/// The systems that a statement is limited to, where no package runs on any of them.
pub(crate) fn only_elsewhere(affected: &Affected) -> Option<String> {
    let required: Vec<String> = affected
        .running_on
        .iter()
        .filter_map(|cpe| Cpe::parse(cpe))
        .filter(|cpe| cpe.part == Part::OperatingSystem)
        .filter_map(|cpe| cpe.product.text().map(str::to_lowercase))
        .collect();
    let stated: Vec<String> = affected
        .platforms
        .iter()
        .map(|text| text.to_lowercase())
        .collect();
    [required, stated].into_iter().find_map(|mut systems| {
        let elsewhere = !systems.is_empty() && systems.iter().all(|system| is_elsewhere(system));
        systems.sort_unstable();
        systems.dedup();
        systems.truncate(4);
        elsewhere.then(|| systems.join(", "))
    })
}

fn is_elsewhere(system: &str) -> bool {
    let system = system
        .trim()
        .strip_prefix("microsoft ")
        .unwrap_or(system.trim());
    ELSEWHERE.iter().any(|name| {
        system.strip_prefix(name).is_some_and(|rest| {
            // `ios` is not the beginning of `iosomething`, `windows` is that of `windows_10` and `windows 11`.
            !rest.starts_with(|next: char| next.is_ascii_alphabetic())
        })
    })
}

#[cfg(test)]
mod tests {
    //! Invariant checked: one system on which packages run is enough to keep a statement.

    use super::*;
    use nix_version::Status;

    fn of(running_on: &[&str], platforms: &[&str]) -> Option<String> {
        only_elsewhere(&Affected {
            running_on: running_on
                .iter()
                .map(|system| format!("cpe:2.3:{system}:-:*:*:*:*:*:*:*"))
                .collect(),
            platforms: platforms.iter().map(|&text| text.to_owned()).collect(),
            ..Affected::new(Status::Unaffected)
        })
    }

    #[test]
    fn systems_that_no_package_runs_on_are_elsewhere() {
        assert_eq!(of(&["o:google:android"], &[]).as_deref(), Some("android"));
        assert_eq!(
            of(&["o:microsoft:windows_10"], &[]).as_deref(),
            Some("windows_10")
        );
        assert_eq!(
            of(&[], &["Microsoft Windows", "iOS"]).as_deref(),
            Some("ios, microsoft windows")
        );
    }

    #[test]
    fn any_other_system_or_none_is_not() {
        assert_eq!(of(&[], &[]), None);
        assert_eq!(of(&["o:google:android", "o:linux:linux_kernel"], &[]), None);
        assert_eq!(of(&["o:apple:macos"], &[]), None);
        assert_eq!(of(&["h:acme:android"], &[]), None);
        assert_eq!(of(&[], &["Windows", "64 bit"]), None);
        assert_eq!(of(&["o:acme:iosystem"], &[]), None);
    }
}
