//! The client of Razorpay: a method per call, and the verification of its signatures.

mod entities;
mod event;
mod report;
mod signature;

use std::{fmt::Write, sync::Arc, time::Duration};

use chrono::NaiveDate;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use tracing::error;

pub use entities::{Dispute, Order, Payment, PaymentStatus, Refund, RefundStatus};
pub use event::{Event, Payload};
pub use report::Entry;
pub use signature::WebhookSecrets;

use crate::{
    Error, Result,
    config::{self, Live, Settings},
    metrics::{self, Count},
    outgoing,
};

/// Razorpay's name in messages to callers.
pub const SERVICE: &str = "The payment service";
const DEFAULT_BASE_URL: &str = "https://api.razorpay.com";
/// Delay before the only retry of a call that is safe to repeat.
const PAUSE: Duration = Duration::from_millis(100);
/// Entries of a page of the settlement report: Razorpay's maximum.
const PAGE: usize = 1000;

/// A client of Razorpay. Clones share connections; nothing is connected before the first call.
#[derive(Clone, Debug)]
pub struct Razorpay {
    http: Client,
    base_url: String,
    key: Live<Option<Key>>,
}

/// The API key of an account.
struct Key {
    id: String,
    secret: SecretString,
}

/// Why a call failed.
#[derive(Debug)]
pub enum Failure {
    /// Razorpay refused the call.
    Refused {
        /// 4xx.
        status: u16,
        /// `error.reason`, or `error.code` where there is none.
        reason: String,
        /// `error.description`. Its wording varies, so nothing depends on it, and it is not passed on.
        description: String,
    },
    /// The call may have been executed.
    Unknown(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Unknown(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown(error) => error,
            Failure::Refused { status, reason, .. } => {
                Self::Upstream { service: SERVICE, reason: format!("status {status} {reason}") }
            }
        }
    }
}

