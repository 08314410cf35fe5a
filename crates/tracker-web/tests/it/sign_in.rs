//! Signing in with GitHub in all its shapes, by a link, and how sessions end.

use crate::browser::{Browser, HERE};
use crate::github::GitHub;
use crate::site::{Answer, Site};
use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use std::net::IpAddr;
use tracker_people::{Role, StandingRules};
use tracker_testkit::{Database, on_both_databases};
use tracker_web::{PeopleSettings, sign_in_link};

/// The site with its GitHub.
struct Place {
    site: Site,
    github: GitHub,
}

async fn place(database: &Database, standing: StandingRules) -> Place {
    let github = GitHub::start().await;
    let settings = PeopleSettings {
        public: Some(HERE.parse().unwrap()),
        github: Some(github.settings()),
        standing,
        ..PeopleSettings::default()
    };
    Place {
        site: Site::with_people(database, settings).await,
        github,
    }
}

/// Asked about teams at every request, and holding for a time.
fn refreshed(hold: SignedDuration) -> StandingRules {
    StandingRules {
        refresh: SignedDuration::ZERO,
        hold,
    }
}

impl Place {
    /// To GitHub and, as far as GitHub sends the browser, back: the path of the callback.
    async fn to_github(&self, browser: &mut Browser, next: &str) -> String {
        let begun = browser
            .post(&self.site, "/sign-in", &format!("next={next}"))
            .await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let there = client
            .build()
            .unwrap()
            .get(begun.header("location"))
            .send()
            .await
            .unwrap();
        let back = there.headers()["location"].to_str().unwrap();
        back.strip_prefix(HERE).unwrap().to_owned()
    }

    async fn sign_in(&self, browser: &mut Browser) -> Answer {
        let back = self.to_github(browser, "/channels").await;
        browser.get(&self.site, &back).await
    }

    async fn role(&self, browser: &mut Browser) -> String {
        let page = browser.get(&self.site, "/account").await;
        match page.status {
            StatusCode::OK => {
                let role = page.body.split("You are signed in as ").nth(1).unwrap();
                role.split('.').next().unwrap().to_owned()
            }
            _ => "nobody".to_owned(),
        }
    }
}

fn is_refused(answer: &Answer, reason: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert!(
        answer.body.contains("You are not signed in") && answer.body.contains(reason),
        "{reason}: {}",
        answer.body
    );
}

