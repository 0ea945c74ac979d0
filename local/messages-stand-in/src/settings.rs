//! Settings of a stand-in, which can change while it runs.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where webhooks go: `whatsapp/` and `sms/` are added to it. Without it none are sent.
    pub webhook_url: Option<String>,
}
