//! Who changes a booking.

use std::fmt;

/// Who changes a booking, as the timeline names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The booking's owner.
    Customer,
    /// A member of staff, by the label of the key or account.
    Staff(String),
    /// Razorpay, by what it says of a payment.
    Razorpay,
    /// No person: one change follows from another.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => formatter.write_str("customer"),
            Self::Staff(label) => write!(formatter, "staff:{label}"),
            Self::Razorpay => formatter.write_str("razorpay"),
            Self::System => formatter.write_str("system"),
        }
    }
}
