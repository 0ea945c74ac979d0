//! Serves calls of the three services, the inbox page, and hooks.

use std::{io, path::PathBuf, sync::Arc};

use axum::{
    extract,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use stand_in::{Faults, Service, Shared, response};

use crate::{
    Fault, Outcome, Settings,
    carriers::Carriers,
    faults::{no_response, silence},
    feedback, hooks, mail, msg91, page,
    request::{Answer, Request},
    state::State,
    whatsapp,
};

impl Service for Carriers {
    type Settings = Settings;
    type Fault = Fault;

    async fn open(settings: Settings, file: Option<PathBuf>, _url: &str) -> io::Result<Self> {
        let state = State { settings, ..Shared::load(file.as_deref())?.unwrap_or_default() };
        Ok(Self { shared: Arc::new(Shared::new(state, file, |_| ())?) })
    }

    async fn answer(&self, request: extract::Request, fault: Option<Fault>) -> Response {
        let request = Request::read(request).await;
        let fault = fault.unwrap_or_default();
        if let Some(status) = fault.status {
            return stand_in::spoiled(Some(status), fault.body.as_ref(), &[]);
        }
        let path: Vec<_> = request.path.trim_matches('/').split('/').collect();
        let carrier: fn(&mut State, &Request, Outcome) -> Answer = match (request.method.as_str(), path.as_slice()) {
            ("GET", [""]) => return self.page(),
            ("POST", ["v2", "email", "outbound-emails"]) => mail::send,
            ("POST", ["api", "v5", "flow"]) => msg91::send,
            ("POST", [_, _, "messages"]) => whatsapp::send,
            _ => return response(404, &json!({ "message": "there is no such path" })),
        };
        let (before, answer) = match self.shared.change(|state| {
            let before = state.inbox.all().len();
            (before, carrier(state, &request, fault.outcome))
        }) {
            Ok(done) => done,
            Err(error) => return response(500, &json!({ "message": error.to_string() })),
        };
        feedback::tell_of_new(&self.shared, before);
        if let Some(delay) = fault.delay {
            tokio::time::sleep(delay).await;
        }
        match fault.outcome {
            Outcome::Silent => silence().await,
            Outcome::Lost => no_response(),
            _ => response(answer.0, &answer.1),
        }
    }

    async fn hook(&self, request: extract::Request, faults: &Faults<Fault>) -> Response {
        let request = Request::read(request).await;
        match hooks::answer(&self.shared, faults, &request).await {
            Ok(body) => response(200, &body),
            Err(reason) => response(400, &json!({ "message": reason })),
        }
    }
}

impl Carriers {
    fn page(&self) -> Response {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'");
        let page = page::inbox(&self.shared.look().inbox.to(None)).into_string();
        ([(header::CONTENT_TYPE, html), (header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
    }
}
