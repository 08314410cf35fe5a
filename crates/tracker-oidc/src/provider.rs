//! The flow: to the provider, back with a code, the code for tokens, the ID token for who it is.
//!
//! Invariants: the secret of a sign-in makes its state, nonce and verifier, so that none fits another sign-in; the access
//! token is used for nothing but the provider's own `userinfo`, whose subject must be the ID token's.

use crate::OidcSettings;
use crate::lookup::Lookup;
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use jiff::Timestamp;
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tracker_identity::{Claims, ClientSecret, Discovery, Expected, IdentityError, verify};
use tracker_people::{Role, Secret};
use tracker_web::{
    Answer, Known, Provider, ProviderError, ProviderSetupError, PublicAddress, provider_address,
    provider_answer, provider_client,
};

/// The longest name of a person, in bytes.
const MAX_LOGIN: usize = 100;
/// The longest access token, in bytes: some are JWTs.
const MAX_ACCESS: usize = 8 << 10;
/// Between subject and access token in what is kept to ask with.
const THEN: char = ' ';

/// An OpenID provider.
#[derive(Debug)]
pub struct Oidc {
    settings: OidcSettings,
    callback: String,
    client: Client,
    lookup: Lookup,
}

/// What the token endpoint answers, in both of its shapes (RFC 6749, sections 5.1 and 5.2).
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    id_token: Option<String>,
    error: Option<String>,
}

impl Oidc {
    /// A client of a provider, to which people come back at the tracker's public address. Nothing is asked yet.
    pub fn new(settings: OidcSettings, public: &PublicAddress) -> Result<Oidc, ProviderSetupError> {
        provider_address(&settings.issuer)?;
        if let Some(address) = &settings.discovery {
            provider_address(address)?;
        }
        let client = provider_client()?;
        Ok(Oidc {
            lookup: Lookup::new(client.clone(), &settings),
            settings,
            callback: public.callback(),
            client,
        })
    }

