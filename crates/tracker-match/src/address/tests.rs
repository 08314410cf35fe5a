//! Tests of addresses.
//!
//! Invariant checked: nothing panics, and makers are found where the address names them.

use super::*;
use proptest::prelude::*;

#[test]
fn makers_are_found() {
    for (url, site, owner, repository) in [
        (
            "https://github.com/Foo/Bar.git",
            "github.com",
            Some("foo"),
            Some("bar"),
        ),
        (
            "https://foo.github.io/bar/",
            "foo.github.io",
            Some("foo"),
            Some("bar"),
        ),
        ("http://www.gnupg.org/x", "gnupg.org", None, None),
        (
            "mirror://gnu/a2ps/a2ps-4.14.tar.gz",
            "mirror:gnu",
            None,
            Some("a2ps"),
        ),
        (
            "mirror://sourceforge/project/foo/1/foo.tgz",
            "mirror:sourceforge",
            None,
            Some("foo"),
        ),
        (
            "mirror://pypi/a/apipkg/apipkg-1.5.tar.gz",
            "mirror:pypi",
            None,
            Some("apipkg"),
        ),
        (
            "https://sourceforge.net/projects/foo/",
            "sourceforge.net",
            None,
            Some("foo"),
        ),
        ("http://foo.sf.net", "sf.net", None, Some("foo")),
        (
            "https://www.gnu.org/software/bash/",
            "gnu.org",
            None,
            Some("bash"),
        ),
        (
            "https://httpd.apache.org/",
            "apache.org",
            None,
            Some("httpd"),
        ),
        ("https://docs.example.co.uk/x", "example.co.uk", None, None),
    ] {
        let address = parse(url).unwrap();
        assert_eq!(address.site, site, "{url}");
        assert_eq!(address.owner.as_deref(), owner, "{url}");
        assert_eq!(address.repository.as_deref(), repository, "{url}");
    }
    assert!(parse("nonsense").is_none());
    assert!(!parse("https://github.com/a").unwrap().is_own_site());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("https://{text}"));
        let _ = parse(&format!("mirror://{text}"));
    }
}
