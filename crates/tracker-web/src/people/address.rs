//! Addresses: where the tracker is reached, where a request is from, where a person goes after signing in.
//!
//! Invariant: no one is sent to another site by an address that came with a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Where the tracker is reached: `https://HOST`, or `http://` on the machine itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    scheme: &'static str,
    authority: String,
}

/// Why a text is no public address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `https://HOST`, without a path; `http://` only for the machine itself (localhost, 127.0.0.1, [::1])"
)]
pub struct NoPublicAddress;

impl FromStr for PublicAddress {
    type Err = NoPublicAddress;

    fn from_str(text: &str) -> Result<PublicAddress, NoPublicAddress> {
        let uri: Uri = text.parse().map_err(|_| NoPublicAddress)?;
        let authority = uri.authority().ok_or(NoPublicAddress)?;
        let bare = uri.query().is_none()
            && matches!(uri.path(), "" | "/")
            && !authority.as_str().contains('@');
        let here = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
        let scheme = match uri.scheme_str() {
            Some("https") => "https",
            Some("http") if here => "http",
            _ => return Err(NoPublicAddress),
        };
        if !bare {
            return Err(NoPublicAddress);
        }
        Ok(PublicAddress {
            scheme,
            authority: authority.as_str().to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl PublicAddress {
    /// Whether it is reached encrypted only.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    /// Where a provider sends people back to.
    pub fn callback(&self) -> String {
        self.of(super::provider::CALLBACK)
    }

    /// The whole address of a path.
    pub(crate) fn of(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

/// Where a request is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl Peer {
    /// The address that a connection is from, or what a proxy that is trusted says of it.
    pub(crate) fn of(connection: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpAddr]) -> Peer {
        let is_trusted = |address: &IpAddr| trusted.contains(&address.to_canonical());
        let mut address = connection;
        let told = headers.get_all("x-forwarded-for");
        let told: Vec<&str> = told
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let told = told.join(",");
        let mut hops = told.rsplit(',');
        // Each trusted proxy vouches for the hop before it, and for no other.
        while address.as_ref().is_some_and(is_trusted) {
            let Some(hop) = hops.next().and_then(|hop| hop.trim().parse().ok()) else {
                break;
            };
            address = Some(hop);
        }
        Peer(address.map(|address| address.to_canonical()))
    }

    /// What is counted as one: an address, or the network that one customer has (RFC 6177).
    pub(crate) fn counted(&self) -> String {
        match self.0 {
            None => "nowhere".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
                format!("{network}/64")
            }
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => Ok(()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Peer, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Peer(None)))
    }
}

/// A path of this site to go on to; the start page if the text is anything else.
pub(crate) fn next_path(text: &str) -> &str {
    // A browser takes `//` and `/\` for another host, and drops blanks and control characters.
    let local = text.starts_with('/')
        && !text.starts_with("//")
        && !text.starts_with("/\\")
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.len() <= 2_000
        && text.parse::<Uri>().is_ok();
    if local { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::{Peer, PublicAddress, next_path};
    use axum::http::HeaderMap;
    use std::net::IpAddr;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn public_addresses_are_encrypted_or_here() {
        for (text, shown) in [
            ("https://tracker.example.org", "https://tracker.example.org"),
            (
                "https://Tracker.example.org:8443/",
                "https://tracker.example.org:8443",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(text.parse::<PublicAddress>().unwrap().to_string(), shown);
        }
        for text in [
            "http://tracker.example.org",
            "tracker.example.org",
            "https://a/b",
            "https://a?b",
            "https://user@a",
            "ftp://a",
            "",
        ] {
            assert!(text.parse::<PublicAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.append(
            "x-forwarded-for",
            "203.0.113.9, 198.51.100.1".parse().unwrap(),
        );
        headers.append("x-forwarded-for", "10.0.0.2".parse().unwrap());
        let from = |connection: &str, trusted: &[IpAddr]| {
            Peer::of(Some(ip(connection)), &headers, trusted).to_string()
        };
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[ip("10.0.0.1")]), "10.0.0.2");
        // The first entry is whatever the visitor wrote.
        let both = [ip("10.0.0.1"), ip("10.0.0.2")];
        assert_eq!(from("10.0.0.1", &both), "198.51.100.1");
        assert_eq!(from("::ffff:10.0.0.1", &both), "198.51.100.1");
        let nothing = Peer::of(Some(ip("10.0.0.1")), &HeaderMap::new(), &both);
        assert_eq!(nothing.to_string(), "10.0.0.1");
        assert_eq!(
            Peer(Some(ip("2001:db8::1:2:3:4"))).counted(),
            "2001:db8::/64"
        );
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for path in [
            "/",
            "/vulnerabilities?q=a&kev=1",
            "/packages/nixpkgs/g%2B%2B",
        ] {
            assert_eq!(next_path(path), path);
        }
        for text in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nset-cookie: x",
            "javascript:alert(1)",
            "\\/evil",
        ] {
            assert_eq!(next_path(text), "/", "{text:?}");
        }
    }
}
