//! A customer books: one transaction from the key to the timeline.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result,
    bookings::{
        change,
        detail::{BookedService, Customer, Detail},
        facts,
        slot_usage::{self, Refused},
        status::{BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
    },
    database::Database,
    http::{ClientAddress, Envelope, ErrorBody, Json, Routes, routes},
    idempotency::{self, Key, MaybeKey},
    metrics::{self, Count},
    money::Money,
    throttle::{Claim, Throttle},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    App, Limits, Payments,
    access_token::AccessToken,
    caller::Caller,
    plan::{Draft, Line, Plan},
    reference,
};

/// Within it, an `Idempotency-Key` stands for one request.
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
/// A retry with the same `Idempotency-Key` and body gets the first answer again and books nothing.
#[utoipa::path(
    post, path = "/bookings", operation_id = "create_booking", tag = "Bookings", request_body = Json<Draft>,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters; makes a retry safe.")),
    security((), ("session" = [])),
    responses(
        (status = 201, body = Envelope<Created>),
        (status = 400, body = ErrorBody),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 409, description = "`SLOT_FULL` with free slots, or `IDEMPOTENCY_IN_PROGRESS`.", body = ErrorBody),
        (status = 422, description = "The key was used with another body.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn create(
    State(database): State<Database>,
    State(throttle): State<Throttle>,
    State(limits): State<Limits>,
    State(payments): State<Payments>,
    _: Caller,
    address: ClientAddress,
    MaybeKey(key): MaybeKey,
    Json(draft): Json<Draft>,
) -> Result<Response> {
    let phone = draft.customer_phone.as_ref().map(ToString::to_string);
    let of_phone = phone.iter().map(|phone| limits.bookings_per_phone.on(phone));
    let bookings: Vec<Claim<'_>> = of_phone.chain([limits.bookings_per_address.on(&address.0)]).collect();
    let reads = limits.public_reads.on(&address.0);
    throttle.check(&[bookings.as_slice(), &[reads]].concat()).await?;
    let mut transaction = database.begin().await?;
    let outcome = book(&mut transaction, draft, key.as_ref(), payments).await;
    let booked = change::end(transaction, &database, outcome).await;
    if matches!(booked, Ok(Booked::Now(_))) {
        metrics::count(Count::BookingsMade);
    } else {
        // Only bookings count: whoever mends a form, looks for a free slot or retries is not locked out.
        throttle.give_back(&bookings).await;
    }
    Ok(match booked? {
        Booked::Now(response) | Booked::Before(response) => response,
    })
}

/// What became of a request that was not refused.
enum Booked {
    /// A booking.
    Now(Response),
    /// Nothing new: the request was answered before.
    Before(Response),
}

/// The hot row of a booking is its slot, so that is locked last and only until the commit.
async fn book(
    connection: &mut PgConnection,
    draft: Draft,
    key: Option<&Key>,
    payments: Payments,
) -> Result<Booked, Refused> {
    let request_sha256 = draft.sha256;
    if let Some(answer) = idempotency::replay(connection, SCOPE, key, &request_sha256).await? {
        return Ok(Booked::Before(answer));
    }
    let facts = facts::load(&mut *connection, draft.question()).await?;
    let plan = draft.plan(&facts, payments)?;
    let capacity = facts.capacity(plan.job.location);
    let job = plan.job.clone();
    let created = insert(connection, plan).await?;
    slot_usage::take(connection, capacity, &job).await?;
    let answer = Envelope::new("Booking created successfully", created);
    Ok(Booked::Now(idempotency::answer(connection, SCOPE, key, StatusCode::CREATED, &answer).await?))
}

/// Writes customer, booking, lines, timeline and outbox. Of the customer only the number is kept: what an anonymous
/// caller says of name and e-mail belongs to this booking alone.
async fn insert(connection: &mut PgConnection, plan: Plan) -> Result<Created> {
    let reference = reference::generate()?;
    let token = AccessToken::generate()?;
    let services: Vec<i64> = plan.lines.iter().map(|line| line.service_id).collect();
    let prices: Vec<i64> = plan.lines.iter().map(|line| line.price_paise).collect();
    let row = sqlx::query!(
        r#"
        with customer as (
            insert into customers (phone) values ($1)
            on conflict (phone) do update set phone = excluded.phone
            returning id, created_at, updated_at
        ), booking as (
            insert into bookings (
                reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
                appointment_date, appointment_time, slot_times, duration_minutes, total_paise, payment_method, notes,
                access_token_sha256, access_token_expires_at
            )
            select $2, customer.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                (($8::date + $9::time) at time zone shop.time_zone) + interval '30 days'
            from customer, (select time_zone from shops order by id limit 1) as shop
            returning id, created_at, updated_at
        ), line as (
            insert into booking_services (booking_id, service_id, price_paise)
            select booking.id, wanted.service_id, wanted.price_paise
            from booking, unnest($16::bigint[], $17::bigint[]) with ordinality as wanted (service_id, price_paise, place)
            order by wanted.place
            returning id
        ), event as (
            insert into booking_events (booking_id, event, to_status, actor)
            select id, 'created', 'pending', 'customer' from booking
        ), message as (
            insert into outbox (kind, payload) select 'booking_created', jsonb_build_object('booking_id', id) from booking
        )
        select booking.id, booking.created_at, booking.updated_at, customer.id as customer_id,
            customer.created_at as customer_created_at, customer.updated_at as customer_updated_at,
            array(select id from line order by id) as "line_ids!"
        from booking, customer
        "#,
        plan.customer_phone.as_str(),
        reference,
        plan.customer_name,
        plan.customer_email,
        plan.model.id,
        plan.job.location as ServiceLocation,
        plan.address,
        plan.job.date,
        plan.job.time,
        &plan.job.slots,
        i32::try_from(plan.job.duration_minutes).map_err(Error::internal)?,
        plan.total_paise,
        plan.payment_method as PaymentMethod,
        plan.notes,
        &token.sha256(),
        &services,
        &prices
    )
    .fetch_one(connection)
    .await?;
    let booked = |(line, id): (Line, i64)| BookedService {
        id,
        service: line.service_id,
        service_name: line.service_name,
        category_name: line.category_name,
        price: Money::from_paise(line.price_paise),
        created_at: row.created_at,
    };
    let booking = Detail {
        id: row.id,
        reference,
        customer: Customer {
            id: row.customer_id,
            name: plan.customer_name,
            phone: plan.customer_phone.to_string(),
            email: plan.customer_email,
            created_at: row.customer_created_at,
            updated_at: row.customer_updated_at,
        },
        vehicle_model: plan.model.id,
        vehicle_model_name: plan.model.name,
        vehicle_brand_name: plan.model.brand,
        vehicle_type_name: plan.model.vehicle_type,
        service_location: plan.job.location,
        address: plan.address,
        appointment_date: plan.job.date,
        appointment_time: plan.job.time,
        total_amount: Money::from_paise(plan.total_paise),
        payment_method: plan.payment_method,
        payment_status: PaymentStatus::Pending,
        booking_status: BookingStatus::Pending,
        notes: plan.notes,
        booking_services: plan.lines.into_iter().zip(row.line_ids).map(booked).collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    Ok(Created { booking, access_token: token.reveal().to_owned() })
}
