//! Somebody wants to pay a booking: the one order that is open for it.

use std::time::Duration;

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result,
    bookings::{
        change,
        slot_usage::Refused,
        status::{BookingStatus, PaymentStatus},
    },
    database::Database,
    http::{ClientAddress, Envelope, ErrorBody, Fields, Json, Read, Routes, private_json, routes},
    money::Rupees,
    razorpay::{Failure, Order, Razorpay, SERVICE},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{App, Enabled};

/// All that is asked of Razorpay for an order ends by then: a transaction waits meanwhile, and Postgres ends one that is
/// idle for ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

pub(crate) fn routes() -> Routes<App> {
    routes!(create)
}

/// The booking to pay.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "booking_id": 1 }))]
struct OrderRequest {
    booking_id: i64,
}

impl Read for OrderRequest {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { booking_id: fields.integer("booking_id")? })
    }
}

/// What the checkout needs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentOrder)]
struct ToPay {
    /// Razorpay's.
    #[schema(example = "order_Q0AaBbCcDdEeFf")]
    order_id: String,
    /// Rupees.
    #[schema(value_type = f64, example = 750.1)]
    amount: Rupees,
    /// The same in paise.
    #[schema(example = 75010)]
    amount_paise: i64,
    #[schema(example = "INR")]
    currency: String,
    /// The public half of the shop's key.
    key_id: String,
}

/// An order as it is kept.
struct Kept {
    id: i64,
    order_id: Option<String>,
    receipt: String,
    amount_paise: i64,
    currency: String,
}

/// Makes the order that a booking is paid by, or answers the one that is open.
///
/// Paying needs no proof: the answer tells the amount only. Open Razorpay's checkout with `order_id` and `key_id`, then send
/// what it returns to `verify/`.
#[utoipa::path(
    post, path = "/razorpay/create-order", operation_id = "create_order", tag = "Payments", request_body = Json<OrderRequest>,
    responses(
        (status = 200, description = "The order that was open already.", body = Envelope<ToPay>),
        (status = 201, body = Envelope<ToPay>),
        (status = 400, description = "`PAYMENTS_DISABLED`, or fields at fault.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`ALREADY_PAID` or `BOOKING_CANCELLED`.", body = ErrorBody),
        (status = 429, body = ErrorBody),
        (status = 502, body = ErrorBody),
    )
)]
async fn create(
    Enabled(razorpay): Enabled,
    State(app): State<App>,
    address: ClientAddress,
    Json(wanted): Json<OrderRequest>,
) -> Result<Response> {
    app.throttle.check(&[app.orders_per_address.on(&address.0)]).await?;
    let (kept, is_new) = reserve(&app.database, wanted.booking_id).await?;
    let (order_id, status) = match kept.order_id.clone() {
        Some(order_id) => (order_id, StatusCode::OK),
        None => ask(&app.database, &razorpay, &kept, is_new).await?,
    };
    let order = ToPay {
        order_id,
        amount: Rupees::from(kept.amount_paise),
        amount_paise: kept.amount_paise,
        currency: kept.currency,
        key_id: razorpay.key_id()?,
    };
    Ok(private_json(status, &Envelope::new("Payment order created successfully", order)))
}

/// Notes that an order is wanted, once per booking. What is noted outlives us, whatever comes of asking Razorpay.
async fn reserve(database: &Database, booking_id: i64) -> Result<(Kept, bool)> {
    let mut transaction = database.begin().await?;
    let outcome = note(&mut transaction, booking_id).await;
    change::end(transaction, database, outcome.map_err(Refused::from)).await
}

