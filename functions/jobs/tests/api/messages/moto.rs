//! A mail as Amazon SES gets it: moto plays SES, and records each request whole.

use std::{
    env,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use icalendar::{Calendar, CalendarComponent, CalendarDateTime, Component, DatePerhapsTime, EventLike, EventStatus};
use messages_stand_in::Channel;
use serde_json::{Value, json};
use shared::{
    bookings::{Actor, manage_page::ManagePage, status::BookingStatus},
    carriers::Ses,
    config::Aws,
    database::MIGRATOR,
};
use sqlx::PgPool;
use testing::eventually;

use super::Shop;

/// A moto server, which ends with this process: its shell waits for the end of its stdin.
struct Moto {
    url: String,
    client: reqwest::Client,
    _shell: Child,
}

impl Moto {
    async fn start() -> Self {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(target).join("tools/moto/bin/moto_server");
        assert!(program.exists(), "moto is missing: run `python3 local/tools.py test` first");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let recording = env::temp_dir().join(testing::random_prefix().replace(':', "-"));
        let script = format!(
            "MOTO_RECORDER_FILEPATH='{0}' '{1}' -p {port} >/dev/null 2>&1 & cat >/dev/null; kill $!; rm -f '{0}'",
            recording.display(),
            program.display()
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Self {
            url: format!("http://127.0.0.1:{port}"),
            client: shared::outgoing::client().unwrap(),
            _shell: shell.spawn().unwrap(),
        };
        eventually("moto", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        moto
    }

    async fn post(&self, path: &str, body: Value) {
        let scope = "Credential=local/20260101/ap-south-1/ses/aws4_request, SignedHeaders=host, Signature=none";
        let request = self.client.post(format!("{}{path}", self.url)).json(&body);
        let request = request.header("Authorization", format!("AWS4-HMAC-SHA256 {scope}"));
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// Path, headers and body of what was sent since the recording began.
    async fn recorded(&self) -> Vec<(String, Value, Value)> {
        let answer =
            self.client.get(format!("{}/moto-api/recorder/download-recording", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let request = |line: &str| {
            let request: Value = serde_json::from_str(line).unwrap();
            let mut body = request["body"].as_str().unwrap().as_bytes().to_vec();
            if request["body_encoded"] == true {
                body = STANDARD.decode(body).unwrap();
            }
            let path = request["url"].as_str().unwrap().split_once("/v2/").unwrap().1.to_owned();
            (path, request["headers"].clone(), serde_json::from_slice(&body).unwrap())
        };
        text.lines().filter(|line| !line.is_empty()).map(request).collect()
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn amazon_ses_gets_a_confirmation_with_its_parts_and_a_calendar_file(pool: PgPool) {
    let moto = Moto::start().await;
    let mut shop = Shop::new(pool, &[Channel::Email]).await;
    shop.app.carriers.as_mut().unwrap().email =
        Ses::new(Aws::local(&moto.url), Some("Asha's Garage <shop@example.com>"));
    shop.app.plan.page = ManagePage::at("https://api.example.com/b/{token}");
    shop.set_status(BookingStatus::Confirmed, Actor::Staff("desk".to_owned())).await;
    shop.write().await;
    moto.post("/v2/email/identities", json!({ "EmailIdentity": "shop@example.com" })).await;
    moto.post("/moto-api/recorder/start-recording", json!({})).await;
    let done = shop.send().await;
    assert_eq!((&done["sent"], &done["failed"], &done["unknown"]), (&json!(1), &json!(0), &json!(0)), "{done}");

    let requests = moto.recorded().await;
    let [(path, headers, body)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((path.as_str(), &headers["Content-Type"]), ("email/outbound-emails", &json!("application/json")));
    let signature = headers["Authorization"].as_str().unwrap();
    assert!(signature.contains("/ap-south-1/ses/aws4_request, SignedHeaders="), "{signature}");
    let (id, provider_id, name, phone, address, vehicle): (i64, String, String, String, String, String) = sqlx::query_as(
        "select message.id, message.provider_id, shop.name, shop.phone, shop.address, brand.name || ' ' || model.name
        from messages message, shops shop, vehicle_models model
        join vehicle_brands brand on brand.id = model.vehicle_brand_id
        where message.kind = 'booking_confirmed' and message.state = 'sent' and model.id = 7",
    )
    .fetch_one(&shop.pool)
    .await
    .unwrap();
    assert!(!provider_id.is_empty());

    let simple = &body["Content"]["Simple"];
    let file = STANDARD.decode(simple["Attachments"][0]["RawContent"].as_str().unwrap()).unwrap();
    let calendar: Calendar = String::from_utf8(file).unwrap().parse().unwrap();
    let [CalendarComponent::Event(event)] = calendar.components.as_slice() else { panic!("{calendar:?}") };
    let link = event.get_url().unwrap();
    assert!(link.starts_with("https://api.example.com/b/") && link.len() == 48, "{link}");

    let start = shop.start().await;
    let day = (start + chrono::TimeDelta::minutes(330)).format("%a %-d %b, 10:00 AM").to_string();
    let subject = "Your booking RMB-1 is confirmed";
    let paragraphs = [
        "Hello Jane Doe,".to_owned(),
        format!(
            "your booking RMB-1 for your {vehicle} is confirmed: {day}, at our shop ({address}). It costs ₹750.10."
        ),
        format!("Your booking: {link}"),
        format!("{name}, {phone}"),
    ];
    let html = simple["Body"]["Html"]["Data"].as_str().unwrap();
    for part in [subject, link] {
        assert!(html.contains(part), "{part} in {html}");
    }
    let text = |text: &str| json!({ "Charset": "UTF-8", "Data": text });
    let expected = json!({
        "FromEmailAddress": "Asha's Garage <shop@example.com>",
        "Destination": { "ToAddresses": ["jane@example.com"] },
        "EmailTags": [{ "Name": "message", "Value": id.to_string() }],
        "Content": { "Simple": {
            "Subject": text(subject),
            "Body": { "Text": text(&paragraphs.join("\n\n")), "Html": text(html) },
            "Headers": [{ "Name": "Auto-Submitted", "Value": "auto-generated" }],
            "Attachments": [{
                "FileName": "booking.ics", "ContentType": "text/calendar; method=REQUEST; charset=utf-8",
                "RawContent": simple["Attachments"][0]["RawContent"]
            }],
        } },
    });
    assert_eq!(*body, expected);

    assert_eq!(calendar.property_value("METHOD"), Some("REQUEST"));
    assert_eq!(event.get_uid(), Some("booking-1@rmb-1.repairmybike"));
    assert_eq!((event.get_sequence(), event.get_status()), (Some(0), Some(EventStatus::Confirmed)));
    let utc = |moment| match moment {
        Some(DatePerhapsTime::DateTime(CalendarDateTime::Utc(moment))) => moment,
        other => panic!("{other:?}"),
    };
    let half_an_hour = chrono::TimeDelta::minutes(30);
    assert_eq!((utc(event.get_start()), utc(event.get_end())), (start, start + half_an_hour));
    let summary = format!("{name}: {vehicle}");
    assert_eq!((event.get_summary(), event.get_location()), (Some(summary.as_str()), Some(address.as_str())));
    let attendees = &event.multi_properties()["ATTENDEE"];
    assert_eq!(attendees[0].value(), "mailto:jane@example.com");
}
