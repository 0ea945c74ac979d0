//! The table of all addresses below `/b/`.

use axum::{
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderMap, header};
use shared::{Error, http::Routes};

use crate::{App, calendar, cancelling, language, moving, paying, proving, reminders, show};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// In lower case.
    pub method: &'static str,
    /// As routes have it, without a final slash.
    pub path: &'static str,
}

macro_rules! table {
    ($($name:ident: { $($method:ident $path:literal $handler:expr;)* })*) => {
        /// Every route of the function.
        pub const ROUTES: &[Route] = &[$($(Route { method: stringify!($method), path: $path },)*)*];

        $(
            #[expect(clippy::disallowed_methods, reason = "pages are no part of the API document")]
            fn $name() -> Routes<App> {
                Routes::new()$(.$method($path, $handler))*
            }
        )*
    };
}

table! {
    own: {
        get  "/b/{token}"             show::show;
        get  "/b/{token}/booking.ics" calendar::download;
        get  "/b/{token}/move"        moving::page;
        post "/b/{token}/move"        moving::move_to;
        get  "/b/{token}/cancel"      cancelling::page;
        post "/b/{token}/cancel"      cancelling::cancel;
        get  "/b/{token}/pay"         show::back;
        post "/b/{token}/pay"         paying::pay;
        get  "/b/{token}/code"        show::back;
        post "/b/{token}/code"        proving::send;
        get  "/b/{token}/code/check"  show::back;
        post "/b/{token}/code/check"  proving::check;
        get  "/b/{token}/reminders"   show::back;
        post "/b/{token}/reminders"   reminders::choose;
        get  "/b/{token}/language"    show::back;
        post "/b/{token}/language"    language::choose;
    }
    // Razorpay's page sends its form here. Its signature proves it.
    from_razorpay: {
        get  "/b/{token}/paid"        show::back;
        post "/b/{token}/paid"        paying::paid;
    }
}

pub(crate) fn router() -> Routes<App> {
    own().layer(&middleware::from_fn(refuse_foreign)).merge(from_razorpay())
}

/// Refuses a form of another site. A site that knows no token can send none, and no browser adds one by itself; so a form is let
/// in whose browser does not say where it comes from: old ones say nothing, and `null` because of our referrer policy.
async fn refuse_foreign(request: Request, next: Next) -> Response {
    let is_own = request.method().is_safe() || is_own(request.headers());
    if is_own { next.run(request).await } else { Error::PermissionDenied.into_response() }
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None | Some("null")) => true,
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST.as_str()),
    }
}
