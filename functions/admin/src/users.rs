//! Users: their roles, sessions and blocks.

mod acts;
mod list;
mod sessions;
mod show;

pub(crate) use acts::{block, end_session, end_sessions, give_role, take_role, unblock};
pub(crate) use list::{file, list};
pub(crate) use sessions::{file as sessions_file, list as sessions};
pub(crate) use show::show;
