//! Dispatch of API calls, after their faults, and of hook calls.

use std::{io, path::PathBuf};

use axum::{
    extract,
    response::{IntoResponse, Response},
};
use stand_in::{Faults, Service, Shared, response};
use tokio::task;

use crate::{
    Descope, Fault, Settings, answer, endpoints, hooks,
    request::Request,
    state::State,
    tokens::{Key, Keys},
};

impl Service for Descope {
    type Settings = Settings;
    type Fault = Fault;

    async fn open(settings: Settings, file: Option<PathBuf>, url: &str) -> io::Result<Self> {
        let mut state = match Shared::load(file.as_deref())? {
            Some(state) => state,
            None => State::new(Keys::new(task::spawn_blocking(Key::first).await.map_err(io::Error::other)?)),
        };
        state.settings = settings;
        url.clone_into(&mut state.url);
        Ok(Self { shared: Shared::new(state, file, State::forget_expired)? })
    }

    async fn answer(&self, request: extract::Request, fault: Option<Fault>) -> Response {
        if let Some(fault) = fault {
            if let Some(delay) = fault.delay {
                tokio::time::sleep(delay).await;
            }
            if let Some(spoiled) = fault.response() {
                return spoiled;
            }
        }
        self.answered(request).await.into_response()
    }

    async fn hook(&self, request: extract::Request, faults: &Faults<Fault>) -> Response {
        self.hooked(request, faults).await.into_response()
    }
}

impl Descope {
    async fn answered(&self, request: extract::Request) -> answer::Result<Response> {
        let request = Request::read(request).await?;
        let body = if request.only_reads() {
            endpoints::answer(&mut self.shared.look(), &request)?
        } else {
            self.shared.change(|state| endpoints::answer(state, &request))??
        };
        Ok(response(200, &body))
    }

    async fn hooked(&self, request: extract::Request, faults: &Faults<Fault>) -> answer::Result<Response> {
        let request = Request::read(request).await?;
        let new_key = match request.path.as_str() {
            hooks::ROTATE => task::spawn_blocking(Key::generate).await.ok(),
            _ => None,
        };
        let body = self.shared.change(|state| hooks::answer(state, faults, &request, new_key))??;
        Ok(response(200, &body))
    }
}
