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
use tokio::{net::TcpListener, sync::watch, task};

use crate::{
    answer::{self, Reason},
    endpoints, hooks,
    request::Request,
    state::State,
    tokens::Key,
};

/// The state as the server and its owner share it. It is never locked across an `await`.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    file: Option<PathBuf>,
}

impl Shared {
    /// A state that `file` keeps, if there is one.
    pub(crate) fn new(state: State, file: Option<PathBuf>) -> Self {
        Self { state: Mutex::new(state), file }
    }

    /// The state, to look at.
    pub(crate) fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and keeps the change, before anyone sees it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut state = self.look();
        let result = change(&mut state);
        if let Some(file) = &self.file {
            state.forget_expired();
            state.save(file)?;
        }
        Ok(result)
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
            Ok(request) => hook(&shared, request).await,
            Err(refusal) => refusal.into_response(),
        };
    }
    let fault = {
        let mut state = shared.look();
        state.arrivals.add(request.method().as_str(), &path);
        state.faults.take(&path)
    };
    if let Some(fault) = fault {
        if let Some(delay) = fault.delay {
            tokio::time::sleep(delay).await;
        }
        if let Some(spoiled) = fault.response() {
            return spoiled;
        }
    }
    let request = match Request::read(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let answer = if request.only_reads() {
        Ok(endpoints::answer(&mut shared.look(), &request))
    } else {
        shared.change(|state| endpoints::answer(state, &request))
    };
    respond(answer)
}

async fn hook(shared: &Shared, request: Request) -> Response {
    let new_key = match request.path.as_str() {
        hooks::ROTATE => task::spawn_blocking(Key::generate).await.ok(),
        _ => None,
    };
    respond(shared.change(|state| hooks::answer(state, &request, new_key)))
}

fn respond(answer: io::Result<answer::Result>) -> Response {
    match answer {
        Ok(Ok(body)) => answer::response(200, &body),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(error) => Reason::NotKept.because(format!("The state cannot be written: {error}")).into_response(),
    }
}
