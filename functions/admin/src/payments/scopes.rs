//! The scopes of the list of payments, with their counts.

use maud::{Markup, html};
use shared::Result;
use sqlx::PgConnection;

use crate::kit::{
    ask::{Ask, HIGHEST_COUNT},
    rows::Count,
};

/// The scopes: name in addresses, title, and how many payments or mismatches it has.
pub(super) type Scopes = [(&'static str, &'static str, i64); 5];

pub(super) async fn scopes(connection: &mut PgConnection) -> Result<Scopes> {
    let counted = sqlx::query!(
        r#"
        select (select count(*) from (select from payments limit $1) as counted) as "all!",
            (select count(*) from (select from payments where method = 'cash' limit $1) as counted) as "cash!",
            (select count(*) from (select from payments where method = 'razorpay' limit $1) as counted) as "online!",
            (
                select count(*) from payments failed
                where exists (select from captures where payment_id = failed.id and state = 'failed')
                    and not exists (select from captures where payment_id = failed.id and state = 'captured')
            ) as "failed!",
            (select count(*) from money_paid_without_capture) + (select count(*) from money_captured_without_payment)
                + (select count(*) from money_not_given_back) + (select count(*) from money_failed_refunds)
                + (select count(*) from money_misfits) + (select count(*) from money_disputes)
                + (select count(*) from money_unmatched) as "attention!"
        "#,
        HIGHEST_COUNT + 1
    )
    .fetch_one(connection)
    .await?;
    Ok([
        ("", "All", counted.all),
        ("attention", "Needs attention", counted.attention),
        ("failed", "Failed", counted.failed),
        ("cash", "Cash", counted.cash),
        ("online", "Online", counted.online),
    ])
}

/// Links to the scopes; the other filters stay.
pub(super) fn links(ask: &Ask, scopes: &Scopes) -> Markup {
    let present = ask.value("scope").unwrap_or_default();
    html! {
        nav.scopes aria-label="Which payments" {
            @for (name, title, count) in scopes {
                a href=(ask.link(&[("scope", name)])) aria-current=[(*name == present).then_some("true")] {
                    (title) " " span.count { (Count(*count)) }
                }
            }
        }
    }
}