on_both_databases! {
    async fn whom_github_knows_is_signed_in_with_the_role_of_their_teams(database) {
        let place = place(&database, StandingRules::default()).await;
        place.github.change(|world| {
            world.teams.insert("nixos/security/octocat".to_owned());
        });
        let mut browser = Browser::default();
        let page = browser.get(&place.site, "/sign-in?next=/channels").await;
        assert!(page.body.contains("Sign in with GitHub") && page.body.contains("value=\"/channels\""), "{}", page.body);
        let policy = page.header("content-security-policy");
        assert!(policy.contains(&format!("form-action 'self' {};", place.github.address())), "{policy}");
        let ended = place.sign_in(&mut browser).await;
        assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, "/channels"));
        assert_eq!(browser.cookies.len(), 1, "the sign-in's cookie is gone: {browser:?}");
        assert_eq!(place.role(&mut browser).await, "triager");
        let page = browser.get(&place.site, "/about").await;
        assert!(page.body.contains("href=\"/account\">octocat</a>"), "{}", page.body);
        assert_eq!(page.header("cache-control"), "private, no-cache");
        let anonymous = place.site.get("/about").await;
        assert!(anonymous.body.contains("href=\"/sign-in\"") && !anonymous.body.contains("octocat"));
        assert_ne!(anonymous.header("etag"), page.header("etag"));
        // An invitation that was not accepted gives nothing; owners are administrators.
        place.github.change(|world| world.teams = ["nixos/security/octocat?".to_owned()].into());
        let mut other = Browser::default();
        place.sign_in(&mut other).await;
        assert_eq!(place.role(&mut other).await, "maintainer");
        assert_eq!(place.role(&mut browser).await, "maintainer", "a person has one role, whatever the session");
        place.github.change(|world| world.teams = ["nixos/owners/octocat".to_owned()].into());
        place.sign_in(&mut other).await;
        assert!(place.role(&mut other).await.starts_with("administrator"));
    }

    async fn a_sign_in_that_is_denied_stale_or_foreign_is_refused(database) {
        let place = place(&database, StandingRules::default()).await;
        let site = &place.site;
        let mut browser = Browser::default();
        place.github.change(|world| world.person = None);
        is_refused(&place.sign_in(&mut browser).await, "You did not let the tracker know");
        place.github.change(|world| world.person = Some(("octocat", 583_231)));

        // A code that was used, or is too old.
        let back = place.to_github(&mut browser, "/").await;
        let stale = back.replace("code=code", "code=old");
        is_refused(&browser.get(site, &stale).await, "was used already, or is too old");
        is_refused(&browser.get(site, &back).await, "No sign-in was begun in this browser");

        // Another's state, and none.
        let back = place.to_github(&mut browser, "/").await;
        let (path, _) = back.split_once("&state=").unwrap();
        let foreign = format!("{path}&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        is_refused(&browser.get(site, &foreign).await, "belongs to another sign-in");
        assert!(browser.cookies.is_empty(), "it has to begin anew");
        place.to_github(&mut browser, "/").await;
        is_refused(&browser.get(site, path).await, "belongs to another sign-in");

        // The whole answer in another browser, and once more in the same.
        let back = place.to_github(&mut browser, "/").await;
        is_refused(&Browser::default().get(site, &back).await, "No sign-in was begun in this browser");
        let mut before = browser.clone();
        assert_eq!(browser.get(site, &back).await.status, StatusCode::SEE_OTHER);
        is_refused(&before.get(site, &back).await, "This sign-in is over");
        assert_eq!(place.role(&mut before).await, "nobody");
    }

    async fn without_github_nobody_comes_in_and_nobody_falls_out(database) {
        let hour = SignedDuration::from_hours(1);
        let place = place(&database, refreshed(hour)).await;
        place.github.change(|world| {
            world.teams.insert("nixos/security/octocat".to_owned());
        });
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        place.github.change(|world| world.is_down = true);
        assert_eq!(place.role(&mut browser).await, "triager", "as last known");
        let mut other = Browser::default();
        let failed = place.sign_in(&mut other).await;
        assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE, "{}", failed.body);
        assert!(failed.body.contains("GitHub does not answer") && !failed.body.contains("Unicorn"), "{}", failed.body);
        assert!(other.cookies.is_empty());
    }

    async fn who_leaves_the_team_loses_the_role(database) {
        let place = place(&database, refreshed(SignedDuration::from_hours(1))).await;
        place.github.change(|world| {
            world.teams.insert("nixos/security/octocat".to_owned());
        });
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        assert_eq!(place.role(&mut browser).await, "triager");
        let made = browser.post(&place.site, "/account/tokens", "name=ci&days=7&scope=decide&scope=read").await;
        let token = token_of(&made);
        assert_eq!(place.site.whoami(&token).await["role"], "triager");
        place.github.change(|world| world.teams.clear());
        assert_eq!(place.site.whoami(&token).await["role"], "maintainer", "a token asks, too");
        assert_eq!(place.role(&mut browser).await, "maintainer");
        // Who takes the tracker's access back is signed out by that.
        place.github.change(|world| world.is_withdrawn = true);
        assert_eq!(place.role(&mut browser).await, "nobody");
        assert_eq!(place.site.api("/api/v1/whoami", Some(&token)).await.status, StatusCode::UNAUTHORIZED);
    }

    async fn a_role_that_nobody_confirms_ends(database) {
        let place = place(&database, refreshed(SignedDuration::ZERO)).await;
        place.github.change(|world| {
            world.teams.insert("nixos/security/octocat".to_owned());
        });
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        place.github.change(|world| world.is_down = true);
        assert_eq!(place.role(&mut browser).await, "maintainer");
    }

    async fn teams_are_asked_about_seldom(database) {
        let place = place(&database, StandingRules::default()).await;
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        let asked = place.github.world.lock().unwrap().asked;
        for _ in 0..5 {
            assert_eq!(place.role(&mut browser).await, "maintainer");
        }
        assert_eq!(place.github.world.lock().unwrap().asked, asked);
    }

    async fn each_sign_in_has_a_new_secret_and_ends_the_session_before(database) {
        let place = place(&database, StandingRules::default()).await;
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        let before = browser.session().unwrap().to_owned();
        place.sign_in(&mut browser).await;
        assert_ne!(browser.session().unwrap(), before);
        let mut old = Browser::with_session(&before);
        assert_eq!(place.role(&mut old).await, "nobody");
        assert_eq!(place.role(&mut browser).await, "maintainer");
        browser.post(&place.site, "/sign-out", "").await;
        assert!(browser.cookies.is_empty());
    }

    async fn sessions_are_seen_and_ended(database) {
        let place = place(&database, StandingRules::default()).await;
        let (mut here, mut there) = (Browser::default(), Browser::default());
        place.sign_in(&mut here).await;
        place.sign_in(&mut there).await;
        let page = here.get(&place.site, "/account").await.body;
        assert_eq!(page.matches("End the session of a test&#39;s browser").count(), 2, "{page}");
        let keys: Vec<&str> = page.split("action=\"/account/sessions/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let own = page.split("this one").next().unwrap().matches("action=\"/account/sessions/").count();
        let other = keys[1 - own];
        here.post(&place.site, &format!("/account/sessions/{other}"), "").await;
        assert_eq!(place.role(&mut there).await, "nobody");
        assert_eq!(place.role(&mut here).await, "maintainer");
        place.sign_in(&mut there).await;
        here.post(&place.site, "/account/sessions", "").await;
        assert_eq!(place.role(&mut there).await, "nobody", "everywhere");
    }

    async fn a_form_of_another_site_does_nothing(database) {
        let place = place(&database, StandingRules::default()).await;
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        let session = browser.session().unwrap().to_owned();
        for origin in [Some("https://evil.test"), Some("null"), Some("http://tracker.test.evil.test"), None] {
            let answer = browser.ask(&place.site, Method::POST, "/account/sessions", origin, "x=1").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
            assert!(answer.body.contains("Not from this site"), "{}", answer.body);
        }
        assert_eq!(browser.session(), Some(&*session));
        assert_eq!(place.role(&mut browser).await, "maintainer");
    }

    async fn signing_in_is_throttled_by_address_and_by_account(database) {
        let place = place(&database, StandingRules::default()).await;
        let from = |address: &str| Browser { address: Some(address.parse::<IpAddr>().unwrap()), ..Browser::default() };
        let mut statuses = Vec::new();
        for number in 0..21 {
            // One customer has a whole network of addresses.
            let mut browser = from(&format!("2001:db8::{number}"));
            statuses.push(browser.post(&place.site, "/sign-in", "next=/").await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::SEE_OTHER).count(), 20);
        let refused = from("2001:db8::ffff").post(&place.site, "/sign-in", "next=/").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        let refused = from("2001:db8::1").post(&place.site, "/sign-in/link", "secret=x").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "links, too");
        let mut ended = Vec::new();
        for number in 0..11 {
            let mut browser = from(&format!("192.0.2.{number}"));
            ended.push(place.sign_in(&mut browser).await.status);
        }
        let (last, before) = ended.split_last().unwrap();
        assert!(before.iter().all(|status| *status == StatusCode::SEE_OTHER), "{ended:?}");
        assert_eq!(*last, StatusCode::TOO_MANY_REQUESTS);
    }

    async fn a_link_signs_in_once(database) {
        let place = place(&database, StandingRules::default()).await;
        let public = HERE.parse().unwrap();
        let link = sign_in_link(&place.site.store, &public, "root", Role::Administrator, SignedDuration::from_mins(5)).await.unwrap();
        let path = link.strip_prefix(HERE).unwrap();
        let (_, secret) = path.split_once("secret=").unwrap();
        let mut browser = Browser::default();
        // Looking at it uses nothing up.
        for _ in 0..2 {
            let page = browser.get(&place.site, path).await;
            assert!(page.body.contains(secret) && page.header("cache-control") == "no-store");
        }
        let form = format!("secret={secret}");
        assert_eq!(browser.post(&place.site, "/sign-in/link", &form).await.header("location"), "/account");
        assert!(place.role(&mut browser).await.starts_with("administrator"));
        is_refused(&Browser::default().post(&place.site, "/sign-in/link", &form).await, "was used already");
        let late = sign_in_link(&place.site.store, &public, "root", Role::Administrator, SignedDuration::ZERO).await.unwrap();
        let (_, late) = late.split_once("secret=").unwrap();
        is_refused(&Browser::default().post(&place.site, "/sign-in/link", &format!("secret={late}")).await, "too old");
    }

    async fn administrators_give_and_take_and_shut_out(database) {
        let place = place(&database, StandingRules::default()).await;
        let site = &place.site;
        let public = HERE.parse().unwrap();
        let link = sign_in_link(&site.store, &public, "root", Role::Administrator, SignedDuration::from_mins(5)).await.unwrap();
        let (_, secret) = link.split_once("secret=").unwrap();
        let (mut root, mut cat) = (Browser::default(), Browser::default());
        root.post(site, "/sign-in/link", &format!("secret={secret}")).await;
        place.sign_in(&mut cat).await;
        let page = root.get(site, "/admin/people").await.body;
        let cats = page.split("octocat").next().unwrap().rsplit("href=\"").next().unwrap().split('"').next().unwrap();
        assert_eq!(root.post(site, cats, "do=role&role=triager&reason=joined+the+team").await.status, StatusCode::SEE_OTHER);
        assert_eq!(place.role(&mut cat).await, "triager");
        assert_eq!(cat.get(site, "/admin/people").await.status, StatusCode::FORBIDDEN);
        let page = root.get(site, cats).await.body;
        assert!(page.contains("joined the team"), "{page}");
        for form in ["do=role&role=triager&reason=", "do=role&role=king&reason=x", "do=nothing", ""] {
            assert_eq!(root.post(site, cats, form).await.status, StatusCode::BAD_REQUEST, "{form}");
        }
        let own = root.post(site, "/admin/people/1", "do=block").await;
        assert!(own.status == StatusCode::BAD_REQUEST && own.body.contains("nobody changes what they are"), "{}", own.body);
        root.post(site, cats, "do=block").await;
        assert_eq!(place.role(&mut cat).await, "nobody");
        is_refused(&place.sign_in(&mut cat).await, "An administrator has shut you out");
        root.post(site, cats, "do=unblock").await;
        place.sign_in(&mut cat).await;
        assert_eq!(place.role(&mut cat).await, "triager", "what was given is given still");
        root.post(site, cats, "do=sign-out").await;
        assert_eq!(place.role(&mut cat).await, "nobody");
    }

    async fn tokens_are_shown_once_and_revoked(database) {
        let place = place(&database, StandingRules::default()).await;
        let site = &place.site;
        let mut browser = Browser::default();
        place.sign_in(&mut browser).await;
        for (form, reason) in [
            ("name=&days=7&scope=read", "needs a name"),
            ("name=ci&days=7", "needs a scope"),
            ("name=ci&days=0&scope=read", "from 1 to 366 days"),
            ("name=ci&days=7&scope=decide", "only a triager may make a token"),
            ("name=ci&days=7&scope=all", "is no scope"),
        ] {
            let answer = browser.post(site, "/account/tokens", form).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
            assert!(answer.body.contains(reason), "{form}: {}", answer.body);
        }
        let made = browser.post(site, "/account/tokens", "name=ci&days=7&scope=propose").await;
        let token = token_of(&made);
        assert_eq!(made.header("cache-control"), "no-store");
        let page = browser.get(site, "/account").await.body;
        assert!(page.contains("ci</th><td>propose") && !page.contains(&token), "{page}");
        let who = site.whoami(&token).await;
        assert_eq!((&who["handle"], &who["github"], &who["role"]), (&"octocat".into(), &"octocat".into(), &"maintainer".into()));
        assert_eq!(who["may"], serde_json::json!(["propose a verdict", "comment", "save views"]));
        // A token speaks to the API only, and a session only to the pages.
        let mut other = Browser::default();
        other.set("__Host-rootstock-session", &token);
        assert_eq!(place.role(&mut other).await, "nobody");
        assert_eq!(browser.get(site, "/api/v1/whoami").await.json()["role"], "anonymous");
        let key = page.split("action=\"/account/tokens/").nth(1).unwrap().split('"').next().unwrap();
        browser.post(site, &format!("/account/tokens/{key}"), "").await;
        let refused = site.api("/api/v1/whoami", Some(&token)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert!(refused.header("content-type").starts_with("application/problem+json"));
    }

    async fn a_form_without_end_is_cut_off(database) {
        let place = place(&database, StandingRules::default()).await;
        let mut browser = Browser::default();
        let long = format!("secret={}", "x".repeat(70_000));
        let declared = browser.post(&place.site, "/sign-in/link", &long).await;
        assert_eq!(declared.status, StatusCode::PAYLOAD_TOO_LARGE);
        // Of a body in pieces nobody knows how long it is.
        let pieces = axum::body::Body::from_stream(Pieces(10_000));
        let request = axum::http::Request::post("/sign-in/link")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(pieces)
            .unwrap();
        let answer = place.site.ask(request).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.body);
    }
}

/// A body in pieces of 1 kB.
struct Pieces(u32);

impl futures_core::Stream for Pieces {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0 = self.0.saturating_sub(1);
        std::task::Poll::Ready((self.0 > 0).then(|| Ok(vec![b'x'; 1_000])))
    }
}

/// The token that a page shows.
fn token_of(page: &Answer) -> String {
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let rest = page.body.split("<code>rootstock_token_").nth(1).unwrap();
    format!("rootstock_token_{}", rest.split('<').next().unwrap())
}
