//! Fetching over HTTP: conditional, limited in size and time, resumable, patient with servers and polite to them.
//!
//! Reading order: [`Fetcher::fetch`] (attempts and pauses), `body` (what comes in), `backoff` (how long to wait).
//! A body goes to a file of the spool folder; one that breaks off is continued by the next attempt, also of the
//! next process, if the server gave it a strong entity tag.
//! Invariant: a body is handed out whole or not at all, and no secret of a request stands in a message.

mod backoff;
mod body;

use backoff::Backoff;
pub(crate) use backoff::random;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub use body::Download;

/// The longest chain of redirections that is followed.
const MAX_REDIRECTIONS: usize = 5;

/// How servers are dealt with.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// The largest body, in bytes.
    pub bytes: u64,
    /// How long a server may be silent.
    pub silence: Duration,
    /// How long one attempt may take.
    pub whole: Duration,
    /// Attempts for one request.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each, and a random part of it is taken.
    pub first_pause: Duration,
    /// The longest pause, also if the server asks for more.
    pub longest_pause: Duration,
    /// The time between two requests to one host.
    pub between: Duration,
}

impl Default for FetchLimits {
    fn default() -> FetchLimits {
        FetchLimits {
            bytes: 4 << 30,
            silence: Duration::from_mins(1),
            whole: Duration::from_hours(1),
            attempts: 5,
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_mins(5),
            between: Duration::from_millis(100),
        }
    }
}

/// What a server said about the version of a body; sent back to ask whether there is a newer one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// The entity tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The date of the last modification, as the server wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The address.
    pub url: String,
    /// What the server said the last time.
    pub validators: Validators,
    /// The name of a header and a secret to send in it.
    pub secret: Option<(&'static str, Secret)>,
    /// The time between two requests to this host, if longer than the usual.
    pub between: Duration,
    /// The kind of body that is wanted, for servers that have several; empty for any.
    pub accept: &'static str,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a server answered.
#[derive(Debug)]
pub enum Fetched {
    /// The body is the one that the validators name.
    Unchanged,
    /// There is nothing at the address.
    Absent,
    /// A body.
    New {
        /// The body, in a file that goes with it.
        download: Download,
        /// What to ask with the next time.
        validators: Validators,
        /// Where it came from in the end, redirections followed.
        url: String,
    },
}

/// Why nothing came; the address is in each message, without its query.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is none, or not of HTTP: correct it.
    #[error("`{url}` is no address that can be fetched")]
    Address {
        /// The address.
        url: String,
    },
    /// The server cannot be reached, breaks off or is silent: try again later.
    #[error("{url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server refuses: correct the address or the key.
    #[error("{url}: the server answers {status}")]
    Refused {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The body is larger than allowed.
    #[error("{url}: larger than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// The certificates of an authority are none: correct the file.
    #[error("no certificates in PEM form: {reason}")]
    Authority {
        /// What is wrong with them.
        reason: String,
    },
    /// The spool folder cannot be written.
    #[error("`{path}` cannot be written")]
    Spool {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

/// Fetches, one request after another to each host.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    /// Follows no redirection, which would carry a secret to another host.
    secretive: Client,
    limits: FetchLimits,
    spool: PathBuf,
    hosts: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<Instant>>>>>,
}

/// What an attempt came to.
enum Attempt {
    Done(Fetched),
    /// Worth another one, after the pause that the server asks for.
    Again(FetchError, Option<Duration>),
}

impl Fetcher {
    /// A fetcher that keeps unfinished bodies in a folder.
    ///
    /// # Errors
    /// When the folder cannot be made, or the system has no certificates to trust.
    pub fn new(spool: PathBuf, limits: FetchLimits) -> Result<Fetcher, FetchError> {
        Fetcher::trusting(spool, limits, &[])
    }

    /// As [`Fetcher::new`], trusting certificates of authorities (PEM, one after another) beside the system's.
    ///
    /// # Errors
    /// As [`Fetcher::new`], and when the text holds something else.
    pub fn trusting(
        spool: PathBuf,
        limits: FetchLimits,
        authorities: &[u8],
    ) -> Result<Fetcher, FetchError> {
        let failed = |source| FetchError::Spool {
            path: spool.clone(),
            source,
        };
        std::fs::create_dir_all(&spool).map_err(failed)?;
        // The second caller finds the provider of the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let no_authority = |reason: String| FetchError::Authority { reason };
        let authorities = Certificate::from_pem_bundle(authorities)
            .map_err(|error| no_authority(reason(&error)))?;
        let client = |redirections| {
            Client::builder()
                .tls_certs_merge(authorities.clone())
                .user_agent(concat!("rootstock-tracker/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(limits.silence)
                .read_timeout(limits.silence)
                .timeout(limits.whole)
                .redirect(redirections)
                .build()
                .map_err(|error| failed(std::io::Error::other(reason(&error))))
        };
        Ok(Fetcher {
            client: client(Policy::limited(MAX_REDIRECTIONS))?,
            secretive: client(Policy::none())?,
            limits,
            spool,
            hosts: Mutex::new(HashMap::new()),
        })
    }

    /// Asks until there is an answer, or the attempts are used up.
    ///
    /// # Errors
    /// The last attempt's; what is not worth another attempt at once.
    pub async fn fetch(&self, ask: &Ask) -> Result<Fetched, FetchError> {
        let shown = without_query(&ask.url);
        let address = reqwest::Url::parse(&ask.url).ok();
        let Some(address) = address.filter(|url| matches!(url.scheme(), "http" | "https")) else {
            return Err(FetchError::Address { url: shown });
        };
        let host = address.host_str().unwrap_or_default().to_owned();
        let mut backoff = Backoff::new(self.limits.first_pause, self.limits.longest_pause);
        let mut attempt = 1;
        loop {
            self.wait_for_turn(&host, ask.between).await;
            match self.attempt(ask, address.clone(), &shown).await? {
                Attempt::Done(fetched) => return Ok(fetched),
                Attempt::Again(error, asked) => {
                    if attempt >= self.limits.attempts {
                        return Err(error);
                    }
                    let pause = backoff.next(asked);
                    tracing::info!(%error, attempt, ?pause, "trying again");
                    tokio::time::sleep(pause).await;
                }
            }
            attempt += 1;
        }
    }

    /// Waits until enough time has passed since the last request to a host.
    async fn wait_for_turn(&self, host: &str, between: Duration) {
        let turn = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(host.to_owned()).or_default())
        };
        let mut last = turn.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + between.max(self.limits.between)).await;
        }
        *last = Some(Instant::now());
    }

    async fn attempt(
        &self,
        ask: &Ask,
        url: reqwest::Url,
        shown: &str,
    ) -> Result<Attempt, FetchError> {
        let mut partial = body::Partial::open(&self.spool, &ask.url)?;
        let mut headers = conditions(&ask.validators);
        if let Some((name, secret)) = &ask.secret
            && let Ok(mut value) = HeaderValue::from_str(&secret.0)
        {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        if !ask.accept.is_empty() {
            headers.insert(header::ACCEPT, HeaderValue::from_static(ask.accept));
        }
        let resumed = partial.resumable();
        if let Some((held, tag)) = &resumed {
            headers.insert(header::RANGE, plain(&format!("bytes={held}-")));
            headers.insert(header::IF_RANGE, plain(tag));
        }
        let unreachable = |error: &reqwest::Error| FetchError::Unreachable {
            url: shown.to_owned(),
            reason: reason(error),
        };
        let client = match &ask.secret {
            Some(_) => &self.secretive,
            None => &self.client,
        };
        let response = match client.get(url).headers(headers).send().await {
            Ok(response) => response,
            Err(error) => return Ok(Attempt::Again(unreachable(&error), None)),
        };
        let status = response.status();
        match status {
            StatusCode::NOT_MODIFIED => return Ok(Attempt::Done(Fetched::Unchanged)),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Attempt::Done(Fetched::Absent)),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                partial.discard()?;
                let refused = refused(shown, status);
                return Ok(Attempt::Again(refused, Some(Duration::ZERO)));
            }
            StatusCode::OK => partial.restart()?,
            StatusCode::PARTIAL_CONTENT if continues(response.headers(), resumed) => {}
            // A part that nobody asked for.
            StatusCode::PARTIAL_CONTENT => {
                partial.discard()?;
                return Ok(Attempt::Again(refused(shown, status), None));
            }
            _ if is_passing(status) => {
                let asked = retry_after(response.headers());
                return Ok(Attempt::Again(refused(shown, status), asked));
            }
            _ => return Err(refused(shown, status)),
        }
        let validators = validators(response.headers());
        let url = response.url().to_string();
        partial.note(&validators)?;
        match partial.take(response, shown, self.limits.bytes).await? {
            Ok(download) => Ok(Attempt::Done(Fetched::New {
                download,
                validators,
                url,
            })),
            Err(error) => Ok(Attempt::Again(unreachable(&error), None)),
        }
    }
}

