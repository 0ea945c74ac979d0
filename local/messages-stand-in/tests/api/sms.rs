//! SMS.

use messages_stand_in::{AUTH_KEY, Channel, Outcome, StandIn};
use serde_json::json;
use shared::carriers::{Answer, Msg91, Refusal, Report, ReportSecret, Reported, reports};

use crate::{answers, answers_of_gateways, silence};

const PATH: &str = "/api/v5/flow";

fn client(stand_in: &StandIn) -> Msg91 {
    Msg91::new(&stand_in.url(), Some((AUTH_KEY, "booking_confirmed.en:65f0, booking_confirmed.hi:65f1"))).unwrap()
}

async fn send(client: &Msg91) -> Answer {
    let variables = ["Jane".to_owned(), "24 Nov".to_owned()];
    client.send("+919876543210", "17", "booking_confirmed.en", &variables).await.unwrap()
}

#[tokio::test]
async fn an_sms_is_sent_whole() {
    let stand_in = StandIn::start().await;
    let answer = send(&client(&stand_in)).await;
    let taken = &stand_in.taken()[0];
    assert_eq!(answer, Answer::Accepted(taken.id.clone()));
    assert_eq!((taken.channel, taken.to.as_str(), taken.tag.as_str()), (Channel::Sms, "+919876543210", "17"));
    let recipient = json!({ "mobiles": "919876543210", "CRQID": "17", "VAR1": "Jane", "VAR2": "24 Nov" });
    assert_eq!(taken.request, json!({ "template_id": "65f0", "recipients": [recipient] }));
}

#[tokio::test]
async fn each_answer_of_msg91_is_told_apart() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    let send = async || send(&client).await;
    let later = |status: u16| Answer::Later { after: None, reason: format!("status {status}") };
    let other = || Answer::Refused(Refusal::Other, "status 400".to_owned());
    let found = answers(&stand_in, PATH, send).await;
    let first = Answer::Accepted(stand_in.taken()[0].id.clone());
    assert_eq!(
        found,
        [
            (Outcome::Accepted, first, 1),
            (Outcome::Later, later(429), 0),
            (Outcome::Refused, other(), 0),
            (Outcome::NotReachable, other(), 0),
            (Outcome::Template, Answer::Refused(Refusal::Template, "the template".to_owned()), 0),
            (Outcome::Stopped, Answer::Stopped("the key, the account or its balance".to_owned()), 0),
            (Outcome::ServerError, later(500), 0),
            (Outcome::Lost, Answer::Unknown("the connection was lost".to_owned()), 1),
        ]
    );
    answers_of_gateways(&stand_in, PATH, send).await;
    silence(&stand_in, PATH, send).await;
}

#[tokio::test]
async fn a_kind_without_a_registered_template_is_refused_without_a_call() {
    let stand_in = StandIn::start().await;
    let answer = client(&stand_in).send("+919876543210", "17", "booking_paid.en", &[]).await.unwrap();
    assert_eq!(answer, Answer::Refused(Refusal::NoTemplate, "no template id for booking_paid.en".to_owned()));
    assert!(stand_in.all_calls().is_empty());
    assert!(Msg91::new(&stand_in.url(), Some((AUTH_KEY, "no pair"))).is_err());
}

#[tokio::test]
async fn reports_and_replies_are_read() {
    let stand_in = StandIn::start().await;
    send(&client(&stand_in)).await;
    let message = &stand_in.taken()[0];
    let secret = ReportSecret::new(messages_stand_in::REPORT_SECRET);
    let told = stand_in.report(message, "1");
    assert!(secret.is(&told.header.1).await.unwrap() && !secret.is("").await.unwrap());
    for (status, reported) in [("1", Reported::Delivered), ("9", Reported::Failed), ("5", Reported::Underway)] {
        let delivery = Report::Delivery { id: message.id.clone(), tag: Some("17".to_owned()), reported };
        assert_eq!(reports(stand_in.report(message, status).body.as_bytes()), [delivery]);
    }
    let reply = stand_in.inbound(Channel::Sms, "+919876543210", "Stop").body;
    let inbound = Report::Inbound { from: "919876543210".to_owned(), text: "Stop".to_owned() };
    assert_eq!(reports(reply.as_bytes()), [inbound]);
    for strange in ["", "[]", "{}", "[1]", "{\"data\": {}}", "{\"data\": [{\"requestId\": null}]}"] {
        assert_eq!(reports(strange.as_bytes()), [], "{strange}");
    }
}
