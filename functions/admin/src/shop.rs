//! The shop: address, slots, capacity, opening hours and holidays. Before a save that bookings to come would not fit, they
//! are listed.

pub(crate) mod details;
pub(crate) mod holidays;
pub(crate) mod hours;
mod save;