    async fn address(&self, secret: &Secret) -> Result<String, ProviderError> {
        let discovery = self.lookup.discovery().await?;
        let challenge = Sha256::digest(secret.verifier());
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client),
            ("redirect_uri", &self.callback),
            ("scope", &self.settings.scopes.join(" ")),
            ("state", &secret.state()),
            ("nonce", &secret.nonce()),
            (
                "code_challenge",
                &Base64UrlUnpadded::encode_string(&challenge),
            ),
            ("code_challenge_method", "S256"),
        ]);
        let there = &discovery.authorization;
        let then = if there.contains('?') { '&' } else { '?' };
        Ok(format!("{there}{then}{query}"))
    }

    async fn exchange(&self, code: &str, secret: &Secret) -> Result<Known, ProviderError> {
        let discovery = self.lookup.discovery().await?;
        let (id_token, access_token) = self.tokens(&discovery, code, secret).await?;
        let nonce = secret.nonce();
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client,
            nonce: &nonce,
            access_token: access_token.as_deref(),
            now: Timestamp::now(),
        };
        let claims = self.verified(&id_token, expected).await?;
        let mut told = claims.all().clone();
        let mut credential = None;
        if let (Some(access), Some(userinfo)) = (access_token, &discovery.userinfo) {
            // Many providers tell groups and names only there.
            if self.settings.groups.of(&told).is_none() || login(&told).is_none() {
                let more = self.userinfo(userinfo, claims.subject(), &access).await?;
                for (name, value) in more {
                    told.entry(name).or_insert(value);
                }
            }
            credential = Some(format!("{}{THEN}{access}", claims.subject()));
        }
        let role = self.role_of(&told).ok_or(ProviderError::NotAdmitted)?;
        Ok(Known {
            subject: format!("{} {}", self.settings.issuer, claims.subject()),
            login: login(&told).unwrap_or(claims.subject()).to_owned(),
            role,
            credential,
        })
    }

    /// The tokens for a code: that of the person, and that to ask with.
    async fn tokens(
        &self,
        discovery: &Discovery,
        code: &str,
        secret: &Secret,
    ) -> Result<(String, Option<String>), ProviderError> {
        let verifier = secret.verifier();
        let settings = &self.settings;
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.callback),
            ("code_verifier", &verifier),
            ("client_id", &settings.client),
        ];
        let mut request = self.client.post(&discovery.token);
        match discovery.secret {
            ClientSecret::Basic => {
                // Both are encoded as in a form first (RFC 6749, section 2.3.1).
                let encode = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = format!("{}:{}", encode(&settings.client), encode(&settings.secret));
                let basic = format!("Basic {}", Base64::encode_string(pair.as_bytes()));
                request = request.header(header::AUTHORIZATION, hidden(&basic)?);
            }
            ClientSecret::Post => pairs.push(("client_secret", &settings.secret)),
        }
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(form(&pairs));
        let (status, body) = provider_answer(request).await?;
        let told: TokenAnswer = read(&body)?;
        match told.error.as_deref() {
            Some("invalid_grant") => return Err(ProviderError::Code("invalid_grant".to_owned())),
            Some(error) => {
                let error: String = error.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(ProviderError::Odd(format!("the error `{error}`")));
            }
            None if status != StatusCode::OK => {
                return Err(ProviderError::Odd(format!("status {status}")));
            }
            None => {}
        }
        let id_token = told.id_token;
        let id_token = id_token.ok_or_else(|| ProviderError::Odd("no ID token".to_owned()))?;
        let usable = |token: &String| token.len() <= MAX_ACCESS;
        Ok((id_token, told.access_token.filter(usable)))
    }

    async fn verified(&self, token: &str, expected: Expected<'_>) -> Result<Claims, ProviderError> {
        let keys = self.lookup.keys().await?;
        let found = match verify(token, &keys, expected) {
            Err(IdentityError::UnknownKey) => {
                let keys = self.lookup.newer_keys().await?;
                verify(token, &keys, expected)
            }
            found => found,
        };
        found.map_err(|error| ProviderError::Odd(error.to_string()))
    }

    /// What `userinfo` says of somebody (Core section 5.3).
    async fn userinfo(
        &self,
        address: &str,
        subject: &str,
        access: &str,
    ) -> Result<Map<String, Value>, ProviderError> {
        let request = self
            .client
            .get(address)
            .header(header::AUTHORIZATION, hidden(&format!("Bearer {access}"))?)
            .header(header::ACCEPT, "application/json");
        let (status, body) = provider_answer(request).await?;
        match status {
            StatusCode::OK => {}
            // An access token lasts for minutes or hours: that it is over says nothing of the person.
            StatusCode::UNAUTHORIZED => {
                return Err(ProviderError::Silent("the access token is over".to_owned()));
            }
            status => return Err(ProviderError::Odd(format!("userinfo with status {status}"))),
        }
        let told: Map<String, Value> = read(&body)?;
        if told.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(ProviderError::Odd("userinfo of somebody else".to_owned()));
        }
        Ok(told)
    }

    async fn role_now(&self, credential: &str) -> Result<Role, ProviderError> {
        let unasked = || ProviderError::Silent("there is nothing to ask with".to_owned());
        let (subject, access) = credential.rsplit_once(THEN).ok_or_else(unasked)?;
        let discovery = self.lookup.discovery().await?;
        let address = discovery.userinfo.as_ref().ok_or_else(unasked)?;
        let told = self.userinfo(address, subject, access).await?;
        if self.settings.groups.of(&told).is_none() {
            // It only ever tells groups in ID tokens.
            return Err(unasked());
        }
        self.role_of(&told).ok_or(ProviderError::NotAdmitted)
    }

    /// The role of somebody of whom this is told; whoever is told to be in no group is in none.
    fn role_of(&self, told: &Map<String, Value>) -> Option<Role> {
        let groups = self.settings.groups.of(told).unwrap_or_default();
        self.settings.groups.role(&groups)
    }
}

impl Provider for Oidc {
    fn word(&self) -> &'static str {
        "oidc"
    }

    fn name(&self) -> &str {
        &self.settings.name
    }

    fn origin(&self) -> Answer<'_, String> {
        Box::pin(async {
            let address = &self.lookup.discovery().await?.authorization;
            let url = reqwest::Url::parse(address);
            let url = url.map_err(|error| ProviderError::Odd(error.to_string()))?;
            Ok(url.origin().ascii_serialization())
        })
    }

    fn sign_in<'a>(&'a self, secret: &'a Secret) -> Answer<'a, String> {
        Box::pin(self.address(secret))
    }

    fn identify<'a>(&'a self, code: &'a str, secret: &'a Secret) -> Answer<'a, Known> {
        Box::pin(self.exchange(code, secret))
    }

    fn role<'a>(&'a self, credential: &'a str) -> Answer<'a, Role> {
        Box::pin(self.role_now(credential))
    }
}

/// What somebody is called: for the eye, never for who they are.
fn login(told: &Map<String, Value>) -> Option<&str> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.len() <= MAX_LOGIN && !name.contains(char::is_control)
    };
    let names = ["preferred_username", "nickname", "email", "name"];
    let mut named = names
        .iter()
        .filter_map(|claim| told.get(*claim).and_then(Value::as_str));
    named.find(is_name)
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    // The parser's message could quote a token.
    serde_json::from_slice(body).map_err(|error| {
        ProviderError::Odd(format!("JSON of another shape, at byte {}", error.column()))
    })
}

/// A header's value that is not logged.
fn hidden(text: &str) -> Result<HeaderValue, ProviderError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| ProviderError::Odd("a token of odd letters".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}
