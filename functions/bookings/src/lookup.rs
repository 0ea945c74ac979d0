//! Looking at bookings: one, or all of a phone number.

use axum::extract::{OriginalUri, State};
use shared::{
    Error, Result,
    database::Database,
    error::ErrorBody,
    http::{ClientAddress, Envelope, Fields, Id, Paged, Paging, Query, Read},
    phone::Phone,
    throttle::Throttle,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App, Limits,
    caller::Caller,
    detail::{Detail, select_bookings},
};

/// No list is longer, whatever is asked for.
const LONGEST_LIST: usize = 500;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfPhone {
    /// Any spelling of the number.
    #[param(value_type = String, example = "9876543210")]
    phone: Phone,
}

impl Read for OfPhone {
    fn read(fields: &mut Fields) -> Option<Self> {
        let phone =
            fields.parsed("phone", |text| text.parse().map_err(|error: shared::phone::NotAPhone| error.to_string()));
        Some(Self { phone: phone? })
    }
}

/// Lists the bookings of a phone number, newest first, masked.
#[utoipa::path(
    get, path = "/bookings", operation_id = "list_bookings", tag = "Bookings", params(OfPhone, Paging),
    responses(
        (status = 200, body = Paged<Detail>),
        (status = 400, body = ErrorBody),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn list(
    State(database): State<Database>,
    State(throttle): State<Throttle>,
    State(limits): State<Limits>,
    _: Caller,
    address: ClientAddress,
    OriginalUri(uri): OriginalUri,
    Query((filter, paging)): Query<(OfPhone, Option<Paging>)>,
) -> Result<Paged<Detail>> {
    throttle.check(&[limits.lookups.on(&address.0)]).await?;
    let (limit, offset) = paging.map_or((LONGEST_LIST, 0), |paging| (paging.page_size, paging.offset()));
    let bookings = select_bookings!(
        "customer.phone = $1 order by booking.id desc limit $2 offset $3",
        filter.phone.as_str(),
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(offset).unwrap_or(i64::MAX),
    )
    .fetch_all(&database.pool())
    .await?;
    let masked: Vec<Detail> = bookings.into_iter().map(|booking| Detail::from(booking).masked()).collect();
    let message = if masked.is_empty() && offset == 0 {
        "No bookings found for this phone number"
    } else {
        "Bookings retrieved successfully"
    };
    let Some(paging) = paging else {
        return Ok(Paged::whole(message, masked));
    };
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from bookings
        join customers on customers.id = bookings.customer_id
        where customers.phone = $1
        "#,
        filter.phone.as_str()
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Paged::page(message, masked, usize::try_from(count).unwrap_or_default(), paging, &uri))
}

/// Shows a booking: whole to its owner, masked to anybody else.
#[utoipa::path(
    get, path = "/bookings/{id}", operation_id = "show_booking", tag = "Bookings",
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token."),
        ("X-Booking-Token" = Option<String>, Header, description = "The same."),
    ),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn show(
    State(database): State<Database>,
    State(throttle): State<Throttle>,
    State(limits): State<Limits>,
    caller: Caller,
    address: ClientAddress,
    Id(id): Id,
) -> Result<Envelope<Detail>> {
    // Whoever shows a token that is none is held to the same limit as whoever shows nothing.
    if matches!(caller, Caller::Stranger) {
        throttle.check(&[limits.lookups.on(&address.0)]).await?;
    }
    let booking = select_bookings!("booking.id = $1", id).fetch_optional(&database.pool()).await?;
    let is_own = booking.as_ref().is_some_and(|booking| caller.owns(booking));
    if !is_own && !matches!(caller, Caller::Stranger) {
        throttle.check(&[limits.lookups.on(&address.0)]).await?;
    }
    let detail = Detail::from(booking.ok_or(Error::NotFound("Booking"))?);
    Ok(Envelope::new("Booking retrieved successfully", if is_own { detail } else { detail.masked() }))
}
