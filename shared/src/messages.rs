//! Messages to people: what is told to whom, by which channel, and what became of it.
//!
//! A message is a row of `messages`, unique by its cause, channel and recipient, whose state only moves forward. A job
//! claims it for a while, decides from the booking as it is then, and calls the carrier once. If the answer is lost, the
//! row is `unknown` and is not sent again: the carrier's webhook settles it, or a person.

mod by_hand;
mod channels;
mod decide;
mod fallback;
pub mod feedback;
mod kind;
mod link;
mod own_texts;
mod plan;
mod queue;
mod remind;
mod result;
mod situation;
mod state;
mod words;
mod write;

pub use by_hand::{arrived, dealt_with, send_again};
pub use channels::{channels, note_channels};
pub use decide::{Decision, decide, quiet_until};
pub use fallback::{fall_back, leave};
pub use kind::Kind;
pub use link::Link;
pub use own_texts::{LONGEST_OWN_TEXT, OwnTexts};
pub use plan::{Plan, Reminders};
pub use queue::{Claimed, claim, drop_worthless, expire_leases, oldest_due_seconds, postpone};
pub use remind::remind;
pub use result::{accepted, dropped, later, not_known, refused};
pub use situation::{Situation, situations};
pub use state::State;
pub use words::{Preview, Registered, Sms, mail, preview, registered, sms, template};
pub use write::{forget, forget_user, write};
