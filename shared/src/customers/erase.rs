//! Erasure of a customer: what names the person goes, and what the shop's books need stays.

use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};

use super::{lock, reminders};
use crate::{
    Error, Result, accounts,
    bookings::{links, timeline, unproved},
    database::Database,
    descope::Descope,
    ids::{CustomerId, UserId},
    messages,
    payments::refunds,
};

/// What a customer is called after the erasure.
const NAME: &str = "Erased customer";

/// What must end before a customer can be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hindrances {
    /// Bookings that are neither completed nor cancelled.
    pub open_bookings: i64,
    /// Refunds that are under way, have failed, or are still to be asked for.
    pub refunds: i64,
}

impl Hindrances {
    pub const fn is_none(self) -> bool {
        self.open_bookings == 0 && self.refunds == 0
    }
}

/// Counts what must end before a customer can be erased.
pub async fn hindrances(executor: impl PgExecutor<'_>, id: CustomerId) -> sqlx::Result<Hindrances> {
    sqlx::query_as!(
        Hindrances,
        r#"
        with theirs as materialized (select id, booking_status from bookings where customer_id = $1)
        select
            (
                select count(*) from theirs where booking_status in ('pending', 'confirmed', 'in_progress')
            ) as "open_bookings!",
            (
                select count(*) from (
                    select capture_id from refunds
                    where state in ('queued', 'pending') and booking_id in (select id from theirs)
                    union select capture_id from money_failed_refunds where booking_id in (select id from theirs)
                    union select capture_id from money_not_given_back where booking_id in (select id from theirs)
                ) as money
            ) as "refunds!"
        "#,
        id.0
    )
    .fetch_one(executor)
    .await
}

/// Deletes at Descope the users that sign in with a number, before [`erase`] or [`forget`], and refuses what these would: no
/// transaction is open while Descope is asked, and a repetition deletes the rest.
pub async fn close_sign_in(database: &Database, descope: &Descope, phone: &str) -> Result<()> {
    let customer = sqlx::query_scalar!("select id from customers where phone = $1", phone)
        .fetch_optional(&database.pool())
        .await?;
    if let Some(id) = customer {
        refuse_if_hindered(&database.pool(), CustomerId(id)).await?;
    }
    for account in accounts::of_phone(&database.pool(), phone).await? {
        for identity in account.descope_user_ids {
            descope.delete_user(&identity).await?;
        }
    }
    Ok(())
}

async fn refuse_if_hindered(executor: impl PgExecutor<'_>, id: CustomerId) -> Result<()> {
    const SENTENCE: &str = "Finish or cancel the open bookings and wait until all refunds are done.";
    if hindrances(executor, id).await?.is_none() { Ok(()) } else { Err(Error::conflict("customer", SENTENCE)) }
}

/// Who was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// `None` if no booking has the number.
    pub customer_id: Option<CustomerId>,
    /// Accounts that signed in with the number.
    pub user_ids: Vec<UserId>,
}

/// Erases the customer and the accounts of a number, in a transaction that is signed. Idempotent.
pub async fn forget(connection: &mut PgConnection, phone: &str) -> Result<Forgotten> {
    let customer = sqlx::query_scalar!("select id from customers where phone = $1", phone)
        .fetch_optional(&mut *connection)
        .await?
        .map(CustomerId);
    let user_ids = match customer {
        Some(id) => erase(connection, id).await?,
        None => accounts::erase(connection, phone).await?,
    };
    Ok(Forgotten { customer_id: customer, user_ids })
}

/// Erases a customer in a transaction that is signed: name, number, addresses and every free text go, and the accounts
/// that sign in with the number, whose ids it returns; money, dates, models and services stay. 404 for an unknown customer;
/// 409 for one who is erased, has an open booking, or is still to get money back.
///
/// The next booking with the number makes a new customer.
pub async fn erase(connection: &mut PgConnection, id: CustomerId) -> Result<Vec<UserId>> {
    lock(connection, id).await?;
    // A refund locks its booking first, so none begins from here on. A statement of its own, because the next one must see
    // what was committed while this one waited.
    sqlx::query!("select id from bookings where customer_id = $1 order by id for update", id.0)
        .fetch_all(&mut *connection)
        .await?;
    refuse_if_hindered(&mut *connection, id).await?;
    let phone =
        sqlx::query_scalar!("select phone from customers where id = $1", id.0).fetch_one(&mut *connection).await?;
    let user_ids = accounts::erase(connection, &phone).await?;
    timeline::forget(connection, id).await?;
    refunds::forget(&mut *connection, id).await?;
    unproved::forget(&mut *connection, id).await?;
    links::forget(&mut *connection, id).await?;
    reminders::accept(&mut *connection, id).await?;
    messages::forget(connection, id).await?;
    // No country code begins with 0, so no phone has this number, and it is unique.
    sqlx::query!(
        "
        with customer as (
            update customers
            set phone = '+0' || lpad(id::text, 14, '0'), notes = '', language = null, erased_at = now(), updated_at = now()
            where id = $1
        )
        update bookings
        set customer_name = $2, customer_email = null, notes = '', internal_notes = '',
            address = case when service_location = 'home' then 'erased' else '' end,
            access_token_expires_at = least(access_token_expires_at, now()),
            version = version + 1, updated_at = now()
        where customer_id = $1
        ",
        id.0,
        NAME
    )
    .execute(connection)
    .await?;
    Ok(user_ids)
}