impl Razorpay {
    /// Reads `RAZORPAY_KEY_ID`, `RAZORPAY_KEY_SECRET` and `RAZORPAY_BASE_URL`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let base_url = config::optional(config::RAZORPAY_BASE_URL);
        Self::with_key_of(settings, base_url.as_deref().unwrap_or(DEFAULT_BASE_URL))
    }

    /// A client of the account whose key comes from settings, which may have none.
    pub fn with_key_of(settings: &Settings, base_url: &str) -> Result<Self, config::Error> {
        let key = settings.live(|values| {
            let Some(id) = values.optional(config::RAZORPAY_KEY_ID)? else { return Ok(None) };
            Ok(Some(Key::new(&id, &values.required(config::RAZORPAY_KEY_SECRET)?)))
        })?;
        Self::with(base_url, key)
    }

    /// A client of one account.
    pub fn new(base_url: &str, key_id: &str, key_secret: &str) -> Result<Self, config::Error> {
        Self::with(base_url, Live::fixed(Some(Key::new(key_id, key_secret))))
    }

    fn with(base_url: &str, key: Live<Option<Key>>) -> Result<Self, config::Error> {
        Ok(Self {
            http: outgoing::client().map_err(|_| config::RAZORPAY_BASE_URL.invalid())?,
            base_url: base_url.trim().trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// Whether there is a key. An error while the secret that may hold it has not been read: that is not "no key".
    pub fn has_key(&self) -> Result<bool> {
        Ok(self.key.get()?.is_some())
    }

    /// The public half of the key, which the checkout needs.
    pub fn key_id(&self) -> Result<String> {
        let key = self.key.get()?;
        key.as_ref().as_ref().map(|key| key.id.clone()).ok_or(Error::PaymentsDisabled)
    }

    /// The address of Razorpay's own checkout page, to which a form of the browser is sent; it needs no script of ours.
    pub fn checkout_page(&self) -> String {
        format!("{}/v1/checkout/embedded", self.base_url)
    }

    /// Whether the signature from the browser proves that this payment belongs to this order.
    pub async fn is_signed(&self, order_id: &str, payment_id: &str, signature: &str) -> Result<bool> {
        let message = format!("{order_id}|{payment_id}");
        let is_signed = |key: &Option<Key>| {
            let secret = key.as_ref().map(|key| key.secret.expose_secret());
            secret.is_some_and(|secret| signature::verify(secret, message.as_bytes(), signature))
        };
        let key = self.key.get()?;
        // Another environment may have made the order with a newer key than ours.
        Ok(is_signed(&key) || self.key.instead_of(&key).await.is_some_and(|key| is_signed(&key)))
    }

    /// Creates an order whose authorized payments are captured automatically. If the answer is lost, the order can be
    /// found by its receipt.
    pub async fn create_order(&self, amount_paise: i64, currency: &str, receipt: &str) -> Result<Order, Failure> {
        let body = json!({
            "amount": amount_paise, "currency": currency, "receipt": receipt,
            "payment": {
                "capture": "automatic",
                "capture_options": { "automatic_expiry_period": 7200, "manual_expiry_period": 7200, "refund_speed": "normal" }
            },
        });
        // At most once: an order has no idempotency key.
        self.send(self.request(Method::POST, "/v1/orders").json(&body), false).await
    }

    /// The orders with this receipt, newest first.
    pub async fn orders_with_receipt(&self, receipt: &str) -> Result<Vec<Order>, Failure> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("receipt", receipt)
            .append_pair("count", "100")
            .finish();
        let orders: Collection<Order> = self.get(&format!("/v1/orders?{query}")).await?;
        Ok(orders.items)
    }

    /// All payments of an order, including failed ones, unsorted.
    pub async fn payments_of(&self, order_id: &str) -> Result<Vec<Payment>, Failure> {
        let payments: Collection<Payment> = self.get(&format!("/v1/orders/{}/payments", path(order_id))).await?;
        Ok(payments.items)
    }

    pub async fn payment(&self, payment_id: &str) -> Result<Payment, Failure> {
        self.get(&format!("/v1/payments/{}", path(payment_id))).await
    }

    /// Captures an authorized payment. One that has been captured meanwhile is a success.
    pub async fn capture(&self, payment: &Payment) -> Result<Payment, Failure> {
        let body = json!({ "amount": payment.amount, "currency": payment.currency });
        let address = format!("/v1/payments/{}/capture", path(&payment.id));
        match self.send(self.request(Method::POST, &address).json(&body), true).await {
            // Another capture may have won the race, so the payment's present status decides.
            Err(Failure::Refused { .. }) => self.payment(&payment.id).await,
            captured => captured,
        }
    }

    /// Refunds a payment. Idempotent per key.
    pub async fn refund(&self, payment_id: &str, amount_paise: i64, key: &str) -> Result<Refund, Failure> {
        let body = json!({ "amount": amount_paise, "speed": "normal", "receipt": key });
        let address = format!("/v1/payments/{}/refund", path(payment_id));
        let request = self.request(Method::POST, &address).header("X-Refund-Idempotency", key).json(&body);
        self.send(request, false).await
    }

    /// All refunds of a payment.
    pub async fn refunds_of(&self, payment_id: &str) -> Result<Vec<Refund>, Failure> {
        let refunds: Collection<Refund> =
            self.get(&format!("/v1/payments/{}/refunds?count=100", path(payment_id))).await?;
        Ok(refunds.items)
    }

    /// All refunds of those payments that have some.
    pub async fn refunds_of_all(&self, payments: &[Payment]) -> Result<Vec<Refund>, Failure> {
        let mut refunds = Vec::new();
        for payment in payments.iter().filter(|payment| payment.amount_refunded.is_some_and(|amount| amount > 0)) {
            refunds.extend(self.refunds_of(&payment.id).await?);
        }
        Ok(refunds)
    }

    /// A page of the settlement report of a day: what was settled on it, from the entry `skip` on. Empty after the last.
    pub async fn settled_on(&self, day: NaiveDate, skip: usize) -> Result<Vec<Entry>, Failure> {
        let date = day.format("year=%Y&month=%m&day=%d");
        let entries: Collection<Entry> =
            self.get(&format!("/v1/settlements/recon/combined?{date}&count={PAGE}&skip={skip}")).await?;
        Ok(entries.items)
    }

    fn request(&self, method: Method, address: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{address}", self.base_url))
            .header("user-agent", concat!("repairmybike/", env!("CARGO_PKG_VERSION")))
    }

    async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, Failure> {
        self.send(self.request(Method::GET, address), true).await
    }

    /// Sends a request. If our key is refused and another is known by now, the request is retried: the refused one has
    /// done nothing.
    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder, can_be_repeated: bool) -> Result<T, Failure> {
        let signed = |request: RequestBuilder, key: &Key| request.basic_auth(&key.id, Some(key.secret.expose_secret()));
        let key: Arc<Option<Key>> = self.key.get().map_err(|error| Failure::Unknown(Error::Unset(error)))?;
        let Some(first) = key.as_ref() else { return Err(Failure::Unknown(Error::PaymentsDisabled)) };
        let again = request.try_clone();
        match (send(signed(request, first), can_be_repeated).await, again) {
            (Err(Attempt::Unauthorized), Some(request)) => match self.key.instead_of(&key).await.as_deref() {
                Some(Some(key)) => send(signed(request, key), can_be_repeated).await,
                _ => Err(Attempt::Unauthorized),
            },
            (answer, _) => answer,
        }
        .map_err(|attempt| match attempt {
            Attempt::Failed(failure) => failure,
            // No caller can fix our key.
            Attempt::Unauthorized => {
                error!("Razorpay refuses our key");
                metrics::count(Count::RazorpayKeyRefused);
                unavailable("status 401")
            }
        })
    }
}

