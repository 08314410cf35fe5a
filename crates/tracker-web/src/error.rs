//! What can go wrong with a request, and what the reader can do about it.
//!
//! Invariant: no text of the database, the file system or a panic reaches a reader; those go to the log, once.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracker_people::{Denied, Lacks};

/// When what did not work for a moment is worth another try, in seconds.
const SOON: u64 = 5;

/// A request that got no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A parameter of the query is not understood.
    #[error("the parameter `{name}` cannot be `{value}`: {expected}")]
    BadParameter {
        /// The parameter.
        name: String,
        /// Its value as given.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A paging token that this list did not hand out.
    #[error("this place in the list is no longer known")]
    BadToken,
    /// Nothing has this name.
    #[error("there is no {kind} `{name}` here")]
    NotFound {
        /// What was looked for (`vulnerability`, `package`, `channel`, `page`).
        kind: &'static str,
        /// The name it was looked for under.
        name: String,
        /// Existing ones that are spelled alike.
        near: Vec<Suggestion>,
    },
    /// Pages are only read.
    #[error("this address only answers `GET` and `HEAD`")]
    MethodNotAllowed,
    /// The body is larger than any request needs.
    #[error("the request carries more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The address is longer than any page's.
    #[error("the address is longer than {limit} bytes")]
    AddressTooLong {
        /// The limit.
        limit: usize,
    },
    /// The body took too long to come.
    #[error("the request was not sent within {seconds} s")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// The answer took too long.
    #[error("the answer took longer than {seconds} s")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A token that is none, has ended, or was revoked.
    #[error("this token is unknown, has ended or was revoked")]
    BadCredential,
    /// A form that another site sent.
    #[error("this form was not sent from a page of this site")]
    CrossSite,
    /// A sign-in that did not come to its end.
    #[error("{reason}; begin again from the page that you wanted")]
    SignIn {
        /// What happened.
        reason: &'static str,
    },
    /// The provider through which people sign in is down.
    #[error("{provider} does not answer, and says who you are; try again in a while")]
    ProviderDown {
        /// Its name.
        provider: String,
    },
    /// A form that is filled in wrongly.
    #[error("the form cannot be taken: {reason}")]
    BadForm {
        /// What is wrong.
        reason: String,
    },
    /// What was sent is of no kind that is read here.
    #[error("the body is to be sent as `application/json`")]
    NotJson,
    /// What was sent cannot be read.
    #[error("the body cannot be read: {reason}")]
    BadBody {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A header that is not understood.
    #[error("the header `{name}` cannot be taken: {reason}")]
    BadHeader {
        /// The header.
        name: &'static str,
        /// What it may be.
        reason: &'static str,
    },
    /// A decision that cannot be; nothing was written.
    #[error("{reason}")]
    Undecidable {
        /// Why.
        reason: String,
    },
    /// A query that is not understood.
    #[error("the query is not understood at column {column}: {problem}")]
    BadQuery {
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Somebody decided since the caller looked.
    #[error("somebody decided about it since you looked; look again")]
    Moved,
    /// Too many attempts, or requests.
    #[error("this is asked too often; try again in {seconds} s")]
    TooOften {
        /// How long to wait.
        seconds: u64,
    },
    /// The database cannot do it now; the source is logged, never shown.
    #[error("{}", .0.told())]
    Database(Trouble, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Too many wait for the same kind of page.
    #[error("too many wait for this kind of page; try again in a few seconds")]
    Crowded,
    /// Our fault; the source is logged, never shown.
    #[error("something failed on this side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What keeps the database from answering, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not there, or another process holds it.
    Unavailable,
    /// It has no space left.
    Full,
    /// It took longer than one waits for a page.
    Slow,
}

impl Trouble {
    const fn told(self) -> &'static str {
        match self {
            Trouble::Unavailable => {
                "the database does not answer just now; nothing was changed, and the same will work once it is back"
            }
            Trouble::Full => {
                "there is no space left to keep anything; nothing was changed, and whoever runs this site has to make some"
            }
            Trouble::Slow => {
                "the database took too long; nothing was changed, and asking for less, or later, may work"
            }
        }
    }

    /// When it is worth another try, in seconds.
    const fn retry(self) -> u64 {
        match self {
            Trouble::Unavailable | Trouble::Slow => 5,
            Trouble::Full => 60,
        }
    }
}

/// A link that may lead on from an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Suggestion {
    /// Address within this site.
    pub(crate) href: String,
    /// What is there.
    pub(crate) text: String,
}

/// The part of an error that is shown: RFC 9457 in JSON, a page in HTML.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// Status of the answer.
    pub(crate) status: StatusCode,
    /// Short, the same for all of its kind.
    pub(crate) title: &'static str,
    /// What happened this time.
    pub(crate) detail: String,
    /// Ways on.
    pub(crate) suggestions: Vec<Suggestion>,
}

