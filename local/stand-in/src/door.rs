//! The HTTP server of a stand-in: counts every call and hands it to the service together with its fault.

use std::{io, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    serve::ListenerExt,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{arrivals::Arrivals, faults::Faults, service::Service};

/// Prefix of hook paths.
const HOOKS: &str = "/_";

/// A service with the log of its calls and its pending faults.
#[derive(Debug)]
pub(crate) struct Door<S: Service> {
    pub(crate) service: S,
    pub(crate) arrivals: Arrivals,
    pub(crate) faults: Faults<S::Fault>,
}

impl<S: Service> Door<S> {
    pub(crate) fn new(service: S) -> Self {
        Self { service, arrivals: Arrivals::default(), faults: Faults::default() }
    }
}

/// Serves until `stop` changes or its sender is dropped.
pub(crate) async fn serve<S: Service>(
    listener: TcpListener,
    door: Arc<Door<S>>,
    mut stop: watch::Receiver<()>,
) -> io::Result<()> {
    // Sends an answer at once, instead of after the client's acknowledgement of the previous one.
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
