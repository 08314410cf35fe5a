//! An OpenID provider on this machine: discovery, authorisation, tokens, keys and userinfo in their real shapes.
//!
//! Invariant: a code is taken once, for the redirection and the verifier that it was given for.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tracker_oidc::{Groups, OidcSettings, Others};

const CLIENT: &str = "the tracker";
const SECRET: &str = "a secret: with%odd letters";
const ACCESS: &str = "the-access-token";

/// A key takes a while to be found, so there is one for all tests.
static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = rsa::PrivateKey::new(&mut getrandom::SysRng, 2048).unwrap();
    key.to_pkcs1_der().unwrap().as_bytes().to_vec()
});

/// A key that the provider signs with.
pub(crate) enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Key {
    pub(crate) fn rsa() -> Key {
        Key::Rsa(RsaKeyPair::from_der(&RSA).unwrap())
    }

    pub(crate) fn ec() -> Key {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Key::Ec(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .unwrap();
                signature
            }
            Key::Ec(key) => key.sign(&random, text).unwrap().as_ref().to_vec(),
        }
    }

    fn jwk(&self, id: &str) -> Value {
        let text = Base64UrlUnpadded::encode_string;
        match self {
            Key::Rsa(key) => {
                let RsaPublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": text(&n), "e": text(&e) })
            }
            Key::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
        }
    }
}

/// How a token is signed that should not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// Not at all.
    None,
    /// With a key of which everybody has the half that is called public.
    PublicKeyAsSecret,
    /// With another key under the same id.
    OtherKey,
}

/// What the provider knows, and how it behaves.
pub(crate) struct World {
    /// Who approves; nobody if the person says no.
    pub(crate) person: Option<&'static str>,
    /// Claims of every ID token, over the usual ones; null takes one away.
    pub(crate) claims: Value,
    /// Claims of userinfo, beside `sub`.
    pub(crate) userinfo: Value,
    /// The answer of userinfo, if it is none of those.
    pub(crate) refuses: Option<StatusCode>,
    /// What it signs with, and the key's id.
    pub(crate) key: (Key, String),
    /// The key and id that its list has.
    pub(crate) listed: Vec<Value>,
    pub(crate) forgery: Option<Forgery>,
    /// Every answer is a failure of the server.
    pub(crate) is_down: bool,
    /// How long the token endpoint takes.
    pub(crate) delay: Duration,
    /// How long its description of itself takes.
    pub(crate) silence: Duration,
    /// Bytes of rubbish before the answer of the token endpoint.
    pub(crate) rubbish: usize,
    /// Codes given, with challenge, redirection and nonce.
    codes: HashMap<String, [String; 3]>,
    given: u32,
    /// How often the list of keys was asked for.
    pub(crate) lists: u32,
    address: String,
}

impl World {
    /// Signs with this key under this id, and lists it alone.
    pub(crate) fn rotate(&mut self, key: Key, id: &str) {
        self.listed = vec![key.jwk(id)];
        self.key = (key, id.to_owned());
    }
}

/// The provider.
#[derive(Clone)]
pub(crate) struct Issuer {
    world: Arc<Mutex<World>>,
    pub(crate) address: String,
}

type Shared = State<Arc<Mutex<World>>>;

