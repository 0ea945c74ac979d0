//! What SES tells of a mail, as EventBridge hands it over in `detail`.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>

use std::collections::BTreeMap;

use serde::Deserialize;

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailEvent {
    /// The id that SES gave it.
    pub id: String,
    /// Ours.
    pub tag: Option<String>,
    pub fate: MailFate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFate {
    Sent,
    Delivered,
    Bounced { is_permanent: bool },
    Rejected,
    Complained,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "eventType")]
    kind: String,
    mail: Described,
    bounce: Option<Bounce>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "messageId")]
    id: String,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Bounce {
    #[serde(rename = "bounceType")]
    kind: String,
}

impl MailEvent {
    /// Reads the `detail` of an event; `None` for events that change nothing, such as `Open`, and for other shapes.
    pub fn read(detail: &serde_json::Value) -> Option<Self> {
        let Detail { kind, mail, bounce } = Detail::deserialize(detail).ok()?;
        let fate = match kind.as_str() {
            "Send" => MailFate::Sent,
            "Delivery" => MailFate::Delivered,
            "Bounce" => MailFate::Bounced { is_permanent: bounce.is_some_and(|bounce| bounce.kind == "Permanent") },
            "Reject" | "Rendering Failure" => MailFate::Rejected,
            "Complaint" => MailFate::Complained,
            _ => return None,
        };
        let tag = mail.tags.get("message").and_then(|values| values.first()).cloned();
        Some(Self { id: mail.id, tag, fate })
    }
}
