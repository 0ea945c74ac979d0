//! Lists bookings for staff.

use axum::extract::{OriginalUri, State};
use shared::{
    Result,
    bookings::{
        booking::Detail,
        search::{self, Filter},
    },
    database::Database,
    http::{Counted, ErrorBody, Paged, Paging, Query, Routes, fit, routes},
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
/// match; above 10,000 it is that, and `count_capped` is true. A list that is too large for one answer is cut to its last
/// page, or to its first if an order or a `limit` was asked for; `next` and `previous` lead on.
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
    let (mut bookings, mut count) = find(&database, &filter, paging).await?;
    let mut paging = paging;
    if paging.is_none()
        && let Some(first) = fit(&mut bookings)
    {
        let is_default = filter.is_in_default_order();
        let last = count.count.div_ceil(first.page_size);
        paging = Some(Paging { page: if is_default { last } else { first.page }, ..first });
        // A capped count does not tell the number of the last page.
        let filter = if is_default && count.is_capped { filter.from_the_end() } else { filter };
        (bookings, count) = find(&database, &filter, paging).await?;
    }
    name_bookings(bookings.iter().map(|detail| detail.booking.id));
    Ok(Paged::counted("Bookings retrieved successfully", bookings, count, paging, &uri))
}

async fn find(database: &Database, filter: &Filter, paging: Option<Paging>) -> Result<(Vec<Detail>, Counted)> {
    let (bookings, count) = search::find(database, filter, paging).await?;
    Ok((bookings.into_iter().map(Detail::for_staff).collect(), count))
}
