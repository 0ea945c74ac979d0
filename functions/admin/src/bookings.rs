//! Bookings: the list, the page of one with all that can be done to it, walk-ins and papers.

mod acts;
mod around;
mod bulk;
mod choices;
mod find;
mod linking;
mod links;
mod list;
mod look;
mod message_acts;
mod messages;
mod moving;
mod print;
mod scopes;
mod show;
mod timeline;
mod unless_changed;
mod walk_in;

pub(crate) use acts::{change_services, record_cash, save_notes, say_no_show, set_status};
pub(crate) use bulk::{act as bulk_act, confirm as bulk_confirm};
pub(crate) use linking::{make_link, revoke_links};
pub(crate) use list::{file, list};
pub(crate) use look::{Step, next_step, status_tag};
pub(crate) use message_acts::act_on_message;
pub(crate) use moving::{move_page, move_to};
pub(crate) use print::{job_card, receipt, roll, tag};
pub(crate) use show::show;
pub(crate) use walk_in::{book, page as walk_in};

use crate::kit::page::Place;

pub(crate) const PLACE: Place = Place { path: "/admin/bookings/", title: "Bookings" };

/// The page of a booking.
pub(crate) fn path(id: shared::ids::BookingId) -> String {
    format!("{}{id}/", PLACE.path)
}
