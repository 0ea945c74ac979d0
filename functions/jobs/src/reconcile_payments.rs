//! What the browser and the webhooks may have missed: Razorpay is asked how every order stands that may still change.

use std::time::Instant;

use serde::Serialize;
use shared::{
    Result,
    metrics::{self, Count},
    payments::{self, Settlement, Told},
    razorpay::{Order, Payment, PaymentStatus, Razorpay},
};
use tracing::{error, warn};

use crate::App;

/// What came of it. What does not match must be looked at by a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Orders that Razorpay was asked for.
    pub asked: usize,
    /// Orders of which something new was learnt.
    pub applied: usize,
    /// Refunds of which something new was learnt.
    pub refunds: usize,
    /// Payments of another amount or currency than their order, and settled orders of which Razorpay has no money.
    pub mismatched: usize,
    /// Bookings that count as paid without money, cash or online.
    pub paid_without_money: i64,
    /// Bookings that do not count as paid, with money.
    pub money_without_paid: i64,
    /// Payments for what is cancelled or paid already whose money is neither back nor on its way.
    pub not_given_back: i64,
    /// Refunds that have failed for good, of money that is not back otherwise, and refunds that nobody tries any more.
    pub failed_refunds: i64,
}

impl Reconciled {
    /// How many things a person must look at.
    pub(crate) fn mismatches(self) -> i64 {
        let mismatched = i64::try_from(self.mismatched).unwrap_or(i64::MAX);
        mismatched + self.paid_without_money + self.money_without_paid + self.not_given_back + self.failed_refunds
    }
}

/// An order to ask for.
struct Due {
    id: i64,
    order_id: Option<String>,
    receipt: String,
    amount_paise: i64,
    currency: String,
    is_settled: bool,
}

impl App {
    /// Asks for orders that were handed out ten minutes ago, then less and less often, for as long as a bank may still say
    /// yes; and for refunds that are on their way. What cannot be told of one of them keeps nobody from the others.
    pub(crate) async fn reconcile_payments(&self, end: Instant) -> Result<Reconciled> {
        let mut reconciled = Reconciled::default();
        if let Some(razorpay) = &self.razorpay {
            // Whatever Razorpay keeps waiting for, the other half of the time is for refunds.
            let half = Instant::now() + end.saturating_duration_since(Instant::now()) / 2;
            self.ask_for_orders(razorpay, half, &mut reconciled).await?;
            self.ask_for_refunds(razorpay, end, &mut reconciled).await?;
        }
        self.compare(&mut reconciled).await?;
        Ok(reconciled)
    }

    async fn ask_for_orders(&self, razorpay: &Razorpay, end: Instant, reconciled: &mut Reconciled) -> Result<()> {
        while Instant::now() < end {
            // The longer an order has been open, the longer it waits: a tenth of its age, at least ten minutes. One that is
            // settled is looked at daily: the money must be there, and may have been given back in Razorpay's dashboard.
            let due = sqlx::query_as!(
                Due,
                r#"
                update payments set checked_at = now()
                where id = (
                    select id from payments
                    where method = 'razorpay' and (state <> 'settled' or checked_at < now() - interval '1 day')
                        and updated_at between now() - interval '6 days' and now() - interval '10 minutes'
                        and (
                            checked_at <= updated_at
                            or checked_at < now() - greatest((now() - updated_at) / 10, interval '10 minutes')
                        )
                    order by checked_at limit 1 for update skip locked
                )
                returning id, order_id, receipt as "receipt!", amount_paise, currency, state = 'settled' as "is_settled!"
                "#
            )
            .fetch_optional(&self.database.pool())
            .await?;
            let Some(order) = due else { break };
            reconciled.asked += 1;
            match self.ask_for(razorpay, &order).await {
                Ok(settlement) => {
                    reconciled.applied += usize::from(settlement.applied > 0);
                    reconciled.refunds += settlement.refunds;
                    reconciled.mismatched += settlement.mismatched;
                }
                Err(error) => warn!(%error, payment.id = order.id, "an order was not reconciled"),
            }
        }
        Ok(())
    }