impl Error {
    /// Any failure below that the reader cannot mend.
    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Internal(source.into())
    }

    fn problem(&self) -> Problem {
        let (status, title) = match self {
            Error::BadParameter { .. } => {
                (StatusCode::BAD_REQUEST, "This filter is not understood")
            }
            Error::BadToken => (StatusCode::BAD_REQUEST, "This page of the list is gone"),
            Error::NotFound { .. } => (StatusCode::NOT_FOUND, "Nothing found here"),
            Error::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "This page can only be read")
            }
            Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"),
            Error::AddressTooLong { .. } => (StatusCode::URI_TOO_LONG, "The address is too long"),
            Error::TooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, "This came too slowly"),
            Error::TimedOut { .. } => (StatusCode::SERVICE_UNAVAILABLE, "This took too long"),
            Error::Denied(Denied {
                lacks: Lacks::SignIn,
                ..
            }) => (StatusCode::UNAUTHORIZED, "Who are you?"),
            Error::Denied(_) => (StatusCode::FORBIDDEN, "Not allowed"),
            Error::BadCredential => (StatusCode::UNAUTHORIZED, "This token does not hold"),
            Error::CrossSite => (StatusCode::FORBIDDEN, "Not from this site"),
            Error::SignIn { .. } => (StatusCode::BAD_REQUEST, "You are not signed in"),
            Error::ProviderDown { .. } => (StatusCode::SERVICE_UNAVAILABLE, "Sign-in is down"),
            Error::BadForm { .. } => (StatusCode::BAD_REQUEST, "This form cannot be taken"),
            Error::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not sent as JSON"),
            Error::BadBody { .. } => (StatusCode::BAD_REQUEST, "This request cannot be read"),
            Error::BadHeader { .. } => (StatusCode::BAD_REQUEST, "This header cannot be taken"),
            Error::Undecidable { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "This cannot be decided")
            }
            Error::BadQuery { .. } => (StatusCode::BAD_REQUEST, "This query is not understood"),
            Error::Moved => (StatusCode::PRECONDITION_FAILED, "It changed meanwhile"),
            Error::TooOften { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too often"),
            Error::Database(Trouble::Unavailable, _) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The database is away")
            }
            Error::Database(Trouble::Full, _) => {
                (StatusCode::SERVICE_UNAVAILABLE, "No space is left")
            }
            Error::Database(Trouble::Slow, _) => {
                (StatusCode::SERVICE_UNAVAILABLE, "This took too long")
            }
            Error::Crowded => (StatusCode::SERVICE_UNAVAILABLE, "Many ask for this"),
            Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Something failed here"),
        };
        let suggestions = match self {
            Error::NotFound { near, .. } => near.clone(),
            Error::SignIn { .. }
            | Error::ProviderDown { .. }
            | Error::Denied(Denied {
                lacks: Lacks::SignIn,
                ..
            }) => vec![Suggestion {
                href: "/sign-in".to_owned(),
                text: "Sign in".to_owned(),
            }],
            _ => Vec::new(),
        };
        Problem {
            status,
            title,
            detail: self.to_string(),
            suggestions,
        }
    }
}

impl IntoResponse for Error {
    /// An empty answer with the problem beside it; the outermost layer knows in which form to write it.
    fn into_response(self) -> Response {
        if let Error::Internal(source) | Error::Database(_, source) = &self {
            tracing::error!(error = %Chain(source.as_ref()), "request failed");
        }
        let problem = self.problem();
        let mut response = problem.status.into_response();
        let headers = response.headers_mut();
        match &self {
            Error::TooOften { seconds } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Error::Database(trouble, _) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(trouble.retry()));
            }
            Error::Crowded | Error::TimedOut { .. } | Error::ProviderDown { .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(SOON));
            }
            // RFC 6750 section 3.
            Error::BadCredential => {
                let value = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, value);
            }
            Error::Denied(denied) if denied.lacks == Lacks::SignIn => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response.extensions_mut().insert(problem);
        response
    }
}

/// An error with its causes, in one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