impl Key {
    fn new(id: &str, secret: &str) -> Self {
        Self { id: id.trim().to_owned(), secret: secret.trim().into() }
    }
}

/// Why one request failed.
enum Attempt {
    /// 401: the key is wrong.
    Unauthorized,
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[derive(Deserialize)]
struct Collection<T> {
    items: Vec<T>,
}

/// Percent-encodes an id for a path: it may be any text from a caller.
fn path(id: &str) -> String {
    id.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

async fn send<T: DeserializeOwned>(request: RequestBuilder, can_be_repeated: bool) -> Result<T, Attempt> {
    let again = request.try_clone();
    let answer = attempt(request).await;
    match (again, &answer) {
        (Some(request), Err(Attempt::Failed(Failure::Unknown(Error::Upstream { .. })))) if can_be_repeated => {
            tokio::time::sleep(PAUSE).await;
            attempt(request).await
        }
        _ => answer,
    }
}

async fn attempt<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Attempt> {
    #[derive(Deserialize)]
    struct Body {
        error: Reported,
    }
    #[derive(Deserialize)]
    struct Reported {
        code: Option<String>,
        reason: Option<String>,
        description: Option<String>,
    }
    let response = request.send().await.map_err(lost)?;
    let status = response.status();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await.map_err(lost)?;
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::Unknown(Error::Throttled { retry_after_seconds: retry_after.unwrap_or(60) }).into());
    }
    if status == StatusCode::UNAUTHORIZED {
        return Err(Attempt::Unauthorized);
    }
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|_| unavailable("an answer that cannot be read").into());
    }
    match serde_json::from_slice::<Body>(&body) {
        Ok(Body { error }) if status.is_client_error() => Err(Failure::Refused {
            status: status.as_u16(),
            reason: error.reason.or(error.code).unwrap_or_default(),
            description: error.description.unwrap_or_default(),
        }
        .into()),
        _ => Err(unavailable(&format!("status {}", status.as_u16())).into()),
    }
}

fn unavailable(reason: &str) -> Failure {
    Failure::Unknown(Error::Upstream { service: SERVICE, reason: reason.to_owned() })
}

fn lost(error: reqwest::Error) -> Failure {
    if error.is_timeout() && !error.is_connect() {
        return Failure::Unknown(Error::UpstreamTimeout { service: SERVICE });
    }
    let error = error.without_url();
    unavailable(&std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
}
