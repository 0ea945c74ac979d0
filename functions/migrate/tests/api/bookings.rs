//! Cancelling all bookings that a filter finds.

use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::{app, handle, persons::book};

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_that_a_filter_finds_are_cancelled_if_they_are_as_many_as_was_said(pool: PgPool) {
    let id = book(&pool, "pending").await;
    let app = app(&pool);
    let event =
        |filter, count| json!({ "action": "cancel_bookings", "filter": filter, "count": count, "reason": "Invented" });
    let refused = handle(&app, event(json!({ "status": "moon" }), 1)).await.unwrap_err();
    assert!(refused.starts_with("the filter does not fit: {\"status\""), "{refused}");
    assert!(handle(&app, event(json!({ "status": "pending" }), 2)).await.is_err());
    let status = "select booking_status::text from bookings";
    assert_eq!(sqlx::query_scalar::<_, String>(status).fetch_one(&pool).await.unwrap(), "pending");
    let result = json!({ "id": id, "reference": "RMB-7K3QX-9ZD2A", "outcome": "done", "booking_status": "cancelled" });
    assert_eq!(
        handle(&app, event(json!({ "status": "pending" }), 1)).await,
        Ok(json!({ "action": "cancel_bookings", "results": [result] }))
    );
    assert_eq!(sqlx::query_scalar::<_, String>(status).fetch_one(&pool).await.unwrap(), "cancelled");
}
