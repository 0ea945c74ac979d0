//! Kinds of messages, and what follows from the kind.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What a message says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Encode, sqlx::Decode,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum Kind {
    /// The shop has the booking, and has not confirmed it.
    #[serde(rename = "booking_created")]
    #[sqlx(rename = "booking_created")]
    Created,
    #[serde(rename = "booking_confirmed")]
    #[sqlx(rename = "booking_confirmed")]
    Confirmed,
    #[serde(rename = "booking_rescheduled")]
    #[sqlx(rename = "booking_rescheduled")]
    Rescheduled,
    #[serde(rename = "booking_reminder")]
    #[sqlx(rename = "booking_reminder")]
    Reminder,
    /// The work is done.
    #[serde(rename = "booking_completed")]
    #[sqlx(rename = "booking_completed")]
    Completed,
    #[serde(rename = "booking_cancelled")]
    #[sqlx(rename = "booking_cancelled")]
    Cancelled,
    #[serde(rename = "booking_paid")]
    #[sqlx(rename = "booking_paid")]
    Paid,
    #[serde(rename = "booking_refunded")]
    #[sqlx(rename = "booking_refunded")]
    Refunded,
    /// The ways in to an account have changed.
    WaysInChanged,
    /// An account was signed in to on a device that it did not have before.
    NewDevice,
    #[serde(rename = "staff_booking_created")]
    #[sqlx(rename = "staff_booking_created")]
    StaffCreated,
    #[serde(rename = "staff_booking_rescheduled")]
    #[sqlx(rename = "staff_booking_rescheduled")]
    StaffRescheduled,
    #[serde(rename = "staff_booking_cancelled")]
    #[sqlx(rename = "staff_booking_cancelled")]
    StaffCancelled,
    StaffRefundFailed,
}

crate::database::kept_as_text!(Kind);

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::Created,
        Self::Confirmed,
        Self::Rescheduled,
        Self::Reminder,
        Self::Completed,
        Self::Cancelled,
        Self::Paid,
        Self::Refunded,
        Self::WaysInChanged,
        Self::NewDevice,
        Self::StaffCreated,
        Self::StaffRescheduled,
        Self::StaffCancelled,
        Self::StaffRefundFailed,
    ];

    /// The name in the database, which is also that of the registered template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "booking_created",
            Self::Confirmed => "booking_confirmed",
            Self::Rescheduled => "booking_rescheduled",
            Self::Reminder => "booking_reminder",
            Self::Completed => "booking_completed",
            Self::Cancelled => "booking_cancelled",
            Self::Paid => "booking_paid",
            Self::Refunded => "booking_refunded",
            Self::WaysInChanged => "ways_in_changed",
            Self::NewDevice => "new_device",
            Self::StaffCreated => "staff_booking_created",
            Self::StaffRescheduled => "staff_booking_rescheduled",
            Self::StaffCancelled => "staff_booking_cancelled",
            Self::StaffRefundFailed => "staff_refund_failed",
        }
    }

    /// Whether it is for the shop's people, who get mail alone.
    pub const fn is_for_staff(self) -> bool {
        matches!(self, Self::StaffCreated | Self::StaffRescheduled | Self::StaffCancelled | Self::StaffRefundFailed)
    }

    /// Whether it is about an account and not about a booking.
    pub const fn is_about_account(self) -> bool {
        matches!(self, Self::WaysInChanged | Self::NewDevice)
    }

    /// Whether it waits for the morning. What answers an act of the recipient at that moment does not, nor what guards an
    /// account.
    pub const fn waits_for_morning(self) -> bool {
        !self.is_for_staff() && !self.is_about_account() && !matches!(self, Self::Created | Self::Paid)
    }

    /// Whether it is about a visit to come, and worthless when that begins.
    pub const fn ends_with_visit(self) -> bool {
        matches!(self, Self::Created | Self::Confirmed | Self::Rescheduled | Self::Reminder)
    }

    /// For how long any other is worth sending.
    pub const fn life(self) -> TimeDelta {
        match self {
            Self::Paid | Self::Refunded => TimeDelta::days(3),
            _ => TimeDelta::days(2),
        }
    }

    /// How long it is held back, so that what follows at once is told with it.
    pub const fn pause(self) -> TimeDelta {
        match self {
            Self::Rescheduled | Self::StaffRescheduled => TimeDelta::minutes(2),
            _ => TimeDelta::zero(),
        }
    }
}
