//! The provider's documents: fetched when they are needed, kept for a while.
//!
//! Invariant: whatever strangers send, the provider is asked for its keys no more than once in [`FRESH`], and once more
//! in a while for a key that is not among them; those who ask at once share one answer.

use crate::OidcSettings;
use reqwest::{Client, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tracker_identity::{Discovery, IdentityError, Keys};
use tracker_web::{ProviderError, provider_answer};

/// How long a document holds.
const FRESH: Duration = Duration::from_hours(1);

/// A document, and when it was fetched.
type Held<T> = Option<(Instant, Arc<T>)>;

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
            discovery: Mutex::new(None),
            keys: Mutex::new(None),
        }
    }

    /// Where the provider is asked.
    pub(crate) async fn discovery(&self) -> Result<Arc<Discovery>, ProviderError> {
        let mut held = self.discovery.lock().await;
        let read = |document: &[u8]| Discovery::read(document, &self.issuer);
        self.held(&mut held, FRESH, &self.address, read).await
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
        let mut held = self.keys.lock().await;
        self.held(&mut held, age, address, Keys::read).await
    }

    async fn held<T>(
        &self,
        held: &mut Held<T>,
        age: Duration,
        address: &str,
        read: impl FnOnce(&[u8]) -> Result<T, IdentityError>,
    ) -> Result<Arc<T>, ProviderError> {
        if let Some((since, document)) = held
            && since.elapsed() < age
        {
            return Ok(Arc::clone(document));
        }
        let (status, body) = provider_answer(self.client.get(address)).await?;
        if status != StatusCode::OK {
            return Err(ProviderError::Odd(format!(
                "a document with status {status}"
            )));
        }
        let document = read(&body).map_err(|error| ProviderError::Odd(error.to_string()))?;
        let document = Arc::new(document);
        *held = Some((Instant::now(), Arc::clone(&document)));
        Ok(document)
    }
}
