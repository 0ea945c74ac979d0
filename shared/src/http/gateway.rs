//! Serves a router on events of an API Gateway HTTP API.

use std::{convert::Infallible, sync::Arc};

use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use tower::Service;

use super::{
    Routes,
    answer::Answer,
    event::Event,
    stack::{Edge, Stack},
};
use crate::{logging, metrics};

/// Waits for the settings, then serves a router until Lambda ends the environment.
pub async fn serve(router: Routes, edge: Edge) -> Result<(), lambda_runtime::Error> {
    logging::catch_panics();
    metrics::init()?;
    edge.settings.ready().await;
    Runtime::new(handler(router, edge)).run().await
}

/// A service that turns events into answers. Cheap to clone.
pub fn handler(
    router: Routes,
    edge: Edge,
) -> impl Service<LambdaEvent<Event>, Response = Answer, Error = Infallible> + Clone {
    let stack = Arc::new(Stack::new(router, edge));
    service_fn(move |event: LambdaEvent<Event>| {
        let stack = Arc::clone(&stack);
        // Boxed, because the runtime moves it from layer to layer, and it has room for all that a request needs.
        Box::pin(async move { Ok(Answer::of(stack.answer(event.payload.into_request()).await).await) })
    })
}
