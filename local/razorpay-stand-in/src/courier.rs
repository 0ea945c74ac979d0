//! The courier: a background task that delivers webhooks and runs due tasks.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::Client;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use stand_in::Shared;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    settings::Settings,
    state::State,
    webhooks::{Delivery, Webhook},
};

/// Runs until `stop` changes or its sender is dropped.
pub(crate) async fn work(shared: Arc<Shared<State>>, mut stop: watch::Receiver<()>) {
    let Ok(client) = client() else { return };
    let mut changes = shared.changes();
    let mut rounds = JoinSet::new();
    loop {
        changes.mark_unchanged();
        let wait = wait(&shared);
        if wait.is_some_and(|wait| wait.is_zero()) {
            for batch in due(&shared) {
                rounds.spawn(round(Arc::clone(&shared), client.clone(), batch));
            }
            continue;
        }
        while rounds.try_join_next().is_some() {}
        tokio::select! {
            _ = stop.changed() => return,
            _ = changes.changed() => {}
            () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)) => {}
        }
    }
}

/// The time until the next delivery or task; `None` if there is neither.
fn wait(shared: &Shared<State>) -> Option<Duration> {
    let state = shared.look();
    let post = state.settings.webhook_url.as_ref().and_then(|_| state.post.next());
    let next: DateTime<Utc> = post.into_iter().chain(state.agenda.next()).min()?;
    Some((next - state.clock.now()).to_std().unwrap_or_default())
}

/// Runs due tasks, then takes the webhooks that are due.
fn due(shared: &Shared<State>) -> Vec<Vec<Webhook>> {
    let mut due = Vec::new();
    // A state file that cannot be written fails the next call.
    let _ = shared.change(|state| {
        state.do_what_is_due();
        let now = state.clock.now();
        if state.settings.webhook_url.is_some() {
            due = state.post.take_due(now);
        }
    });
    due
}

/// Delivers the webhooks of one call in sequence.
async fn round(shared: Arc<Shared<State>>, client: Client, batch: Vec<Webhook>) {
    for webhook in batch {
        let settings = shared.look().settings.clone();
        let mut deliveries = Vec::new();
        for _ in 0..settings.webhook_copies.max(1) {
            let delivery = deliver(&shared, &client, &settings, &webhook).await;
            let is_done = delivery.is_done();
            deliveries.push(delivery);
            if !is_done {
                break;
            }
        }
        let _ = shared.change(|state| {
            let now = state.clock.now();
            state.post.note(&webhook.event_id, deliveries, now, &settings);
        });
    }
}

async fn deliver(shared: &Shared<State>, client: &Client, settings: &Settings, webhook: &Webhook) -> Delivery {
    let url = settings.webhook_url.as_deref().unwrap_or_default();
    let mut request = client.post(url).timeout(settings.webhook_timeout).body(webhook.body.clone());
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    let answer = request.send().await;
    let at = shared.look().clock.now();
    match answer {
        Ok(answer) => Delivery { at, status: Some(answer.status().as_u16()), error: None },
        Err(error) if error.is_timeout() => Delivery { at, status: None, error: Some("no answer in time".to_owned()) },
        Err(error) => Delivery { at, status: None, error: Some(error.to_string()) },
    }
}

/// A client for endpoints on this machine: it trusts no certificate.
fn client() -> reqwest::Result<Client> {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|config| config.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    match tls {
        Ok(tls) => builder.tls_backend_preconfigured(tls).build(),
        // The provider supports the default protocol versions; without them building the client would fail.
        Err(_) => builder.build(),
    }
}
