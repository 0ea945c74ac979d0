//! The API as a whole: the one document that describes the routes of all functions.

use http::StatusCode;
use utoipa::openapi::{
    Components, Content, Info, OpenApi, Paths, Ref, RefOr, ResponseBuilder,
    path::{Operation, PathItem},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// Older clients call these doubled paths; the same handlers answer.
const OLD_PREFIXES: [&str; 6] = [
    "/api/vehicles/vehicle-",
    "/api/services/service",
    "/api/shop/shop-info",
    "/api/bookings/bookings",
    "/api/payments/payments",
    "/api/staff/staff",
];

/// What each function describes of itself, by the function's name.
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

/// The OpenAPI 3.1 document of all functions. Paths stand in it as the frontends call them: with a trailing slash.
pub fn document() -> OpenApi {
    let mut info = Info::new("RepairMyBike", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Bookings for a bike and scooter repair shop. Every path answers with and without its trailing slash. \
         Money is in rupees, times are the shop's, moments are UTC."
            .to_owned(),
    );
    let mut whole = OpenApi::new(info, Paths::new());
    for (_, part) in parts() {
        whole.merge(part);
    }
    let paths = std::mem::take(&mut whole.paths.paths);
    whole.paths.paths = paths.into_iter().map(|(path, item)| published(path, item)).collect();
    let session = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let session =
        session.description(Some("A session token, as signing in answers it; `X-Session-Token` does as well."));
    let components = whole.components.get_or_insert_with(Components::new);
    components.add_security_scheme("session", SecurityScheme::Http(session.build()));
    let staff_key = ApiKeyValue::with_description("X-API-Key", "A key of the staff.");
    components.add_security_scheme("staff_key", SecurityScheme::ApiKey(ApiKey::Header(staff_key)));
    whole
}

/// The document as it is committed.
pub fn document_text() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|text| text + "\n")
}

/// Whether only older clients call a path.
pub fn is_old(path: &str) -> bool {
    OLD_PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

fn published(path: String, mut item: PathItem) -> (String, PathItem) {
    for operation in operations(&mut item) {
        let failure = Content::new(Some(Ref::from_schema_name("ErrorBody")));
        let failure = ResponseBuilder::new().description("Any failure.").content("application/json", failure);
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response
                && response.description.is_empty()
            {
                reason(status).clone_into(&mut response.description);
            }
        }
        operation.responses.responses.insert("default".to_owned(), failure.build().into());
    }
    if is_old(&path) {
        for operation in operations(&mut item) {
            operation.deprecated = Some(utoipa::openapi::Deprecated::True);
            operation.operation_id = operation.operation_id.take().map(|id| id + "_at_old_path");
        }
    }
    let is_file = path == "/api/docs/{file}";
    (if is_file { path } else { path + "/" }, item)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// What a status means where the handler says no more; the specification wants a word for each.
fn reason(status: &str) -> &'static str {
    status.parse().ok().and_then(|status: StatusCode| status.canonical_reason()).unwrap_or_default()
}
