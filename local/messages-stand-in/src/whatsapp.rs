//! `POST /{version}/{phone_number_id}/messages` of the WhatsApp Cloud API.

use serde_json::{Value, json};

use crate::{
    Channel, Outcome, PHONE_NUMBER_ID, TOKEN, Taken,
    request::{Answer, Request},
    state::State,
};

pub(crate) fn send(state: &mut State, request: &Request, outcome: Outcome) -> Answer {
    if request.header("authorization") != format!("Bearer {TOKEN}") || !request.path.contains(PHONE_NUMBER_ID) {
        return refusal(401, 190, "Invalid OAuth access token");
    }
    match outcome {
        Outcome::Accepted | Outcome::Silent | Outcome::Lost => take(state, request),
        Outcome::Later => refusal(429, 130_429, "Rate limit hit"),
        Outcome::Refused => refusal(400, 131_047, "Re-engagement message"),
        Outcome::NotReachable => refusal(400, 131_026, "Message undeliverable"),
        Outcome::Template => refusal(404, 132_001, "Template name does not exist in the translation"),
        Outcome::Stopped => refusal(403, 131_031, "Business Account locked"),
        Outcome::ServerError => refusal(500, 131_000, "Something went wrong"),
    }
}

fn take(state: &mut State, request: &Request) -> Answer {
    let to = request.text("/to").to_owned();
    let is_number = (8..=15).contains(&to.len()) && to.bytes().all(|byte| byte.is_ascii_digit());
    let is_template = request.text("/messaging_product") == "whatsapp"
        && request.text("/type") == "template"
        && !request.text("/template/name").is_empty()
        && ["en", "hi"].contains(&request.text("/template/language/code"));
    if !is_number || !is_template {
        return refusal(400, 131_008, "Required parameter is missing");
    }
    if texts(&request.body).iter().any(|text| text.is_empty() || text.contains(['\n', '\t']) || text.contains("    ")) {
        return refusal(400, 132_018, "Parameters have line breaks, tabs or many spaces, or are empty");
    }
    let id = format!("wamid.{:032}", state.inbox.number());
    state.inbox.add(Taken {
        id: id.clone(),
        channel: Channel::WhatsApp,
        to: format!("+{to}"),
        tag: request.text("/biz_opaque_callback_data").to_owned(),
        request: request.body.clone(),
        taken_at: state.clock.now(),
        status: None,
    });
    let contacts = json!([{ "input": to, "wa_id": to }]);
    (200, json!({ "messaging_product": "whatsapp", "contacts": contacts, "messages": [{ "id": id }] }))
}

/// The parameters of all components.
pub(crate) fn texts(body: &Value) -> Vec<String> {
    let components = body.pointer("/template/components").and_then(Value::as_array).cloned().unwrap_or_default();
    let parameters = components.iter().filter_map(|component| component["parameters"].as_array()).flatten();
    parameters.map(|parameter| parameter["text"].as_str().unwrap_or_default().to_owned()).collect()
}

fn refusal(status: u16, code: i64, message: &str) -> Answer {
    let error = json!({ "message": message, "type": "OAuthException", "code": code, "fbtrace_id": "local" });
    (status, json!({ "error": error }))
}