fn refused(url: &str, status: StatusCode) -> FetchError {
    FetchError::Refused {
        url: url.to_owned(),
        status: status.as_u16(),
    }
}

/// Whether the same request may succeed later. NVD answers 403 to those who ask too often.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::FORBIDDEN
        )
}

/// Whether a part begins where what is held ends.
fn continues(headers: &HeaderMap, resumed: Option<(u64, String)>) -> bool {
    let range = headers.get(header::CONTENT_RANGE);
    let range = range.and_then(|value| value.to_str().ok());
    range
        .zip(resumed)
        .is_some_and(|(range, (held, _))| range.starts_with(&format!("bytes {held}-")))
}

fn conditions(validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(tag) = &validators.etag {
        headers.insert(header::IF_NONE_MATCH, plain(tag));
    }
    if let Some(date) = &validators.last_modified {
        headers.insert(header::IF_MODIFIED_SINCE, plain(date));
    }
    headers
}

/// A value that we held as text; an empty one if it can be no header.
fn plain(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name| {
        let value: &HeaderValue = headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Validators {
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED),
    }
}

/// The seconds, or the time until the date, that a server asks to wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left = date.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// An error with its causes, without the address, whose query may hold a secret.
fn reason(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let what = if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_redirect() {
        "too many redirections"
    } else {
        "the answer breaks off"
    };
    causes.insert(0, what.to_owned());
    causes.dedup();
    causes.join(": ")
}

/// An address for messages: without its query, and without the name and password that may stand before the host.
fn without_query(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}
