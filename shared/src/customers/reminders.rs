//! Reminders that a customer does not want. Confirmations and cancellations are sent all the same.

use sqlx::PgExecutor;

use crate::ids::CustomerId;

/// Whether the customer wants no reminders.
pub async fn are_refused(executor: impl PgExecutor<'_>, id: CustomerId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from reminder_opt_outs where customer_id = $1) as "are_refused!""#,
        id.0
    )
    .fetch_one(executor)
    .await
}

/// Notes that the customer wants no reminders. Idempotent.
pub async fn refuse(executor: impl PgExecutor<'_>, id: CustomerId) -> sqlx::Result<()> {
    sqlx::query!("insert into reminder_opt_outs (customer_id) values ($1) on conflict do nothing", id.0)
        .execute(executor)
        .await
        .map(drop)
}

/// Notes that the customer wants reminders again. Idempotent.
pub async fn accept(executor: impl PgExecutor<'_>, id: CustomerId) -> sqlx::Result<()> {
    sqlx::query!("delete from reminder_opt_outs where customer_id = $1", id.0).execute(executor).await.map(drop)
}
