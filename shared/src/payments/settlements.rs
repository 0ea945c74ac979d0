//! Razorpay's settlement report, compared with captures, refunds and disputes.

use chrono::NaiveDate;
use sqlx::{PgConnection, PgExecutor};

use super::unmatched::{self, Unmatched};
use crate::{Result, ids::BookingId, razorpay::Entry};

/// The days to compare, oldest first: those since the first online payment that were not compared yet, and once a day the
/// last ones again, whose reports may have grown. Razorpay's days are India's, and so are the shop's.
pub async fn open_days(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<NaiveDate>> {
    sqlx::query_scalar!(
        r#"
        select listed.day::date as "day!"
        from generate_series(
            (select min(created_at) at time zone 'Asia/Kolkata' from payments where method = 'razorpay')::date,
            (now() at time zone 'Asia/Kolkata')::date,
            interval '1 day'
        ) as listed (day)
        left join settlement_days compared on compared.day = listed.day::date
        where compared.day is null or (
            compared.day >= (now() at time zone 'Asia/Kolkata')::date - 3
            and compared.compared_at < now() - interval '20 hours'
        )
        order by listed.day
        "#
    )
    .fetch_all(executor)
    .await
}

/// Notes that a day was compared.
pub async fn keep_day(executor: impl PgExecutor<'_>, day: NaiveDate, entry_count: usize) -> sqlx::Result<()> {
    sqlx::query!(
        "
        insert into settlement_days (day, entry_count) values ($1, $2)
        on conflict (day) do update set entry_count = excluded.entry_count, compared_at = now()
        ",
        day,
        i32::try_from(entry_count).unwrap_or(i32::MAX)
    )
    .execute(executor)
    .await
    .map(drop)
}

/// An entry of the report for which there is no row.
#[derive(Debug)]
pub struct Missing {
    pub entry: Entry,
    /// Of our order, if it is ours.
    pub order_id: Option<String>,
    pub booking_id: Option<BookingId>,
    /// Whether the payment that it is about is known here.
    pub is_ours: bool,
}

/// Those of these entries that have no row here.
pub async fn missing(executor: impl PgExecutor<'_>, entries: &[Entry]) -> sqlx::Result<Vec<Missing>> {
    let texts = |text: fn(&Entry) -> Option<&str>| -> Vec<Option<String>> {
        entries.iter().map(|entry| text(entry).map(ToOwned::to_owned)).collect()
    };
    let found = sqlx::query!(
        r#"
        select told.place as "place!", own.order_id as "order_id?", own.booking_id as "booking_id?: BookingId",
            capture.id is not null as "is_ours!"
        from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[]) with ordinality
            as told (entity_id, kind, amount_paise, payment_id, order_id, dispute_id, place)
        left join captures capture on capture.gateway_payment_id = told.payment_id
        left join payments own on own.id = coalesce(
            capture.payment_id, (select id from payments where payments.order_id = told.order_id)
        )
        where not case told.kind
            when 'payment' then exists (
                select from captures
                where gateway_payment_id = told.entity_id and state = 'captured' and amount_paise = told.amount_paise
            )
            when 'refund' then exists (
                select from refunds where refund_id = told.entity_id and amount_paise = told.amount_paise
            )
            else exists (select from disputes where disputes.dispute_id = told.dispute_id)
        end
        order by told.place
        "#,
        &texts(|entry| Some(&entry.entity_id)) as &[Option<String>],
        &texts(|entry| Some(&entry.kind)) as &[Option<String>],
        &entries.iter().map(|entry| entry.amount).collect::<Vec<_>>(),
        &texts(Entry::payment) as &[Option<String>],
        &texts(|entry| entry.order_id.as_deref()) as &[Option<String>],
        &texts(|entry| entry.dispute_id.as_deref()) as &[Option<String>]
    )
    .fetch_all(executor)
    .await?;
    let entry = |place: i64| entries.get(usize::try_from(place - 1).ok()?).cloned();
    Ok(found
        .into_iter()
        .filter_map(|row| {
            let entry = entry(row.place)?;
            Some(Missing { entry, order_id: row.order_id, booking_id: row.booking_id, is_ours: row.is_ours })
        })
        .collect())
}

/// Writes down an entry that has no row; `true` if it is new.
pub async fn note(connection: &mut PgConnection, missing: &Missing) -> Result<bool> {
    let Missing { entry, order_id, booking_id, .. } = missing;
    let told = Unmatched {
        entity_id: &entry.entity_id,
        kind: &entry.kind,
        booking: *booking_id,
        order_id: order_id.as_deref().or(entry.order_id.as_deref()),
        payment_id: entry.payment(),
        amount_paise: entry.amount,
        currency: entry.currency.as_deref().unwrap_or("INR"),
        reason: "it is in the settlement report, and not here",
    };
    unmatched::write(connection, told).await
}
