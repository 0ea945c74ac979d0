//! The OpenAPI document of the whole API, merged from the routes of all functions.

mod publish;

use serde_json::Value;
use utoipa::openapi::OpenApi;

/// The OpenAPI document of each function, by the function's name.
pub fn parts() -> [(&'static str, OpenApi); 8] {
    [
        ("vehicles", vehicles::routes().into_openapi()),
        ("services", services::routes().into_openapi()),
        ("shop", shop::routes().into_openapi()),
        ("bookings", bookings::routes().into_openapi()),
        ("auth", auth::routes().into_openapi()),
        ("staff", staff::routes().into_openapi()),
        ("payments", payments::routes().into_openapi()),
        ("status", status::routes().into_openapi()),
    ]
}

/// The OpenAPI 3.1 document of all functions. Paths end with a slash, as the frontends call them.
pub fn document() -> Result<Value, serde_json::Error> {
    let mut whole = OpenApi::default();
    for (_, part) in parts() {
        whole.merge(part);
    }
    Ok(publish::published(serde_json::to_value(whole)?))
}

/// The document as committed in `functions/status/openapi.json`.
pub fn document_text() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&document()?).map(|text| text + "\n")
}
