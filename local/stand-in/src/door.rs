//! The door: every call comes in by it, is counted, and perhaps spoiled.

use std::{io, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    serve::ListenerExt,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{arrivals::Arrivals, faults::Faults, service::Service};

/// What makes a path one of a hook.
const HOOKS: &str = "/_";

/// A service behind its door.
#[derive(Debug)]
pub(crate) struct Door<S: Service> {
    pub(crate) service: S,
    pub(crate) arrivals: Arrivals,
    pub(crate) faults: Faults<S::Fault>,
}

impl<S: Service> Door<S> {
    /// A door that nobody came through yet.
    pub(crate) fn new(service: S) -> Self {
        Self { service, arrivals: Arrivals::default(), faults: Faults::default() }
    }
}

/// Serves until `stop` says so, or its sender is gone.
pub(crate) async fn serve<S: Service>(
    listener: TcpListener,
    door: Arc<Door<S>>,
    mut stop: watch::Receiver<()>,
) -> io::Result<()> {
    // An answer goes out at once, not when the client has confirmed the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().fallback(enter::<S>).with_state(door);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            let _ = stop.changed().await;
        })
        .await
}

async fn enter<S: Service>(State(door): State<Arc<Door<S>>>, request: Request) -> Response {
    let (method, path) = (request.method().as_str(), request.uri().path());
    if path.starts_with(HOOKS) {
        return door.service.hook(request, &door.faults).await;
    }
    door.arrivals.add(method, path);
    let fault = door.faults.take(method, path);
    door.service.answer(request, fault).await
}
