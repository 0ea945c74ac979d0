//! Routes and, with the feature `openapi`, their description. A function that only serves neither builds the document
//! at each start nor carries the code for it.

#[doc(hidden)]
pub use utoipa_axum;

/// Routes of a function that need a state `S`, made by [`routes!`](crate::routes).
#[cfg(feature = "openapi")]
pub type Routes<S = ()> = utoipa_axum::router::OpenApiRouter<S>;

/// Routes of a function that need a state `S`, made by [`routes!`](crate::routes).
#[cfg(not(feature = "openapi"))]
pub type Routes<S = ()> = axum::Router<S>;

/// The [`Routes`] of handlers, at the methods and paths of their `#[utoipa::path]`: `routes!(list, show)`.
#[cfg(feature = "openapi")]
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::http::Routes::new()$(.routes($crate::http::named_once($crate::http::utoipa_axum::routes!($handler))))+
    };
}

/// The [`Routes`] of handlers, at the methods and paths of their `#[utoipa::path]`: `routes!(list, show)`.
#[cfg(not(feature = "openapi"))]
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::http::utoipa_axum::paste! {
            $crate::http::Routes::new()$(.merge($crate::http::route::<[<__path_ $handler>], _, _, _>($handler)))+
        }
    };
}

/// Routes that are no part of the API document, such as pages for people.
pub fn undocumented(router: axum::Router) -> Routes {
    #[cfg(feature = "openapi")]
    let router = Routes::from(router);
    router
}

/// The route of one handler, at the methods and path of `P`, the type that `#[utoipa::path]` generates for it.
#[cfg(not(feature = "openapi"))]
#[doc(hidden)]
#[expect(clippy::disallowed_methods, reason = "this is what all others are to use")]
pub fn route<P, H, T, S>(handler: H) -> Routes<S>
where
    P: utoipa::Path,
    H: axum::handler::Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    use axum::routing::{MethodFilter, on};
    use utoipa_axum::PathItemExt;

    match P::methods().iter().map(PathItemExt::to_method_filter).reduce(MethodFilter::or) {
        Some(methods) => Routes::new().route(&P::path(), on(methods, handler)),
        None => Routes::new(),
    }
}

/// Panics if two types give one name to different schemas: the document would keep only one of them, and every
/// generated client would send or expect the wrong body.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub fn named_once<S>(routes: utoipa_axum::router::UtoipaMethodRouter<S>) -> utoipa_axum::router::UtoipaMethodRouter<S> {
    for (name, schema) in &routes.0 {
        know(name, &serde_json::json!(schema));
    }
    routes
}

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
