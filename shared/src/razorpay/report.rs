//! The settlement report: what Razorpay has paid out, and taken, on a day.

use serde::Deserialize;

/// An entry of the report.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// `pay_…`, `rfnd_…`, `adj_…`.
    pub entity_id: String,
    /// `payment`, `refund`, `adjustment`, `transfer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// In paise.
    pub amount: i64,
    #[serde(default)]
    pub currency: Option<String>,
    /// The payment that a refund or an adjustment belongs to.
    #[serde(default)]
    pub payment_id: Option<String>,
    #[serde(default)]
    pub order_id: Option<String>,
    #[serde(default)]
    pub dispute_id: Option<String>,
}

impl Entry {
    /// The payment that the entry is about.
    pub fn payment(&self) -> Option<&str> {
        if self.kind == "payment" { Some(&self.entity_id) } else { self.payment_id.as_deref() }
    }
}
