//! Serves the stand-in at a fixed address.

use std::io;

use messages_stand_in::{Carriers, Settings};
use stand_in::program;

#[tokio::main]
async fn main() -> io::Result<()> {
    let webhook_url = program::given("MESSAGES_WEBHOOK_URL");
    let tells = webhook_url.as_ref().map_or("tells no one".to_owned(), |url| format!("webhooks to {url}"));
    let settings = Settings { webhook_url };
    program::serve::<Carriers>("Messages", 8300, settings, &format!("the inbox is its first page, {tells}")).await
}
