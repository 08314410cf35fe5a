//! A browser as far as signing in needs one: it keeps cookies, sends forms, and says where they are from.

use crate::site::{Answer, Site};
use axum::body::Body;
use axum::http::{Method, Request, header};
use std::collections::BTreeMap;
use std::net::IpAddr;
use tracker_web::Moment;

/// Where the site is reached in tests.
pub(crate) const HERE: &str = "https://tracker.test";

/// The fields of a form as a browser sends them.
pub(crate) fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// A browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    /// Where it is, if that matters.
    pub(crate) address: Option<IpAddr>,
    /// When it asks, if that matters.
    pub(crate) now: Option<Moment>,
}

impl Browser {
    /// One that has a session already.
    pub(crate) fn with_session(secret: &str) -> Browser {
        let mut browser = Browser::default();
        browser.set("__Host-rootstock-session", secret);
        browser
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.cookies
            .get("__Host-rootstock-session")
            .map(String::as_str)
    }

    pub(crate) async fn get(&mut self, site: &Site, path: &str) -> Answer {
        self.ask(site, Method::GET, path, Some(HERE), "").await
    }

    /// Sends a form of the site's own page.
    pub(crate) async fn post(&mut self, site: &Site, path: &str, form: &str) -> Answer {
        self.ask(site, Method::POST, path, Some(HERE), form).await
    }

    /// Sends anything from a page of any origin.
    pub(crate) async fn ask(
        &mut self,
        site: &Site,
        method: Method,
        path: &str,
        origin: Option<&str>,
        form: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::HOST, "tracker.test");
        request = request.header(header::USER_AGENT, "a test's browser");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if !form.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let mut request = request.body(Body::from(form.to_owned())).unwrap();
        if let Some(address) = self.address {
            request.extensions_mut().insert(address);
        }
        if let Some(now) = self.now {
            request.extensions_mut().insert(now);
        }
        let answer = site.ask(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            assert!(
                text.contains("; Path=/; HttpOnly; SameSite=Lax") && text.ends_with("; Secure"),
                "{text}"
            );
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{name}");
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.set(name, value);
            }
        }
        answer
    }
}
