//! Reads of bookings: one by id, or all of a phone number.

use axum::extract::{FromRef, FromRequestParts, State};
use lambda_http::http::{Uri, request::Parts};
use shared::{
    Error, Result,
    accounts::User,
    bookings::{Booking, booking::Detail, search::LONGEST_LIST},
    database::Database,
    http::{ClientAddress, Envelope, ErrorBody, Fields, Id, Paged, Paging, Query, Read, Routes, fit, routes},
    ids::BookingId,
    logging::name_bookings,
    phone::Phone,
    select_bookings,
    session::Sessions,
    staff::StaffKeys,
    throttle::Throttle,
};
use utoipa::IntoParams;

use crate::{App, Limits, caller::Caller};

pub(crate) fn routes() -> Routes<App> {
    routes!(list, show)
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfPhone {
    /// Any spelling of the number. Only with a session it may be left out: then the bookings are one's own.
    #[param(value_type = Option<String>, required = false, example = "9876543210")]
    phone: Phone,
}

impl Read for OfPhone {
    fn read(fields: &mut Fields) -> Option<Self> {
        let phone = fields.value("phone");
        Some(Self { phone: phone? })
    }
}

/// [`OfPhone`] with an optional phone, for callers with a session.
struct MaybeOfPhone(Option<OfPhone>);

impl Read for MaybeOfPhone {
    fn read(fields: &mut Fields) -> Option<Self> {
        if fields.has("phone") { OfPhone::read(fields).map(|of| Self(Some(of))) } else { Some(Self(None)) }
    }
}

/// The caller and the query of a request for a list of bookings.
struct Asked {
    caller: Caller,
    /// From the query; optional with a session only.
    phone: Option<Phone>,
    paging: Option<Paging>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked
where
    Sessions: FromRef<S>,
    StaffKeys: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let (phone, paging) = if caller.user().is_some() {
            let Query((MaybeOfPhone(of), paging)) =
                Query::<(MaybeOfPhone, _)>::from_request_parts(parts, state).await?;
            (of.map(|of| of.phone), paging)
        } else {
            let Query((of, paging)) = Query::<(OfPhone, _)>::from_request_parts(parts, state).await?;
            (Some(of.phone), paging)
        };
        Ok(Self { caller, phone, paging })
    }
}

/// Lists the bookings of a phone number, newest first.
///
/// Whole with a session that has proved the number, masked otherwise. With a session `phone` may be left out: then these are
/// the bookings of the session's own number.
#[utoipa::path(
    get, path = "/bookings", operation_id = "list_bookings", tag = "Bookings", params(OfPhone, Paging),
    security((), ("session" = [])),
    responses(
        (status = 200, body = Paged<Booking>),
        (status = 400, body = ErrorBody),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn list(
    State(database): State<Database>,
    State(throttle): State<Throttle>,
    State(limits): State<Limits>,
    Asked { caller, phone, paging }: Asked,
    address: ClientAddress,
    uri: Uri,
) -> Result<Paged<Booking>> {
    let is_of_a_phone = phone.is_some();
    let own_phone = || caller.user().and_then(User::verified_phone).unwrap_or_default().to_owned();
    let phone = phone.map_or_else(own_phone, |phone| phone.to_string());
    let is_own = caller.has_number(&phone);
    if is_of_a_phone && !is_own {
        throttle.check(&[limits.lookups.on(&address.0)]).await?;
    }
    let (limit, offset) = paging.map_or((LONGEST_LIST, 0), |paging| (paging.page_size, paging.offset()));
    let bookings = select_bookings!(
        "customer.phone = $1 order by booking.id desc limit $2 offset $3",
        phone,
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(offset).unwrap_or(i64::MAX),
    )
    .fetch_all(&database.pool())
    .await?;
    if is_own {
        name_bookings(bookings.iter().map(|booking| booking.id));
    }
    let shown = |booking: Booking| if is_own { booking } else { booking.masked() };
    let mut shown: Vec<Booking> = bookings.into_iter().map(shown).collect();
    let paging = paging.or_else(|| fit(&mut shown));
    let message = match (is_of_a_phone, shown.is_empty() && offset == 0) {
        (true, true) => "No bookings found for this phone number",
        (true, false) => "Booking history retrieved successfully",
        (false, _) => "Bookings retrieved successfully",
    };
    let Some(paging) = paging else {
        return Ok(Paged::whole(message, shown));
    };
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from bookings
        join customers on customers.id = bookings.customer_id
        where customers.phone = $1
        "#,
        phone
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Paged::page(message, shown, usize::try_from(count).unwrap_or_default(), paging, &uri))
}

/// Shows a booking.
///
/// Whole with the booking's token, the session of its owner or a staff credential; masked otherwise.
#[utoipa::path(
    get, path = "/bookings/{id}", operation_id = "show_booking", tag = "Bookings",
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token, for clients that cannot set `X-Booking-Token`."),
    ),
    security((), ("booking_token" = []), ("session" = []), ("staff_key" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 403, description = "A staff key was sent that is not valid.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn show(
    State(app): State<App>,
    caller: Caller,
    address: ClientAddress,
    Id(id): Id<BookingId>,
) -> Result<Envelope<Detail>> {
    // A wrong token counts against the same limit as no token, but only once the booking has been read.
    if caller.is_stranger() {
        app.throttle.check(&[app.limits.lookups.on(&address.0)]).await?;
    }
    let booking = caller.look_up(&app, &address, id, Caller::may_see).await?;
    let is_whole = booking.as_ref().is_some_and(|booking| caller.may_see(booking));
    let booking = booking.ok_or(Error::NotFound("Booking"))?;
    name_bookings([id]);
    let shown = if is_whole { caller.detail(booking) } else { Detail::for_customer(booking.masked()) };
    Ok(Envelope::new("Booking details retrieved successfully", shown))
}
