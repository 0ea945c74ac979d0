//! The state of what runs by itself: jobs, messages, and what is wrong, with what to do about it.

mod jobs;
mod messages;
mod show;

pub(crate) use messages::retry;
pub(crate) use show::show;

const PATH: &str = "/admin/system/";
