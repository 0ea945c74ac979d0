//! Bookings, as far as more than one function works on them: rules, capacity, the form in which they are shown.

pub mod appointment;
pub mod change;
pub mod detail;
pub mod facts;
pub mod free_slots;
mod masking;
pub mod slot_usage;
pub mod status;
