//! Who may come to which route: read from the table of routes, before any handler.
//!
//! Invariant: a route that the table does not name is answered to nobody; a handler can ask for more than the table
//! does, never for less.

use crate::error::Error;
use crate::people::Caller;
use crate::routes::ROUTES;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tracker_people::{Lacks, Permission};

/// Who may come to a route by a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Those who have this permission.
    Needs(Permission),
}

/// What a route answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page, with a twin at the same path with `.json` behind it.
    Page,
    /// A page of one's own, without a twin.
    Own,
    /// What a form leads to.
    Form,
    /// A feed, a picture, a file.
    File,
    /// A resource of the API.
    Api,
}

/// A line of the table of routes.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The pattern of its path.
    pub path: &'static str,
    /// What it answers with.
    pub kind: Kind,
    /// By which methods it is asked, and who may; `get` includes `HEAD`.
    pub methods: &'static [(&'static str, Access)],
}

impl Route {
    /// Who may come to it by a method; nothing if it has no such method.
    fn access(&self, method: &Method) -> Option<Access> {
        let word = match *method {
            Method::HEAD => "get",
            _ => method.as_str(),
        };
        let mut methods = self.methods.iter();
        methods
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, access)| *access)
    }
}

/// Lets a request on to its handler if the caller may.
pub(crate) async fn enforce(caller: Caller, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let matched = matched.map_or("", MatchedPath::as_str);
    let Some(route) = ROUTES.iter().find(|route| route.path == matched) else {
        return Error::internal(format!("the table of routes has no `{matched}`")).into_response();
    };
    let page = wants_page(&request);
    match route.access(request.method()) {
        // The router says that there is no such method.
        None | Some(Access::Open) => {}
        Some(Access::Needs(permission)) => {
            if let Err(denied) = caller.check(permission) {
                let reads = request.method() == Method::GET && route.kind != Kind::Api;
                if denied.lacks == Lacks::SignIn && reads && page {
                    return to_sign_in(&request);
                }
                return Error::Denied(denied).into_response();
            }
        }
    }
    // Whoever asks for data must not be handed a page for it.
    if route.kind == Kind::Own && !page {
        return Error::NotFound {
            kind: "page",
            name: format!("{}.json", request.uri().path()),
            near: Vec::new(),
        }
        .into_response();
    }
    next.run(request).await
}

fn wants_page(request: &Request) -> bool {
    request.extensions().get::<crate::twin::Format>().is_none()
}

fn to_sign_in(request: &Request) -> Response {
    let here = request.uri().path_and_query();
    let here = here.map_or("/", |here| here.as_str());
    let next = crate::path::query_value(here);
    let mut response = Redirect::to(&format!("/sign-in?next={next}")).into_response();
    let kept = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}
