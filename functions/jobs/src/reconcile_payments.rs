//! What the browser and the webhooks may have missed: Razorpay is asked how every order stands that is not settled.

use serde::Serialize;
use shared::{
    Result, payments,
    razorpay::{Order, Payment, PaymentStatus, Razorpay},
};
use tracing::{error, warn};

use crate::App;

/// How many orders, and how many refunds, one run asks for.
const BATCH: i64 = 50;

/// What came of it. What does not match must be looked at by a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Orders that Razorpay was asked for.
    pub asked: usize,
    /// Orders of which something new was learnt.
    pub applied: usize,
    /// Refunds of which something new was learnt.
    pub refunds: usize,
    /// Payments of another amount or currency than their order.
    pub mismatched: usize,
    /// Bookings that count as paid without money, cash or online.
    pub paid_without_money: i64,
    /// Bookings that do not count as paid, with money.
    pub money_without_paid: i64,
    /// Refunds that have failed for good, with money that has not been sent back since.
    pub failed_refunds: i64,
}

impl Reconciled {
    /// How many things a person must look at.
    pub(crate) fn mismatches(self) -> i64 {
        let mismatched = i64::try_from(self.mismatched).unwrap_or(i64::MAX);
        mismatched + self.paid_without_money + self.money_without_paid + self.failed_refunds
    }
}

impl App {
    /// Asks for orders that have been open for ten minutes, then less and less often, for as long as a bank may still say
    /// yes; and for refunds that are on their way.
    pub(crate) async fn reconcile_payments(&self) -> Result<Reconciled> {
        let mut reconciled = Reconciled::default();
        if let Some(razorpay) = &self.razorpay {
            self.ask_for_orders(razorpay, &mut reconciled).await?;
            self.ask_for_refunds(razorpay, &mut reconciled).await?;
        }
        self.compare(&mut reconciled).await?;
        Ok(reconciled)
    }

    async fn ask_for_orders(&self, razorpay: &Razorpay, reconciled: &mut Reconciled) -> Result<()> {
        // The longer an order has been open, the longer it waits: a tenth of its age, at least ten minutes.
        let due = sqlx::query!(
            r#"
            update payments set checked_at = now()
            where id in (
                select id from payments
                where method = 'razorpay' and state <> 'settled'
                    and created_at between now() - interval '6 days' and now() - interval '10 minutes'
                    and (checked_at = created_at or checked_at < now() - greatest((now() - created_at) / 10, interval '10 minutes'))
                order by checked_at limit $1 for update skip locked
            )
            returning id, order_id, receipt as "receipt!", amount_paise, currency
            "#,
            BATCH
        )
        .fetch_all(&self.database.pool())
        .await?;
        for order in due {
            reconciled.asked += 1;
            let order_id = if let Some(order_id) = order.order_id {
                order_id
            } else {
                // The answer to the order was lost, and nobody has asked for it again.
                let found = razorpay.orders_with_receipt(&order.receipt).await?;
                let fits = |found: &&Order| (found.amount, &found.currency) == (order.amount_paise, &order.currency);
                let Some(found) = found.iter().find(fits) else { continue };
                sqlx::query!(
                    "update payments set order_id = $2 where id = $1 and order_id is null",
                    order.id,
                    found.id
                )
                .execute(&self.database.pool())
                .await?;
                found.id.clone()
            };
            match self.settle(razorpay, &order_id).await {
                Ok(settlement) => {
                    reconciled.applied += usize::from(settlement.applied > 0);
                    reconciled.mismatched += settlement.mismatched;
                }
                Err(error) => warn!(%error, payment.id = order.id, "an order was not reconciled"),
            }
        }
        Ok(())
    }

    async fn settle(&self, razorpay: &Razorpay, order_id: &str) -> Result<payments::Settlement> {
        let mut paid: Vec<Payment> = razorpay.payments_of(order_id).await?;
        for payment in &mut paid {
            if payment.status == PaymentStatus::Authorized {
                *payment = razorpay.capture(payment).await?;
            }
        }
        let mut transaction = self.database.begin().await?;
        let settlement = payments::settle(&mut transaction, order_id, &paid).await?;
        transaction.commit().await?;
        Ok(settlement)
    }

    async fn ask_for_refunds(&self, razorpay: &Razorpay, reconciled: &mut Reconciled) -> Result<()> {
        let due = sqlx::query_scalar!(
            r#"
            select distinct capture.gateway_payment_id as "payment_id!"
            from refunds refund join captures capture on capture.id = refund.capture_id
            where refund.state = 'pending' and refund.updated_at < now() - interval '10 minutes'
                and capture.gateway_payment_id is not null
            limit $1
            "#,
            BATCH
        )
        .fetch_all(&self.database.pool())
        .await?;
        for payment_id in due {
            for refund in razorpay.refunds_of(&payment_id).await? {
                let mut transaction = self.database.begin().await?;
                let told = payments::record(&mut transaction, &refund).await?;
                transaction.commit().await?;
                reconciled.refunds += usize::from(told == payments::Told::News);
            }
        }
        Ok(())
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
                    select count(*) from refunds refund join captures capture on capture.id = refund.capture_id
                    where refund.state = 'failed' and capture.refunded_paise < capture.amount_paise
                ) as "failed_refunds!"
            "#
        )
        .fetch_one(&self.database.pool())
        .await?;
        reconciled.paid_without_money = compared.paid_without_money;
        reconciled.money_without_paid = compared.money_without_paid;
        reconciled.failed_refunds = compared.failed_refunds;
        if reconciled.paid_without_money + reconciled.money_without_paid > 0 || reconciled.mismatched > 0 {
            error!(?reconciled, "money and bookings do not match");
        }
        Ok(())
    }
}
