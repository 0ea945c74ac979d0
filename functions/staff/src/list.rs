//! Lists bookings for staff.

use axum::{extract::State, http::Uri};
use shared::{
    Result,
    bookings::{
        booking::Detail,
        search::{self, Filter, Place},
    },
    database::Database,
    http::{Counted, ErrorBody, Items, Paged, Paging, Query, Routes, routes},
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
    Query((filter, (paging, place))): Query<(Filter, (Option<Paging>, Place))>,
) -> Result<Paged<Detail>> {
    let mut page = paging.map(|paging| (paging, place));
    let (mut bookings, mut count) = find(&database, &filter, page).await?;
    if page.is_none()
        && let Some(first) = bookings.fit()
    {
        page = Some(if filter.is_in_default_order() {
            let last = Paging { page: count.count.div_ceil(first.page_size), ..first };
            // A capped count does not tell the number of the last page.
            (last, if count.is_capped { Place::END } else { Place::default() })
        } else {
            (first, Place::default())
        });
        (bookings, count) = find(&database, &filter, page).await?;
    }
    Ok(Paged::counted("Bookings retrieved successfully", bookings, count, page.map(|(paging, _)| paging), &uri))
}

async fn find(database: &Database, filter: &Filter, page: Option<(Paging, Place)>) -> Result<(Items<Detail>, Counted)> {
    let (mut ids, mut bookings) = (Vec::new(), Items::default());
    let counted = search::find(database, filter, page, |booking| {
        ids.push(booking.id);
        bookings.push(&Detail::for_staff(booking));
    })
    .await?;
    name_bookings(ids);
    Ok((bookings, counted))
}
