//! Serves the stand-in for Razorpay at a fixed address.

use std::io;

use razorpay_stand_in::{KEY_ID, Razorpay, Settings};
use stand_in::program;

#[tokio::main]
async fn main() -> io::Result<()> {
    let webhook_url = program::given("RAZORPAY_WEBHOOK_URL");
    let tells = webhook_url.as_ref().map_or("webhooks only recorded".to_owned(), |url| format!("webhooks to {url}"));
    let settings = Settings { webhook_url, ..Settings::default() };
    program::serve::<Razorpay>("Razorpay", 8200, settings, &format!("key {KEY_ID}, {tells}")).await
}
