//! What surrounds all routes: request ids, CORS, panics, deadline, body limit.
//!
//! Plain functions around one call of a route: each layer of a router would cost an allocation and a copy of all that is
//! inside it, per request.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use lambda_http::http::{HeaderName, HeaderValue, Method, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::{
    Routes,
    encoding::Encoding,
    failure::{Answers, lost},
    observe::{REQUEST_ID, observe},
    origin::Origin,
    table::Table,
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

/// How routes are surrounded.
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

    /// That of a function that answers no other origin.
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

/// Routes as they are served.
pub(super) struct Stack {
    table: Table,
    cors: Option<CorsLayer>,
    edge: Edge,
}

impl Stack {
    pub(super) fn new(routes: Routes, edge: Edge) -> Self {
        Self { table: Table::new(routes), cors: edge.cors_allowed_origins.as_deref().map(cors), edge }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request) -> Response {
        observe(self.edge.answers, request, async |mut request| {
            let encoding = Encoding::of(&mut request);
            let response = match &self.cors {
                Some(cors) => {
                    let inside = service_fn(|request| async { Ok::<_, Infallible>(self.survive(request).await) });
                    cors.layer(inside).oneshot(request).await.unwrap_or_else(|never| match never {})
                }
                None => self.survive(request).await,
            };
            encoding.apply(response).await
        })
        .await
    }

    /// Answers also if a handler panics.
    async fn survive(&self, request: Request) -> Response {
        let answer = AssertUnwindSafe(self.within_limits(request)).catch_unwind().await;
        // The panic hook has logged the panic.
        answer.unwrap_or_else(|_| Error::internal("a handler panicked").into_response())
    }

    async fn within_limits(&self, mut request: Request) -> Response {
        let Edge { database, settings, deadline, body_limit, origin, .. } = &self.edge;
        if let Some(viewer) = origin.viewer(request.headers()) {
            request.extensions_mut().insert(viewer);
        }
        let length = request.headers().get(header::CONTENT_LENGTH);
        let announced = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok()).unwrap_or_default();
        if announced.max(request.body().size_hint().lower()) > *body_limit as u64 {
            return Error::PayloadTooLarge.into_response();
        }
        let in_time = {
            let work = pin!(async {
                if settings.is_complete() {
                    // The known secrets still work, so the request does not wait.
                    tokio::join!(self.run(request), settings.renew_if_old()).0
                } else {
                    settings.renew_if_old().await;
                    self.run(request).await
                }
            });
            // The pool is closed before the work is dropped, so that its connection returns to a closed pool.
            tokio::time::timeout(*deadline, work).await.map_err(|_| database.renew())
        };
        match in_time {
            Ok(response) => {
                if lost(&response) == Some(Lost::Pool) {
                    database.renew().close().await;
                }
                response
            }
            Err(given_up) => {
                given_up.close().await;
                Error::Deadline.into_response()
            }
        }
    }

    /// Runs a request. A read is retried over a new connection if a restart of Postgres cut the old one or if the password
    /// has changed.
    async fn run(&self, request: Request) -> Response {
        let database = &self.edge.database;
        if !request.method().is_safe() {
            let response = self.table.answer(request).await;
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
        let run = || self.table.answer(Request::from_parts(parts.clone(), Body::empty()));
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
