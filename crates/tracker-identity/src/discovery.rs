//! Where a provider is asked (OpenID Connect Discovery 1.0, section 3).
//!
//! Invariant: the document speaks for the issuer that was asked for, and no address in it is less protected than the
//! issuer's own.

use crate::{IdentityError, read_json};
use serde::Deserialize;

const WHAT: &str = "the discovery document";
/// The longest address.
const MAX_ADDRESS: usize = 2_000;

/// How the tracker proves to the token endpoint that it is the client (Core section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientSecret {
    /// In the header `Authorization`.
    Basic,
    /// In the form.
    Post,
}

/// The part of the document that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Where people are sent.
    pub authorization: String,
    /// Where a code is exchanged.
    pub token: String,
    /// Where the keys are.
    pub keys: String,
    /// Where claims are told that an ID token lacks.
    pub userinfo: Option<String>,
    /// How the secret is sent.
    pub secret: ClientSecret,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// Where an issuer's document is.
    pub fn address(issuer: &str) -> String {
        let issuer = issuer.trim_end_matches('/');
        format!("{issuer}/.well-known/openid-configuration")
    }

    /// Reads the document of an issuer.
    pub fn read(document: &[u8], issuer: &str) -> Result<Discovery, IdentityError> {
        let document: Document = read_json(WHAT, document)?;
        if document.issuer != issuer {
            return Err(shape("it speaks for another issuer"));
        }
        let has = |list: &Option<Vec<String>>, any: &[&str]| {
            let list = list.as_ref();
            list.is_none_or(|list| list.iter().any(|word| any.contains(&word.as_str())))
        };
        if !has(&document.response_types_supported, &["code"]) {
            return Err(shape("the provider does not know the code flow"));
        }
        if !has(&document.code_challenge_methods_supported, &["S256"]) {
            return Err(shape("the provider does not know PKCE with S256"));
        }
        if !has(
            &document.id_token_signing_alg_values_supported,
            &["RS256", "ES256"],
        ) {
            return Err(shape("the provider signs with neither RS256 nor ES256"));
        }
        let methods = &document.token_endpoint_auth_methods_supported;
        let secret = if has(methods, &["client_secret_basic"]) {
            ClientSecret::Basic
        } else if has(methods, &["client_secret_post"]) {
            ClientSecret::Post
        } else {
            return Err(shape("the provider takes no secret of a client"));
        };
        let address = |address: String| {
            let is_safe = address.starts_with("https://")
                || issuer.starts_with("http://") && address.starts_with("http://");
            let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"';,<>\\#".contains(&byte);
            if is_safe && address.len() <= MAX_ADDRESS && address.bytes().all(plain) {
                Ok(address)
            } else {
                Err(shape("an address is not `https://…`"))
            }
        };
        Ok(Discovery {
            authorization: address(document.authorization_endpoint)?,
            token: address(document.token_endpoint)?,
            keys: address(document.jwks_uri)?,
            userinfo: document.userinfo_endpoint.map(address).transpose()?,
            secret,
        })
    }
}

fn shape(problem: &str) -> IdentityError {
    IdentityError::Shape {
        what: WHAT,
        problem: problem.to_owned(),
    }
}
