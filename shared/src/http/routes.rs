//! Routes: which handler answers which method and path, and, with the feature `openapi`, what the document says of them.
//!
//! A flat list. Routers within routers would be built anew at each level, at each cold start.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    handler::Handler,
    response::{IntoResponse, Response},
};
use lambda_http::http::Method;
use tower::{Layer, Service, ServiceExt};
use utoipa::openapi::HttpMethod;
#[doc(hidden)]
pub use utoipa_axum;

use super::moved::Moved;

/// What [`Handler`] makes of a function.
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// What answers the requests of a route. Making one runs no code of the handler, so a start touches no page of it.
pub(super) trait Answers<S>: Send + Sync {
    fn answer(&self, request: Request, state: &S) -> Answering;
}

/// Routes of a function that need a state `S`, made by [`routes!`](crate::routes).
pub struct Routes<S = ()> {
    pub(super) routes: Vec<Route<S>>,
    #[cfg(feature = "openapi")]
    document: utoipa::openapi::OpenApi,
}

/// What answers a method of a path.
pub(super) struct Route<S> {
    pub(super) method: Method,
    /// As `matchit` reads it, such as `/api/bookings/{id}`.
    pub(super) path: String,
    /// Whether older clients call it elsewhere.
    pub(super) moved: Option<Moved>,
    pub(super) handler: Arc<dyn Answers<S>>,
}

/// The [`Routes`] of handlers, at the methods and paths of their `#[utoipa::path]`: `routes!(list, show)`.
#[cfg(feature = "openapi")]
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::http::utoipa_axum::paste! {
            $crate::http::Routes::new()
                $(.serve::<[<__path_ $handler>], _, _>(&$handler).describe($crate::http::utoipa_axum::routes!($handler)))+
        }
    };
}

/// The [`Routes`] of handlers, at the methods and paths of their `#[utoipa::path]`: `routes!(list, show)`.
#[cfg(not(feature = "openapi"))]
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::http::utoipa_axum::paste! {
            $crate::http::Routes::new()$(.serve::<[<__path_ $handler>], _, _>(&$handler))+
        }
    };
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    #[expect(clippy::new_without_default, reason = "no routes are no default")]
    pub fn new() -> Self {
        Self {
            routes: Vec::new(),
            #[cfg(feature = "openapi")]
            document: utoipa::openapi::OpenApi::default(),
        }
    }

    /// Adds a route that the document does not have, such as a page for people.
    #[must_use]
    pub fn on<H: Handler<T, S, Future = Answering>, T: 'static>(self, method: Method, path: &str, handler: H) -> Self {
        self.with(method, path.to_owned(), handler)
    }

    /// [`Self::on`] for `GET`.
    #[must_use]
    pub fn get<H: Handler<T, S, Future = Answering>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.with(Method::GET, path.to_owned(), handler)
    }

    /// [`Self::on`] for `POST`.
    #[must_use]
    pub fn post<H: Handler<T, S, Future = Answering>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.with(Method::POST, path.to_owned(), handler)
    }

    /// Adds a handler at the methods and the path of `P`, the type that `#[utoipa::path]` generates for it.
    #[doc(hidden)]
    #[must_use]
    pub fn serve<P: utoipa::Path, H: Handler<T, S, Future = Answering>, T: 'static>(self, handler: &H) -> Self {
        P::methods().iter().fold(self, |routes, method| routes.with(named(method), P::path(), handler.clone()))
    }

    #[inline]
    fn with<H: Handler<T, S, Future = Answering>, T: 'static>(self, method: Method, path: String, handler: H) -> Self {
        self.and(method, path, Arc::new(Extracting(handler, PhantomData)))
    }

    fn and(mut self, method: Method, path: String, handler: Arc<dyn Answers<S>>) -> Self {
        self.routes.push(Route { method, path, moved: None, handler });
        self
    }

    /// These routes and others.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        #[cfg(feature = "openapi")]
        self.document.merge(other.document);
        self
    }

    /// The same routes below a path.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        for route in &mut self.routes {
            route.path.insert_str(0, prefix);
        }
        #[cfg(feature = "openapi")]
        {
            self.document = utoipa::openapi::OpenApi::default().nest(prefix, self.document);
        }
        self
    }

    /// The same routes below `to`. Older clients call them below `from`, where the document does not show them and answers
    /// name the path to call instead.
    ///
    /// ```ignore
    /// list::routes().merge(show::routes()).moved("/api/vehicles", "/api")
    /// ```
    #[must_use]
    pub fn moved(mut self, from: &'static str, to: &'static str) -> Self {
        for route in &mut self.routes {
            route.moved = Some(Moved { from, to });
        }
        self.below(to)
    }

    /// The same routes with a layer around each.
    #[must_use]
    pub fn layer<L>(mut self, layer: &L) -> Self
    where
        L: Layer<Inside<S>> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Send + 'static,
    {
        for route in &mut self.routes {
            let inside = Arc::clone(&route.handler);
            route.handler = Arc::new(Layered { layer: layer.clone(), inside });
        }
        self
    }

    /// The routes with their state, ready to be served.
    pub fn with_state(self, state: S) -> Routes {
        let state = Arc::new(state);
        let given = |Route { method, path, moved, handler }: Route<S>| Route {
            method,
            path,
            moved,
            handler: Arc::new(Given { handler, state: Arc::clone(&state) }) as Arc<dyn Answers<()>>,
        };
        Routes {
            routes: self.routes.into_iter().map(given).collect(),
            #[cfg(feature = "openapi")]
            document: self.document,
        }
    }
}

