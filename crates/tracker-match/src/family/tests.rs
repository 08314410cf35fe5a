//! Tests of families.
//!
//! Invariant checked: variants, versions and interpreters do not split a family; worlds do.

use super::*;

fn family(attribute: &str, pname: &str, version: &str) -> String {
    family_of(&Package {
        attribute: attribute.into(),
        pname: pname.into(),
        version: (!version.is_empty()).then(|| version.into()),
        ..Package::default()
    })
}

#[test]
fn variants_and_versions_are_one_family() {
    for (attribute, pname, version, expected) in [
        ("firefox", "firefox", "70.0", "firefox"),
        (
            "firefox-bin-unwrapped",
            "firefox-bin-unwrapped",
            "70.0",
            "firefox",
        ),
        ("firefox-esr-68", "firefox-esr", "68.2", "firefox"),
        ("qemu_kvm", "qemu-host-cpu-only", "4.0.0", "qemu"),
        ("python3", "python3", "3.7.5", "python"),
        ("python27", "python", "2.7.17", "python"),
        ("libpng12", "libpng12", "1.2.59", "libpng"),
        ("SDL2", "SDL2", "2.0.10", "sdl"),
        ("openssl_1_1", "openssl", "1.1.1d", "openssl"),
        ("linux_5_4", "linux", "5.4", "linux"),
        ("linuxKernel.kernels.linux_6_12", "linux", "6.12.9", "linux"),
        ("x264", "x264", "20190517-2245-stable", "x264"),
        ("bzip2", "bzip2", "1.0.6.0.1", "bzip2"),
        ("p7zip", "p7zip", "16.02", "p7zip"),
        ("hook", "", "", "hook"),
    ] {
        assert_eq!(family(attribute, pname, version), expected, "{attribute}");
    }
}

#[test]
fn worlds_are_kept_apart() {
    for (attribute, pname, version, expected) in [
        (
            "python37Packages.requests",
            "python3.7-requests",
            "2.22.0",
            "pythonPackages.requests",
        ),
        (
            "python313Packages.requests",
            "python3.13-requests",
            "2.32",
            "pythonPackages.requests",
        ),
        (
            "perlPackages.DBI",
            "perl5.30.0-DBI",
            "1.642",
            "perlPackages.dbi",
        ),
        (
            "linuxPackages_latest.wireguard",
            "wireguard",
            "0.0",
            "linuxPackages.wireguard",
        ),
        (
            "linuxKernel.packages.linux_6_12.zfs",
            "zfs-kernel",
            "2.3",
            "linuxPackages.zfs-kernel",
        ),
        (
            "haskellPackages.aeson",
            "aeson",
            "1.4",
            "haskellPackages.aeson",
        ),
        (
            "somewhere.deep",
            "ruby2.6.5-nokogiri",
            "1.10",
            "rubyPackages.nokogiri",
        ),
        (
            "python-language-server",
            "python-language-server",
            "1",
            "python-language-server",
        ),
    ] {
        assert_eq!(family(attribute, pname, version), expected, "{attribute}");
    }
}
