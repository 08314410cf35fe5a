//! The two cookies: the session, and a sign-in under way.
//!
//! Invariant: neither is readable by a script, sent along by another site's form, or valid for another host.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookie {
    name: &'static str,
    /// The name that binds it to host, encryption and the whole site (RFC 6265bis section 4.1.3.2).
    host_name: &'static str,
}

/// The secret of a session.
pub(crate) const SESSION: Cookie = Cookie {
    name: "rootstock-session",
    host_name: "__Host-rootstock-session",
};

/// The secret of a sign-in under way, and where to go after it.
pub(crate) const SIGN_IN: Cookie = Cookie {
    name: "rootstock-sign-in",
    host_name: "__Host-rootstock-sign-in",
};

impl Cookie {
    fn name(&self, secure: bool) -> &'static str {
        if secure { self.host_name } else { self.name }
    }

    /// The header that sets it.
    pub(crate) fn set(&self, value: &str, seconds: i64, secure: bool) -> HeaderValue {
        let encrypted = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        let text =
            format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{encrypted}");
        let mut header = HeaderValue::from_str(&text).expect("our values are made of such letters");
        header.set_sensitive(true);
        header
    }

    /// The header that takes it away.
    pub(crate) fn clear(&self, secure: bool) -> HeaderValue {
        self.set("", 0, secure)
    }

    /// Its value in a request. With two of the same name (a neighbour's host can add one without the bound name) there
    /// is none.
    pub(crate) fn read<'h>(&self, headers: &'h HeaderMap, secure: bool) -> Option<&'h str> {
        let name = self.name(secure);
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let mut values = pairs.filter_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        });
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::SESSION;
    use axum::http::{HeaderMap, header};

    #[test]
    fn a_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
        let set = SESSION.set("abc", 60, true);
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-rootstock-session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        assert!(set.is_sensitive());
        let here = SESSION.clear(false);
        assert_eq!(
            here.to_str().unwrap(),
            "rootstock-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_is_read_if_it_is_the_only_one() {
        let read = |line: &str, secure| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, line.parse().unwrap());
            SESSION.read(&headers, secure).map(str::to_owned)
        };
        let name = "__Host-rootstock-session";
        assert_eq!(read(&format!("a=b; {name}=x"), true).as_deref(), Some("x"));
        assert_eq!(read(&format!("{name}=x; {name}=y"), true), None);
        assert_eq!(read("rootstock-session=x", true), None, "it is not bound");
        assert_eq!(read("rootstock-session=x", false).as_deref(), Some("x"));
        assert_eq!(read("nothing", true), None);
    }
}
