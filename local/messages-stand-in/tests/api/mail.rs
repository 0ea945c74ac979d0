//! Mail.

use messages_stand_in::{Channel, Outcome, StandIn};
use serde_json::json;
use shared::{
    carriers::{Answer, Attachment, Mail, Refusal, Ses},
    config::Aws,
};

use crate::{answers, answers_of_gateways, silence};

const PATH: &str = "/v2/email/outbound-emails";

fn mail() -> Mail {
    Mail {
        to: "jane@example.com".to_owned(),
        tag: "17".to_owned(),
        subject: "Your booking is confirmed".to_owned(),
        text: "Hello नमस्ते".to_owned(),
        html: "<p>Hello</p>".to_owned(),
        headers: vec![("X-Entity-Ref-ID".to_owned(), "17".to_owned())],
        attachments: vec![Attachment {
            name: "booking.ics".to_owned(),
            content_type: "text/calendar; method=REQUEST; charset=utf-8".to_owned(),
            content: b"BEGIN:VCALENDAR".to_vec(),
        }],
    }
}

fn client(stand_in: &StandIn) -> Ses {
    Ses::new(Aws::local(stand_in.url()), Some("Shop <shop@example.com>"))
}

#[tokio::test]
async fn a_mail_is_sent_whole() {
    let stand_in = StandIn::start().await;
    let answer = client(&stand_in).send(&mail()).await.unwrap();
    let taken = &stand_in.taken()[0];
    assert_eq!(answer, Answer::Accepted(taken.id.clone()));
    assert_eq!((taken.channel, taken.to.as_str(), taken.tag.as_str()), (Channel::Email, "jane@example.com", "17"));
    let text = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
    assert_eq!(
        taken.request,
        json!({
            "FromEmailAddress": "Shop <shop@example.com>",
            "Destination": { "ToAddresses": ["jane@example.com"] },
            "EmailTags": [{ "Name": "message", "Value": "17" }],
            "Content": { "Simple": {
                "Subject": text("Your booking is confirmed"),
                "Body": { "Text": text("Hello नमस्ते"), "Html": text("<p>Hello</p>") },
                "Headers": [{ "Name": "X-Entity-Ref-ID", "Value": "17" }],
                "Attachments": [{
                    "FileName": "booking.ics",
                    "ContentType": "text/calendar; method=REQUEST; charset=utf-8",
                    "RawContent": "QkVHSU46VkNBTEVOREFS"
                }]
            } }
        })
    );
}

#[tokio::test]
async fn each_answer_of_ses_is_told_apart() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    let send = async || client.send(&mail()).await.unwrap();
    let rejected = || Answer::Refused(Refusal::Other, "MessageRejected".to_owned());
    let later = |reason: &str| Answer::Later { after: None, reason: reason.to_owned() };
    let found = answers(&stand_in, PATH, send).await;
    let first = Answer::Accepted(stand_in.taken()[0].id.clone());
    assert_eq!(
        found,
        [
            (Outcome::Accepted, first, 1),
            (Outcome::Later, later("TooManyRequestsException"), 0),
            (Outcome::Refused, rejected(), 0),
            (Outcome::NotReachable, rejected(), 0),
            (Outcome::Template, rejected(), 0),
            (Outcome::Stopped, Answer::Stopped("AccountSuspendedException".to_owned()), 0),
            (Outcome::ServerError, later("InternalFailure"), 0),
            (Outcome::Lost, Answer::Unknown("the connection was lost".to_owned()), 1),
        ]
    );
    assert_eq!(stand_in.calls(PATH), 8, "nothing is repeated");
    answers_of_gateways(&stand_in, PATH, send).await;
    silence(&stand_in, PATH, send).await;
}

#[tokio::test]
async fn mail_that_reached_no_server_is_sent_later_and_off_is_off() {
    let nowhere = Ses::new(Aws::local("http://127.0.0.1:9"), Some("shop@example.com"));
    let answer = nowhere.send(&mail()).await.unwrap();
    assert_eq!(answer, Answer::Later { after: None, reason: "no connection".to_owned() });
    let off = Ses::new(Aws::local("http://127.0.0.1:9"), None);
    assert!(!off.is_on().unwrap());
    assert!(off.send(&mail()).await.is_err());
}
