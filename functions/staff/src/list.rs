//! Lists bookings for staff.

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use shared::{
    Result,
    bookings::{
        booking::Detail,
        search::{self, Filter, Place},
    },
    database::Database,
    http::{Counted, ErrorBody, Listed, Paged, Paging, Query, Routes, routes},
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
/// page, or to its first if an order or a `limit` was asked for; `next` and `previous` lead on. They lead to each booking
/// once, also while others are booked, and a page deep in the list comes as fast as the first; by `page` it does not.
#[utoipa::path(
    get, path = "/staff/bookings", operation_id = "list_bookings_for_staff", tag = "Staff", params(Filter, Paging, Place),
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
    uri: Uri,
    headers: HeaderMap,
    Query((filter, (paging, place))): Query<(Filter, (Option<Paging>, Place))>,
) -> Result<Response> {
    let mut page = paging.map(|paging| (paging, place));
    let (mut listed, mut found) = find(&database, &headers, &filter, page).await?;
    if page.is_none()
        && let Some(first) = listed.fit()
    {
        page = Some(if filter.is_in_default_order() {
            let last = Paging { page: found.count.div_ceil(first.page_size), ..first };
            // A capped count does not tell the number of the last page.
            (last, if found.is_capped { Place::END } else { Place::default() })
        } else {
            (first, Place::default())
        });
        (listed, found) = find(&database, &headers, &filter, page).await?;
    }
    Ok(listed.end(found, page.map(|(paging, _)| paging), &uri))
}

async fn find(
    database: &Database,
    headers: &HeaderMap,
    filter: &Filter,
    page: Option<(Paging, Place)>,
) -> Result<(Listed<Detail>, Counted)> {
    let mut listed = Listed::begin("Bookings retrieved successfully", headers);
    let mut ids = Vec::new();
    let found = search::find(database, filter, page, |booking| {
        ids.push(booking.id);
        listed.push(&Detail::for_staff(booking));
    })
    .await?;
    name_bookings(ids);
    Ok((listed, found))
}
