//! Paying online on Razorpay's own page, which needs no script of ours, and the way back from it.

use axum::{extract::State, response::Response};
use lambda_http::http::{HeaderName, HeaderValue, StatusCode};
use maud::html;
use shared::{
    Error, Result,
    bookings::{booking, links::Scope, manage_page::own_page},
    http::{Fields, OwnHost, Read},
    money::Money,
    payments::checkout::{self, Paid},
};
use tracing::warn;
use url::Url;

use crate::{
    App,
    form::Form,
    frame::{POLICY, Shop},
    holder::Holder,
    page::{Page, Said, redirect, way_back},
    show,
};

/// Makes the order, or finds the open one, and shows the form that leads to Razorpay.
pub(crate) async fn pay(State(app): State<App>, holder: Holder, host: OwnHost) -> Result<Response> {
    holder.require(Scope::Pay)?;
    let words = holder.words;
    let unavailable = Said::refused(words.pay_later(), StatusCode::BAD_REQUEST);
    let (true, Some(own)) = (app.payments.are_enabled, own_page(&holder.token, &host)) else {
        return show::page(&app, &holder, unavailable).await;
    };
    app.throttle().check(&[app.limits.orders_per_address.on(&holder.address.0)]).await?;
    let razorpay = &app.payments.razorpay;
    let open = match checkout::open(app.database(), razorpay, holder.link.booking_id).await {
        Ok(open) => open,
        // The first page says so.
        Err(Error::AlreadyPaid | Error::BookingCancelled) => return Ok(redirect(&holder.path(""))),
        Err(Error::PaymentsDisabled) => return show::page(&app, &holder, unavailable).await,
        Err(error) => return Err(error),
    };
    let booking = booking::find(&app.database().pool(), holder.link.booking_id).await?;
    let shop = Shop::load(app.database()).await?;
    let amount = Money::from(open.amount_paise).grouped();
    let fields = [
        ("key_id", razorpay.key_id()?),
        ("order_id", open.order_id),
        ("amount", open.amount_paise.to_string()),
        ("currency", open.currency),
        ("name", shop.name.clone()),
        ("description", booking.reference.clone()),
        ("callback_url", format!("{own}paid/")),
        ("cancel_url", own),
    ];
    let content = html! {
        section {
            h1 { (words.pay_online(&amount)) }
            p { (words.razorpay_next()) }
            form method="post" action=(razorpay.checkout_page()) {
                @for (name, value) in &fields { input type="hidden" name=(name) value=(value); }
                // Not for those to whom the link was passed on to pay.
                @if holder.may(Scope::Change) { input type="hidden" name="prefill[contact]" value=(booking.customer.phone); }
                button type="submit" { (words.to_razorpay()) }
            }
            p.hint { (words.razorpay_needs_script()) }
        }
        (way_back(&holder, words))
    };
    let mut response =
        Page { holder: &holder, shop: &shop, title: words.payment_title(), said: Said::default() }.show(&content);
    response
        .headers_mut()
        .insert(HeaderName::from_static("content-security-policy"), policy(&razorpay.checkout_page())?);
    Ok(response)
}

/// The policy of the one page whose form leads to Razorpay, whose page may lead on to others of theirs.
fn policy(page: &str) -> Result<HeaderValue> {
    let origin = Url::parse(page).map_err(Error::internal)?.origin().ascii_serialization();
    HeaderValue::from_str(&format!("{POLICY} {origin} https://*.razorpay.com")).map_err(Error::internal)
}

/// What Razorpay's page sends; without a signature if nothing was paid.
pub(crate) struct Returned(Option<Paid>);

impl Read for Returned {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut text = |name| fields.text_or_empty(name, 200).filter(|text| !text.is_empty());
        let parts = (text("razorpay_order_id"), text("razorpay_payment_id"), text("razorpay_signature"));
        let (Some(order_id), Some(payment_id), Some(signature)) = parts else { return Some(Self(None)) };
        Some(Self(Some(Paid { order_id, payment_id, signature })))
    }
}

/// Settles what was paid, as `verify` of the API does. A webhook or the reconciliation settles what cannot be settled now.
pub(crate) async fn paid(
    State(app): State<App>,
    holder: Holder,
    Form(Returned(returned)): Form<Returned>,
) -> Result<Response> {
    let Some(paid) = returned else { return Ok(redirect(&holder.path("?done=unpaid"))) };
    app.throttle().check(&[app.limits.verifications_per_address.on(&holder.address.0)]).await?;
    let done = match checkout::verify(app.database(), &app.payments.razorpay, &paid).await {
        Ok(_) => "paid",
        Err(error @ (Error::Upstream { .. } | Error::UpstreamTimeout { .. })) => {
            warn!(source = error.source_for_log(), "a payment is not verified yet");
            "unpaid"
        }
        Err(Error::InvalidSignature | Error::PaymentMismatch | Error::NotFound(_) | Error::PaymentsDisabled) => {
            "unpaid"
        }
        Err(error) => return Err(error),
    };
    Ok(redirect(&holder.path(&format!("?done={done}"))))
}
