//! The language of messages to a customer. Without one it is the shop's.

use sqlx::PgExecutor;

use crate::{ids::CustomerId, language::Language};

/// Keeps the language that a customer has chosen. Idempotent.
pub async fn choose(executor: impl PgExecutor<'_>, id: CustomerId, language: Language) -> sqlx::Result<()> {
    sqlx::query!(
        "update customers set language = $2 where id = $1 and language is distinct from $2",
        id.0,
        language as Language
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Keeps the language of a customer's browser, unless one is known.
pub async fn learn(executor: impl PgExecutor<'_>, id: CustomerId, language: Language) -> sqlx::Result<()> {
    sqlx::query!("update customers set language = $2 where id = $1 and language is null", id.0, language as Language)
        .execute(executor)
        .await
        .map(drop)
}
