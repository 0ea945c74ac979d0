//! The channel of a one-time code.

use serde::Serialize;
use utoipa::ToSchema;

/// How a one-time code is sent. The API names what it is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// To a phone number.
    #[serde(rename = "phone")]
    Sms,
    /// To an e-mail address.
    Email,
}

impl Channel {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}
