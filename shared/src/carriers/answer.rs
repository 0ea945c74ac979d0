//! What became of one call to a carrier.

use std::time::Duration;

use lambda_http::http::{HeaderMap, StatusCode, header};

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The carrier has the message, under this id.
    Accepted(String),
    /// The carrier does not take it now: nothing was sent.
    Later {
        /// How long the carrier wants to be left alone, if it says so.
        after: Option<Duration>,
        reason: String,
    },
    /// The carrier never takes this message: nothing was sent.
    Refused(Refusal, String),
    /// The carrier takes no message of ours: a token or an account is blocked. A person must act.
    Stopped(String),
    /// The message may have been sent: the answer was lost or cannot be read. It must not be sent again blindly.
    Unknown(String),
}

/// Why a message is refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The number is not on this channel.
    NotReachable,
    /// The registered template is missing, paused or differs: every message of its kind is refused. A person must act.
    Template,
    /// The shop has registered no template of this kind here, so the kind goes another way.
    NoTemplate,
    Other,
}

/// What came back over HTTP.
pub(super) enum Came {
    Whole(StatusCode, HeaderMap, Vec<u8>),
    Not(Answer),
}

/// Sends a request once, and reads its answer.
pub(super) async fn send(request: reqwest::RequestBuilder) -> Came {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Came::Not(lost(&error)),
    };
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    match response.bytes().await {
        Ok(body) => Came::Whole(status, headers, body.to_vec()),
        // With any status a body that breaks off may have told that the message was taken.
        Err(error) => {
            Came::Not(Answer::Unknown(format!("status {} and a broken body: {}", status.as_u16(), kind(&error))))
        }
    }
}

/// An error of the client: without a connection nothing was written, so nothing was sent.
fn lost(error: &reqwest::Error) -> Answer {
    if error.is_connect() || error.is_builder() {
        Answer::Later { after: None, reason: "no connection".to_owned() }
    } else {
        Answer::Unknown(kind(error).to_owned())
    }
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() { "no answer in time" } else { "the connection was lost" }
}

/// An error status whose body explains nothing. A gateway in front of the carrier may have passed the message on.
pub(super) fn unexplained(status: StatusCode, after: Option<Duration>) -> Answer {
    let reason = format!("status {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Answer::Later { after, reason },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answer::Stopped(reason),
        status if status.is_client_error() => Answer::Refused(Refusal::Other, reason),
        _ => Answer::Unknown(reason),
    }
}

/// How long a carrier wants to be left alone.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
