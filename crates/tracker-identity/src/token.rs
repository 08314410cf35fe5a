//! ID tokens (OpenID Connect Core 1.0, sections 2 and 3.1.3.7), as compact JWTs (RFC 7519).
//!
//! Invariant: the signature is checked before the claims are read, and every claim before any is told.

use crate::keys::Algorithm;
use crate::{IdentityError, Keys, read_json};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The longest token, in bytes.
const MAX_TOKEN: usize = 32 << 10;
/// The longest `sub` (section 2).
const MAX_SUBJECT: usize = 255;
/// By how much clocks may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// What a token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who gave it.
    pub issuer: &'a str,
    /// For whom.
    pub client: &'a str,
    /// For which sign-in.
    pub nonce: &'a str,
    /// What came beside it, to which it is bound if it says so.
    pub access_token: Option<&'a str>,
    /// When it is.
    pub now: Timestamp,
}

/// What a token says that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    subject: String,
    all: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Claims {
    /// Who it is, for ever the same at this issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims.
    pub fn all(&self) -> &Map<String, Value> {
        &self.all
    }
}

/// Checks a token.
pub fn verify(token: &str, keys: &Keys, expected: Expected<'_>) -> Result<Claims, IdentityError> {
    let all = signed(token, keys)?;
    check(&all, expected)?;
    let subject = text(&all, "sub").unwrap_or_default();
    if subject.is_empty() || subject.len() > MAX_SUBJECT || !subject.is_ascii() {
        return Err(wrong("sub", "names nobody"));
    }
    Ok(Claims {
        subject: subject.to_owned(),
        all,
    })
}

/// What a token says that one of the keys has signed.
pub(crate) fn signed(token: &str, keys: &Keys) -> Result<Map<String, Value>, IdentityError> {
    if token.len() > MAX_TOKEN {
        return Err(IdentityError::TooLong {
            what: "the token",
            limit: MAX_TOKEN,
        });
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(shape("it is not of three parts"));
    };
    let decode = |part: &str| {
        Base64UrlUnpadded::decode_vec(part).map_err(|_| shape("a part of it is not base64url"))
    };
    let told: Header = read_json("the token's header", &decode(header)?)?;
    let algorithm = Algorithm::of(&told.alg);
    let algorithm = algorithm.ok_or_else(|| {
        IdentityError::Algorithm(
            told.alg
                .chars()
                .filter(|c| !c.is_control())
                .take(20)
                .collect(),
        )
    })?;
    if told.crit.is_some() {
        return Err(shape("it asks for an extension"));
    }
    let text = &token.as_bytes()[..header.len() + 1 + payload.len()];
    keys.check(algorithm, told.kid.as_deref(), text, &decode(signature)?)?;
    read_json("the token", &decode(payload)?)
}

fn check(all: &Map<String, Value>, expected: Expected<'_>) -> Result<(), IdentityError> {
    if text(all, "iss") != Some(expected.issuer) {
        return Err(wrong("iss", "is of another issuer"));
    }
    let (is_for, others) = match all.get("aud") {
        Some(Value::String(one)) => (one == expected.client, 0),
        Some(Value::Array(many)) => {
            let is_for = many.iter().any(|one| one == expected.client);
            (is_for, many.len().saturating_sub(1))
        }
        _ => (false, 0),
    };
    if !is_for {
        return Err(wrong("aud", "is another client"));
    }
    match all.get("azp") {
        None if others > 0 => return Err(wrong("azp", "is missing, and there are several `aud`")),
        Some(party) if party != expected.client => {
            return Err(wrong("azp", "is another client"));
        }
        _ => {}
    }
    let now = expected.now;
    let expires = time(all, "exp").ok_or(wrong("exp", "is no time"))?;
    if now.duration_since(expires) >= LEEWAY {
        return Err(wrong("exp", "is over"));
    }
    let issued = time(all, "iat").ok_or(wrong("iat", "is no time"))?;
    if issued.duration_since(now) > LEEWAY {
        return Err(wrong("iat", "is in the future"));
    }
    if all.contains_key("nbf") {
        let begins = time(all, "nbf").ok_or(wrong("nbf", "is no time"))?;
        if begins.duration_since(now) > LEEWAY {
            return Err(wrong("nbf", "is in the future"));
        }
    }
    let nonce = text(all, "nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(wrong("nonce", "is of another sign-in"));
    }
    if let Some(access) = expected
        .access_token
        .filter(|_| all.contains_key("at_hash"))
    {
        // The left half of the hash that the algorithm has: SHA-256 of both.
        let hash = Sha256::digest(access.as_bytes());
        if text(all, "at_hash") != Some(&Base64UrlUnpadded::encode_string(&hash[..16])) {
            return Err(wrong("at_hash", "is of another access token"));
        }
    }
    Ok(())
}

fn text<'a>(all: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    all.get(name).and_then(Value::as_str)
}

/// A time in seconds, of which some providers write fractions.
fn time(all: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = all.get(name)?.as_f64()?;
    (0.0..1e11)
        .contains(&seconds)
        .then(|| Timestamp::from_second(seconds as i64).ok())
        .flatten()
}

fn wrong(name: &'static str, problem: &'static str) -> IdentityError {
    IdentityError::Claim { name, problem }
}

fn shape(problem: &str) -> IdentityError {
    IdentityError::Shape {
        what: "the token",
        problem: problem.to_owned(),
    }
}
