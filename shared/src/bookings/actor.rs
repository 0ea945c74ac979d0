//! The actor of a booking change: customer, staff, Razorpay or the system.

use std::fmt;

/// The actor of a booking change, as the timeline shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The booking's owner.
    Customer,
    /// A staff member, by the label of the key or account.
    Staff(String),
    /// Razorpay, reporting the state of a payment.
    Razorpay,
    /// A consequence of another change.
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