    async fn ask_for(&self, razorpay: &Razorpay, order: &Due) -> Result<Settlement> {
        let order_id = match &order.order_id {
            Some(order_id) => order_id.clone(),
            None => match self.find_order(razorpay, order).await? {
                Some(order_id) => order_id,
                None => return Ok(Settlement::default()),
            },
        };
        let mut paid = razorpay.payments_of(&order_id).await?;
        for payment in &mut paid {
            let fits = (payment.amount, &payment.currency) == (order.amount_paise, &order.currency);
            if payment.status == PaymentStatus::Authorized && fits {
                match razorpay.capture(payment).await {
                    Ok(captured) => *payment = captured,
                    // Another payment of the order may have come through.
                    Err(failure) => warn!(?failure, payment.id, "a payment was not captured"),
                }
            }
        }
        let refunds = razorpay.refunds_of_all(&paid).await?;
        let mut transaction = self.database.begin().await?;
        let mut settlement = payments::settle(&mut transaction, &order_id, &paid, &refunds).await?;
        transaction.commit().await?;
        if order.is_settled && !paid.iter().any(Payment::is_taken) {
            error!(payment.id = order.id, "a settled order has no money at Razorpay");
            // This order is not asked for again before tomorrow, so that one run alone must be heard.
            metrics::count(Count::PaymentMismatches);
            settlement.mismatched += 1;
        }
        Ok(settlement)
    }

    /// Finds the order whose answer was lost, and that nobody has asked for again.
    async fn find_order(&self, razorpay: &Razorpay, order: &Due) -> Result<Option<String>> {
        let found = razorpay.orders_with_receipt(&order.receipt).await?;
        let fits = |found: &Order| (found.amount, &found.currency) == (order.amount_paise, &order.currency);
        let Some(found) = found.into_iter().find(fits) else { return Ok(None) };
        sqlx::query!("update payments set order_id = $2 where id = $1 and order_id is null", order.id, found.id)
            .execute(&self.database.pool())
            .await?;
        Ok(Some(found.id))
    }

    async fn ask_for_refunds(&self, razorpay: &Razorpay, end: Instant, reconciled: &mut Reconciled) -> Result<()> {
        while Instant::now() < end {
            let due = sqlx::query_scalar!(
                r#"
                update refunds set updated_at = now()
                from captures capture
                where capture.id = refunds.capture_id and refunds.id = (
                    select id from refunds
                    where state = 'pending'
                        and updated_at < now() - greatest((now() - created_at) / 10, interval '10 minutes')
                    order by updated_at limit 1 for update skip locked
                )
                returning capture.gateway_payment_id as "payment_id!"
                "#
            )
            .fetch_optional(&self.database.pool())
            .await?;
            let Some(payment_id) = due else { break };
            match self.record_refunds(razorpay, &payment_id).await {
                Ok(news) => reconciled.refunds += news,
                Err(error) => warn!(%error, payment_id, "a refund was not reconciled"),
            }
        }
        Ok(())
    }

    async fn record_refunds(&self, razorpay: &Razorpay, payment_id: &str) -> Result<usize> {
        let mut news = 0;
        let refunds = razorpay.refunds_of(payment_id).await?;
        let mut transaction = self.database.begin().await?;
        for refund in &refunds {
            news += usize::from(payments::record(&mut transaction, refund).await? == Told::News);
        }
        transaction.commit().await?;
        Ok(news)
    }

    async fn compare(&self, reconciled: &mut Reconciled) -> Result<()> {
        let compared = sqlx::query!(
            r#"
            select
                (
                    select count(*) from bookings booking
                    where booking.payment_status <> 'pending'
                        and not exists (select from captures where booking_id = booking.id and pays_booking)
                ) as "paid_without_money!",
                (
                    select count(*) from bookings booking
                    where booking.payment_status = 'pending'
                        and exists (select from captures where booking_id = booking.id and state = 'captured')
                ) as "money_without_paid!",
                (
                    select count(*) from captures capture join bookings booking on booking.id = capture.booking_id
                    where capture.state = 'captured' and capture.gateway_payment_id is not null
                        and (not capture.pays_booking or booking.booking_status = 'cancelled')
                        and capture.refunded_paise < capture.amount_paise
                ) as "not_given_back!",
                (
                    select count(*) from refunds refund join captures capture on capture.id = refund.capture_id
                    where (
                            refund.state = 'failed' and capture.refunded_paise < capture.amount_paise
                            and not exists (
                                select from refunds again
                                where again.capture_id = capture.id and again.id > refund.id and again.state <> 'failed'
                            )
                        )
                        or (refund.state = 'queued' and refund.created_at < now() - interval '8 days')
                ) as "failed_refunds!"
            "#
        )
        .fetch_one(&self.database.pool())
        .await?;
        reconciled.paid_without_money = compared.paid_without_money;
        reconciled.money_without_paid = compared.money_without_paid;
        reconciled.not_given_back = compared.not_given_back;
        reconciled.failed_refunds = compared.failed_refunds;
        let wrong = compared.paid_without_money + compared.money_without_paid + compared.not_given_back;
        if wrong > 0 || reconciled.mismatched > 0 {
            error!(?reconciled, "money and bookings do not match");
        }
        Ok(())
    }
}