impl<S> fmt::Debug for Routes<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.routes.iter().map(|route| (&route.method, &route.path))).finish()
    }
}

/// A handler, with the type of its extractors.
struct Extracting<H, T>(H, PhantomData<fn() -> T>);

impl<S: Clone, T, H: Handler<T, S, Future = Answering>> Answers<S> for Extracting<H, T> {
    fn answer(&self, request: Request, state: &S) -> Answering {
        self.0.clone().call(request, state.clone())
    }
}

/// A handler with its state.
struct Given<S> {
    handler: Arc<dyn Answers<S>>,
    state: Arc<S>,
}

impl<S: Send + Sync> Answers<()> for Given<S> {
    fn answer(&self, request: Request, (): &()) -> Answering {
        self.handler.answer(request, &self.state)
    }
}

/// A handler with a layer around it.
struct Layered<L, S> {
    layer: L,
    inside: Arc<dyn Answers<S>>,
}

impl<L, S> Answers<S> for Layered<L, S>
where
    S: Clone + Send + Sync,
    L: Layer<Inside<S>> + Send + Sync,
    L::Service: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Send + 'static,
{
    fn answer(&self, request: Request, state: &S) -> Answering {
        let service = self.layer.layer(Inside { handler: Arc::clone(&self.inside), state: state.clone() });
        Box::pin(async { service.oneshot(request).await.unwrap_or_else(|never| match never {}).into_response() })
    }
}

/// What a layer is around.
#[derive(Clone)]
pub struct Inside<S> {
    handler: Arc<dyn Answers<S>>,
    state: S,
}

impl<S> Service<Request> for Inside<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let answering = self.handler.answer(request, &self.state);
        Box::pin(async { Ok(answering.await) })
    }
}

fn named(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

#[cfg(feature = "openapi")]
impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Adds what the document says of a handler.
    #[doc(hidden)]
    #[must_use]
    pub fn describe(mut self, described: utoipa_axum::router::UtoipaMethodRouter<S>) -> Self {
        for (name, schema) in &described.0 {
            know(name, &serde_json::json!(schema));
        }
        self.document.merge(utoipa_axum::router::OpenApiRouter::new().routes(described).into_openapi());
        self
    }
}

#[cfg(feature = "openapi")]
impl<S> Routes<S> {
    /// What the document says of these routes.
    pub fn into_openapi(self) -> utoipa::openapi::OpenApi {
        self.document
    }

    /// Method and path of each route, and the path that older clients call, if there is one.
    pub fn list(&self) -> impl Iterator<Item = (&Method, &str, Option<String>)> {
        self.routes.iter().map(|route| {
            let former = route.moved.map(|moved| moved.former(&route.path));
            (&route.method, route.path.as_str(), former)
        })
    }
}

/// Panics if two types give one name to different schemas: the document would keep only one of them, and every generated
/// client would send or expect the wrong body.
#[cfg(feature = "openapi")]
fn know(name: &str, schema: &serde_json::Value) {
    use std::{
        collections::BTreeMap,
        sync::{Mutex, PoisonError},
    };
    static KNOWN: Mutex<BTreeMap<String, serde_json::Value>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let first = known.entry(name.to_owned()).or_insert_with(|| schema.clone());
    assert_eq!(first, schema, "two types are called {name} in the API document");
}

#[cfg(all(test, feature = "openapi"))]
mod tests {
    use serde_json::json;

    use super::know;

    #[test]
    #[should_panic(expected = "two types are called Wanted in the API document")]
    fn two_schemas_with_one_name_are_refused() {
        know("Wanted", &json!({ "type": "object", "properties": { "booking_id": { "type": "integer" } } }));
        know("Wanted", &json!({ "type": "object", "properties": { "amount": { "type": "string" } } }));
    }
}
