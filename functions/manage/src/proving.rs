//! The proof of a booking's number by a one-time code.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::html;
use shared::{
    Error, Result,
    bookings::{
        Booking, booking,
        links::{self, Scope},
        masking, unproved,
    },
    http::{Device, Fields, Read},
    phone::Phone,
    sign_in::{Code, Identifier, codes, sessions},
};
use sqlx::PgConnection;
use tracing::warn;

use crate::{
    App,
    form::Form,
    frame::Shop,
    holder::Holder,
    page::{Page, Said, redirect, way_back},
    show,
};

/// Sends a code to the number of the booking, and to no other.
pub(crate) async fn send(State(app): State<App>, holder: Holder) -> Result<Response> {
    let Some((booking, identifier)) = to_prove(&app, &holder).await? else { return Ok(redirect(&holder.path(""))) };
    let words = holder.words;
    let said = match codes::send(&app.sign_in, &identifier, &holder.address).await {
        Ok(()) => Said::default(),
        // One may be on its way: it can be entered.
        Err(Error::Throttled { .. }) => Said::refused(words.wait_for_code(), StatusCode::TOO_MANY_REQUESTS),
        Err(Error::Validation(_) | Error::FaultyField(_)) => {
            return show::page(&app, &holder, Said::refused(words.no_code(), StatusCode::BAD_REQUEST)).await;
        }
        Err(error) => return Err(error),
    };
    ask(&app, &holder, &booking, said).await
}

pub(crate) struct Entered(Option<Code>);

impl Read for Entered {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.value_if_any("code")))
    }
}

/// Checks a code. It signs in to the account of the number, which proves all its bookings, and out again: a link opens bookings
/// and no accounts.
pub(crate) async fn check(
    State(app): State<App>,
    holder: Holder,
    device: Device,
    Form(Entered(code)): Form<Entered>,
) -> Result<Response> {
    let Some((booking, identifier)) = to_prove(&app, &holder).await? else { return Ok(redirect(&holder.path(""))) };
    let words = holder.words;
    let code = code.map(|code| code.0).unwrap_or_default();
    let proved = if code.is_empty() {
        Err(Error::InvalidOtp)
    } else {
        codes::prove(&app.sign_in, None, &identifier, &code, &holder.address, &device).await
    };
    let signed_in = match proved {
        Ok((_, signed_in)) => signed_in,
        Err(Error::InvalidOtp) => {
            return ask(&app, &holder, &booking, Said::refused(words.wrong_code(), StatusCode::BAD_REQUEST)).await;
        }
        Err(Error::Throttled { .. }) => {
            let said = Said::refused(words.wait_for_code(), StatusCode::TOO_MANY_REQUESTS);
            return ask(&app, &holder, &booking, said).await;
        }
        Err(error) => return Err(error),
    };
    let refresh = Some(signed_in.refresh_jwt.as_str()).filter(|token| !token.is_empty());
    if let Err(error) = sessions::log_out(&app.sign_in, Some(&signed_in.session_jwt), refresh, &device).await {
        warn!(source = error.source_for_log(), "the session of a proof goes on until it expires");
    }
    // The trigger of the session leaves a booking that was being changed meanwhile.
    let prove = async |connection: &mut PgConnection| -> Result<()> {
        let mut booking = links::lock(&mut *connection, &holder.token, Scope::Change).await?;
        if booking.customer.phone == identifier.as_str() {
            unproved::prove(connection, &mut booking).await?;
        }
        Ok(())
    };
    app.database().transaction(prove).await?;
    Ok(redirect(&holder.path("?done=proved")))
}

/// The booking and its number, if that is still to be proved.
async fn to_prove(app: &App, holder: &Holder) -> Result<Option<(Booking, Identifier)>> {
    holder.require(Scope::Change)?;
    let booking = booking::find(&app.database().pool(), holder.link.booking_id).await?;
    if !booking.is_unproved {
        return Ok(None);
    }
    let phone: Phone = booking.customer.phone.parse().map_err(|_| Error::internal("a stored number is valid"))?;
    Ok(Some((booking, Identifier::Phone(phone))))
}

/// The page that takes the code.
async fn ask(app: &App, holder: &Holder, booking: &Booking, said: Said) -> Result<Response> {
    let words = holder.words;
    let shop = Shop::load(app.database()).await?;
    let content = html! {
        section {
            h1 { (words.prove_title()) }
            p { (words.code_sent(&masking::phone(&booking.customer.phone))) }
            form method="post" action=(holder.path("code/check/")) {
                div.field {
                    label for="code" { (words.code()) }
                    input #code name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="32" required;
                }
                button type="submit" { (words.check_code()) }
            }
        }
        section {
            form method="post" action=(holder.path("code/")) { button.plain type="submit" { (words.send_again()) } }
        }
        (way_back(holder, words))
    };
    Ok(Page { holder, shop: &shop, title: words.prove_title(), said }.show(&content))
}
