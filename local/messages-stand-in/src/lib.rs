//! A stand-in for Amazon SES, the WhatsApp Cloud API and MSG91: takes messages, keeps them in an inbox instead of sending
//! them, and tells what became of them as the real services do.
//!
//! None of the three has an official simulator. What is a guess about the real service is marked where it is made.

mod carriers;
mod faults;
mod feedback;
mod hooks;
mod inbox;
mod mail;
mod msg91;
mod page;
mod request;
mod server;
mod settings;
mod state;
mod whatsapp;

pub use carriers::Carriers;
pub use faults::{Fault, Outcome};
pub use feedback::{MailEvent, Told};
pub use inbox::{Channel, Taken};
pub use settings::Settings;

/// A running stand-in. It stops when it is dropped.
pub type StandIn = stand_in::StandIn<Carriers>;

/// The id of the only number of WhatsApp.
pub const PHONE_NUMBER_ID: &str = "100000000000001";

/// The token that may send from it.
pub const TOKEN: &str = "local-whatsapp-token";

/// The secret that signs WhatsApp's webhooks.
pub const APP_SECRET: &str = "local-whatsapp-app-secret";

/// The token that WhatsApp's webhook is registered with.
pub const VERIFY_TOKEN: &str = "local-whatsapp-verify-token";

/// The key of the only MSG91 account.
pub const AUTH_KEY: &str = "local-msg91-key";

/// The header that MSG91's webhooks carry.
pub const REPORT_SECRET: &str = "local-msg91-webhook-secret";
