//! Messages to customers and to the shop's people: which were sent, by which way, and which did not arrive.

mod list;
mod words;

pub(crate) use list::{file, list};
pub(crate) use words::{kind, state, way, ways};

use crate::kit::page::Place;

pub(crate) const PLACE: Place = Place { path: "/admin/messages/", title: "Messages" };

/// Where messages that did not arrive are listed.
pub(crate) const UNDELIVERED: &str = "/admin/messages/?scope=undelivered";
