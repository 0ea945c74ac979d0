//! Acts: the work of a form in one transaction, done once however often the form is sent.

use lambda_http::http::StatusCode;
use shared::{
    Error, Result,
    database::Database,
    idempotency::{self, Answer, Key},
};
use sqlx::PgConnection;

use super::form::Form;

/// The scope of the keys of forms.
const ACTS: &str = "panel act";

/// Does the work of a form, which ends in the address that it leads to. A form that is sent again leads there without
/// doing anything; one that failed can be sent again.
pub(crate) async fn once<E: From<Error> + From<sqlx::Error>>(
    database: &Database,
    form: &Form,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<String, E>,
) -> Result<String, E> {
    let key = form.key()?;
    database.transaction(async |connection: &mut PgConnection| within(connection, &key, work).await).await
}

/// The same in a transaction of the caller.
pub(crate) async fn within<E: From<Error>>(
    connection: &mut PgConnection,
    key: &Key,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<String, E>,
) -> Result<String, E> {
    if let Some(before) = idempotency::claim(connection, ACTS, key, ACTS.as_bytes()).await? {
        return Ok(String::from_utf8_lossy(before.body()).into_owned());
    }
    let led_to = work(connection).await?;
    let answer = Answer::new(StatusCode::SEE_OTHER, led_to.clone().into_bytes());
    idempotency::keep(connection, ACTS, key, &answer, idempotency::DAY).await?;
    Ok(led_to)
}
