//! Serves calls of the API and of hooks, with their faults.

use std::{io, path::PathBuf, sync::Arc};

use axum::{
    extract,
    response::{IntoResponse, Response},
};
use stand_in::{Faults, Service, Shared, response};
use tokio::sync::watch;

use crate::{
    Fault, Razorpay, Settings, answer::Result, courier, endpoints, hooks, hosted, request::Request, state::State,
    turn::Turn,
};

impl Service for Razorpay {
    type Settings = Settings;
    type Fault = Fault;

    async fn open(settings: Settings, file: Option<PathBuf>, _url: &str) -> io::Result<Self> {
        let state = State { settings, ..Shared::load(file.as_deref())?.unwrap_or_default() };
        Ok(Self { shared: Arc::new(Shared::new(state, file, |_| ())?) })
    }

    fn begin(&self, stop: watch::Receiver<()>) {
        tokio::spawn(courier::work(Arc::clone(&self.shared), stop));
    }

    async fn answer(&self, request: extract::Request, fault: Option<Fault>) -> Response {
        self.answered(request, fault).await.into_response()
    }

    async fn hook(&self, request: extract::Request, faults: &Faults<Fault>) -> Response {
        match Request::read(request).await {
            Ok(request) => self.respond(&request, |state| hooks::answer(state, faults, &request)).into_response(),
            Err(refusal) => refusal.into_response(),
        }
    }
}

impl Razorpay {
    async fn answered(&self, request: extract::Request, fault: Option<Fault>) -> Result<Response> {
        let request = Request::read(request).await?;
        if hosted::is_for(&request) {
            return Ok(self.shared.change(|state| hosted::answer(state, &request))?);
        }
        let turn = Turn::take(&self.shared, &request)?;
        let (before, after) = match fault {
            Some(fault) if fault.after => (None, Some(fault)),
            fault => (fault, None),
        };
        if let Some(spoiled) = spoil(before).await {
            return Ok(spoiled);
        }
        let response = self.respond(&request, |state| endpoints::answer(state, &request)).into_response();
        // The call has taken effect: its key is free even if a fault delays the answer.
        drop(turn);
        Ok(spoil(after).await.unwrap_or(response))
    }

    fn respond(&self, request: &Request, answer: impl FnOnce(&mut State) -> Result) -> Result<Response> {
        let mut state = self.shared.look();
        let body = if request.only_reads() && !state.is_behind() {
            answer(&mut state)?
        } else {
            drop(state);
            self.shared.change(answer)??
        };
        Ok(response(200, &body))
    }
}

async fn spoil(fault: Option<Fault>) -> Option<Response> {
    let fault = fault?;
    if let Some(delay) = fault.delay {
        tokio::time::sleep(delay).await;
    }
    fault.response()
}
