//! The money of a booking: charged, taken, given back, kept, and by what.

use chrono::NaiveDateTime;
use maud::{Markup, html};
use serde::Deserialize;
use shared::{
    Error, Result,
    ids::{BookingId, PaymentId},
    money,
};
use sqlx::{PgExecutor, types::Json};

use super::{PLACE, words};
use crate::kit::cell::{moment_text, rupees};

/// The money of a booking.
#[derive(Debug)]
pub(crate) struct Money {
    /// Of the booking.
    pub(crate) reference: String,
    pub(crate) charged: money::Money,
    /// In cash and online.
    pub(crate) taken: money::Money,
    /// What was given back or is on its way.
    pub(crate) given_back: money::Money,
    on_its_way: money::Money,
    sources: Vec<Source>,
}

/// Money that came in, and what of it went back.
#[derive(Debug, Deserialize)]
struct Source {
    payment: PaymentId,
    is_cash: bool,
    means: Option<String>,
    bank: Option<String>,
    amount: i64,
    refunded: i64,
    at: NaiveDateTime,
}

impl Money {
    /// Loads the money of a booking, in one statement; 404 if there is no such booking.
    pub(crate) async fn load(executor: impl PgExecutor<'_>, booking: BookingId) -> Result<Self> {
        let found = sqlx::query!(
            r#"
            select booking.reference, booking.total_paise as "charged: money::Money",
                (
                    select coalesce(json_agg(json_build_object(
                        'payment', payment_id, 'is_cash', gateway_payment_id is null, 'means', means, 'bank', bank,
                        'amount', amount_paise, 'refunded', refunded_paise, 'at', shop_clock(captured_at)
                    ) order by captured_at, id), '[]')
                    from captures where booking_id = booking.id and state = 'captured' and currency = 'INR'
                ) as "sources!: Json<Vec<Source>>",
                (
                    select coalesce(sum(amount_paise), 0)::bigint from refunds
                    where booking_id = booking.id and state in ('queued', 'pending')
                ) as "on_its_way!: money::Money"
            from bookings booking where booking.id = $1
            "#,
            booking.0
        )
        .fetch_optional(executor)
        .await?
        .ok_or(Error::NotFound("Booking"))?;
        let Json(sources) = found.sources;
        Ok(Self {
            reference: found.reference,
            charged: found.charged,
            taken: sources.iter().map(|source| source.amount).sum::<i64>().into(),
            given_back: sources.iter().map(|source| source.refunded).sum::<i64>().into(),
            on_its_way: found.on_its_way,
            sources,
        })
    }

    pub(crate) fn kept(&self) -> money::Money {
        (self.taken.paise() - self.given_back.paise()).into()
    }

    /// The sum as a table, and where the money came from, with links to the payments.
    pub(crate) fn show(&self) -> Markup {
        let rows = [
            ("Charged", self.charged),
            ("Taken", self.taken),
            ("Given back", money::Money::from_paise(-self.given_back.paise())),
            ("Kept", self.kept()),
        ];
        html! {
            table.sum {
                tbody { @for (title, amount) in rows { tr.total[title == "Kept"] { th scope="row" { (title) } td.num { (rupees(amount)) } } } }
            }
            @if self.on_its_way.paise() > 0 { p.hint { "Of what is given back, " (rupees(self.on_its_way)) " is on its way." } }
            @if !self.sources.is_empty() {
                ul.sources {
                    @for source in &self.sources {
                        li {
                            a href=(format!("{}{}/", PLACE.path, source.payment)) { (source.name()) }
                            ": " (rupees(source.amount.into())) ", " (moment_text(source.at))
                            @if source.refunded > 0 { " · " (rupees(source.refunded.into())) " given back" }
                        }
                    }
                }
            }
        }
    }
}

impl Source {
    fn name(&self) -> String {
        if self.is_cash { "Cash".to_owned() } else { words::means(self.means.as_deref(), self.bank.as_deref()) }
    }
}
