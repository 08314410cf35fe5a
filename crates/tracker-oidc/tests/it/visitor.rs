//! A site with its provider, and a browser as far as signing in needs one.

use crate::issuer::Issuer;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;
use tracker_oidc::{Oidc, OidcSettings};
use tracker_people::StandingRules;
use tracker_testkit::Database;
use tracker_web::{Limits, Operations, People, PeopleSettings, PublicAddress, router_for};

const HERE: &str = "https://tracker.test";

/// The site, and who says who somebody is.
pub(crate) struct Place {
    router: Router,
    pub(crate) issuer: Issuer,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }
}

impl Place {
    pub(crate) async fn new(
        database: &Database,
        standing: StandingRules,
        change: impl FnOnce(&mut OidcSettings),
    ) -> Place {
        let issuer = Issuer::start().await;
        let public: PublicAddress = HERE.parse().unwrap();
        let mut oidc = issuer.settings();
        change(&mut oidc);
        let provider = Oidc::new(oidc, &public).unwrap();
        let settings = PeopleSettings {
            public: Some(public),
            standing,
            ..PeopleSettings::default()
        };
        let people = People::through(settings, Arc::new(provider));
        let store = database.open().await;
        let operations = Operations::new(store.clone());
        let limits = Limits {
            time: Duration::from_secs(30),
            ..Limits::default()
        };
        let router = router_for(store, None, people, limits, &operations);
        Place { router, issuer }
    }
}

/// A browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visitor {
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Visitor {
    async fn ask(&mut self, place: &Place, method: Method, path: &str, form: &str) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "tracker.test")
            .header(header::ORIGIN, HERE)
            .header(header::COOKIE, cookies.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        let response = place.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&mut self, place: &Place, path: &str) -> Answer {
        self.ask(place, Method::GET, path, "").await
    }

    pub(crate) async fn begin(&mut self, place: &Place) -> Answer {
        self.ask(place, Method::POST, "/sign-in", "next=/channels")
            .await
    }

    /// To the provider and, as far as it sends the browser, back: the path of the callback.
    pub(crate) async fn go_and_return(&mut self, place: &Place) -> String {
        let begun = self.begin(place).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
        let there = follow(begun.location()).await;
        there.strip_prefix(HERE).unwrap().to_owned()
    }

    pub(crate) async fn sign_in(&mut self, place: &Place) -> Answer {
        let back = self.go_and_return(place).await;
        self.get(place, &back).await
    }

    pub(crate) async fn role(&mut self, place: &Place) -> String {
        let page = self.get(place, "/account").await;
        let role = page.body.split("You are signed in as ").nth(1);
        let role = role.and_then(|rest| rest.split('.').next());
        role.unwrap_or("nobody").to_owned()
    }
}

/// Where an address leads at once.
async fn follow(address: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let answer = client.build().unwrap().get(address).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}
