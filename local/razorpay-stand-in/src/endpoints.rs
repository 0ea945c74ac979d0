//! The routes of the API.

use crate::{
    answer::{Refusal, Result},
    capture, orders, payments, refunds, report,
    request::Request,
    state::State,
};

/// Answers a call of the API.
pub(crate) fn answer(state: &mut State, request: &Request) -> Result {
    if !request.is_authenticated() {
        return Err(Refusal::unauthenticated(state.settings.unauthenticated_status));
    }
    state.do_what_is_due();
    let path: Vec<_> = request.path.trim_matches('/').split('/').collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["v1", "orders"]) => orders::create(state, request),
        ("GET", ["v1", "orders"]) => orders::list(state, request),
        ("GET", ["v1", "orders", id]) => orders::show(state, id),
        ("PATCH", ["v1", "orders", id]) => orders::update(state, request, id),
        ("GET", ["v1", "orders", id, "payments"]) => orders::payments(state, id),
        ("GET", ["v1", "payments"]) => payments::list(state, request),
        ("GET", ["v1", "payments", id]) => payments::show(state, id),
        ("PATCH", ["v1", "payments", id]) => payments::update(state, request, id),
        ("POST", ["v1", "payments", id, "capture"]) => capture::create(state, request, id),
        ("POST", ["v1", "payments", id, "refund"]) => refunds::create(state, request, id),
        ("GET", ["v1", "payments", id, "refunds"]) => refunds::list(state, request, Some(id)),
        ("GET", ["v1", "payments", id, "refunds", refund]) => refunds::show(state, refund, Some(id)),
        ("GET", ["v1", "refunds"]) => refunds::list(state, request, None),
        ("GET", ["v1", "refunds", id]) => refunds::show(state, id, None),
        ("PATCH", ["v1", "refunds", id]) => refunds::update(state, request, id),
        ("GET", ["v1", "settlements", "recon", "combined"]) => report::combined(state, request),
        _ => Err(Refusal::unknown_url()),
    }
}
