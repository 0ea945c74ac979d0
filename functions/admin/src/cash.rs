//! Cash: what was taken and given back on a day, and the count of the drawer that closes it.

mod close;
mod days;
mod show;

pub(crate) use close::close;
pub(crate) use days::{file, list};
pub(crate) use show::show;

use crate::kit::page::Place;

const PLACE: Place = Place { path: "/admin/cash/", title: "Cash" };
