//! Under which conditions sessions, tokens, people and items under embargo are changed: not over what somebody did since,
//! and once under one key, whatever else happened in between.

use crate::deciding::{Client, client, settings};
use crate::matrix::Cast;
use crate::site::Site;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tracker_people::Role;
use tracker_testkit::on_both_databases;

/// The status of a request without conditions, under a tag, or under a key.
async fn status(
    client: &Client<'_>,
    request: (&str, &str),
    body: &Value,
    header: Option<(&str, &str)>,
) -> u16 {
    let (method, path) = request;
    let answer = client.send(method, path, body, header.as_slice()).await;
    answer.status.as_u16()
}

async fn tag(client: &Client<'_>, path: &str) -> String {
    let answer = client.site.api(path, Some(&client.token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.header("etag").to_owned()
}

/// Checks a change of what `about` shows: it is refused under the tag from before `other` was done, holds under the tag from
/// after it, is made once under a key although `other` turned it round, and the key is nobody else's.
async fn holds_to_them(
    client: &Client<'_>,
    about: &str,
    change: (&str, &str, Value),
    other: (&str, &str, Value),
) {
    let (request, body) = ((change.0, change.1), &change.2);
    let turn = (other.0, other.1);
    let before = tag(client, about).await;
    assert_eq!(status(client, turn, &other.2, None).await, 204, "{turn:?}");
    assert_eq!(
        status(client, request, body, Some(("if-match", &before))).await,
        412,
        "{request:?}"
    );
    let now = tag(client, about).await;
    assert_ne!(now, before, "{request:?}");
    assert_eq!(tag(client, about).await, now, "asking changes nothing");
    assert_eq!(
        status(client, request, body, Some(("if-match", &now))).await,
        204,
        "{request:?}"
    );
    assert_eq!(status(client, turn, &other.2, None).await, 204, "{turn:?}");
    let key = format!("{} {}", request.0, request.1);
    let key = Some(("idempotency-key", key.as_str()));
    assert_eq!(status(client, request, body, key).await, 204, "{request:?}");
    assert_eq!(status(client, turn, &other.2, None).await, 204, "{turn:?}");
    let held = tag(client, about).await;
    assert_eq!(status(client, request, body, key).await, 204, "{request:?}");
    assert_eq!(tag(client, about).await, held, "{request:?} is done once");
    assert_eq!(
        status(client, turn, &other.2, key).await,
        422,
        "{request:?}: the key is taken"
    );
    assert_eq!(tag(client, about).await, held, "{request:?}");
    for wrong in [("if-match", "4711"), ("idempotency-key", " ")] {
        assert_eq!(
            status(client, request, body, Some(wrong)).await,
            400,
            "{request:?}: {wrong:?}"
        );
    }
}

on_both_databases! {
    async fn people_are_changed_under_conditions(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let root = client(&site, &mut cast, Role::Administrator).await;
        let person = &root.get("/api/v1/people").await["rows"][0];
        assert_eq!(person["handle"], "maintainer");
        let about = format!("/api/v1/people/{}", person["person"]);
        let [role, block, sessions] = ["role", "block", "sessions"].map(|end| format!("{about}/{end}"));
        let given = |role: &str| json!({ "role": role, "reason": "looked at" });
        holds_to_them(&root, &about, ("PUT", &role, given("triager")), ("PUT", &role, given("anonymous"))).await;
        holds_to_them(&root, &about, ("PUT", &block, Value::Null), ("PUT", &role, given("triager"))).await;
        root.send("DELETE", &block, &Value::Null, &[]).await;
        holds_to_them(&root, &about, ("DELETE", &block, Value::Null), ("PUT", &block, Value::Null)).await;
        root.send("DELETE", &block, &Value::Null, &[]).await;

        // Their sessions are no part of what is shown of them: what they opened since is left alone, under the same key.
        let before = tag(&root, &about).await;
        let key = Some(("idempotency-key", "out"));
        let mut browser = cast.session(&site.store, Role::Maintainer).await;
        assert_eq!(status(&root, ("DELETE", &sessions), &Value::Null, key).await, 204);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::SEE_OTHER);
        let mut browser = cast.session(&site.store, Role::Maintainer).await;
        assert_eq!(status(&root, ("DELETE", &sessions), &Value::Null, key).await, 204);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::OK, "done once");
        root.send("PUT", &role, &given("anonymous"), &[]).await;
        assert_eq!(status(&root, ("DELETE", &sessions), &Value::Null, Some(("if-match", &before))).await, 412);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::OK);
        let now = tag(&root, &about).await;
        assert_eq!(status(&root, ("DELETE", &sessions), &Value::Null, Some(("if-match", &now))).await, 204);
        assert_eq!(browser.get(&site, "/account").await.status, StatusCode::SEE_OTHER);
    }

    async fn sessions_and_tokens_are_ended_under_conditions(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let me = client(&site, &mut cast, Role::Maintainer).await;
        let (sessions, tokens) = ("/api/v1/account/sessions", "/api/v1/account/tokens");
        let live = async || me.get(sessions).await.as_array().unwrap().len();
        cast.session(&site.store, Role::Maintainer).await;
        let before = tag(&me, sessions).await;
        cast.session(&site.store, Role::Maintainer).await;
        let all = ("DELETE", sessions);
        assert_eq!(status(&me, all, &Value::Null, Some(("if-match", &before))).await, 412);
        let newest = me.get(sessions).await[0]["session"].clone();
        let path = format!("{sessions}/{newest}");
        let one = ("DELETE", path.as_str());
        assert_eq!(status(&me, one, &Value::Null, Some(("if-match", &before))).await, 412);
        assert_eq!(live().await, 2);
        let key = Some(("idempotency-key", "one"));
        for _ in 0..2 {
            assert_eq!(status(&me, one, &Value::Null, key).await, 204);
        }
        assert_eq!(status(&me, one, &Value::Null, None).await, 404, "it has ended");
        assert_eq!(status(&me, all, &Value::Null, key).await, 422, "the key is taken");
        assert_eq!(live().await, 1);
        let now = tag(&me, sessions).await;
        assert_eq!(status(&me, all, &Value::Null, Some(("if-match", &now))).await, 204);
        let key = Some(("idempotency-key", "all"));
        assert_eq!(status(&me, all, &Value::Null, key).await, 204);
        cast.session(&site.store, Role::Maintainer).await;
        assert_eq!(status(&me, all, &Value::Null, key).await, 204);
        assert_eq!(live().await, 1, "done once");

        let before = tag(&me, tokens).await;
        cast.token_of(&site.store, Role::Maintainer, "read".parse().unwrap()).await;
        let newest = me.get(tokens).await[0].clone();
        assert_eq!((&newest["this"], &newest["state"]), (&json!(false), &json!("live")));
        let path = format!("{tokens}/{}", newest["token"]);
        let one = ("DELETE", path.as_str());
        assert_eq!(status(&me, one, &Value::Null, Some(("if-match", &before))).await, 412);
        assert_eq!(me.get(tokens).await[0]["state"], "live");
        let now = tag(&me, tokens).await;
        assert_eq!(tag(&me, tokens).await.split('-').next(), now.split('-').next(), "being used is no change");
        let key = [("idempotency-key", "token"), ("if-match", now.as_str())];
        for _ in 0..2 {
            assert_eq!(me.send("DELETE", &path, &Value::Null, &key).await.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(me.get(tokens).await[0]["state"], "revoked");
        assert_eq!(status(&me, one, &Value::Null, None).await, 404);
        assert_eq!(status(&me, all, &Value::Null, Some(key[0])).await, 422, "the key is taken");
    }

    async fn embargoes_are_changed_under_conditions(database) {
        let site = Site::with_people(&database, settings()).await;
        let mut cast = Cast::new(&site.store).await;
        let maker = client(&site, &mut cast, Role::Triager).await;
        let order = json!({ "id": "ROOT-1", "summary": "Quiet" });
        let name = maker.post("/api/v1/embargoes", order).await["name"].clone();
        let about = format!("/api/v1/embargoes/{}", name.as_str().unwrap());
        let answer = site.api(&about, Some(&maker.token)).await;
        assert_eq!(answer.header("cache-control"), "no-store", "a tag, and kept nowhere");
        let [end, comments, release] = ["end", "comments", "release"].map(|end| format!("{about}/{end}"));
        let person = format!("{about}/people/maintainer");
        let until = |hours: i64| json!({ "until": jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours) });
        let said = ("POST", comments.as_str(), json!({ "text": "Seen." }));
        holds_to_them(&maker, &about, ("PUT", &person, Value::Null), said.clone()).await;
        holds_to_them(&maker, &about, ("DELETE", &person, Value::Null), ("PUT", &person, Value::Null)).await;
        holds_to_them(&maker, &about, ("PUT", &end, until(24)), said.clone()).await;
        holds_to_them(&maker, &about, said.clone(), ("PUT", &end, until(48))).await;
        // What is released is not released again, but for whoever asks again under the same key.
        let before = tag(&maker, &about).await;
        assert_eq!(status(&maker, (said.0, said.1), &said.2, None).await, 204);
        let out = ("POST", release.as_str());
        assert_eq!(status(&maker, out, &Value::Null, Some(("if-match", &before))).await, 412);
        assert_eq!(site.api("/api/v1/vulnerabilities/ROOT-1", None).await.status, StatusCode::NOT_FOUND);
        for _ in 0..2 {
            assert_eq!(status(&maker, out, &Value::Null, Some(("idempotency-key", "out"))).await, 204);
        }
        assert_eq!(status(&maker, out, &Value::Null, None).await, 422, "it is public already");
        assert_eq!(site.api("/api/v1/vulnerabilities/ROOT-1", None).await.status, StatusCode::OK);
        let notes = maker.get(&about).await["notes"].clone();
        let released = notes.as_array().unwrap().iter().filter(|note| note["kind"] == "released");
        assert_eq!(released.count(), 1);
    }
}
