//! A function that does what no other one does: it panics, and answers as many bytes as its query asks for.

use axum::http::Uri;
use shared::{config::Settings, database::Database, http, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let database = Database::from_settings(&settings)?;
    http::serve(routes(), http::Edge::new(settings, database)).await
}

#[expect(clippy::disallowed_methods, reason = "no part of the API")]
fn routes() -> http::Routes {
    http::Routes::new().get("/panic", panic).get("/bytes", bytes)
}

#[expect(clippy::panic, reason = "what this route is for")]
async fn panic() -> String {
    panic!("on purpose")
}

async fn bytes(uri: Uri) -> String {
    "x".repeat(uri.query().and_then(|count| count.parse().ok()).unwrap_or_default())
}
