//! What every log line of a request says about it, named `span` in the line.

use std::{cell::RefCell, fmt::Display};

use serde::Serialize;

use super::ranges;
use crate::ids::{BookingId, CustomerId};

/// The request that a task handles.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Request {
    pub(crate) request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway_request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bookings: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customers: Option<String>,
}

tokio::task_local! {
    static REQUEST: RefCell<Request>;
}

impl Request {
    pub(crate) fn new(request_id: String, gateway_request_id: Option<String>) -> Self {
        Self { request_id, gateway_request_id, ..Self::default() }
    }

    /// Runs what handles the request. Not async: such a function would have room for the work twice.
    pub(crate) fn scope<T>(self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        REQUEST.scope(RefCell::new(self), work)
    }
}

/// Names the invocation in each log line of `work`, for functions that take events of their own.
pub async fn invocation<T>(request_id: &str, work: impl Future<Output = T>) -> T {
    Request::new(request_id.to_owned(), None).scope(work).await
}

/// The present request as JSON; `None` outside one.
pub(super) fn known() -> Option<String> {
    REQUEST.try_with(|request| serde_json::to_string(&*request.borrow()).ok()).ok().flatten()
}

/// Names who makes the request in each of its log lines from here on: a user, the label of a staff key, `customer` for the
/// holder of a booking's token. Never a name, number or address. The law asks who has read or changed personal data.
pub fn name_actor(actor: impl Display) {
    change(|request| request.actor = Some(actor.to_string()));
}

/// Names the record in the request's path in each of its log lines from here on; the route says of which kind it is.
pub(crate) fn name_record(id: i64) {
    change(|request| request.record = Some(id));
}

/// Names the bookings whose data the request has read or changed, in each of its log lines from here on.
pub fn name_bookings(ids: impl IntoIterator<Item = BookingId>) {
    change(|request| request.bookings = Some(ranges(ids.into_iter().map(|id| id.0))));
}

/// Names the customers, as [`name_bookings`].
pub fn name_customers(ids: impl IntoIterator<Item = CustomerId>) {
    change(|request| request.customers = Some(ranges(ids.into_iter().map(|id| id.0))));
}

/// Changes what is known, if the task handles a request.
fn change(change: impl FnOnce(&mut Request)) {
    let _ = REQUEST.try_with(|request| change(&mut request.borrow_mut()));
}