async fn note(connection: &mut PgConnection, booking_id: i64) -> Result<(Kept, bool)> {
    let booking = change::lock(connection, booking_id).await?;
    if booking.payment_status != PaymentStatus::Pending {
        return Err(Error::AlreadyPaid);
    }
    if booking.booking_status == BookingStatus::Cancelled {
        return Err(Error::BookingCancelled);
    }
    let open = sqlx::query_as!(
        Kept,
        r#"
        select id, order_id, receipt as "receipt!", amount_paise, currency from payments
        where booking_id = $1 and method = 'razorpay' and state = 'open'
        "#,
        booking_id
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(Kept { id, order_id: Some(_), .. }) = open {
        // It may be paid from now on, so it is looked after from now on.
        sqlx::query!("update payments set updated_at = now() where id = $1", id).execute(&mut *connection).await?;
    }
    Ok(match open {
        Some(open) => (open, false),
        None => (insert(connection, booking_id, booking.total_amount.paise()).await?, true),
    })
}

async fn insert(connection: &mut PgConnection, booking_id: i64, amount_paise: i64) -> Result<Kept> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    // At most 40 characters, and no other order of the account has it.
    let receipt = format!("booking-{booking_id}-{:012x}", u64::from_be_bytes(bytes) >> 16);
    let kept = sqlx::query_as!(
        Kept,
        r#"
        insert into payments (booking_id, method, amount_paise, receipt, actor) values ($1, 'razorpay', $2, $3, 'razorpay')
        returning id, order_id, receipt as "receipt!", amount_paise, currency
        "#,
        booking_id,
        amount_paise,
        receipt
    )
    .fetch_one(connection)
    .await?;
    Ok(kept)
}

/// Gets the order from Razorpay. The transaction is open meanwhile, on purpose: it holds the one row that makes others
/// who ask for the same order wait, and a function that is killed lets go of it.
async fn ask(database: &Database, razorpay: &Razorpay, kept: &Kept, is_new: bool) -> Result<(String, StatusCode)> {
    let mut transaction = database.begin().await?;
    let outcome = obtain(&mut transaction, razorpay, kept, is_new).await;
    change::end(transaction, database, outcome.map_err(Refused::from)).await
}

async fn obtain(
    connection: &mut PgConnection,
    razorpay: &Razorpay,
    kept: &Kept,
    is_new: bool,
) -> Result<(String, StatusCode)> {
    let known = sqlx::query!(
        r#"select order_id, state = 'closed' as "is_closed!" from payments where id = $1 for update"#,
        kept.id
    )
    .fetch_one(&mut *connection)
    .await?;
    if known.is_closed {
        // Since it was noted.
        return Err(Error::BookingCancelled);
    }
    if let Some(order_id) = known.order_id {
        return Ok((order_id, StatusCode::OK));
    }
    let made = tokio::time::timeout(PATIENCE, make(razorpay, kept, is_new)).await;
    let order = made.unwrap_or(Err(Error::UpstreamTimeout { service: SERVICE }))?;
    sqlx::query!("update payments set order_id = $2, updated_at = now() where id = $1", kept.id, order.id)
        .execute(connection)
        .await?;
    Ok((order.id, StatusCode::CREATED))
}

async fn make(razorpay: &Razorpay, kept: &Kept, is_new: bool) -> Result<Order> {
    // One who asked before may have been killed before the answer came.
    let lost = if is_new { None } else { find(razorpay, kept).await? };
    if let Some(order) = lost {
        return Ok(order);
    }
    match razorpay.create_order(kept.amount_paise, &kept.currency, &kept.receipt).await {
        Ok(order) => Ok(order),
        Err(failure @ Failure::Refused { .. }) => Err(failure.into()),
        Err(Failure::Unknown(error)) => find(razorpay, kept).await.ok().flatten().ok_or(error),
    }
}

/// The order that Razorpay made although its answer was lost.
async fn find(razorpay: &Razorpay, kept: &Kept) -> Result<Option<Order>> {
    let orders = razorpay.orders_with_receipt(&kept.receipt).await?;
    Ok(orders.into_iter().find(|order| order.amount == kept.amount_paise && order.currency == kept.currency))
}
