//! Mismatches between money and bookings: the rows of the schema's views `money_…`, and those that a person accepts.

use chrono::NaiveDateTime;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};

use super::{
    paid::{self, Means},
    refunds,
};
use crate::{
    Error, Result,
    bookings::{
        Actor, Booking, booking,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
    },
    ids::{BookingId, CaptureId, PaymentId, RefundId},
    money::Money,
    written::Written,
};

/// The row count of each view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatches {
    /// Bookings marked as paid without money, cash or online.
    pub paid_without_money: i64,
    /// Bookings with captured money that are not marked as paid.
    pub money_without_paid: i64,
    /// Online payments of cancelled or already paid bookings that are neither refunded nor queued for refund.
    pub not_given_back: i64,
    /// Failed refunds of money that was not refunded otherwise, and queued refunds that Razorpay has not taken.
    pub failed_refunds: i64,
    /// Payments whose amount or currency is not that of their order.
    pub misfits: i64,
    /// Disputes that have not ended.
    pub disputes: i64,
    /// What Razorpay told of money for which there is no row.
    pub unmatched: i64,
}

pub async fn count(executor: impl PgExecutor<'_>) -> sqlx::Result<Mismatches> {
    sqlx::query_as!(
        Mismatches,
        r#"
        select (select count(*) from money_paid_without_capture) as "paid_without_money!",
            (select count(distinct booking_id) from money_captured_without_payment) as "money_without_paid!",
            (select count(*) from money_not_given_back) as "not_given_back!",
            (select count(*) from money_failed_refunds) as "failed_refunds!",
            (select count(*) from money_misfits) as "misfits!", (select count(*) from money_disputes) as "disputes!",
            (select count(*) from money_unmatched) as "unmatched!"
        "#
    )
    .fetch_one(executor)
    .await
}

/// What does not match: the view that has the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "mismatch", rename_all = "snake_case")]
pub enum Kind {
    PaidWithoutMoney,
    MoneyWithoutPaid,
    NotGivenBack,
    FailedRefund,
    Misfit,
    Dispute,
    Unmatched,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::PaidWithoutMoney,
        Self::MoneyWithoutPaid,
        Self::NotGivenBack,
        Self::FailedRefund,
        Self::Misfit,
        Self::Dispute,
        Self::Unmatched,
    ];

    /// The name in the database and in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaidWithoutMoney => "paid_without_money",
            Self::MoneyWithoutPaid => "money_without_paid",
            Self::NotGivenBack => "not_given_back",
            Self::FailedRefund => "failed_refund",
            Self::Misfit => "misfit",
            Self::Dispute => "dispute",
            Self::Unmatched => "unmatched",
        }
    }
}

impl Written for Kind {
    fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| "There is no such mismatch.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

/// One mismatch, with what a person must know to settle it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub kind: Kind,
    /// The capture or the refund; of [`Kind::PaidWithoutMoney`] the booking, of [`Kind::Dispute`] and [`Kind::Unmatched`]
    /// their own row.
    pub subject_id: i64,
    /// `None` for money that belongs to no booking.
    pub booking_id: Option<BookingId>,
    pub reference: Option<String>,
    pub customer: Option<String>,
    /// The money that it is about; none of [`Kind::PaidWithoutMoney`].
    pub payment_id: Option<PaymentId>,
    pub capture_id: Option<CaptureId>,
    pub amount: Money,
    /// `INR` but for what does not fit.
    pub currency: String,
    /// What Razorpay told, such as its number of it.
    pub detail: Option<String>,
    /// When an answer is due, on the shop's clock.
    pub deadline: Option<NaiveDateTime>,
    /// What of the capture has not been given back and is not on its way.
    pub left: Money,
    /// A refund that is still queued, and that Razorpay has not taken.
    pub is_stuck: bool,
    /// On the shop's clock.
    pub since: NaiveDateTime,
}

impl Mismatch {
    /// What a new refund would give back, if there is anything: all that is left of the capture, and a refund that Razorpay
    /// has not taken. A disputed payment goes back by the dispute.
    pub fn to_refund(&self) -> Option<Money> {
        self.capture_id.filter(|_| self.kind != Kind::Dispute)?;
        let stuck = if self.is_stuck { self.amount.paise() } else { 0 };
        Some(Money::from_paise(self.left.paise() + stuck)).filter(|amount| amount.paise() > 0)
    }
}

/// Which mismatches are looked for; all filters must match.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Those of this payment, and of its booking.
    pub payment: Option<PaymentId>,
    pub subject: Option<(Kind, i64)>,
}

