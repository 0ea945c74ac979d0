//! Routes, and with the feature `openapi` what describes them: a function that only serves does not build the document
//! at each start, nor carry the code that does.

#[doc(hidden)]
pub use utoipa_axum;

/// Routes of a function that want a state `S`, as [`routes!`](crate::routes) makes them.
#[cfg(feature = "openapi")]
pub type Routes<S = ()> = utoipa_axum::router::OpenApiRouter<S>;

/// Routes of a function that want a state `S`, as [`routes!`](crate::routes) makes them.
#[cfg(not(feature = "openapi"))]
pub type Routes<S = ()> = axum::Router<S>;

/// The [`Routes`] of handlers, at the methods and paths that their `#[utoipa::path]` names: `routes!(list, show)`.
#[cfg(feature = "openapi")]
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::http::Routes::new()$(.routes($crate::http::utoipa_axum::routes!($handler)))+
    };
}

/// The [`Routes`] of handlers, at the methods and paths that their `#[utoipa::path]` names: `routes!(list, show)`.
#[cfg(not(feature = "openapi"))]
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::http::utoipa_axum::paste! {
            $crate::http::Routes::new()$(.merge($crate::http::route::<[<__path_ $handler>], _, _, _>($handler)))+
        }
    };
}

/// One handler where `P`, which `#[utoipa::path]` makes of it, says.
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
