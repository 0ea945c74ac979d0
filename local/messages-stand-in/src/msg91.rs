//! `POST /api/v5/flow` of MSG91. The texts of its errors are guesses.

use serde_json::json;

use crate::{
    AUTH_KEY, Channel, Outcome, Taken,
    request::{Answer, Request},
    state::State,
};

pub(crate) fn send(state: &mut State, request: &Request, outcome: Outcome) -> Answer {
    if request.header("authkey") != AUTH_KEY {
        return refusal(401, "Authentication failure");
    }
    match outcome {
        Outcome::Accepted | Outcome::Silent | Outcome::Lost => take(state, request),
        Outcome::Later => refusal(429, "Too many requests"),
        Outcome::Refused | Outcome::NotReachable => refusal(400, "Invalid mobile number"),
        Outcome::Template => refusal(400, "Template not found"),
        Outcome::Stopped => refusal(403, "Insufficient balance"),
        Outcome::ServerError => refusal(500, "Something went wrong"),
    }
}

fn take(state: &mut State, request: &Request) -> Answer {
    let to = request.text("/recipients/0/mobiles").to_owned();
    if request.text("/template_id").is_empty() {
        return refusal(400, "Template id missing");
    }
    if !(10..=15).contains(&to.len()) || !to.bytes().all(|byte| byte.is_ascii_digit()) {
        return refusal(400, "Invalid mobile number");
    }
    let id = format!("{:024x}", state.inbox.number());
    state.inbox.add(Taken {
        id: id.clone(),
        channel: Channel::Sms,
        to: format!("+{to}"),
        tag: request.text("/recipients/0/CRQID").to_owned(),
        request: request.body.clone(),
        taken_at: state.clock.now(),
        status: None,
    });
    (200, json!({ "type": "success", "message": id }))
}

fn refusal(status: u16, message: &str) -> Answer {
    (status, json!({ "type": "error", "message": message }))
}
