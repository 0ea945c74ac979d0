//! The outer layers of every router: slashes, request ids, CORS, panics, deadline, body limit, JSON for unknown routes.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderName, HeaderValue, Method, header};
use tower::{Layer, util::option_layer};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowHeaders, AllowOrigin, CorsLayer},
    normalize_path::{NormalizePath, NormalizePathLayer},
};

use super::{
    Routes,
    failure::{Answers, lost},
    observe::{REQUEST_ID, observe},
    origin::Origin,
};
use crate::{
    Error,
    config::{self, Settings},
    database::{Database, Lost},
};

/// The largest request body of the API, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Timeout of a request, even if a dependency hangs: a stopped database is reported to the caller within 5 s.
pub const DEADLINE: Duration = Duration::from_millis(4500);

/// A router as it is served: paths with and without a trailing slash reach it without a redirect.
pub(super) type Stack = NormalizePath<Router>;

/// The configuration of the outer layers.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Origins whose pages may call with credentials, such as `https://shop.example`. `None` for pages that are called
    /// by cookie: no answer has a CORS header.
    pub cors_allowed_origins: Option<Vec<String>>,
    /// Renewed when its secrets expire.
    pub settings: Settings,
    /// Gets a new pool after a request that waited for it in vain.
    pub database: Database,
    /// Timeout of a request: [`DEADLINE`], or longer in functions that call third parties. Must be below the function's
    /// timeout.
    pub deadline: Duration,
    /// The largest request body that is read, in bytes: [`BODY_LIMIT`], or more where files are sent.
    pub body_limit: usize,
    /// How failures are answered.
    pub answers: Answers,
    /// Where the address of a caller comes from.
    pub origin: Origin,
}

impl Edge {
    /// Reads `CORS_ALLOWED_ORIGINS`, a comma-separated list.
    pub fn from_env(settings: Settings, database: Database) -> Self {
        Self { cors_allowed_origins: Some(config::list(config::CORS_ALLOWED_ORIGINS)), ..Self::new(settings, database) }
    }

    /// The layers of a function that answers no other origin.
    pub fn new(settings: Settings, database: Database) -> Self {
        Self {
            cors_allowed_origins: None,
            origin: Origin::from_settings(&settings),
            settings,
            database,
            deadline: DEADLINE,
            body_limit: BODY_LIMIT,
            answers: Answers::Json,
        }
    }
}

/// Wraps a router in the outer layers.
pub(super) fn stack(router: Routes, edge: Edge) -> Stack {
    #[cfg(feature = "openapi")]
    let router = Router::from(router);
    let cors = edge.cors_allowed_origins.as_deref().map(cors);
    let answers = edge.answers;
    let router = router
        .fallback(not_found)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(Arc::new(edge), within_limits))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(option_layer(cors))
        .layer(middleware::from_fn_with_state(answers, observe));
    NormalizePathLayer::trim_trailing_slash().layer(router)
}

/// The answer for an unknown path.
async fn not_found() -> Error {
    Error::NotFound("Page")
}

async fn within_limits(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    if let Some(viewer) = edge.origin.viewer(request.headers()) {
        request.extensions_mut().insert(viewer);
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let announced = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok()).unwrap_or_default();
    if announced.max(request.body().size_hint().lower()) > edge.body_limit as u64 {
        return Error::PayloadTooLarge.into_response();
    }
    let (database, settings) = (&edge.database, &edge.settings);
    let mut work = Box::pin(async {
        if settings.is_complete() {
            // The known secrets still work, so the request does not wait.
            tokio::join!(run(database, request, next), settings.renew_if_old()).0
        } else {
            settings.renew_if_old().await;
            run(database, request, next).await
        }
    });
    let Ok(response) = tokio::time::timeout(edge.deadline, &mut work).await else {
        // In this order, so that the request's connection returns to a closed pool.
        let given_up = database.renew();
        drop(work);
        given_up.close().await;
        return Error::Deadline.into_response();
    };
    if lost(&response) == Some(Lost::Pool) {
        database.renew().close().await;
    }
    response
}

/// Runs a request. A read is retried over a new connection if a restart of Postgres cut the old one or if the password
/// has changed.
async fn run(database: &Database, request: Request, next: Next) -> Response {
    if !request.method().is_safe() {
        let response = next.run(request).await;
        match lost(&response) {
            // This request may have had an effect, so only the next one uses the new connection or password.
            Some(Lost::Connection) => {
                database.renew();
            }
            Some(Lost::Login) => {
                database.renew_login().await;
            }
            Some(Lost::Pool) | None => {}
        }
        return response;
    }
    let (parts, _) = request.into_parts();
    let run = || next.clone().run(Request::from_parts(parts.clone(), Body::empty()));
    let mut response = run().await;
    if lost(&response) == Some(Lost::Connection) {
        database.renew();
        response = run().await;
    }
    if lost(&response) == Some(Lost::Login) && database.renew_login().await {
        response = run().await;
    }
    response
}

// The panic hook has logged the panic.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Error::internal("a handler panicked").into_response()
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        // Any: an app adds headers of its own, and only listed origins get an answer.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::ETAG,
            header::RETRY_AFTER,
            HeaderName::from_static("idempotency-replayed"),
            REQUEST_ID,
        ])
        .max_age(Duration::from_hours(1))
}
