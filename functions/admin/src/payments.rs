//! Payments: the list, one payment, what does not match, and giving money back.

mod acts;
mod attention;
mod list;
mod money;
mod refund;
mod rows;
mod scopes;
mod settle;
mod show;
mod words;

pub(crate) use acts::{accept, again, ask_now, by_hand};
pub(crate) use list::{file, list};
pub(crate) use money::Money;
pub(crate) use refund::{give_back, page as refund_page};
pub(crate) use settle::page as settle_page;
pub(crate) use show::show;
pub(crate) use words::by;

use crate::kit::page::Place;

const PLACE: Place = Place { path: "/admin/payments/", title: "Payments" };
