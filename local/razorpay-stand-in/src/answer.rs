//! Refusals of calls: all error texts, codes and statuses in one table.
//!
//! The texts are documented or were seen in real answers, except those marked as guessed. Where no reference gives
//! `source`, `step` and `reason`, they are those of a validation error: `business`, `payment_initiation` and
//! `input_validation_failed`.

use std::io;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The answer to a call, or its refusal.
pub(crate) type Result<T = Value> = std::result::Result<T, Refusal>;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    status: u16,
    error: Value,
}

impl Refusal {
    fn because(description: impl Into<String>) -> Self {
        let error = json!({
            "code": "BAD_REQUEST_ERROR",
            "description": description.into(),
            "source": "business",
            "step": "payment_initiation",
            "reason": "input_validation_failed",
            "metadata": {},
        });
        Self { status: 400, error }
    }

    fn with<const COUNT: usize>(mut self, members: [(&str, &str); COUNT]) -> Self {
        if let Some(error) = self.error.as_object_mut() {
            error.extend(members.map(|(name, value)| (name.to_owned(), value.into())));
        }
        self
    }

    /// Names the field at fault.
    fn field(self, name: &str) -> Self {
        self.with([("field", name)])
    }

    /// `NA` for `source`, `step` and `reason`, as some refusals have it.
    fn not_applicable(self) -> Self {
        self.with([("source", "NA"), ("step", "NA"), ("reason", "NA")])
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Wrong credentials. Users report 401; the documentation says 400, which the settings can choose.
    pub(crate) fn unauthenticated(status: u16) -> Self {
        Self { status, error: json!({"code": "BAD_REQUEST_ERROR", "description": "Authentication failed"}) }
    }

    /// A wrong path or method: 400, not 404.
    pub(crate) fn unknown_url() -> Self {
        Self::because("The requested URL was not found on the server.").not_applicable()
    }

    /// 400, not 404.
    pub(crate) fn unknown_id() -> Self {
        Self::because("The id provided does not exist")
    }

    pub(crate) fn not_an_id(id: &str) -> Self {
        Self::because(format!("{id} is not a valid id"))
    }

    /// The text is guessed.
    pub(crate) fn unreadable(error: &str) -> Self {
        Self::because(format!("The request body cannot be read: {error}")).not_applicable()
    }

    pub(crate) fn extra_fields(names: &str) -> Self {
        Self::because(format!("{names} is/are not required and should not be sent"))
            .with([("reason", "extra_field_sent")])
    }

    pub(crate) fn required(field: &str) -> Self {
        Self::because(format!("The {field} field is required.")).field(field)
    }

    pub(crate) fn not_an_integer(field: &str) -> Self {
        Self::because(format!("The {field} must be an integer.")).field(field)
    }

    /// The text is guessed.
    pub(crate) fn not_a_text(field: &str) -> Self {
        Self::because(format!("The {field} must be a string.")).field(field)
    }

    /// The text is guessed.
    pub(crate) fn invalid(field: &str) -> Self {
        Self::because(format!("The selected {field} is invalid.")).field(field)
    }

    /// The text is guessed.
    pub(crate) fn out_of_range(field: &str, least: i64, most: i64) -> Self {
        Self::because(format!("The {field} must be between {least} and {most}.")).field(field)
    }

    pub(crate) fn invalid_month() -> Self {
        Self::because("The month is not a valid month.").field("month")
    }

    /// The text is guessed.
    pub(crate) fn currency() -> Self {
        Self::because("Currency is not supported").field("currency")
    }

    /// Older documentation has the text of refunds here.
    pub(crate) fn order_too_small() -> Self {
        Self::because("Order amount less than minimum amount allowed")
            .field("amount")
            .with([("step", "order_creation"), ("reason", "amount_less_than_minimum_amount")])
    }

    pub(crate) fn too_large() -> Self {
        Self::because("Amount exceeds maximum amount allowed.").field("amount")
    }

    pub(crate) fn receipt_too_long() -> Self {
        Self::because("receipt: the length must be no more than 40.").field("receipt")
    }

    pub(crate) fn receipt_used(order_id: &str) -> Self {
        let mut refusal = Self::because("Order receipt should be unique.").field("receipt");
        if let Some(metadata) = refusal.error.get_mut("metadata") {
            *metadata = json!({"order_id": order_id});
        }
        refusal
    }

    /// The text is guessed; the limits are documented.
    pub(crate) fn notes() -> Self {
        Self::because("The notes may have up to 15 pairs of at most 256 characters each.").field("notes")
    }

    pub(crate) fn captured_already() -> Self {
        Self::because("This payment has already been captured")
    }

    /// The refusal is documented, the text is guessed.
    pub(crate) fn not_authorized() -> Self {
        Self::because("Only payments which have been authorized and not yet captured can be captured")
    }

    pub(crate) fn wrong_capture_amount() -> Self {
        Self::because("Capture amount must be equal to the amount authorized").field("amount")
    }

    /// The text is guessed.
    pub(crate) fn wrong_capture_currency() -> Self {
        Self::because("Payment currency and the currency passed in the request do not match").field("currency")
    }

    pub(crate) fn order_paid() -> Self {
        Self::because(
            "Your payment has been declined as the order is already paid. Please initiate the payment with a new order.",
        )
        .with([("reason", "order_already_paid")])
    }

    /// The refusal is documented, the text is guessed.
    pub(crate) fn order_has_authorized_payment() -> Self {
        Self::because("A payment of this order is authorized already.").with([("reason", "order_already_paid")])
    }

    /// The refusal is documented, the text is guessed.
    pub(crate) fn not_captured() -> Self {
        Self::because("The payment status should be captured for action to be taken")
    }

    pub(crate) fn fully_refunded() -> Self {
        Self::because("The payment has been fully refunded already")
    }

    pub(crate) fn refund_too_large() -> Self {
        Self::because("The refund amount provided is greater than amount captured").field("amount")
    }

    pub(crate) fn refund_too_small() -> Self {
        Self::because("The amount must be at least INR 1.00").field("amount")
    }

    pub(crate) fn no_balance() -> Self {
        Self::because(
            "Your account does not have enough balance to carry out the refund operation. \
             You can add funds to your account from your Razorpay dashboard or capture new payments.",
        )
        .not_applicable()
    }

    pub(crate) fn key_in_progress() -> Self {
        Self::because("Another request with the same idempotency key is still in progress.")
            .not_applicable()
            .status(409)
    }

    /// One page of the documentation says 400.
    pub(crate) fn key_used() -> Self {
        Self::because("Different request with the same idempotency key has already been processed.")
            .not_applicable()
            .status(409)
    }

    pub(crate) fn key_too_short() -> Self {
        Self::because("The idempotency key must be at least 10 characters long.").not_applicable()
    }

    pub(crate) fn key_characters() -> Self {
        Self::because("The idempotency key must only contain alphanumeric characters, underscores, and hyphens")
            .not_applicable()
    }

    /// The text is guessed.
    pub(crate) fn throttled() -> Self {
        Self::because("Request failed. Please try after sometime.").not_applicable().status(429)
    }

    /// An internal error of Razorpay.
    pub(crate) fn server_error() -> Self {
        Self::because("The server encountered an error. The incident has been reported to admins.")
            .not_applicable()
            .with([("code", "SERVER_ERROR")])
            .status(500)
    }

    /// A refusal that Razorpay does not have: a malformed call of a hook, or a state file that cannot be written.
    pub(crate) fn own(status: u16, description: impl Into<String>) -> Self {
        Self::because(description).not_applicable().status(status)
    }

    pub(crate) fn description(&self) -> &str {
        self.error.get("description").and_then(Value::as_str).unwrap_or_default()
    }

    /// The status and the body.
    pub(crate) fn parts(&self) -> (u16, Value) {
        (self.status, json!({"error": self.error}))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::own(500, format!("The state cannot be written: {error}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = self.parts();
        stand_in::response(status, &body)
    }
}
