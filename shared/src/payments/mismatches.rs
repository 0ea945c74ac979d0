//! Mismatches between money and bookings: counts of the schema's views `money_…`.

use sqlx::PgExecutor;

/// The row count of each view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatches {
    /// Bookings marked as paid without money, cash or online.
    pub paid_without_money: i64,
    /// Bookings with captured money that are not marked as paid.
    pub money_without_paid: i64,
    /// Online payments of cancelled or already paid bookings that are neither refunded nor queued for refund.
    pub not_given_back: i64,
    /// Failed refunds of money that was not refunded otherwise, and queued refunds that are no longer retried.
    pub failed_refunds: i64,
}

pub async fn count(executor: impl PgExecutor<'_>) -> sqlx::Result<Mismatches> {
    sqlx::query_as!(
        Mismatches,
        r#"
        select (select count(*) from money_paid_without_capture) as "paid_without_money!",
            (select count(distinct booking_id) from money_captured_without_payment) as "money_without_paid!",
            (select count(*) from money_not_given_back) as "not_given_back!",
            (select count(*) from money_failed_refunds) as "failed_refunds!"
        "#
    )
    .fetch_one(executor)
    .await
}
