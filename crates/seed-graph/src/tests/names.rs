//! Classes by name: facts of names, not copies of records.

use crate::by_name::classify;
use crate::{Class, Verdict};

#[test]
fn names_and_addresses_suggest_a_class() {
    let cases = [
        ("bootstrap-tools.tar.xz", None, Class::Prebuilt),
        (
            "busybox",
            Some("http://tarballs.nixos.org/stdenv-linux/i686/x/busybox"),
            Class::Prebuilt,
        ),
        (
            "hello-2.10.tar.gz",
            Some("mirror://gnu/hello/hello-2.10.tar.gz"),
            Class::SourceArchive,
        ),
        (
            "source",
            Some("https://github.com/a/b/archive/v1.tar.gz"),
            Class::SourceArchive,
        ),
        (
            "fix.patch",
            Some("https://example.org/fix.patch?id=1"),
            Class::Source,
        ),
        ("go1.4-linux-amd64.tar.gz", None, Class::Prebuilt),
        (
            "tool-x86_64-unknown-linux-gnu.tar.gz",
            None,
            Class::Prebuilt,
        ),
        ("libx86-1.1.tar.gz", None, Class::SourceArchive),
        ("app.jar", None, Class::Prebuilt),
        ("tool_1.0_amd64.deb", None, Class::Prebuilt),
        ("wifi.fw", None, Class::Firmware),
        ("font.ttf", None, Class::Media),
        ("mystery", None, Class::Unknown),
    ];
    for (name, url, class) in cases {
        let (found, reason) = classify(name, url);
        assert_eq!(found, class, "{name}: {reason}");
        assert!(!reason.is_empty());
    }
    assert_eq!(Class::Unknown.verdict(), Verdict::Unverified);
}
