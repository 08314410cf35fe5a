//! The flow in all its shapes.

use crate::issuer::{Forgery, Key};
use crate::visitor::{Answer, Place, Visitor};
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tracker_oidc::Others;
use tracker_people::StandingRules;
use tracker_testkit::on_both_databases;

fn is_refused(answer: &Answer, reason: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert!(
        answer.body.contains("You are not signed in") && answer.body.contains(reason),
        "{reason}: {}",
        answer.body
    );
}

/// Asked about groups at every request, and holding for a time.
fn refreshed(hold: SignedDuration) -> StandingRules {
    StandingRules {
        refresh: SignedDuration::ZERO,
        hold,
    }
}

on_both_databases! {
    async fn whom_the_provider_knows_is_signed_in_with_the_role_of_their_groups(database) {
        let place = Place::new(&database, StandingRules::default(), |_| {}).await;
        place.issuer.world().claims = json!({ "groups": ["security", "lunch"] });
        let mut visitor = Visitor::default();
        let page = visitor.get(&place, "/sign-in").await;
        assert!(page.body.contains("Sign in with the realm"), "{}", page.body);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let origin = place.issuer.address.trim_end_matches("/realm");
        assert!(policy.contains(&format!("form-action 'self' {origin};")), "{policy}");
        let ended = visitor.sign_in(&place).await;
        assert_eq!((ended.status, ended.location()), (StatusCode::SEE_OTHER, "/channels"), "{}", ended.body);
        assert_eq!(visitor.role(&place).await, "triager");
        assert!(visitor.get(&place, "/about").await.body.contains(">ada</a>"));
        for (claims, role) in [
            (json!({ "groups": "owners" }), "administrator"),
            (json!({ "groups": [] }), "maintainer"),
            (json!({}), "maintainer"),
        ] {
            place.issuer.world().claims = claims;
            visitor.sign_in(&place).await;
            assert!(visitor.role(&place).await.starts_with(role), "{role}");
        }
    }

    async fn what_only_userinfo_tells_is_believed_of_the_same_person(database) {
        let place = Place::new(&database, StandingRules::default(), |_| {}).await;
        place.issuer.world().rotate(Key::ec(), "second");
        place.issuer.world().claims = json!({ "preferred_username": null });
        place.issuer.world().userinfo = json!({ "groups": ["owners"], "sub": "somebody-else" });
        let mut visitor = Visitor::default();
        is_refused(&visitor.sign_in(&place).await, "does not say who you are");
        place.issuer.world().userinfo = json!({ "groups": ["security"], "email": "ada@example.org" });
        visitor.sign_in(&place).await;
        assert_eq!(visitor.role(&place).await, "triager");
        assert!(visitor.get(&place, "/about").await.body.contains(">ada@example.org</a>"));
    }

    async fn who_is_in_no_group_is_refused_if_settings_say_so(database) {
        let place = Place::new(&database, refreshed(SignedDuration::from_hours(1)), |settings| settings.groups.others = Others::Nobody).await;
        let mut visitor = Visitor::default();
        is_refused(&visitor.sign_in(&place).await, "You are in none of the groups");
        assert!(visitor.cookies.is_empty());
        place.issuer.world().userinfo = json!({ "groups": ["security"] });
        assert_eq!(visitor.sign_in(&place).await.status, StatusCode::SEE_OTHER);
        assert_eq!(visitor.role(&place).await, "triager");
        place.issuer.world().userinfo = json!({ "groups": ["lunch"] });
        assert_eq!(visitor.role(&place).await, "nobody", "who left the group is out");
    }

    async fn who_leaves_a_group_loses_its_role(database) {
        let place = Place::new(&database, refreshed(SignedDuration::from_hours(1)), |_| {}).await;
        place.issuer.world().userinfo = json!({ "groups": ["security"] });
        let mut visitor = Visitor::default();
        visitor.sign_in(&place).await;
        assert_eq!(visitor.role(&place).await, "triager");
        // That an access token is over, or the provider down, says nothing of the person.
        place.issuer.world().refuses = Some(StatusCode::UNAUTHORIZED);
        assert_eq!(visitor.role(&place).await, "triager");
        place.issuer.world().is_down = true;
        assert_eq!(visitor.role(&place).await, "triager");
        place.issuer.world().is_down = false;
        place.issuer.world().refuses = None;
        place.issuer.world().userinfo = json!({ "sub": "somebody-else", "groups": ["owners"] });
        assert_eq!(visitor.role(&place).await, "triager", "an answer about another person is none");
        place.issuer.world().userinfo = json!({ "groups": [] });
        assert_eq!(visitor.role(&place).await, "maintainer");
    }

    async fn a_role_that_nobody_confirms_ends(database) {
        let place = Place::new(&database, refreshed(SignedDuration::ZERO), |_| {}).await;
        place.issuer.world().userinfo = json!({ "groups": ["security"] });
        let mut visitor = Visitor::default();
        visitor.sign_in(&place).await;
        place.issuer.world().refuses = Some(StatusCode::UNAUTHORIZED);
        assert_eq!(visitor.role(&place).await, "maintainer");
    }

    async fn denied_replayed_and_foreign_answers_are_refused(database) {
        let place = Place::new(&database, StandingRules::default(), |_| {}).await;
        let mut visitor = Visitor::default();
        place.issuer.world().person = None;
        is_refused(&visitor.sign_in(&place).await, "You did not let the tracker know");
        place.issuer.world().person = Some("ada");
        // Once more in the same browser, in another one, with another's state, with a code that was used.
        let back = visitor.go_and_return(&place).await;
        let before = visitor.clone();
        assert_eq!(visitor.get(&place, &back).await.status, StatusCode::SEE_OTHER);
        is_refused(&before.clone().get(&place, &back).await, "This sign-in is over");
        is_refused(&Visitor::default().get(&place, &back).await, "No sign-in was begun in this browser");
        let mut other = Visitor::default();
        other.go_and_return(&place).await;
        is_refused(&other.get(&place, &back).await, "belongs to another sign-in");
        let fresh = other.go_and_return(&place).await;
        let (_, used) = back.rsplit_once("code=").unwrap();
        let (path, _) = fresh.rsplit_once("code=").unwrap();
        is_refused(&other.get(&place, &format!("{path}code={used}")).await, "was used already, or is too old");
        assert!(other.cookies.is_empty());
        // Another's code, which was given for another challenge and nonce.
        let mut thief = Visitor::default();
        let own = thief.go_and_return(&place).await;
        let theirs = Visitor::default().go_and_return(&place).await;
        let (_, code) = theirs.rsplit_once("code=").unwrap();
        let (path, _) = own.rsplit_once("code=").unwrap();
        is_refused(&thief.get(&place, &format!("{path}code={code}")).await, "was used already");
    }

    async fn a_token_that_does_not_hold_signs_nobody_in(database) {
        let place = Place::new(&database, StandingRules::default(), |_| {}).await;
        let bad = |claims: Value, forgery: Option<Forgery>| (claims, forgery);
        for (claims, forgery) in [
            bad(json!({ "nonce": "of-another-sign-in" }), None),
            bad(json!({ "nonce": null }), None),
            bad(json!({ "aud": "another-client" }), None),
            bad(json!({ "aud": ["the tracker", "another-client"], "azp": "another-client" }), None),
            bad(json!({ "iss": "https://accounts.example.org" }), None),
            bad(json!({ "exp": 1_700_000_000 }), None),
            bad(json!({ "iat": 4_000_000_000_u64 }), None),
            bad(json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }), None),
            bad(json!({ "sub": "" }), None),
            bad(json!({}), Some(Forgery::None)),
            bad(json!({}), Some(Forgery::PublicKeyAsSecret)),
            bad(json!({}), Some(Forgery::OtherKey)),
        ] {
            place.issuer.world().claims = claims.clone();
            place.issuer.world().forgery = forgery;
            let mut visitor = Visitor::default();
            let answer = visitor.sign_in(&place).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{claims} {forgery:?}: {}", answer.body);
            assert!(answer.body.contains("The provider does not say who you are"), "{}", answer.body);
            assert!(visitor.cookies.is_empty() && visitor.role(&place).await == "nobody", "{claims} {forgery:?}");
        }
    }

    async fn keys_are_fetched_again_for_one_that_nobody_has_seen(database) {
        let place = Place::new(&database, StandingRules::default(), |settings| settings.refetch = Duration::ZERO).await;
        let mut visitor = Visitor::default();
        visitor.sign_in(&place).await;
        visitor.sign_in(&place).await;
        assert_eq!(place.issuer.world().lists, 1, "kept");
        place.issuer.world().rotate(Key::ec(), "second");
        assert_eq!(visitor.sign_in(&place).await.status, StatusCode::SEE_OTHER);
        assert_eq!(place.issuer.world().lists, 2);
        // One that there is not is asked for once.
        place.issuer.world().key.1 = "nowhere".to_owned();
        is_refused(&visitor.sign_in(&place).await, "does not say who you are");
        assert_eq!(place.issuer.world().lists, 3);
    }

    async fn strangers_cannot_make_the_tracker_ask_for_keys_at_every_word(database) {
        let place = Place::new(&database, StandingRules::default(), |settings| settings.refetch = Duration::from_hours(1)).await;
        let mut visitor = Visitor::default();
        visitor.sign_in(&place).await;
        place.issuer.world().key.1 = "nowhere".to_owned();
        for _ in 0..3 {
            is_refused(&visitor.sign_in(&place).await, "does not say who you are");
        }
        assert_eq!(place.issuer.world().lists, 1);
    }

    async fn a_provider_that_fails_or_floods_is_told_of(database) {
        let place = Place::new(&database, StandingRules::default(), |_| {}).await;
        let mut visitor = Visitor::default();
        place.issuer.world().is_down = true;
        let page = visitor.get(&place, "/sign-in").await;
        assert_eq!(page.status, StatusCode::OK, "the page is there");
        let answer = visitor.begin(&place).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert!(answer.body.contains("The realm does not answer") && !answer.body.contains("gateway"), "{}", answer.body);
        place.issuer.world().is_down = false;
        // It comes back, and is down again between the two ways to it.
        let back = visitor.go_and_return(&place).await;
        place.issuer.world().is_down = true;
        assert_eq!(visitor.get(&place, &back).await.status, StatusCode::SERVICE_UNAVAILABLE);
        place.issuer.world().is_down = false;
        place.issuer.world().rubbish = 300_000;
        is_refused(&visitor.sign_in(&place).await, "does not say who you are");
        place.issuer.world().rubbish = 0;
        place.issuer.world().delay = Duration::from_secs(6);
        assert_eq!(visitor.sign_in(&place).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }

    async fn those_who_ask_a_silent_provider_at_once_wait_once(database) {
        let place = Place::new(&database, StandingRules::default(), |_| {}).await;
        place.issuer.world().silence = Duration::from_secs(30);
        let mut visitors = [Visitor::default(), Visitor::default(), Visitor::default()];
        let [one, two, three] = &mut visitors;
        let start = Instant::now();
        let answers = tokio::join!(one.begin(&place), two.begin(&place), three.begin(&place));
        for answer in [answers.0, answers.1, answers.2] {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        }
        assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
    }

    async fn a_client_with_a_wrong_secret_or_issuer_signs_nobody_in(database) {
        let place = Place::new(&database, StandingRules::default(), |settings| "wrong".clone_into(&mut settings.secret)).await;
        is_refused(&Visitor::default().sign_in(&place).await, "does not say who you are");
        let place = Place::new(&database, StandingRules::default(), |settings| {
            settings.discovery = Some(tracker_identity::Discovery::address(&settings.issuer));
            "https://id.example.org".clone_into(&mut settings.issuer);
        }).await;
        is_refused(&Visitor::default().begin(&place).await, "does not say who you are");
    }
}
