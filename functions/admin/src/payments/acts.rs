//! What administrators do about a payment: ask Razorpay, refund again, note what was given back by hand, leave it.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use shared::{
    Error, Faults, Result,
    bookings::{Actor, LONGEST_REASON},
    http::{Fields, Id, Read},
    ids::{CaptureId, PaymentId},
    money::Money,
    payments::{
        mismatches::{self, Kind},
        orders, refunds,
        states::ByHand,
    },
};
use sqlx::PgConnection;

use super::{
    PLACE,
    settle::{self, Subject},
};
use crate::{
    App,
    kit::{act, form::Form, page::redirect},
    session::Person,
};

/// What was just done, by the word in the address.
pub(super) fn notice(done: Option<&str>) -> Option<&'static str> {
    Some(match done? {
        "asked" => "Razorpay will be asked within a minute. Open this page again then.",
        "again" => "The refund is on its way: Razorpay is asked within a minute or two. Cash is handed out now.",
        "by-hand" => "Noted. The amount counts as given back.",
        "accepted" => "Left as it is. It is not listed any more.",
        _ => return None,
    })
}

pub(crate) async fn ask_now(State(app): State<App>, Id(id): Id<PaymentId>) -> Result<Response> {
    if !orders::ask_now(&app.database().pool(), id).await? {
        return Err(Error::NotFound("Payment"));
    }
    Ok(redirect(&format!("{}{id}/?done=asked", PLACE.path)))
}

struct Again {
    subject: Subject,
    why: String,
}

impl Read for Again {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (subject, why) = (Subject::read(fields), fields.text_or_empty("why", LONGEST_REASON));
        let why = why.filter(|why| !why.is_empty()).unwrap_or_else(|| "refunded again".to_owned());
        Some(Self { subject: subject?, why })
    }
}

/// Refunds what is left of the money again.
pub(crate) async fn again(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(wanted) = form.read::<Again>() else { return settle::refused(&app, &person, form).await };
    let Subject { kind, id } = wanted.subject;
    let work = async |connection: &mut PgConnection| {
        let (booking, capture) = mismatches::take(connection, kind, id).await?;
        refunds::again(connection, &booking, capture, &wanted.why, &person.actor()).await?;
        led_to(connection, Some(capture), "again").await
    };
    conclude(&app, &person, form, work).await
}

struct GivenByHand {
    subject: Subject,
    amount: Money,
    by: ByHand,
    proof: String,
}

impl Read for GivenByHand {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (subject, amount) = (Subject::read(fields), fields.value("amount"));
        let (by, proof) = (fields.value("by"), fields.text("proof", LONGEST_REASON));
        Some(Self { subject: subject?, amount: amount?, by: by?, proof: proof? })
    }
}

/// Notes money that was given back at the shop.
pub(crate) async fn by_hand(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(given) = form.read::<GivenByHand>() else { return settle::refused(&app, &person, form).await };
    let Subject { kind, id } = given.subject;
    let work = async |connection: &mut PgConnection| {
        let (booking, capture) = mismatches::take(connection, kind, id).await?;
        let actor: Actor = person.actor();
        refunds::by_hand::record(connection, &booking, capture, given.amount, given.by, &given.proof, &actor).await?;
        led_to(connection, Some(capture), "by-hand").await
    };
    conclude(&app, &person, form, work).await
}

struct Accepted {
    subject: Subject,
    reason: String,
}

impl Read for Accepted {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (subject, reason) = (Subject::read(fields), fields.text("reason", LONGEST_REASON));
        Some(Self { subject: subject?, reason: reason? })
    }
}

/// Leaves a mismatch as it is, with a reason.
pub(crate) async fn accept(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(accepted) = form.read::<Accepted>() else { return settle::refused(&app, &person, form).await };
    let Subject { kind, id } = accepted.subject;
    let work = async |connection: &mut PgConnection| {
        mismatches::accept(connection, kind, id, &accepted.reason, &person.actor()).await?;
        let capture = match kind {
            Kind::PaidWithoutMoney | Kind::Dispute | Kind::Unmatched => None,
            Kind::MoneyWithoutPaid | Kind::NotGivenBack | Kind::Misfit => Some(CaptureId(id)),
            Kind::FailedRefund => sqlx::query_scalar!("select capture_id from refunds where id = $1", id)
                .fetch_optional(&mut *connection)
                .await?
                .map(CaptureId),
        };
        led_to(connection, capture, "accepted").await
    };
    conclude(&app, &person, form, work).await
}

/// The page that an act leads to: that of the payment, if it has one.
async fn led_to(connection: &mut PgConnection, capture: Option<CaptureId>, done: &str) -> Result<String> {
    let payment = sqlx::query_scalar!("select payment_id from captures where id = $1", capture as Option<CaptureId>)
        .fetch_optional(connection)
        .await?;
    Ok(payment.map_or_else(
        || format!("{}?scope=attention&done={done}", PLACE.path),
        |payment| format!("{}{payment}/?done={done}", PLACE.path),
    ))
}

/// Does the work, or shows why it was not done.
async fn conclude(
    app: &App,
    person: &Person,
    mut form: Form,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<String>,
) -> Result<Response> {
    match act::once(app.database(), &form, work).await {
        Ok(led_to) => Ok(redirect(&led_to)),
        Err(Error::NotFound("Mismatch")) => {
            let sentence = "Another user has settled this meanwhile. Nothing was done.";
            form.blame(Faults::from(("form", sentence)));
            settle::show(app, person, &form, StatusCode::CONFLICT).await
        }
        Err(error) => {
            form.take(error)?;
            settle::refused(app, person, form).await
        }
    }
}
