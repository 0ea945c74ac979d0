//! The shop: address, slots, capacity, opening hours, holidays and the words of messages. Before a save that bookings to come would not fit, they
//! are listed.

pub(crate) mod details;
pub(crate) mod holidays;
pub(crate) mod hours;
pub(crate) mod messages;
mod sample;
mod save;
