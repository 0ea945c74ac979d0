//! Webhooks: signed, repeated, out of order; and what people write back.
#![expect(clippy::unwrap_used, reason = "test code")]

use messages::App;
use messages_stand_in::{APP_SECRET, Channel, REPORT_SECRET, StandIn, Taken, Told, VERIFY_TOKEN};
use serde_json::{Value, json};
use shared::{
    carriers::{ReportSecret, WhatsAppSecrets},
    database::{Database, MIGRATOR},
};
use sqlx::PgPool;
use testing::{Answer, Client};

struct World {
    client: Client,
    stand_in: StandIn,
    pool: PgPool,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let database = Database::from(pool.clone());
        let app = App {
            database: database.clone(),
            whatsapp: WhatsAppSecrets::new(APP_SECRET, VERIFY_TOKEN),
            sms: ReportSecret::new(REPORT_SECRET),
        };
        Self { client: Client::new(messages::router(app), database), stand_in: StandIn::start().await, pool }
    }

    /// A message in this state, as the carrier took it; without the carrier's id its answer was lost.
    async fn message(&self, channel: Channel, state: &str, has_answer: bool) -> Taken {
        let name = serde_json::to_value(channel).unwrap();
        let (name, to) = (name.as_str().unwrap(), "+919876543210");
        let id: i64 = sqlx::query_scalar(
            "insert into messages (cause, channel, recipient, kind, language, state, due_at, worthless_at, provider_id,
                leased_until)
            values ('test:' || gen_random_uuid(), $1, $2, 'booking_confirmed', 'en', $3, now(), now() + interval '1 day',
                case when $4 then 'id-of-carrier' end, case when $3 = 'sending' then now() end)
            returning id",
        )
        .bind(name)
        .bind(to)
        .bind(state)
        .bind(has_answer)
        .fetch_one(&self.pool)
        .await
        .unwrap();
        Taken {
            id: "id-of-carrier".to_owned(),
            channel,
            to: to.to_owned(),
            tag: id.to_string(),
            request: Value::Null,
            taken_at: chrono::Utc::now(),
            status: None,
        }
    }

    async fn tell(&self, told: &Told) -> Answer {
        let (name, value) = &told.header;
        self.client.with(name, value).send("POST", &format!("/api/messages/{}", told.path), Some(&told.body)).await
    }

    async fn states(&self) -> Value {
        sqlx::query_scalar("select coalesce(json_agg(json_build_array(state, reason) order by id), '[]') from messages")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    async fn blocked(&self) -> Value {
        sqlx::query_scalar(
            "select coalesce(json_agg(json_build_array(channel, recipient, reason) order by channel), '[]')
            from blocked_recipients",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn statuses_out_of_order_and_repeated_only_move_forward(pool: PgPool) {
    let world = World::new(pool).await;
    let message = world.message(Channel::WhatsApp, "sent", true).await;
    for (status, reached) in
        [("read", "read"), ("delivered", "read"), ("sent", "read"), ("failed", "read"), ("read", "read")]
    {
        let answer = world.tell(&world.stand_in.status(&message, status, None)).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "status": "ok" })));
        assert_eq!(world.states().await, json!([[reached, ""]]));
    }
    let read: bool = sqlx::query_scalar("select read_at is not null and delivered_at is not null from messages")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert!(read);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_status_settles_what_is_unknown_and_what_is_being_sent(pool: PgPool) {
    let world = World::new(pool).await;
    for state in ["unknown", "sending"] {
        let message = world.message(Channel::WhatsApp, state, false).await;
        world.tell(&world.stand_in.status(&message, "delivered", None)).await;
        sqlx::query("update messages set provider_id = provider_id || '-'").execute(&world.pool).await.unwrap();
    }
    let message = world.message(Channel::Sms, "unknown", false).await;
    world.tell(&world.stand_in.report(&message, "1")).await;
    assert_eq!(world.states().await, json!([["delivered", ""], ["delivered", ""], ["delivered", ""]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_status_of_another_stage_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let message = world.message(Channel::WhatsApp, "sent", true).await;
    let other = Taken { id: "wamid.other".to_owned(), ..message.clone() };
    world.tell(&world.stand_in.status(&other, "failed", Some(131_026))).await;
    let pending = world.message(Channel::WhatsApp, "pending", false).await;
    world.tell(&world.stand_in.status(&Taken { id: "wamid.x".to_owned(), ..pending }, "delivered", None)).await;
    assert_eq!(world.states().await, json!([["sent", ""], ["pending", ""]]));
    assert_eq!(world.blocked().await, json!([]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_number_that_is_not_on_whatsapp_is_blocked_there_and_another_channel_is_tried(pool: PgPool) {
    let world = World::new(pool).await;
    let message = world.message(Channel::WhatsApp, "sent", true).await;
    for _ in 0..2 {
        world.tell(&world.stand_in.status(&message, "failed", Some(131_026))).await;
    }
    assert_eq!(world.states().await, json!([["failed", "code 131026"]]));
    assert_eq!(world.blocked().await, json!([["whatsapp", "+919876543210", "not_on_whatsapp"]]));
    let falls_back: bool = sqlx::query_scalar("select falls_back from messages").fetch_one(&world.pool).await.unwrap();
    assert!(falls_back);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn stop_blocks_the_channel_and_start_opens_it_again(pool: PgPool) {
    let world = World::new(pool).await;
    for channel in [Channel::WhatsApp, Channel::Sms] {
        world.tell(&world.stand_in.inbound(channel, "+919876543210", "Stop")).await;
        world.tell(&world.stand_in.inbound(channel, "+919876543210", "When do you open?")).await;
    }
    assert_eq!(world.blocked().await, json!([["sms", "+919876543210", "stop"], ["whatsapp", "+919876543210", "stop"]]));
    world.tell(&world.stand_in.inbound(Channel::WhatsApp, "+919876543210", "START")).await;
    assert_eq!(world.blocked().await, json!([["sms", "+919876543210", "stop"]]));
    let opted_in: Value =
        sqlx::query_scalar("select json_agg(json_build_array(channel, recipient, how)) from message_opt_ins")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(opted_in, json!([["whatsapp", "+919876543210", "start"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_does_not_prove_where_it_comes_from_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let message = world.message(Channel::WhatsApp, "sent", true).await;
    let told = world.stand_in.status(&message, "failed", None);
    for (path, header) in [
        ("whatsapp/", ("x-hub-signature-256", String::new())),
        ("whatsapp/", ("x-hub-signature-256", told.header.1.replace("sha256=", "sha1="))),
        ("whatsapp/", ("x-webhook-secret", REPORT_SECRET.to_owned())),
        ("sms/", ("x-webhook-secret", "guess".to_owned())),
        ("sms/", told.header.clone()),
    ] {
        let answer = world.tell(&Told { path, header, body: told.body.clone() }).await;
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("PERMISSION_DENIED")));
    }
    let changed = Told { body: told.body.replace("failed", "delivered"), ..told };
    assert_eq!(world.tell(&changed).await.status, 403);
    assert_eq!(world.states().await, json!([["sent", ""]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_cannot_be_read_is_acknowledged(pool: PgPool) {
    let world = World::new(pool).await;
    let sms = |body: &str| Told {
        path: "sms/",
        header: ("x-webhook-secret", REPORT_SECRET.to_owned()),
        body: body.to_owned(),
    };
    for body in ["", "[", "{\"data\": 1}", "[{\"requestId\": \"x\", \"status\": \"1\"}]"] {
        assert_eq!(world.tell(&sms(body)).await.status, 200, "{body}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn meta_is_answered_with_its_challenge(pool: PgPool) {
    let world = World::new(pool).await;
    let ask = async |token: &str| {
        let path = format!("/api/messages/whatsapp/?hub.mode=subscribe&hub.challenge=1158&hub.verify_token={token}");
        world.client.get(&path).await
    };
    let answer = ask(VERIFY_TOKEN).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "1158"));
    assert_eq!(ask("guess").await.status, 403);
    assert_eq!(world.client.get("/api/messages/whatsapp/").await.status, 403);
}
