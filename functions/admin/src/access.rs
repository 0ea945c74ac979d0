//! Who may use a route: checked before its handler runs, so that no handler can forget it.

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderMap, Method, Uri, header, request::Parts};
use shared::{
    Error, Result,
    http::{Device, RequestId},
};

use crate::{
    App,
    kit::page::redirect,
    session::{self, Person},
};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: signing in, style sheet and script.
    Anyone,
    /// People with the role `staff` or `admin`.
    Staff,
    /// People with the role `admin`.
    Admin,
    /// As `Admin`, and the password or a code was entered within 15 minutes.
    ProvedAdmin,
}

/// What [`check`] needs of a route.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) access: Access,
}

/// Lets a request pass to its handler if its session may use the route, with the [`Person`].
pub(crate) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if gate.access != Access::Anyone {
        match admit(&gate, &parts).await {
            Ok(Entry::Open(mut person)) => {
                person.request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
                parts.extensions.insert(person)
            }
            Ok(Entry::SignIn(again)) => return to_sign_in(&parts, again),
            Err(error) => return error.into_response(),
        };
    }
    next.run(Request::from_parts(parts, body)).await
}

enum Entry {
    Open(Person),
    /// Sign in first; `true` if a session lives and only its proof is too old.
    SignIn(bool),
}

async fn admit(gate: &Gate, parts: &Parts) -> Result<Entry> {
    let Some(person) = session::find(&gate.app, &parts.headers, &Device::of(parts)).await? else {
        return Ok(Entry::SignIn(false));
    };
    let may = if gate.access == Access::Staff { person.is_staff } else { person.is_admin };
    if !may {
        return Err(Error::PermissionDenied);
    }
    let is_stale = gate.access == Access::ProvedAdmin && !person.has_fresh_proof();
    Ok(if is_stale { Entry::SignIn(true) } else { Entry::Open(person) })
}

/// Leads to the sign-in page, and from there back: to the page, or, after a form, to the page that the form was on.
fn to_sign_in(parts: &Parts, again: bool) -> Response {
    let next = if parts.method == Method::GET { Some(here(&parts.uri)) } else { page_before(&parts.headers) };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next.as_deref().unwrap_or("/admin/"));
    if again {
        query.append_pair("again", "true");
    }
    redirect(&format!("/admin/sign-in/?{}", query.finish()))
}

/// Path and query of a request; its final slash was cut off on the way.
fn here(uri: &Uri) -> String {
    let (path, query) = (uri.path(), uri.query().map(|query| format!("?{query}")).unwrap_or_default());
    let slash = if path.ends_with('/') || path.strip_suffix(".csv").is_some() { "" } else { "/" };
    format!("{path}{slash}{query}")
}

/// Path and query of the page that a form was on.
pub(crate) fn page_before(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let (_, path) = referer.split_once("://")?.1.split_once('/')?;
    Some(format!("/{path}"))
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get().cloned().ok_or_else(|| Error::internal("a page for anyone asks who is there"))
    }
}

/// Refuses a request that could change something and says neither where it comes from nor what kind of site sent it:
/// the CSRF layer lets those pass, because browsers always say it.
pub(crate) async fn refuse_silent(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let says = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    if request.method().is_safe() || says { next.run(request).await } else { Error::PermissionDenied.into_response() }
}
