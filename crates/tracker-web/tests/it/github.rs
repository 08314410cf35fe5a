//! A server that answers as GitHub does where people sign in: the same addresses, statuses and shapes.
//!
//! Invariant: a code is taken once, for the address and the verifier that it was given for.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tracker_web::GitHubSettings;

/// The application's secret.
const SECRET: &str = "the-secret-of-the-application";
/// What GitHub gives to ask about teams with.
const TOKEN: &str = "gho_an-access-token";

/// What it knows, and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Who approves, by login and number; nobody if the person says no.
    pub(crate) person: Option<(&'static str, u64)>,
    /// Memberships as `ORGANISATION/TEAM/LOGIN`.
    pub(crate) teams: HashSet<String>,
    /// Every answer is a failure of the server.
    pub(crate) is_down: bool,
    /// The token was taken back.
    pub(crate) is_withdrawn: bool,
    /// Codes given, with what they are bound to.
    codes: HashMap<String, (String, String)>,
    given: u32,
    /// Requests about a team.
    pub(crate) asked: u32,
}

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct GitHub {
    pub(crate) world: Arc<Mutex<World>>,
    address: String,
}

type Shared = State<Arc<Mutex<World>>>;

impl GitHub {
    pub(crate) async fn start() -> GitHub {
        let world = Arc::new(Mutex::new(World {
            person: Some(("octocat", 583_231)),
            ..World::default()
        }));
        let router = Router::new()
            .route("/login/oauth/authorize", get(authorize))
            .route("/login/oauth/access_token", post(exchange))
            .route("/api/user", get(user))
            .route(
                "/api/orgs/{organisation}/teams/{team}/memberships/{login}",
                get(membership),
            )
            .with_state(Arc::clone(&world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        GitHub { world, address }
    }

    /// An application of it.
    pub(crate) fn settings(&self) -> GitHubSettings {
        GitHubSettings {
            client: "the-application".to_owned(),
            secret: SECRET.to_owned(),
            url: self.address.clone(),
            api: format!("{}/api", self.address),
            triagers: vec!["nixos/security".parse().unwrap()],
            administrators: vec!["nixos/owners".parse().unwrap()],
        }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().unwrap());
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

async fn authorize(State(world): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut world = world.lock().unwrap();
    assert_eq!(query["client_id"], "the-application");
    assert_eq!(query["scope"], "read:org");
    assert_eq!(query["code_challenge_method"], "S256");
    let (back, state) = (&query["redirect_uri"], &query["state"]);
    if world.person.is_none() {
        let told =
            "error=access_denied&error_description=The+user+has+denied+your+application+access.";
        return Redirect::to(&format!("{back}?{told}&state={state}")).into_response();
    }
    world.given += 1;
    let code = format!("code{}", world.given);
    let bound = (query["code_challenge"].clone(), back.clone());
    world.codes.insert(code.clone(), bound);
    Redirect::to(&format!("{back}?code={code}&state={state}")).into_response()
}

async fn exchange(
    State(world): Shared,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut world = world.lock().unwrap();
    if world.is_down {
        return (StatusCode::BAD_GATEWAY, "<html>Unicorn!</html>").into_response();
    }
    assert_eq!(headers["accept"], "application/json");
    if form["client_secret"] != SECRET {
        return refusal("incorrect_client_credentials");
    }
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(&form["code_verifier"]));
    match world.codes.remove(&form["code"]) {
        Some((bound, back)) if bound == challenge && back == form["redirect_uri"] => {
            Json(json!({ "access_token": TOKEN, "scope": "read:org", "token_type": "bearer" }))
                .into_response()
        }
        // With status 200, as GitHub does it.
        _ => refusal("bad_verification_code"),
    }
}

fn refusal(error: &str) -> Response {
    let told = json!({
        "error": error,
        "error_description": "The code passed is incorrect or expired.",
        "error_uri": "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/",
    });
    Json(told).into_response()
}

#[expect(
    clippy::result_large_err,
    reason = "the refusal is the answer, made once a request"
)]
fn check(world: &World, headers: &HeaderMap) -> Result<(), Response> {
    if world.is_down {
        return Err((StatusCode::BAD_GATEWAY, "<html>Unicorn!</html>").into_response());
    }
    assert!(headers.contains_key("user-agent"));
    if world.is_withdrawn || headers["authorization"] != format!("Bearer {TOKEN}") {
        let told = json!({ "message": "Bad credentials", "status": "401" });
        return Err((StatusCode::UNAUTHORIZED, Json(told)).into_response());
    }
    Ok(())
}

async fn user(State(world): Shared, headers: HeaderMap) -> Response {
    let world = world.lock().unwrap();
    if let Err(refused) = check(&world, &headers) {
        return refused;
    }
    let (login, id) = world.person.unwrap();
    let told = json!({ "login": login, "id": id, "node_id": "MDQ6VXNlcjU4MzIzMQ==", "type": "User", "site_admin": false });
    Json(told).into_response()
}

async fn membership(
    State(world): Shared,
    headers: HeaderMap,
    Path((organisation, team, login)): Path<(String, String, String)>,
) -> Response {
    let mut world = world.lock().unwrap();
    if let Err(refused) = check(&world, &headers) {
        return refused;
    }
    world.asked += 1;
    let state = |suffix: &str| {
        world
            .teams
            .contains(&format!("{organisation}/{team}/{login}{suffix}"))
    };
    if state("") {
        Json(json!({ "url": "x", "role": "member", "state": "active" })).into_response()
    } else if state("?") {
        Json(json!({ "url": "x", "role": "member", "state": "pending" })).into_response()
    } else {
        let told = json!({ "message": "Not Found", "status": "404" });
        (StatusCode::NOT_FOUND, Json(told)).into_response()
    }
}
