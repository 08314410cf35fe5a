//! Addresses of our own pages.
//!
//! Invariant: whatever a name contains, its address is one path segment that leads back to exactly that name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986 `unreserved`, plus what `pchar` allows and names use; everything else is encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+')
    .remove(b'@')
    .remove(b':');

/// A name as one path segment. The dot of a trailing `.json` is encoded: a plain one asks for the twin.
pub(crate) fn segment(name: &str) -> String {
    let encoded = utf8_percent_encode(name, SEGMENT).to_string();
    match encoded.strip_suffix(".json") {
        Some(stem) => format!("{stem}%2Ejson"),
        None => encoded,
    }
}

/// A value in a query string.
pub(crate) fn query_value(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// The page of a vulnerability.
pub(crate) fn vulnerability(id: &str) -> String {
    format!("/vulnerabilities/{}", segment(id))
}

/// The page of a package.
pub(crate) fn package(distribution: &str, attribute: &str) -> String {
    format!("/packages/{}/{}", segment(distribution), segment(attribute))
}

/// The page of a family.
pub(crate) fn family(distribution: &str, family: &str) -> String {
    format!("/families/{}/{}", segment(distribution), segment(family))
}

/// The page of a maintainer.
pub(crate) fn maintainer(name: &str) -> String {
    format!("/maintainers/{}", segment(name))
}

/// The page of a channel.
pub(crate) fn channel(name: &str) -> String {
    format!("/channels/{}", segment(name))
}

/// What is affected in the current release of a channel, for programs.
pub(crate) fn affected_of(channel: &str) -> String {
    format!("/api/v1/channels/{}/affected", segment(channel))
}

/// The list of vulnerabilities of a package or family.
pub(crate) fn vulnerabilities_of(package: &str) -> String {
    format!("/vulnerabilities?package={}", query_value(package))
}

/// The log of what happened to a vulnerability.
pub(crate) fn log_of(vulnerability: &str) -> String {
    format!("/log?q={}", query_value(vulnerability))
}

/// What happens about a package, or about those of a maintainer.
pub(crate) fn events_of(about: &str, name: &str) -> String {
    format!("/events?{about}={}", query_value(name))
}

/// An address that may be made clickable: absolute, `http` or `https`, free of blanks and control characters.
pub(crate) fn is_clickable(url: &str) -> bool {
    let scheme = url
        .split_once("://")
        .map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    matches!(&scheme, Some((scheme, rest)) if (scheme == "http" || scheme == "https") && !rest.is_empty())
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::{is_clickable, package, segment};
    use percent_encoding::percent_decode_str;

    #[test]
    fn odd_names_are_one_segment() {
        for (name, expected) in [
            ("python3Packages.requests", "python3Packages.requests"),
            ("foo.json", "foo%2Ejson"),
            ("a/b", "a%2Fb"),
            ("g++", "g++"),
            ("c#", "c%23"),
            ("100%", "100%25"),
            ("naïve", "na%C3%AFve"),
            ("\"><script>", "%22%3E%3Cscript%3E"),
        ] {
            assert_eq!(segment(name), expected);
            assert_eq!(
                percent_decode_str(&segment(name)).decode_utf8().unwrap(),
                name
            );
        }
        assert_eq!(package("nixpkgs", "a/b"), "/packages/nixpkgs/a%2Fb");
    }

    #[test]
    fn only_web_addresses_are_clickable() {
        for url in ["https://example.org/a?b#c", "HTTP://example.org"] {
            assert!(is_clickable(url), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a",
            "//a",
            "https://",
            "http://a b",
            "http://a\nb",
            "javascript://x%0aalert(1)",
        ] {
            assert!(!is_clickable(url), "{url}");
        }
    }
}
