//! How a provider is asked: for a short while, for a short answer, at no other address.
//!
//! Invariant: no answer is longer or later than the limits, and no message holds an address or a token.

use super::provider::{ProviderError, ProviderSetupError};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer, in bytes.
const LONGEST: usize = 256 << 10;

/// What asks a provider.
pub fn provider_client() -> Result<Client, ProviderSetupError> {
    // The second caller finds the provider of the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("rootstock-tracker/", env!("CARGO_PKG_VERSION")))
        .timeout(PATIENCE)
        // A redirection would carry the secret elsewhere.
        .redirect(Policy::none())
        .build()
        .map_err(ProviderSetupError::Client)
}

/// Checks an address of a provider, and takes the slashes off its end.
pub fn provider_address(address: &str) -> Result<String, ProviderSetupError> {
    let bare = address.trim_end_matches('/');
    let parsed = reqwest::Url::parse(bare).ok();
    let web = parsed.is_some_and(|url| matches!(url.scheme(), "https" | "http"));
    if !web || bare.contains(|c: char| c.is_whitespace() || ";,'\"".contains(c)) {
        return Err(ProviderSetupError::Address(bare.to_owned()));
    }
    Ok(bare.to_owned())
}

/// An answer that is neither too long nor a failure of the server.
pub async fn provider_answer(
    request: RequestBuilder,
) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    let silent = |error: reqwest::Error| ProviderError::Silent(error.without_url().to_string());
    let mut response = request.send().await.map_err(silent)?;
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(ProviderError::Silent(format!("status {status}")));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(silent)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(ProviderError::Odd("an answer without end".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}
