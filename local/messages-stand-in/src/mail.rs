//! `POST /v2/email/outbound-emails` of SES v2.

use serde_json::{Value, json};

use crate::{
    Channel, Outcome, Taken,
    request::{Answer, Request},
    state::State,
};

pub(crate) fn send(state: &mut State, request: &Request, outcome: Outcome) -> Answer {
    let authorization = request.header("authorization");
    let is_signed = authorization.starts_with("AWS4-HMAC-SHA256 ") && authorization.contains("/ses/aws4_request");
    if !is_signed {
        return refusal(403, "MissingAuthenticationTokenException");
    }
    match outcome {
        Outcome::Accepted | Outcome::Silent | Outcome::Lost => take(state, request),
        Outcome::Later => refusal(429, "TooManyRequestsException"),
        Outcome::Refused | Outcome::NotReachable | Outcome::Template => refusal(400, "MessageRejected"),
        Outcome::Stopped => refusal(400, "AccountSuspendedException"),
        Outcome::ServerError => refusal(500, "InternalFailure"),
    }
}

fn take(state: &mut State, request: &Request) -> Answer {
    let to = request.text("/Destination/ToAddresses/0").to_owned();
    let is_complete = !to.is_empty()
        && !request.text("/FromEmailAddress").is_empty()
        && !request.text("/Content/Simple/Subject/Data").is_empty();
    if !is_complete {
        return refusal(400, "BadRequestException");
    }
    let id = format!("0100{:060}", state.inbox.number());
    let tags = request.body.pointer("/EmailTags").and_then(Value::as_array).cloned().unwrap_or_default();
    let tag =
        tags.iter().find(|tag| tag["Name"] == "message").and_then(|tag| tag["Value"].as_str()).unwrap_or_default();
    state.inbox.add(Taken {
        id: id.clone(),
        channel: Channel::Email,
        to,
        tag: tag.to_owned(),
        request: request.body.clone(),
        taken_at: state.clock.now(),
        status: None,
    });
    (200, json!({ "MessageId": id }))
}

/// An error as `restJson1` has it; clients read its type from `__type` where the header is missing.
fn refusal(status: u16, kind: &str) -> Answer {
    (status, json!({ "__type": kind, "message": "refused by the stand-in" }))
}
