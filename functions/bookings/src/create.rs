//! Creation of a booking by a customer, in one transaction from the idempotency key to the timeline.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Result,
    bookings::{
        self,
        booking::Detail,
        create::{Terms, create as create_booking},
        plan::{Draft, OnlinePayment},
        slot_usage::Refused,
        unproved::{self, Unproved},
    },
    customers,
    database::Database,
    http::{ClientAddress, Envelope, ErrorBody, Json, Routes, routes},
    idempotency::{self, Key, MaybeKey},
    language::Language,
    metrics::{self, Count},
    staff::Staff,
    throttle::{Claim, Throttle},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{App, Limits, caller::Caller};

/// Scope of an `Idempotency-Key`: the same key in another scope identifies another request.
const SCOPE: &str = "POST /api/bookings/";

pub(crate) fn routes() -> Routes<App> {
    routes!(create)
}

/// A new booking, and the token that opens it. The token is not shown again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedBooking)]
struct Created {
    #[serde(flatten)]
    booking: Detail,
    /// Send it as `?token=` or `X-Booking-Token`. Valid until 30 days after the appointment.
    access_token: String,
}

/// Makes a booking.
///
/// A retry with the same `Idempotency-Key` and body gets the first answer again and books nothing. With a staff credential
/// it is booked at the counter: at any minute of the opening hours, however near or far; `force` takes a full time, and the
/// timeline says by whom.
#[utoipa::path(
    post, path = "/bookings", operation_id = "create_booking", tag = "Bookings", request_body = Json<Draft>,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security((), ("session" = []), ("staff_key" = [])),
    responses(
        (status = 201, body = Envelope<Created>),
        (status = 400, body = ErrorBody),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 409, description = "`SLOT_FULL` with free slots, `PROOF_NEEDED` where the number is to be proved by a session, or `IDEMPOTENCY_IN_PROGRESS`.", body = ErrorBody),
        (status = 422, description = "The key was used with another body.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn create(
    State(database): State<Database>,
    State(throttle): State<Throttle>,
    State(limits): State<Limits>,
    State(online): State<OnlinePayment>,
    State(unproved): State<unproved::Limits>,
    caller: Caller,
    address: ClientAddress,
    MaybeKey(key): MaybeKey,
    Json(mut draft): Json<Draft>,
) -> Result<Response> {
    let key = key.or(draft.idempotency_key.take()).map(|key| key.of(&caller.of_key(draft.customer_phone.as_ref())));
    let phone = draft.customer_phone.as_ref().map(ToString::to_string);
    let of_phone = phone.iter().map(|phone| limits.bookings_per_phone.on(phone));
    let mut bookings: Vec<Claim<'_>> = of_phone.chain([limits.bookings_per_address.on(&address.0)]).collect();
    if caller.staff().is_some() {
        // At the counter all customers have one address.
        bookings.clear();
    }
    let is_own = phone.as_ref().is_some_and(|phone| caller.has_number(phone));
    let is_proved = is_own || caller.staff().is_some();
    // English is what phones are sold with, so it says nothing.
    let language = caller.language().filter(|language| is_own && *language != Language::English);
    let unproved = (!is_proved).then(|| Unproved::from_address(&address.0, unproved, &database));
    let reads = limits.public_reads.on(&address.0);
    if let Err(refusal) = throttle.check(&[bookings.as_slice(), &[reads]].concat()).await {
        throttle.check(&[reads]).await?;
        return kept(&database, key.as_ref(), &draft).await?.ok_or(refusal);
    }
    let actor = caller.staff().as_ref().map(Staff::actor);
    let terms = Terms::of(&mut draft, actor, online, unproved);
    let book =
        async |connection: &mut PgConnection| book(connection, draft, key.as_ref(), &caller, (&terms, language)).await;
    let booked = bookings::transaction(&database, book).await;
    if matches!(booked, Ok(Booked::Now(_))) {
        metrics::count(Count::BookingsMade);
        if terms.unproved.is_some() {
            metrics::count(Count::UnprovedBookings);
        }
    } else {
        // Only bookings that were made count: correcting a form, trying full slots or retrying must lock no caller out.
        throttle.give_back(&bookings).await;
    }
    Ok(match booked? {
        Booked::Now(response) | Booked::Before(response) => response,
    })
}

/// The answer that is kept for a retry, which the limits of bookings do not bind.
async fn kept(database: &Database, key: Option<&Key>, draft: &Draft) -> Result<Option<Response>> {
    let Some(key) = key else { return Ok(None) };
    idempotency::kept(&database.pool(), SCOPE, key, &draft.whole.sha256()).await
}

/// The answer to a request that was not refused.
enum Booked {
    /// The answer to a new booking.
    Now(Response),
    /// The replay of an earlier answer to the same key and body.
    Before(Response),
}

async fn book(
    connection: &mut PgConnection,
    draft: Draft,
    key: Option<&Key>,
    caller: &Caller,
    (terms, language): (&Terms, Option<Language>),
) -> Result<Booked, Refused> {
    if let Some(answer) = idempotency::replay(connection, SCOPE, key, &draft.whole).await? {
        return Ok(Booked::Before(answer));
    }
    let created = create_booking(connection, draft, terms).await?;
    if let Some(language) = language {
        customers::language::learn(&mut *connection, created.booking.customer.id, language).await?;
    }
    let shown =
        Created { booking: caller.detail(created.booking), access_token: created.access_token.reveal().to_owned() };
    let answer = Envelope::new("Booking created successfully", shown);
    Ok(Booked::Now(idempotency::answer(connection, SCOPE, key, StatusCode::CREATED, &answer).await?))
}
