//! Serves a router on events of an API Gateway HTTP API (payload 2.0).

use std::convert::Infallible;

use lambda_http::{Adapter, LambdaEvent, aws_lambda_events::apigw::ApiGatewayV2httpRequest, request::LambdaRequest};
use lambda_runtime::service_fn;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use tower::Service;
use url::Url;

use super::{
    Routes,
    stack::{Edge, stack},
};
use crate::{logging, metrics};

/// Waits for the settings, then serves a router until Lambda ends the environment.
pub async fn serve(router: Routes, edge: Edge) -> Result<(), lambda_http::Error> {
    logging::catch_panics();
    metrics::init()?;
    edge.settings.ready().await;
    lambda_runtime::run(handler(router, edge)).await
}

/// A service that turns events into answers. Cheap to clone.
pub fn handler(
    router: Routes,
    edge: Edge,
) -> impl Service<LambdaEvent<LambdaRequest>, Response: Serialize, Error = Infallible> + Clone {
    let adapter = Adapter::from(stack(router, edge));
    service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let LambdaEvent { mut payload, context } = event;
        if let LambdaRequest::ApiGatewayV2(request) = &mut payload {
            make_harmless(request);
        }
        adapter.clone().call(LambdaEvent { payload, context })
    })
}

/// Characters that must be encoded in a query: the adapter panics on them.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// The longest path or query. A URI may hold 64 KiB; API Gateway takes a tenth of that for request line and headers.
const LONGEST: usize = 16 * 1024;

/// Prevents a panic of the adapter, which builds a URI from scheme, host, path and query and panics if that fails; the
/// gateway would then answer in our place. The scheme is not needed, so it is removed; so are hosts that are none.
fn make_harmless(request: &mut ApiGatewayV2httpRequest) {
    let host = request.headers.get("host").map(|host| host.to_str().unwrap_or_default());
    if host.is_some_and(|host| !is_host(host)) {
        request.headers.remove("host");
    }
    request.headers.remove("x-forwarded-proto");
    let own_host = &mut request.request_context.domain_name;
    *own_host = own_host.take().filter(|name| is_host(name) && !name.contains([':', '[', ']']));
    if let Some(path) = &mut request.raw_path {
        truncate(path);
        if !path.starts_with('/') {
            path.insert(0, '/');
        }
    }
    if let Some(query) = &mut request.raw_query_string {
        *query = utf8_percent_encode(query, NOT_IN_A_QUERY).to_string();
        truncate(query);
    }
}

/// Whether a `Host` header is a host name or an address with an optional port, and so can be part of a URI.
fn is_host(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    text.len() <= 300 && text.bytes().all(is_plain) && Url::parse(&format!("https://{text}/")).is_ok()
}

fn truncate(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST));
}
