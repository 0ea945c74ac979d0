//! Which channel a message takes, what is sent over it, and what follows from each answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use messages_stand_in::{Channel, Fault, MailEvent, Outcome};
use serde_json::json;
use shared::{
    bookings::{
        Actor,
        access_token::AccessToken,
        links::{self, Scope},
        manage_page::ManagePage,
        status::BookingStatus,
    },
    database::MIGRATOR,
    messages::Plan,
};
use sqlx::PgPool;

use super::{ALL, MAIL, PHONE, SMS, Shop, WHATSAPP};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_shop_without_channels_makes_no_messages(pool: PgPool) {
    let shop = Shop::new(pool, &[]).await;
    shop.write().await;
    assert_eq!(shop.rows().await, json!([]));
    let nothing = json!({
        "sent": 0, "postponed": 0, "dropped": 0, "failed": 0, "unknown": 0, "fallen_back": 0, "oldest_seconds": 0
    });
    assert_eq!(shop.send().await, nothing);
    let counts = testing::Counts::start();
    shop.app.handle(jobs::Event::SendMessages).await.unwrap();
    assert_eq!(counts.level(shared::metrics::Level::MessagesAge), Some(0.0), "or the alarm would not end");
    let open: i64 = sqlx::query_scalar("select count(*) from outbox where delivered_at is null")
        .fetch_one(&shop.pool)
        .await
        .unwrap();
    assert_eq!(open, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_is_told_by_whatsapp_and_to_the_staff_by_mail(pool: PgPool) {
    let mut shop = Shop::new(pool, &ALL).await;
    shop.app.plan.staff = vec!["desk@example.com".to_owned()];
    shop.app.plan.page = ManagePage::at("https://api.example.com/b/{token}");
    shop.write().await;
    shop.write().await;
    let done = shop.send().await;
    assert_eq!((&done["sent"], &done["postponed"]), (&json!(2), &json!(0)), "{done}");
    assert_eq!(shop.send().await["sent"], 0);
    let taken = shop.stand_in.taken();
    let when = shop.start().await.checked_add_signed(TimeDelta::minutes(330)).unwrap();
    let when = when.format("%a %-d %b, 10:00 AM").to_string();
    let whatsapp = taken.iter().find(|message| message.channel == Channel::WhatsApp).unwrap();
    let text = |text: &str| json!({ "type": "text", "text": text });
    let token = whatsapp.request["template"]["components"][1]["parameters"][0]["text"].as_str().unwrap();
    let link = links::find(&shop.app.database, &AccessToken::sent(token)).await.unwrap().unwrap();
    assert_eq!(link.scope, Scope::Change, "the link opens the booking");
    let vehicle: String = sqlx::query_scalar(
        "select brand.name || ' ' || model.name from vehicle_models model
        join vehicle_brands brand on brand.id = model.vehicle_brand_id where model.id = 7",
    )
    .fetch_one(&shop.pool)
    .await
    .unwrap();
    assert_eq!(
        whatsapp.request,
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "919876543210", "type": "template",
            "biz_opaque_callback_data": whatsapp.tag,
            "template": {
                "name": "booking_created", "language": { "code": "en" },
                "components": [
                    { "type": "body", "parameters": [text("Jane Doe"), text("RMB-1"), text(&vehicle), text(&when)] },
                    { "type": "button", "sub_type": "url", "index": "0", "parameters": [text(token)] }
                ]
            }
        })
    );
    let mail = taken.iter().find(|message| message.channel == Channel::Email).unwrap();
    assert_eq!(mail.to, "desk@example.com");
    let simple = &mail.request["Content"]["Simple"];
    assert_eq!(simple["Subject"]["Data"], format!("New booking RMB-1: {when}"));
    assert_eq!(simple["Headers"], json!([{ "Name": "Auto-Submitted", "Value": "auto-generated" }]));
    let body = simple["Body"]["Text"]["Data"].as_str().unwrap();
    assert!(body.starts_with(&format!("Jane Doe has booked {vehicle} for {when}, at our shop (")), "{body}");
    assert!(!body.contains("https://"), "the staff needs no link of the customer");
    assert_eq!(
        shop.rows().await,
        json!([["booking_created", "whatsapp", "sent", ""], ["staff_booking_created", "email", "sent", ""]])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_number_that_is_not_on_whatsapp_gets_an_sms_from_then_on(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::NotReachable));
    shop.write().await;
    let done = shop.send().await;
    assert_eq!((&done["sent"], &done["failed"], &done["fallen_back"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(shop.taken(), [(Channel::Sms, PHONE.to_owned())]);
    shop.set_status(BookingStatus::Confirmed, Actor::Staff("desk".to_owned())).await;
    shop.write().await;
    shop.send().await;
    assert_eq!(
        shop.rows().await,
        json!([
            ["booking_created", "whatsapp", "failed", "code 131026"],
            ["booking_created", "sms", "sent", ""],
            ["booking_confirmed", "sms", "sent", ""],
        ])
    );
    assert_eq!(shop.stand_in.calls(WHATSAPP), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_each_channel_refuses_for_good_goes_on_to_the_next_and_then_ends(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Template));
    shop.stand_in.spoil(SMS, Fault::of(Outcome::Refused));
    shop.stand_in.spoil(MAIL, Fault::of(Outcome::Refused));
    shop.write().await;
    shop.send().await;
    assert_eq!(shop.taken(), []);
    let expected = json!([
        ["booking_created", "whatsapp", "failed", "code 132001"],
        ["booking_created", "sms", "failed", "status 400"],
        ["booking_created", "email", "failed", "MessageRejected"],
    ]);
    assert_eq!(shop.rows().await, expected);
    shop.advance(TimeDelta::hours(2));
    shop.send().await;
    assert_eq!(shop.rows().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_an_opt_in_nothing_goes_to_whatsapp_and_abroad_no_sms(pool: PgPool) {
    let mut shop = Shop::new(pool, &ALL).await;
    shop.app.plan = Plan::default();
    shop.write().await;
    shop.send().await;
    shop.sql("update customers set phone = '+12345678901'; update outbox set delivered_at = null, due_at = now();")
        .await;
    shop.sql("delete from messages").await;
    shop.write().await;
    shop.send().await;
    assert_eq!(shop.taken(), [(Channel::Sms, PHONE.to_owned()), (Channel::Email, "jane@example.com".to_owned())]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_a_carrier_does_not_take_now_is_sent_later_with_growing_pauses(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Later));
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::ServerError));
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Later));
    shop.write().await;
    for (pause, reason) in [(30, "code 130429"), (60, "code 131000"), (120, "code 130429")] {
        assert_eq!(shop.send().await["postponed"], 1);
        assert_eq!(shop.rows().await, json!([["booking_created", "whatsapp", "pending", reason]]));
        shop.advance(TimeDelta::seconds(pause - 1));
        assert_eq!(shop.send().await["postponed"], 0, "not due yet");
        shop.advance(TimeDelta::seconds(1));
    }
    assert_eq!(shop.send().await["sent"], 1);
    assert_eq!(shop.taken(), [(Channel::WhatsApp, PHONE.to_owned())]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_due_on_a_channel_that_is_stopped_goes_on_to_the_next(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.sql(
        "insert into messages (cause, channel, recipient, kind, language, booking_id, due_at, worthless_at)
        select 'test:' || n, 'whatsapp', '+919876543210', 'booking_created', 'en', 1, now(), now() + interval '9 days'
        from generate_series(1, 19) n",
    )
    .await;
    shop.write().await;
    // As many as are sent at once.
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Stopped).times(16));
    let done = shop.send().await;
    assert_eq!(
        (&done["sent"], &done["failed"], &done["fallen_back"], &done["postponed"]),
        (&json!(20), &json!(20), &json!(20), &json!(0)),
        "{done}"
    );
    assert_eq!(shop.stand_in.calls(WHATSAPP), 16, "the others were not tried");
    assert!(shop.taken().iter().all(|(channel, _)| *channel == Channel::Sms), "{:?}", shop.taken());
    assert_eq!((shop.taken().len(), shop.send().await["sent"].clone()), (20, json!(0)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_another_way_a_message_waits_for_the_channel(pool: PgPool) {
    let mut shop = Shop::new(pool, &ALL).await;
    shop.app.plan.staff = vec!["desk@example.com".to_owned()];
    shop.sql("insert into blocked_recipients values ('sms', '+919876543210', 'stop'); update bookings set customer_email = null")
        .await;
    shop.stand_in.spoil(WHATSAPP, Fault::of(Outcome::Stopped));
    shop.stand_in.spoil(MAIL, Fault::of(Outcome::Stopped));
    shop.write().await;
    let counts = testing::Counts::start();
    assert_eq!((shop.send().await["postponed"].clone(), shop.taken()), (json!(2), vec![]));
    assert_eq!(counts.of(shared::metrics::Count::ChannelsStopped), 2, "what raises the alarm");
    let waiting = json!([
        ["booking_created", "whatsapp", "pending", "code 131031"],
        ["staff_booking_created", "email", "pending", "AccountSuspendedException"],
    ]);
    assert_eq!(shop.rows().await, waiting);
    shop.advance(TimeDelta::seconds(30));
    assert_eq!(shop.send().await["sent"], 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_bounced_address_gets_no_more_mail(pool: PgPool) {
    let shop = Shop::new(pool, &[Channel::Email]).await;
    shop.write().await;
    shop.send().await;
    let message = &shop.stand_in.taken()[0];
    for event in [MailEvent::Delivered, MailEvent::Bounced, MailEvent::SoftBounced, MailEvent::Opened] {
        let detail = shop.stand_in.mail_event(message, event);
        let event = serde_json::from_value(json!({ "action": "mail_event", "detail": detail })).unwrap();
        shop.app.handle(event).await.unwrap();
    }
    // It was delivered, and later bounced: it stays delivered, and the address is blocked.
    assert_eq!(shop.rows().await, json!([["booking_created", "email", "delivered", ""]]));
    shop.set_status(BookingStatus::Confirmed, Actor::Staff("desk".to_owned())).await;
    shop.write().await;
    shop.send().await;
    assert_eq!(shop.stand_in.taken().len(), 1);
    assert_eq!(shop.rows().await.as_array().unwrap().len(), 1, "there is no way left");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_mail_that_bounces_or_is_complained_of_blocks_what_waits(pool: PgPool) {
    let shop = Shop::new(pool, &[Channel::Email]).await;
    shop.write().await;
    shop.send().await;
    shop.set_status(BookingStatus::Confirmed, Actor::Staff("desk".to_owned())).await;
    shop.write().await;
    let message = &shop.stand_in.taken()[0];
    let detail = shop.stand_in.mail_event(message, MailEvent::Complained);
    for _ in 0..2 {
        let event = serde_json::from_value(json!({ "action": "mail_event", "detail": detail })).unwrap();
        shop.app.handle(event).await.unwrap();
    }
    shop.send().await;
    assert_eq!(
        shop.rows().await,
        json!([
            ["booking_created", "email", "delivered", ""],
            ["booking_confirmed", "email", "dropped", "the recipient is blocked"],
        ])
    );
    assert_eq!(shop.stand_in.taken().len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_customer_reads_the_chosen_language_and_the_shops_own_words(pool: PgPool) {
    let shop = Shop::new(pool, &[Channel::Email]).await;
    shop.sql(
        "update customers set language = 'hi';
        insert into message_texts (kind, language, text) values ('booking_created', 'hi', 'गाड़ी पीछे लगाएँ.'),
            ('booking_created', 'en', 'Park behind the shop.')",
    )
    .await;
    shop.write().await;
    shop.send().await;
    let mail = &shop.stand_in.taken()[0].request["Content"]["Simple"];
    assert_eq!(mail["Subject"]["Data"], "आपकी बुकिंग RMB-1 हमें मिल गई है");
    let body = mail["Body"]["Text"]["Data"].as_str().unwrap();
    assert!(body.starts_with("गाड़ी पीछे लगाएँ.\n\nनमस्ते Jane Doe,\n\nआपकी"), "{body}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_of_an_account_is_told_to_the_number_and_address_of_before(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.sql(
        "delete from outbox; insert into users (username) values ('u');
        select write_message('ways_in_changed', jsonb_build_object('user_id', 1, 'changed', 'email', 'to', way))
        from unnest(array['+919811111111', 'old@example.com']) as way;
        insert into message_opt_ins values ('whatsapp', '+919811111111', 'start', now())",
    )
    .await;
    shop.write().await;
    // At once, also at night.
    shop.advance(TimeDelta::hours(11));
    shop.send().await;
    let mut taken = shop.taken();
    taken.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        taken,
        [(Channel::WhatsApp, "+919811111111".to_owned()), (Channel::Email, "old@example.com".to_owned())]
    );
    let mail = &shop.stand_in.taken_by(Channel::Email)[0].request["Content"]["Simple"];
    let body = mail["Body"]["Text"]["Data"].as_str().unwrap();
    assert!(body.contains("the e-mail address of your account at"), "{body}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_device_is_told_at_once_also_at_night(pool: PgPool) {
    let shop = Shop::new(pool, &ALL).await;
    shop.sql(
        "delete from outbox; insert into users (username) values ('u');
        select write_message('new_device', jsonb_build_object('user_id', 1, 'to', 'user@example.com'))",
    )
    .await;
    shop.write().await;
    shop.advance(TimeDelta::hours(11));
    shop.send().await;
    let mail = &shop.stand_in.taken_by(Channel::Email)[0].request["Content"]["Simple"];
    let shop_name: String = sqlx::query_scalar("select name from shops").fetch_one(&shop.pool).await.unwrap();
    assert_eq!(mail["Subject"]["Data"], format!("A new device has signed in to your account at {shop_name}"));
    let body = mail["Body"]["Text"]["Data"].as_str().unwrap();
    assert!(body.contains("was signed in to on a device that is new to us"), "{body}");
}

/// The calendar file of the newest mail, with what kind of file its mail says it is.
fn invitation(shop: &Shop) -> (String, String) {
    let taken = shop.stand_in.taken();
    let mail = taken.iter().rev().find(|message| message.channel == Channel::Email).unwrap();
    let file = &mail.request["Content"]["Simple"]["Attachments"][0];
    let bytes = STANDARD.decode(file["RawContent"].as_str().unwrap()).unwrap();
    // Long lines are folded.
    let text = String::from_utf8(bytes).unwrap().replace("\r\n ", "");
    (file["ContentType"].as_str().unwrap().to_owned(), text)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn mails_set_and_cancel_the_visit_in_a_calendar(pool: PgPool) {
    let mut shop = Shop::new(pool, &[Channel::Email]).await;
    shop.app.plan.page = ManagePage::at("https://api.example.com/b/{token}");
    for (status, method, sequence) in
        [(BookingStatus::Confirmed, "REQUEST", "SEQUENCE:0"), (BookingStatus::Cancelled, "CANCEL", "SEQUENCE:1")]
    {
        shop.set_status(status, Actor::Staff("desk".to_owned())).await;
        shop.write().await;
        shop.stand_in.forget();
        shop.send().await;
        let (content_type, text) = invitation(&shop);
        assert_eq!(content_type, format!("text/calendar; method={method}; charset=utf-8"));
        for line in [&format!("METHOD:{method}"), sequence, "UID:booking-1@rmb-1.repairmybike"] {
            assert!(text.lines().any(|known| known == line), "{line} in {text}");
        }
        assert!(text.contains(":mailto:jane@example.com") && text.contains("https://api.example.com/b/"), "{text}");
    }
}
