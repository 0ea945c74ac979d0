//! Requests that something has to go before: a code that was sent, a booking, an order that was paid.

use messages_stand_in::Channel;
use razorpay_stand_in::Outcome;
use serde_json::{Value, json};

use crate::{
    Result,
    request::Request,
    shop::{Shop, catalogue},
};

/// The same number signs in each time, so that its account exists.
const PHONE: &str = "+919000000000";

/// The check of a code that was just sent.
pub(crate) async fn verification(shop: &mut Shop) -> Result<Request> {
    let request = Request::post("/api/auth/phone/request-otp/", &json!({ "phone_number": PHONE }));
    shop.ask("auth", &request).await?;
    let code = shop.descope.inbox(PHONE).into_iter().next().and_then(|message| message.code);
    let body = json!({ "phone_number": PHONE, "otp_code": code.map_or(Value::Null, Value::String) });
    Ok(Request::post("/api/auth/phone/verify-otp/", &body))
}

/// The order of a new booking.
pub(crate) async fn order(shop: &mut Shop) -> Result<Request> {
    let id = value_at(&book(shop).await?, "/data/id")?;
    Ok(Request::post("/api/payments/razorpay/create-order/", &json!({ "booking_id": id })).answered_with(201))
}

/// The webhook of an order that was just paid.
pub(crate) async fn webhook(shop: &mut Shop) -> Result<Request> {
    let request = order(shop).await?;
    let answer = shop.ask("payments", &request).await?;
    let order = value_at(Request::outcome(&answer).1, "/data/order_id")?;
    shop.razorpay.checkout(order.as_str().unwrap_or_default(), Outcome::Captured);
    let sent = shop.razorpay.webhooks().into_iter().rev().find(|webhook| webhook.event == "payment.captured");
    let sent = sent.ok_or("Razorpay tells nothing of a payment")?;
    let request = Request::post_text("/api/payments/razorpay/webhook/", sent.body);
    Ok(sent.headers.iter().fold(request, |request, (name, value)| request.with(&name.to_lowercase(), value)))
}

/// A customer writes that no more messages are wanted, or that they are.
pub(crate) fn message(shop: &mut Shop) -> Request {
    let text = if shop.takes_turns(2) == 0 { "STOP" } else { "START" };
    let told = shop.messages.inbound(Channel::WhatsApp, PHONE, text);
    let (name, value) = told.header;
    Request::post_text(&format!("/api/messages/{}", told.path), told.body).with(name, &value)
}

/// The next job.
pub(crate) async fn job(shop: &mut Shop) -> Result<Request> {
    const JOBS: [&str; 6] =
        ["deliver_outbox", "send_messages", "remind", "reconcile_payments", "compare_settlements", "sweep"];
    book(shop).await?;
    let job = JOBS.get(shop.takes_turns(JOBS.len())).ok_or("there is no such job")?;
    Ok(Request::event_of_its_own(json!({ "action": job })))
}

/// The files of the catalogue, with other prices each time.
pub(crate) fn import(shop: &mut Shop) -> Result<Request> {
    let mut files = catalogue()?;
    if shop.takes_turns(2) == 0 {
        let prices = files.get_mut("service_pricing.csv").ok_or("there are no prices")?;
        *prices = prices.replace(".00\n", ".50\n");
    }
    Ok(Request::event_of_its_own(json!({ "action": "import_catalogue", "files": files })))
}

/// Books, and returns the answer.
async fn book(shop: &mut Shop) -> Result<String> {
    let phone = shop.new_phone();
    let answer = shop.ask("bookings", &shop.booking(&phone)).await?;
    Ok(Request::outcome(&answer).1.to_owned())
}

fn value_at(body: &str, place: &str) -> Result<Value> {
    let body: Value = serde_json::from_str(body)?;
    Ok(body.pointer(place).ok_or_else(|| format!("an answer without {place}: {body}"))?.clone())
}
