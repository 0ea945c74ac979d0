//! Serves routes on events of an API Gateway HTTP API.

use std::{convert::Infallible, sync::Arc, time::Duration};

use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use tower::Service;

use super::{
    Routes,
    answer::Answer,
    event::Event,
    stack::{Edge, Stack},
};
use crate::{logging, metrics, redis::RESPONSE_TIMEOUT};

/// The shortest timeout that requests use.
const TICK: Duration = RESPONSE_TIMEOUT;

/// Waits for the settings, then serves routes until Lambda ends the environment.
pub async fn serve(routes: Routes, edge: Edge) -> Result<(), lambda_runtime::Error> {
    logging::catch_panics();
    metrics::init()?;
    edge.settings.ready().await;
    tokio::spawn(tick());
    // As a task: waking the runtime's first future costs a system call each time, and a request wakes three times.
    tokio::spawn(Runtime::new(handler(routes, edge)).run()).await?
}

/// Keeps a timer that is due before those of a request. For one that is due before all others tokio wakes itself, by two
/// system calls; each request has two, and ends before they are due.
async fn tick() {
    loop {
        tokio::time::sleep(TICK).await;
    }
}

/// A service that turns events into answers. Cheap to clone.
pub fn handler(
    routes: Routes,
    edge: Edge,
) -> impl Service<LambdaEvent<Event>, Response = Answer, Error = Infallible, Future: Send> + Clone + Send {
    let stack = Arc::new(Stack::new(routes, edge));
    service_fn(move |event: LambdaEvent<Event>| {
        let stack = Arc::clone(&stack);
        // Boxed, because the runtime moves it from layer to layer, and it has room for all that a request needs.
        Box::pin(async move { Ok(Answer::of(stack.answer(event.payload.into_request()).await).await) })
    })
}
