//! The server: every call goes through one door, where it is counted, perhaps spoiled, and answered.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{self, State as Extracted},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    answer::{self, Refusal},
    endpoints,
    faults::Fault,
    hooks,
    idempotency::Turn,
    request::Request,
    state::State,
};

/// The state as the server, the courier and its owner share it. It is never locked across an `await`.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    file: Option<PathBuf>,
    changes: watch::Sender<()>,
}

impl Shared {
    /// A state that `file` keeps, if there is one.
    pub(crate) fn new(state: State, file: Option<PathBuf>) -> Self {
        Self { state: Mutex::new(state), file, changes: watch::Sender::new(()) }
    }

    /// The state, to look at.
    pub(crate) fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and keeps the change, before anyone sees it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut state = self.look();
        let result = change(&mut state);
        self.changes.send_replace(());
        if let Some(file) = &self.file {
            state.save(file)?;
        }
        Ok(result)
    }

    /// Tells when the state changes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

/// Serves until `stop` says so, or its sender is gone.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<()>) -> io::Result<()> {
    // An answer goes out at once, not when the client has confirmed the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().fallback(handle).with_state(shared);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            let _ = stop.changed().await;
        })
        .await
}

async fn handle(Extracted(shared): Extracted<Arc<Shared>>, request: extract::Request) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with(hooks::PREFIX) {
        return match Request::read(request).await {
            Ok(request) => respond(&shared, &request, hooks::answer),
            Err(refusal) => refusal.into_response(),
        };
    }
    let method = request.method().to_string();
    let fault = {
        let mut state = shared.look();
        state.arrivals.add(&method, &path);
        state.faults.take(&method, &path)
    };
    let request = match Request::read(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let turn = match Turn::take(&shared, &request) {
        Ok(turn) => turn,
        Err(refusal) => return refusal.into_response(),
    };
    let (before, after) = match fault {
        Some(fault) if fault.after => (None, Some(fault)),
        fault => (fault, None),
    };
    if let Some(spoiled) = spoil(before).await {
        return spoiled;
    }
    let response = respond(&shared, &request, endpoints::answer);
    // What was done is done, even if its answer takes its time.
    drop(turn);
    spoil(after).await.unwrap_or(response)
}

async fn spoil(fault: Option<Fault>) -> Option<Response> {
    let fault = fault?;
    if let Some(delay) = fault.delay {
        tokio::time::sleep(delay).await;
    }
    fault.response()
}

fn respond(
    shared: &Shared,
    request: &Request,
    answer: impl FnOnce(&mut State, &Request) -> answer::Result,
) -> Response {
    let answer = {
        let mut state = shared.look();
        if request.only_reads() && !state.is_behind() {
            Ok(answer(&mut state, request))
        } else {
            drop(state);
            shared.change(|state| answer(state, request))
        }
    };
    match answer {
        Ok(Ok(body)) => answer::response(200, &body),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(error) => Refusal::own(500, format!("The state cannot be written: {error}")).into_response(),
    }
}
