//! WhatsApp.

use messages_stand_in::{Channel, Outcome, PHONE_NUMBER_ID, StandIn, TOKEN};
use serde_json::json;
use shared::carriers::{
    Answer, Inbound, Refusal, Status, StatusKind, Template, WhatsApp, WhatsAppSecrets, WhatsAppUpdate,
};

use crate::{answers, answers_of_gateways, silence};

const PATH: &str = "/v26.0/100000000000001/messages";

fn template() -> Template {
    Template {
        to: "+919876543210".to_owned(),
        tag: "17".to_owned(),
        name: "booking_confirmed".to_owned(),
        language: "hi",
        parameters: vec!["Jane".to_owned(), "24 Nov".to_owned()],
        link: Some("RMB-1".to_owned()),
    }
}

fn client(stand_in: &StandIn) -> WhatsApp {
    WhatsApp::new(&stand_in.url(), Some((PHONE_NUMBER_ID, TOKEN))).unwrap()
}

#[tokio::test]
async fn a_template_is_sent_whole() {
    let stand_in = StandIn::start().await;
    let answer = client(&stand_in).send(&template()).await.unwrap();
    let taken = &stand_in.taken()[0];
    assert_eq!(answer, Answer::Accepted(taken.id.clone()));
    assert_eq!((taken.channel, taken.to.as_str(), taken.tag.as_str()), (Channel::WhatsApp, "+919876543210", "17"));
    let text = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(
        taken.request,
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "919876543210", "type": "template",
            "biz_opaque_callback_data": "17",
            "template": {
                "name": "booking_confirmed", "language": { "code": "hi" },
                "components": [
                    { "type": "body", "parameters": [text("Jane"), text("24 Nov")] },
                    { "type": "button", "sub_type": "url", "index": "0", "parameters": [text("RMB-1")] }
                ]
            }
        })
    );
}

#[tokio::test]
async fn each_answer_of_whatsapp_is_told_apart() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    let send = async || client.send(&template()).await.unwrap();
    let refused = |refusal, code: &str| Answer::Refused(refusal, format!("code {code}"));
    let later = |code: &str| Answer::Later { after: None, reason: format!("code {code}") };
    let found = answers(&stand_in, PATH, send).await;
    let first = Answer::Accepted(stand_in.taken()[0].id.clone());
    assert_eq!(
        found,
        [
            (Outcome::Accepted, first, 1),
            (Outcome::Later, later("130429"), 0),
            (Outcome::Refused, refused(Refusal::Other, "131047"), 0),
            (Outcome::NotReachable, refused(Refusal::NotReachable, "131026"), 0),
            (Outcome::Template, refused(Refusal::Template, "132001"), 0),
            (Outcome::Stopped, Answer::Stopped("code 131031".to_owned()), 0),
            (Outcome::ServerError, later("131000"), 0),
            (Outcome::Lost, Answer::Unknown("the connection was lost".to_owned()), 1),
        ]
    );
    answers_of_gateways(&stand_in, PATH, send).await;
    silence(&stand_in, PATH, send).await;
    let stranger = WhatsApp::new(&stand_in.url(), Some((PHONE_NUMBER_ID, "expired"))).unwrap();
    assert_eq!(stranger.send(&template()).await.unwrap(), Answer::Stopped("code 190".to_owned()));
}

#[tokio::test]
async fn webhooks_are_verified_and_read() {
    let stand_in = StandIn::start().await;
    client(&stand_in).send(&template()).await.unwrap();
    let message = &stand_in.taken()[0];
    let secrets = WhatsAppSecrets::new(messages_stand_in::APP_SECRET, messages_stand_in::VERIFY_TOKEN);
    let told = stand_in.status(message, "failed", Some(131_026));
    assert!(secrets.signed(told.body.as_bytes(), &told.header.1).await.unwrap());
    for wrong in ["", "sha256=", "sha256=00", told.header.1.trim_start_matches("sha256=")] {
        assert!(!secrets.signed(told.body.as_bytes(), wrong).await.unwrap(), "{wrong}");
    }
    assert!(!secrets.signed(format!("{} ", told.body).as_bytes(), &told.header.1).await.unwrap());
    assert!(secrets.verifies(messages_stand_in::VERIFY_TOKEN).unwrap() && !secrets.verifies("").unwrap());
    let update = WhatsAppUpdate::read(told.body.as_bytes()).unwrap();
    let status =
        Status { id: message.id.clone(), tag: Some("17".to_owned()), kind: StatusKind::Failed, code: Some(131_026) };
    assert!(status.is_not_reachable());
    assert_eq!(update, WhatsAppUpdate { statuses: vec![status], inbound: vec![] });
    let written = stand_in.inbound(Channel::WhatsApp, "+919876543210", "STOP").body;
    let inbound = vec![Inbound { from: "919876543210".to_owned(), text: "STOP".to_owned() }];
    assert_eq!(WhatsAppUpdate::read(written.as_bytes()).unwrap(), WhatsAppUpdate { statuses: vec![], inbound });
}
