//! Booking counts and revenue, for the staff start page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{database::Database, money::Money};

/// How the shop is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingStatistics)]
pub struct Statistics {
    pub total_bookings: i64,
    pub booking_status: ByStatus,
    pub payment_status: ByPayment,
    pub revenue: Revenue,
    /// Refunds that Razorpay would not do, with money that has not been sent back since.
    pub failed_refunds: i64,
    /// Online payments whose amount or currency is not that of their order, and that are not settled yet.
    pub payment_mismatches: i64,
    /// Payments that a customer's bank wants back, and that the shop must answer for.
    pub open_disputes: i64,
    /// Appointments of today that are not cancelled.
    pub today: i64,
    /// Appointments of later days that are pending or confirmed.
    pub upcoming: i64,
}

/// How many bookings are in which status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingsByStatus)]
pub struct ByStatus {
    pub pending: i64,
    pub confirmed: i64,
    pub in_progress: i64,
    pub completed: i64,
    pub cancelled: i64,
}

/// How many bookings are paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingsByPayment)]
pub struct ByPayment {
    pub pending: i64,
    pub completed: i64,
    pub refunded: i64,
}

/// Money that has come in less what of it has gone back or is about to, in rupees with two places, by when it came in. Days
/// and months are the shop's.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revenue {
    #[schema(value_type = String, example = "750.10")]
    pub total: Money,
    #[schema(value_type = String, example = "750.10")]
    pub today: Money,
    #[schema(value_type = String, example = "750.10")]
    pub this_month: Money,
}

/// Counts bookings and sums revenue.
pub async fn count(database: &Database) -> sqlx::Result<Statistics> {
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
            count(*) filter (where is_on(booking, clock.today)) as "today!",
            count(*) filter (where is_upcoming(booking, clock.today)) as "upcoming!",
            (select count(*) from money_failed_refunds where state = 'failed') as "failed_refunds!",
            (select count(*) from money_misfits) as "payment_mismatches!",
            (select count(*) from money_disputes) as "open_disputes!"
        from bookings booking, (select (now() at time zone time_zone)::date as today from shops where id = shop_id()) as clock
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
            select captured_at, amount_paise - refunded_paise as kept from captures
            where state = 'captured' and currency = 'INR'
        ) as capture, (
            select date_trunc('day', now(), time_zone) as day, date_trunc('month', now(), time_zone) as month
            from shops where id = shop_id()
        ) as clock
        "#
    )
    .fetch_one(&pool)
    .await?;
    Ok(Statistics {
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
        payment_mismatches: counted.payment_mismatches,
        open_disputes: counted.open_disputes,
        today: counted.today,
        upcoming: counted.upcoming,
    })
}
