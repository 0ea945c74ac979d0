//! Reconciliation of payments that the browser and the webhooks may have missed: asks Razorpay for the state of every
//! order that may still change.

use std::time::Instant;

use serde::Serialize;
use shared::{
    Result,
    metrics::{self, Count},
    payments::{
        Settlement, mismatches,
        orders::{self, Order},
        refunds::{self, Told},
        settle,
        states::PaymentState,
    },
    razorpay::{Payment, PaymentStatus, Razorpay},
};
use sqlx::PgConnection;
use tracing::{error, warn};

use crate::App;

/// The result of a run. A person must look at the mismatches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Orders whose state Razorpay was asked for.
    pub asked: usize,
    /// Orders with payments that were new or moved forward.
    pub applied: usize,
    /// Refunds that were new or moved forward.
    pub refunds: usize,
    /// New payments whose amount or currency differs from their order's, and settled orders without money at Razorpay.
    pub mismatched: usize,
    /// Bookings marked as paid without money, cash or online.
    pub paid_without_money: i64,
    /// Bookings with captured money that are not marked as paid.
    pub money_without_paid: i64,
    /// Online payments of cancelled or already paid bookings that are neither refunded nor queued for refund.
    pub not_given_back: i64,
    /// Failed refunds of money that was not refunded otherwise, and queued refunds that Razorpay has not taken.
    pub failed_refunds: i64,
    /// Payments whose amount or currency is not that of their order, and that are not settled yet.
    pub misfits: i64,
    /// What Razorpay told of money for which there is no row.
    pub unmatched: i64,
}

impl Reconciled {
    /// The mismatches that a person must look at.
    pub(crate) fn mismatches(self) -> i64 {
        let mismatched = i64::try_from(self.mismatched).unwrap_or(i64::MAX);
        let of_views = self.paid_without_money + self.money_without_paid + self.not_given_back + self.failed_refunds;
        mismatched + of_views + self.misfits + self.unmatched
    }
}

impl App {
    /// Asks for orders ten minutes after they were handed out, then at growing intervals for as long as a bank may
    /// still approve the payment; and for pending refunds. An error with one does not stop the others.
    pub(crate) async fn reconcile_payments(&self, end: Instant) -> Result<Reconciled> {
        let mut reconciled = Reconciled::default();
        if let Some(razorpay) = self.razorpay()? {
            // However slow Razorpay's answers are, half of the time is reserved for refunds.
            let half = Instant::now() + end.saturating_duration_since(Instant::now()) / 2;
            self.ask_for_orders(razorpay, half, &mut reconciled).await?;
            self.ask_for_refunds(razorpay, end, &mut reconciled).await?;
        }
        self.compare(&mut reconciled).await?;
        Ok(reconciled)
    }

    async fn ask_for_orders(&self, razorpay: &Razorpay, end: Instant, reconciled: &mut Reconciled) -> Result<()> {
        let pool = self.database.pool();
        while let Some(order) = if Instant::now() < end { orders::claim_due(&pool).await? } else { None } {
            reconciled.asked += 1;
            match self.ask_for(razorpay, &order).await {
                Ok(settlement) => {
                    reconciled.applied += usize::from(settlement.applied > 0);
                    reconciled.refunds += settlement.refunds;
                    reconciled.mismatched += settlement.mismatched;
                }
                Err(error) => warn!(%error, payment.id = order.id.0, "an order was not reconciled"),
            }
        }
        Ok(())
    }

    /// Asks for the orders that a person wants to be asked for. Each minute's run does so, because the person waits.
    pub(crate) async fn ask_as_told(&self, end: Instant) -> Result<()> {
        let Some(razorpay) = self.razorpay()? else { return Ok(()) };
        let pool = self.database.pool();
        while let Some(order) = if Instant::now() < end { orders::claim_asked(&pool).await? } else { None } {
            if let Err(error) = self.ask_for(razorpay, &order).await {
                warn!(%error, payment.id = order.id.0, "an order was not reconciled");
            }
        }
        Ok(())
    }

    pub(crate) async fn ask_for(&self, razorpay: &Razorpay, order: &Order) -> Result<Settlement> {
        let order_id = match &order.order_id {
            Some(order_id) => order_id.clone(),
            None => match self.find_order(razorpay, order).await? {
                Some(order_id) => order_id,
                None => return Ok(Settlement::default()),
            },
        };
        let mut paid = razorpay.payments_of(&order_id).await?;
        for payment in &mut paid {
            if payment.status == PaymentStatus::Authorized && order.is_paid_by(payment) {
                match razorpay.capture(payment).await {
                    Ok(captured) => *payment = captured,
                    // Another payment of the order may have succeeded.
                    Err(failure) => warn!(?failure, payment.id, "a payment was not captured"),
                }
            }
        }
        let refunds = razorpay.refunds_of_all(&paid).await?;
        let settle = async |connection: &mut PgConnection| settle(connection, &order_id, &paid, &refunds).await;
        let mut settlement = self.database.transaction(settle).await?;
        if order.state == PaymentState::Settled && !paid.iter().any(Payment::is_taken) {
            error!(payment.id = order.id.0, "a settled order has no money at Razorpay");
            // The order is next checked tomorrow, so this run alone must raise the alarm.
            metrics::count(Count::PaymentMismatches);
            settlement.mismatched += 1;
        }
        Ok(settlement)
    }

    /// Finds an order whose answer was lost and that no client has requested again.
    async fn find_order(&self, razorpay: &Razorpay, order: &Order) -> Result<Option<String>> {
        let found = razorpay.orders_with_receipt(&order.receipt).await?;
        let Some(found) = found.into_iter().find(|found| order.fits(found.amount, &found.currency)) else {
            return Ok(None);
        };
        orders::keep_found(&self.database.pool(), order.id, &found.id).await?;
        Ok(Some(found.id))
    }

    async fn ask_for_refunds(&self, razorpay: &Razorpay, end: Instant, reconciled: &mut Reconciled) -> Result<()> {
        let pool = self.database.pool();
        while let Some(payment_id) = if Instant::now() < end { refunds::claim_pending(&pool).await? } else { None } {
            match self.record_refunds(razorpay, &payment_id).await {
                Ok(news) => reconciled.refunds += news,
                Err(error) => warn!(%error, payment_id, "a refund was not reconciled"),
            }
        }
        Ok(())
    }

    pub(crate) async fn record_refunds(&self, razorpay: &Razorpay, payment_id: &str) -> Result<usize> {
        let refunds = razorpay.refunds_of(payment_id).await?;
        let record = async |connection: &mut PgConnection| {
            let mut news = 0;
            for refund in &refunds {
                news += usize::from(refunds::record(connection, refund).await? == Told::News);
            }
            Ok(news)
        };
        self.database.transaction(record).await
    }

    async fn compare(&self, reconciled: &mut Reconciled) -> Result<()> {
        let write_off = async |connection: &mut PgConnection| refunds::write_off(connection, None).await;
        self.database.transaction(write_off).await?;
        let compared = mismatches::count(&self.database.pool()).await?;
        reconciled.paid_without_money = compared.paid_without_money;
        reconciled.money_without_paid = compared.money_without_paid;
        reconciled.not_given_back = compared.not_given_back;
        reconciled.failed_refunds = compared.failed_refunds;
        reconciled.misfits = compared.misfits;
        reconciled.unmatched = compared.unmatched;
        let wrong = compared.paid_without_money + compared.money_without_paid + compared.not_given_back;
        if wrong > 0 || reconciled.mismatched > 0 {
            error!(?reconciled, "money and bookings do not match");
        }
        Ok(())
    }
}
