//! An endpoint that receives webhooks and can fail on demand.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A received webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) event_id: String,
    pub(crate) signature: String,
    pub(crate) body: String,
}

pub(crate) struct Endpoint {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Got>>>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    /// Answers with these statuses in sequence, then with 200. For 0 it never answers.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/webhook/", listener.local_addr().unwrap());
        let (noted, statuses) = (Arc::clone(&got), statuses.to_vec());
        let take = move |headers: HeaderMap, body: Bytes| async move {
            let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
            assert_eq!(text("content-type"), "application/json");
            let got = Got {
                event_id: text("x-razorpay-event-id"),
                signature: text("X-Razorpay-Signature"),
                body: String::from_utf8(body.to_vec()).unwrap(),
            };
            let place = {
                let mut all = noted.lock().unwrap();
                all.push(got);
                all.len() - 1
            };
            let status = statuses.get(place).copied().unwrap_or(200);
            // Runs into the stand-in's timeout.
            if status == 0 {
                std::future::pending::<()>().await;
            }
            StatusCode::from_u16(status).unwrap()
        };
        let serving = tokio::spawn(async { axum::serve(listener, Router::new().fallback(take)).await.unwrap() });
        Self { url, got, serving }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The names of the received events.
    pub(crate) fn events(&self) -> Vec<String> {
        let event = |got: Got| serde_json::from_str::<serde_json::Value>(&got.body).unwrap()["event"].clone();
        self.got().into_iter().map(event).map(|event| event.as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
