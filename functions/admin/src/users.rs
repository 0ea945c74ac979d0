//! Users: their roles, sessions and blocks.

mod acts;
mod list;
mod show;

pub(crate) use acts::{block, end_session, end_sessions, give_role, take_role, unblock};
pub(crate) use list::{file, list};
pub(crate) use show::show;
