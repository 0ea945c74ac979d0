//! Status, payment and location of a booking as enums, and the allowed status transitions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{
    Postgres, Type,
    postgres::{PgHasArrayType, PgTypeInfo},
};
use utoipa::ToSchema;

use crate::written::Written;

/// The status of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum BookingStatus {
    /// Asked for.
    Pending,
    /// Accepted by the shop.
    Confirmed,
    /// Being worked on.
    InProgress,
    /// Done.
    Completed,
    /// Not to be done.
    Cancelled,
}

impl BookingStatus {
    /// All statuses, in lifecycle order.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Confirmed, Self::InProgress, Self::Completed, Self::Cancelled];

    /// Allowed next statuses; none once it is completed or cancelled.
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Cancelled],
            Self::Confirmed => &[Self::InProgress, Self::Cancelled],
            Self::InProgress => &[Self::Completed, Self::Cancelled],
            Self::Completed | Self::Cancelled => &[],
        }
    }

    /// Whether the customer may still move or cancel the booking.
    pub const fn is_up_to_customer(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }
}

/// Whether the money is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Not yet.
    Pending,
    /// Paid.
    Completed,
    /// Paid and given back.
    Refunded,
}

/// How the customer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// When the work is done.
    Cash,
    /// Online.
    Razorpay,
}

/// Where a booking was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum BookingSource {
    Web,
    App,
    /// By the shop's people, for a customer who came.
    Counter,
    /// By the shop's people, for a customer who called.
    Phone,
}

/// Where the work is done. Each place has a pool of capacity of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum ServiceLocation {
    /// By a crew, at the customer's.
    Home,
    /// In a bay of the shop.
    Shop,
}

/// Names the variants of each enum as the API and the database do.
macro_rules! written {
    ($($name:ident, $in_postgres:literal: $($word:literal => $variant:ident),+;)+) => {
        $(impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($in_postgres)
            }

            /// Statements may select it as text: a new connection asks Postgres what each other type is.
            fn compatible(known: &PgTypeInfo) -> bool {
                *known == Self::type_info() || <str as Type<Postgres>>::compatible(known)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::array_of($in_postgres)
            }
        }

        impl $name {
            /// The name in the API and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Written for $name {
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!("\"{other}\" is not a valid choice.")),
                }
            }

            fn rules() -> Value {
                json!({})
            }
        })+
    };
}

written! {
    BookingStatus, "booking_status": "pending" => Pending, "confirmed" => Confirmed, "in_progress" => InProgress,
        "completed" => Completed, "cancelled" => Cancelled;
    PaymentStatus, "payment_status": "pending" => Pending, "completed" => Completed, "refunded" => Refunded;
    PaymentMethod, "payment_method": "cash" => Cash, "razorpay" => Razorpay;
    ServiceLocation, "service_location": "home" => Home, "shop" => Shop;
    BookingSource, "booking_source": "web" => Web, "app" => App, "counter" => Counter, "phone" => Phone;
}

#[cfg(test)]
mod tests {
    use super::BookingStatus::{Cancelled, Completed, Confirmed, InProgress, Pending};
    use super::*;

    const ALL: [BookingStatus; 5] = BookingStatus::ALL;

    #[test]
    fn only_six_status_transitions_are_allowed() {
        let steps: Vec<_> =
            ALL.into_iter().flat_map(|from| from.successors().iter().map(move |to| (from, *to))).collect();
        assert_eq!(
            steps,
            [
                (Pending, Confirmed),
                (Pending, Cancelled),
                (Confirmed, InProgress),
                (Confirmed, Cancelled),
                (InProgress, Completed),
                (InProgress, Cancelled),
            ]
        );
    }

    #[test]
    fn a_customer_may_move_or_cancel_until_work_begins() {
        assert_eq!(ALL.map(BookingStatus::is_up_to_customer), [true, true, false, false, false]);
    }

    #[test]
    fn a_status_serializes_and_parses_by_its_api_name() {
        for status in ALL {
            assert_eq!(serde_json::json!(status), status.as_str());
            assert_eq!(BookingStatus::parse(status.as_str()), Ok(status));
        }
    }
}