/// The newest mismatches of all views, newest first.
pub async fn list(executor: impl PgExecutor<'_>, wanted: Wanted) -> sqlx::Result<Vec<Mismatch>> {
    sqlx::query_as!(
        Mismatch,
        r#"
        select found.kind as "kind!: Kind", found.subject_id as "subject_id!", found.booking_id as "booking_id?: BookingId",
            booking.reference as "reference?", booking.customer_name as "customer?",
            capture.payment_id as "payment_id?: PaymentId", capture.id as "capture_id?: CaptureId",
            found.amount_paise as "amount!: Money", found.currency as "currency!", found.detail as "detail?",
            shop_clock(found.deadline) as "deadline?",
            coalesce(capture.amount_paise - capture.refunded_paise, 0) as "left!: Money", found.is_stuck as "is_stuck!",
            shop_clock(found.since) as "since!"
        from (
            select 'paid_without_money'::mismatch as kind, booking_id as subject_id, booking_id, null::bigint as capture_id,
                total_paise as amount_paise, false as is_stuck, since, 'INR' as currency, null::text as detail,
                null::timestamptz as deadline
            from money_paid_without_capture
            union all
            select 'money_without_paid', capture_id, booking_id, capture_id, amount_paise, false, since, 'INR', null, null
            from money_captured_without_payment
            union all
            select 'not_given_back', capture_id, booking_id, capture_id, left_paise, false, since, 'INR', null, null
            from money_not_given_back
            union all
            select 'failed_refund', refund_id, booking_id, capture_id, amount_paise, state = 'queued', since, 'INR', null, null
            from money_failed_refunds
            union all
            select 'misfit', capture_id, booking_id, capture_id, left_paise, false, since, currency, gateway_payment_id, null
            from money_misfits
            union all
            select 'dispute', dispute_row_id, booking_id, capture_id, amount_paise, false, since, 'INR', dispute_id, respond_by
            from money_disputes
            union all
            select 'unmatched', entry_id, booking_id, null, amount_paise, false, since, currency,
                entity_id || ': ' || reason, null
            from money_unmatched
        ) as found
        left join bookings booking on booking.id = found.booking_id
        left join captures capture on capture.id = found.capture_id
        where ($1::mismatch is null or found.kind = $1) and ($2::bigint is null or found.subject_id = $2)
            and ($3::bigint is null or capture.payment_id = $3 or (
                capture.id is null and found.booking_id = (select booking_id from payments where id = $3)
            ))
        order by found.since desc, found.kind, found.subject_id
        limit 500
        "#,
        wanted.subject.map(|(kind, _)| kind) as Option<Kind>,
        wanted.subject.map(|(_, id)| id),
        wanted.payment.map(|id| id.0)
    )
    .fetch_all(executor)
    .await
}

/// Finds one mismatch; 404 if all matches there.
pub async fn find(executor: impl PgExecutor<'_>, kind: Kind, subject_id: i64) -> Result<Mismatch> {
    let wanted = Wanted { subject: Some((kind, subject_id)), payment: None };
    list(executor, wanted).await?.pop().ok_or(Error::NotFound("Mismatch"))
}

/// Locks the booking of a mismatch that is to be settled with money; 404 if all matches there by now. A refund that is no
/// longer tried is given up first, so that its money can go another way.
pub async fn take(connection: &mut PgConnection, kind: Kind, subject_id: i64) -> Result<(Booking, CaptureId)> {
    let found = find(&mut *connection, kind, subject_id).await?;
    let booking = booking::lock(connection, found.booking_id.ok_or(Error::NotFound("Booking"))?).await?;
    // Another person may have settled it while this one waited for the lock.
    let found = find(&mut *connection, kind, subject_id).await?;
    found.to_refund().ok_or(Error::NotFound("Payment"))?;
    if found.is_stuck {
        refunds::give_up(connection, RefundId(subject_id)).await?;
    }
    Ok((booking, found.capture_id.ok_or(Error::NotFound("Payment"))?))
}

/// Leaves a mismatch as it is: it is not reported any more. A payment in rupees that does not fit its order then pays the
/// booking, if that can be paid. Idempotent: the first reason stays.
pub async fn accept(
    connection: &mut PgConnection,
    kind: Kind,
    subject_id: i64,
    reason: &str,
    actor: &Actor,
) -> Result<()> {
    let is_accepted = sqlx::query_scalar!(
        r#"
        select exists (select from accepted_mismatches where mismatch = $1 and subject_id = $2) as "is_accepted!"
        "#,
        kind as Kind,
        subject_id
    )
    .fetch_one(&mut *connection)
    .await?;
    if is_accepted {
        return Ok(());
    }
    let mismatch = find(&mut *connection, kind, subject_id).await?;
    if kind == Kind::Misfit {
        keep_misfit(connection, &mismatch, actor).await?;
    }
    sqlx::query!(
        "
        insert into accepted_mismatches (mismatch, subject_id, booking_id, reason, actor) values ($1, $2, $3, $4, $5)
        on conflict (mismatch, subject_id) do nothing
        ",
        kind as Kind,
        subject_id,
        mismatch.booking_id.map(|id| id.0),
        reason,
        actor.to_string()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Pays the booking with a payment that does not fit its order. 409 if it is paid already or cancelled: then the money goes
/// back.
async fn keep_misfit(connection: &mut PgConnection, misfit: &Mismatch, actor: &Actor) -> Result<()> {
    let (Some(booking), Some(payment), Some(capture)) = (misfit.booking_id, misfit.payment_id, misfit.capture_id)
    else {
        return Ok(());
    };
    let mut booking = booking::lock(connection, booking).await?;
    if misfit.currency != "INR" {
        return Ok(());
    }
    if booking.payment_status == PaymentStatus::Completed {
        return Err(Error::conflict("payment", "The booking is paid already. Give this payment back."));
    }
    if booking.booking_status == BookingStatus::Cancelled {
        return Err(Error::conflict("payment", "The booking is cancelled. Give this payment back."));
    }
    paid::write(connection, &mut booking, Means { payment, capture, method: PaymentMethod::Razorpay }, actor).await?;
    Ok(())
}
