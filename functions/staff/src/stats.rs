//! Counts bookings and money, for the first page that the staff see.

use axum::extract::State;
use serde::Serialize;
use shared::{
    Result,
    database::Database,
    http::{Envelope, ErrorBody, Routes, routes},
    money::Money,
    staff::Staff,
};
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(show)
}

/// How the shop is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingStatistics)]
struct Stats {
    total_bookings: i64,
    booking_status: ByStatus,
    payment_status: ByPayment,
    revenue: Revenue,
    /// Refunds that Razorpay would not do, with money that has not been sent back since.
    failed_refunds: i64,
    /// Appointments of today that are not cancelled.
    today: i64,
    /// Appointments of later days that are pending or confirmed.
    upcoming: i64,
}

/// How many bookings are in which status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingsByStatus)]
struct ByStatus {
    pending: i64,
    confirmed: i64,
    in_progress: i64,
    completed: i64,
    cancelled: i64,
}

/// How many bookings are paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingsByPayment)]
struct ByPayment {
    pending: i64,
    completed: i64,
    refunded: i64,
}

/// Money that has come in less what of it has gone back or is about to, in rupees with two places, by when it came in. Days
/// and months are the shop's.
#[derive(Debug, Serialize, ToSchema)]
struct Revenue {
    #[schema(value_type = String, example = "750.10")]
    total: Money,
    #[schema(value_type = String, example = "750.10")]
    today: Money,
    #[schema(value_type = String, example = "750.10")]
    this_month: Money,
}

/// Counts bookings and money.
///
/// Days and months are the shop's.
#[utoipa::path(
    get, path = "/staff/bookings/stats", operation_id = "show_booking_statistics", tag = "Staff",
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Stats>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
    )
)]
async fn show(_: Staff, State(database): State<Database>) -> Result<Envelope<Stats>> {
    let pool = database.pool();
    let counted = sqlx::query!(
        r#"
        select count(*) as "total!",
            count(*) filter (where booking_status = 'pending') as "pending!",
            count(*) filter (where booking_status = 'confirmed') as "confirmed!",
            count(*) filter (where booking_status = 'in_progress') as "in_progress!",
            count(*) filter (where booking_status = 'completed') as "completed!",
            count(*) filter (where booking_status = 'cancelled') as "cancelled!",
            count(*) filter (where payment_status = 'pending') as "unpaid!",
            count(*) filter (where payment_status = 'completed') as "paid!",
            count(*) filter (where payment_status = 'refunded') as "refunded!",
            count(*) filter (where appointment_date = clock.today and booking_status <> 'cancelled') as "today!",
            count(*) filter (
                where appointment_date > clock.today and booking_status in ('pending', 'confirmed')
            ) as "upcoming!",
            (
                select count(*) from refunds refund join captures capture on capture.id = refund.capture_id
                where refund.state = 'failed' and capture.refunded_paise < capture.amount_paise
                    and not exists (
                        select from refunds again
                        where again.capture_id = capture.id and again.id > refund.id and again.state <> 'failed'
                    )
            ) as "failed_refunds!"
        from bookings, (select (now() at time zone time_zone)::date as today from shops order by id limit 1) as clock
        "#
    )
    .fetch_one(&pool)
    .await?;
    let revenue = sqlx::query_as!(
        Revenue,
        r#"
        select coalesce(sum(kept), 0)::bigint as "total!: Money",
            coalesce(sum(kept) filter (where captured_at >= clock.day), 0)::bigint as "today!: Money",
            coalesce(sum(kept) filter (where captured_at >= clock.month), 0)::bigint as "this_month!: Money"
        from (
            select captured_at, amount_paise - refunded_paise as kept from captures where state = 'captured'
        ) as capture, (
            select date_trunc('day', now(), time_zone) as day, date_trunc('month', now(), time_zone) as month
            from shops order by id limit 1
        ) as clock
        "#
    )
    .fetch_one(&pool)
    .await?;
    let stats = Stats {
        total_bookings: counted.total,
        booking_status: ByStatus {
            pending: counted.pending,
            confirmed: counted.confirmed,
            in_progress: counted.in_progress,
            completed: counted.completed,
            cancelled: counted.cancelled,
        },
        payment_status: ByPayment { pending: counted.unpaid, completed: counted.paid, refunded: counted.refunded },
        revenue,
        failed_refunds: counted.failed_refunds,
        today: counted.today,
        upcoming: counted.upcoming,
    };
    Ok(Envelope::new("Booking statistics retrieved successfully", stats))
}