impl Issuer {
    pub(crate) async fn start() -> Issuer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/realm", listener.local_addr().unwrap());
        let mut world = World {
            person: Some("ada"),
            claims: json!({}),
            userinfo: json!({}),
            refuses: None,
            key: (Key::ec(), String::new()),
            listed: Vec::new(),
            forgery: None,
            is_down: false,
            delay: Duration::ZERO,
            silence: Duration::ZERO,
            rubbish: 0,
            codes: HashMap::new(),
            given: 0,
            lists: 0,
            address: address.clone(),
        };
        world.rotate(Key::rsa(), "first");
        let world = Arc::new(Mutex::new(world));
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(discovery))
            .route("/realm/authorize", get(authorize))
            .route("/realm/token", post(token))
            .route("/realm/keys", get(keys))
            .route("/realm/userinfo", get(userinfo))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Issuer { world, address }
    }

    pub(crate) fn settings(&self) -> OidcSettings {
        OidcSettings {
            issuer: self.address.clone(),
            discovery: None,
            client: CLIENT.to_owned(),
            secret: SECRET.to_owned(),
            name: "the realm".to_owned(),
            scopes: vec!["openid".to_owned(), "groups".to_owned()],
            groups: Groups {
                claim: "groups".to_owned(),
                triagers: ["security".to_owned()].into(),
                administrators: ["owners".to_owned()].into(),
                others: Others::Maintainers,
            },
            refetch: Duration::from_mins(1),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn failure() -> Response {
    (StatusCode::BAD_GATEWAY, "<html>Bad gateway</html>").into_response()
}

async fn discovery(State(world): Shared) -> Response {
    let silence = world.lock().unwrap().silence;
    tokio::time::sleep(silence).await;
    let world = world.lock().unwrap();
    if world.is_down {
        return failure();
    }
    let at = |path: &str| format!("{}/{path}", world.address);
    Json(json!({
        "issuer": world.address,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("keys"),
        "userinfo_endpoint": at("userinfo"),
        "end_session_endpoint": at("logout"),
        "response_types_supported": ["code", "id_token", "code token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["plain", "S256"],
    }))
    .into_response()
}

async fn keys(State(world): Shared) -> Response {
    let mut world = world.lock().unwrap();
    world.lists += 1;
    if world.is_down {
        return failure();
    }
    Json(json!({ "keys": world.listed })).into_response()
}

async fn authorize(State(world): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut world = world.lock().unwrap();
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], CLIENT);
    assert_eq!(query["scope"], "openid groups");
    assert_eq!(query["code_challenge_method"], "S256");
    let (back, state) = (&query["redirect_uri"], &query["state"]);
    if world.person.is_none() {
        let denied = "error=access_denied&error_description=Resource+owner+denied+access";
        return Redirect::to(&format!("{back}?{denied}&state={state}")).into_response();
    }
    world.given += 1;
    let code = format!("code{}", world.given);
    let bound = ["code_challenge", "redirect_uri", "nonce"].map(|name| query[name].clone());
    world.codes.insert(code.clone(), bound);
    Redirect::to(&format!("{back}?state={state}&session_state=x&code={code}")).into_response()
}

async fn token(
    State(world): Shared,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let delay = world.lock().unwrap().delay;
    tokio::time::sleep(delay).await;
    let mut world = world.lock().unwrap();
    if world.is_down {
        return failure();
    }
    assert_eq!(form["grant_type"], "authorization_code");
    // Each part is encoded as in a form before both are encoded (RFC 6749, section 2.3.1).
    let pair = "the+tracker:a+secret%3A+with%25odd+letters";
    let basic = format!("Basic {}", Base64::encode_string(pair.as_bytes()));
    if headers
        .get("authorization")
        .is_none_or(|given| *given != basic)
    {
        let told =
            json!({ "error": "invalid_client", "error_description": "Invalid client credentials" });
        return (StatusCode::UNAUTHORIZED, Json(told)).into_response();
    }
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(&form["code_verifier"]));
    let nonce = match world.codes.remove(&form["code"]) {
        Some([bound, back, nonce]) if bound == challenge && back == form["redirect_uri"] => nonce,
        _ => {
            let told = json!({ "error": "invalid_grant", "error_description": "Code not valid" });
            return (StatusCode::BAD_REQUEST, Json(told)).into_response();
        }
    };
    let told = json!({
        "access_token": ACCESS, "token_type": "Bearer", "expires_in": 300, "scope": "openid",
        "refresh_token": "unused", "id_token": id_token(&world, &nonce),
    });
    let answer = format!("{}{told}", " ".repeat(world.rubbish));
    ([("content-type", "application/json")], answer).into_response()
}

fn id_token(world: &World, nonce: &str) -> String {
    let mut claims = json!({
        "iss": world.address, "aud": CLIENT, "sub": "f:1:ada", "azp": CLIENT, "exp": now() + 300, "iat": now(),
        "auth_time": now(), "nonce": nonce, "preferred_username": world.person.unwrap_or_default(),
        "at_hash": Base64UrlUnpadded::encode_string(&Sha256::digest(ACCESS)[..16]),
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in world.claims.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    let (key, id) = &world.key;
    let algorithm = match world.forgery {
        None | Some(Forgery::OtherKey) => key.algorithm(),
        Some(Forgery::None) => "none",
        Some(Forgery::PublicKeyAsSecret) => "HS256",
    };
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let header = json!({ "alg": algorithm, "kid": id, "typ": "JWT" });
    let text = format!("{}.{}", part(&header), part(&claims));
    let signature = match world.forgery {
        None => key.sign(text.as_bytes()),
        Some(Forgery::None) => Vec::new(),
        Some(Forgery::OtherKey) => Key::ec().sign(text.as_bytes()),
        Some(Forgery::PublicKeyAsSecret) => {
            let public = world.listed[0]["n"].as_str().unwrap_or_default();
            let secret = Base64UrlUnpadded::decode_vec(public).unwrap();
            let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
            ring::hmac::sign(&secret, text.as_bytes()).as_ref().to_vec()
        }
    };
    format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature))
}

async fn userinfo(State(world): Shared, headers: HeaderMap) -> Response {
    let world = world.lock().unwrap();
    if world.is_down {
        return failure();
    }
    assert_eq!(headers["authorization"], format!("Bearer {ACCESS}"));
    if let Some(status) = world.refuses {
        let told = [("www-authenticate", "Bearer error=\"invalid_token\"")];
        return (status, told).into_response();
    }
    let mut told = json!({ "sub": "f:1:ada" });
    let more = world.userinfo.as_object().unwrap().clone();
    told.as_object_mut().unwrap().extend(more);
    Json(told).into_response()
}
