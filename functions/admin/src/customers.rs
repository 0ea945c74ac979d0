//! Customers: their visits and their money, notes about them, and what the law lets them ask for.

mod acts;
mod erase;
mod list;
mod show;
mod visits;

pub(crate) use acts::{export, rewrite_notes};
pub(crate) use erase::{erase, page as erase_page};
pub(crate) use list::{file, list};
pub(crate) use show::show;
