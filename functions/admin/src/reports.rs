//! Reports on a period and the one before it: work, money, use of the shop, what is in demand, and who comes.

mod chart;
mod days;
mod period;
mod show;
mod table;
mod tables;
mod work;

pub(crate) use show::{file, show};
