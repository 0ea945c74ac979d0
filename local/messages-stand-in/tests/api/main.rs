//! The clients of `shared` against the stand-in: whole requests, and what each outcome is taken for.
#![expect(clippy::unwrap_used, reason = "test code")]

mod mail;
mod sms;
mod whatsapp;

use messages_stand_in::{Fault, Outcome, StandIn};
use shared::carriers::{Answer, Refusal};

/// The answer after each outcome, with how many messages the stand-in has taken by then.
async fn answers(stand_in: &StandIn, path: &str, send: impl AsyncFn() -> Answer) -> Vec<(Outcome, Answer, usize)> {
    let mut answers = Vec::new();
    for outcome in [
        Outcome::Accepted,
        Outcome::Later,
        Outcome::Refused,
        Outcome::NotReachable,
        Outcome::Template,
        Outcome::Stopped,
        Outcome::ServerError,
        Outcome::Lost,
    ] {
        stand_in.spoil(path, Fault::of(outcome));
        let before = stand_in.taken().len();
        let answer = send().await;
        answers.push((outcome, answer, stand_in.taken().len() - before));
    }
    answers
}

/// The answers that no carrier gives itself: a gateway's, and none.
async fn answers_of_gateways(stand_in: &StandIn, path: &str, send: impl AsyncFn() -> Answer) {
    for (status, body, expected) in [
        (200, "<html>", Answer::Unknown("an answer that cannot be read".to_owned())),
        (502, "<html>", Answer::Unknown("status 502".to_owned())),
        (504, "", Answer::Unknown("status 504".to_owned())),
        (503, "", Answer::Later { after: None, reason: "status 503".to_owned() }),
        (429, "", Answer::Later { after: None, reason: "status 429".to_owned() }),
        (403, "<html>", Answer::Stopped("status 403".to_owned())),
        (400, "<html>", Answer::Refused(Refusal::Other, "status 400".to_owned())),
    ] {
        stand_in.spoil(path, Fault::answer(status, body));
        assert_eq!(send().await, expected, "{status} {body}");
    }
}

/// What is told of a message that is taken in silence. Nothing is repeated.
async fn silence(stand_in: &StandIn, path: &str, send: impl AsyncFn() -> Answer) {
    stand_in.spoil(path, Fault::of(Outcome::Silent));
    let (taken, calls) = (stand_in.taken().len(), stand_in.calls(path));
    assert_eq!(send().await, Answer::Unknown("no answer in time".to_owned()));
    assert_eq!((stand_in.taken().len(), stand_in.calls(path)), (taken + 1, calls + 1));
}
