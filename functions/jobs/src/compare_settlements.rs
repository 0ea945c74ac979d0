//! Comparison with Razorpay's settlement report: the money of each day, however old its order is.

use std::time::Instant;

use chrono::NaiveDate;
use serde::Serialize;
use shared::{
    Result,
    payments::{
        orders,
        settlements::{self, Missing},
    },
    razorpay::{Entry, Razorpay},
};
use sqlx::PgConnection;
use tracing::warn;

use crate::App;

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Days whose report was read.
    pub days: usize,
    pub entries: usize,
    /// Entries that had no row here, and have one now.
    pub found: usize,
    /// Entries for which there is no row; a person must look at them.
    pub unmatched: usize,
}

impl App {
    /// Compares the days that are due, oldest first. A day that fails is compared by the next run.
    pub(crate) async fn compare_settlements(&self, end: Instant) -> Result<Compared> {
        let mut compared = Compared::default();
        let Some(razorpay) = self.razorpay()? else { return Ok(compared) };
        for day in settlements::open_days(&self.database.pool()).await? {
            if Instant::now() >= end {
                break;
            }
            self.compare_day(razorpay, day, &mut compared).await?;
        }
        Ok(compared)
    }

    async fn compare_day(&self, razorpay: &Razorpay, day: NaiveDate, compared: &mut Compared) -> Result<()> {
        let mut count = 0;
        loop {
            let page = razorpay.settled_on(day, count).await?;
            if page.is_empty() {
                break;
            }
            count += page.len();
            self.compare_page(razorpay, &page, compared).await?;
        }
        settlements::keep_day(&self.database.pool(), day, count).await?;
        compared.days += 1;
        compared.entries += count;
        Ok(())
    }

    async fn compare_page(&self, razorpay: &Razorpay, page: &[Entry], compared: &mut Compared) -> Result<()> {
        let pool = self.database.pool();
        let mut missing = Vec::new();
        for one in settlements::missing(&pool, page).await? {
            self.look_for(razorpay, &one).await?;
            missing.push(one.entry);
        }
        if missing.is_empty() {
            return Ok(());
        }
        let still = settlements::missing(&pool, &missing).await?;
        compared.found += missing.len() - still.len();
        let note = async |connection: &mut PgConnection| {
            let mut new = 0;
            for one in &still {
                new += usize::from(settlements::note(connection, one).await?);
            }
            Ok::<_, shared::Error>(new)
        };
        compared.unmatched += self.database.transaction(note).await?;
        Ok(())
    }

    /// Asks Razorpay for what an entry is about, if that is ours: then its row comes in the usual way.
    async fn look_for(&self, razorpay: &Razorpay, missing: &Missing) -> Result<()> {
        if let Some(order_id) = &missing.order_id
            && let Some(order) = orders::with_order_id(&self.database, order_id).await?
        {
            if let Err(error) = self.ask_for(razorpay, &order).await {
                warn!(%error, payment.id = order.id.0, "an order was not reconciled");
            }
        } else if let Some(payment_id) = missing.entry.payment().filter(|_| missing.is_ours)
            && let Err(error) = self.record_refunds(razorpay, payment_id).await
        {
            warn!(%error, payment_id, "a refund was not reconciled");
        }
        Ok(())
    }
}
