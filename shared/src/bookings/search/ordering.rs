//! The orders in which bookings can be listed.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::written::Written;

/// The order of a list of bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) enum Ordering {
    #[serde(rename = "appointment_date")]
    AppointmentDate,
    #[serde(rename = "-appointment_date")]
    AppointmentDateDown,
    #[serde(rename = "created_at")]
    CreatedAt,
    #[serde(rename = "-created_at")]
    CreatedAtDown,
    #[serde(rename = "total_amount")]
    TotalAmount,
    #[serde(rename = "-total_amount")]
    TotalAmountDown,
}

impl Ordering {
    const ALL: [Self; 6] = [
        Self::AppointmentDate,
        Self::AppointmentDateDown,
        Self::CreatedAt,
        Self::CreatedAtDown,
        Self::TotalAmount,
        Self::TotalAmountDown,
    ];

    /// The name in the API.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AppointmentDate => "appointment_date",
            Self::AppointmentDateDown => "-appointment_date",
            Self::CreatedAt => "created_at",
            Self::CreatedAtDown => "-created_at",
            Self::TotalAmount => "total_amount",
            Self::TotalAmountDown => "-total_amount",
        }
    }

    /// The same order from its end.
    pub(super) const fn reversed(self) -> Self {
        match self {
            Self::AppointmentDate => Self::AppointmentDateDown,
            Self::AppointmentDateDown => Self::AppointmentDate,
            Self::CreatedAt => Self::CreatedAtDown,
            Self::CreatedAtDown => Self::CreatedAt,
            Self::TotalAmount => Self::TotalAmountDown,
            Self::TotalAmountDown => Self::TotalAmount,
        }
    }
}

impl Written for Ordering {
    fn parse(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|ordering| ordering.as_str() == text);
        named.ok_or_else(|| format!("\"{text}\" is not a valid choice."))
    }

    fn rules() -> Value {
        json!({})
    }
}
