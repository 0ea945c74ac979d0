//! Lists bookings for staff.

use axum::extract::{OriginalUri, State};
use shared::{
    Result,
    bookings::{
        booking::Detail,
        search::{self, Filter},
    },
    database::Database,
    http::{ErrorBody, Paged, Paging, Query, Routes, routes},
    logging::name_bookings,
    staff::Staff,
};

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(list)
}

/// Lists bookings by appointment; of those at the same time, the newest first.
///
/// All filters must match. Without `page_size` at most 500 bookings: those with the latest appointments. `count` is how many
/// match; above 10,000 it is that, and `count_capped` is true.
#[utoipa::path(
    get, path = "/staff/bookings", operation_id = "list_bookings_for_staff", tag = "Staff", params(Filter, Paging),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Paged<Detail>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
    )
)]
async fn list(
    _: Staff,
    State(database): State<Database>,
    OriginalUri(uri): OriginalUri,
    Query((filter, paging)): Query<(Filter, Option<Paging>)>,
) -> Result<Paged<Detail>> {
    let (bookings, count) = search::find(&database, &filter, paging).await?;
    name_bookings(bookings.iter().map(|booking| booking.id.0));
    let bookings: Vec<Detail> = bookings.into_iter().map(Detail::for_staff).collect();
    Ok(Paged::counted("Bookings retrieved successfully", bookings, count, paging, &uri))
}
