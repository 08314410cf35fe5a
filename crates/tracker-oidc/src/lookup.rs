//! The provider's documents: fetched when they are needed, kept for a while.
//!
//! Invariant: whatever strangers send, the provider is asked for its keys no more than once in [`FRESH`], and once more
//! in a while for a key that is not among them; those who ask at once share one answer, and one failure.

use crate::OidcSettings;
use reqwest::{Client, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tracker_identity::{Discovery, IdentityError, Keys};
use tracker_web::{ProviderError, provider_answer};

/// How long a document holds.
const FRESH: Duration = Duration::from_hours(1);

/// What became of the last attempts at a document.
#[derive(Debug)]
struct Held<T> {
    /// It, and when it was fetched.
    document: Option<(Instant, Arc<T>)>,
    /// When it could not be had, and why.
    failure: Option<(Instant, ProviderError)>,
}

impl<T> Default for Held<T> {
    fn default() -> Held<T> {
        Held {
            document: None,
            failure: None,
        }
    }
}

/// What is known of the provider.
#[derive(Debug)]
pub(crate) struct Lookup {
    client: Client,
    issuer: String,
    address: String,
    refetch: Duration,
    discovery: Mutex<Held<Discovery>>,
    keys: Mutex<Held<Keys>>,
}

impl Lookup {
    pub(crate) fn new(client: Client, settings: &OidcSettings) -> Lookup {
        let address = settings.discovery.clone();
        Lookup {
            client,
            issuer: settings.issuer.clone(),
            address: address.unwrap_or_else(|| Discovery::address(&settings.issuer)),
            refetch: settings.refetch,
            discovery: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    /// Where the provider is asked.
    pub(crate) async fn discovery(&self) -> Result<Arc<Discovery>, ProviderError> {
        let read = |document: &[u8]| Discovery::read(document, &self.issuer);
        self.held(&self.discovery, FRESH, &self.address, read).await
    }

    /// What it signs with.
    pub(crate) async fn keys(&self) -> Result<Arc<Keys>, ProviderError> {
        self.keys_within(FRESH).await
    }

    /// The same, asked for again if that was not done a moment ago: a provider that changes its keys begins to sign with
    /// one that nobody has seen.
    pub(crate) async fn newer_keys(&self) -> Result<Arc<Keys>, ProviderError> {
        self.keys_within(self.refetch).await
    }

    async fn keys_within(&self, age: Duration) -> Result<Arc<Keys>, ProviderError> {
        let address = &self.discovery().await?.keys;
        self.held(&self.keys, age, address, Keys::read).await
    }

    async fn held<T>(
        &self,
        held: &Mutex<Held<T>>,
        age: Duration,
        address: &str,
        read: impl FnOnce(&[u8]) -> Result<T, IdentityError>,
    ) -> Result<Arc<T>, ProviderError> {
        let asked = Instant::now();
        let mut held = held.lock().await;
        if let Some((since, document)) = &held.document
            && since.elapsed() < age
        {
            return Ok(Arc::clone(document));
        }
        // Who waited while it failed would wait as long again, each after the other.
        if let Some((at, failure)) = &held.failure
            && *at >= asked
        {
            return Err(failure.clone());
        }
        let fetched = self.fetch(address, read).await;
        match &fetched {
            Ok(document) => held.document = Some((Instant::now(), Arc::clone(document))),
            Err(failure) => held.failure = Some((Instant::now(), failure.clone())),
        }
        fetched
    }

    async fn fetch<T>(
        &self,
        address: &str,
        read: impl FnOnce(&[u8]) -> Result<T, IdentityError>,
    ) -> Result<Arc<T>, ProviderError> {
        let (status, body) = provider_answer(self.client.get(address)).await?;
        if status != StatusCode::OK {
            return Err(ProviderError::Odd(format!(
                "a document with status {status}"
            )));
        }
        let document = read(&body).map_err(|error| ProviderError::Odd(error.to_string()))?;
        Ok(Arc::new(document))
    }
}
