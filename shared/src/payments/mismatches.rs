//! Money and bookings that do not match: the schema's views `money_…`, counted.

use sqlx::PgExecutor;

/// How many rows each view has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatches {
    /// Bookings that count as paid without money, cash or online.
    pub paid_without_money: i64,
    /// Bookings that do not count as paid, with money.
    pub money_without_paid: i64,
    /// Payments for what is cancelled or paid already, whose money is neither back nor on its way.
    pub not_given_back: i64,
    /// Refunds that failed, of money that is not back otherwise, and refunds that are no longer tried.
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
