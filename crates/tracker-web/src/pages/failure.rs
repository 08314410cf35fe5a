//! The page of an error: what happened, and a way out.

use super::{Account, Link, Shell};
use crate::components::Marked;
use crate::error::Problem;
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug, Template)]
#[template(path = "failure.html")]
struct FailurePage {
    shell: Shell,
    status: u16,
    title: &'static str,
    detail: Marked,
    suggestions: Vec<Link>,
    /// Where the search goes, and what it is for.
    packages: bool,
}

/// A problem as a page.
pub(crate) fn page(problem: &Problem, path: &str, account: Account) -> Response {
    let page = FailurePage {
        shell: Shell::elsewhere(account),
        status: problem.status.as_u16(),
        title: problem.title,
        detail: Marked::new(&sentence(&problem.detail)),
        suggestions: problem
            .suggestions
            .iter()
            .map(|suggestion| Link::new(&*suggestion.href, &*suggestion.text))
            .collect(),
        packages: path.starts_with("/packages"),
    };
    match page.render() {
        Ok(body) => (
            problem.status,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            body,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "error page failed");
            (StatusCode::INTERNAL_SERVER_ERROR, problem.title).into_response()
        }
    }
}

/// A problem as RFC 9457 `application/problem+json`. Its type is `about:blank`: the status says what kind it is.
pub(crate) fn document(problem: &Problem, path: &str) -> Response {
    let mut body = json!({
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status.as_u16(),
        "detail": sentence(&problem.detail),
        "instance": path,
    });
    if !problem.suggestions.is_empty() {
        body["suggestions"] = json!(problem.suggestions);
    }
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (problem.status, kind, format!("{body:#}\n")).into_response()
}

/// An error's message as a sentence of a page.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
