//! What the law lets a person ask for: a copy of the data, and its erasure.

use descope_stand_in::{Fault as Trouble, StandIn};
use migrate::{App, Personnel};
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    descope::Channel,
    http::Device,
    phone::Phone,
    sign_in::{Identifier, codes},
};
use sqlx::PgPool;

use crate::{app, handle};

const PHONE: &str = "+919876543210";

/// Makes a booking of the number, and returns its id.
pub(super) async fn book(pool: &PgPool, status: &str) -> i64 {
    testing::import_catalogue(pool, &testing::redis()).await;
    let id = sqlx::query_scalar(
        "with customer as (insert into customers (phone, notes) values ($1, 'knows the mayor') returning id),
            booking as (
                insert into bookings (reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location,
                    address, appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                    payment_method, notes, internal_notes, access_token_sha256, access_token_expires_at, booking_status)
                select 'RMB-7K3QX-9ZD2A', id, 'Asha Rao', 'asha@example.com', 7, 'home', '9 Hill Road', '2026-03-02', '10:00',
                    60, quarters('10:00', 60), 60, 75010, 'cash', 'gate code 12', 'rude dog', sha256('x'), now(),
                    $2::booking_status
                from customer returning id
            ), line as (
                insert into booking_services (booking_id, service_id, price_paise) select id, 4, 75010 from booking
            )
        select id from booking",
    );
    let id: i64 = id.bind(PHONE).bind(status).fetch_one(pool).await.unwrap();
    let told = "select write_event($1, 'cancelled', 'pending', 'cancelled', 'customer', 'moved to Pune') is null";
    sqlx::query(told).bind(id).execute(pool).await.unwrap();
    id
}

/// Signs the number in with a code, as the app does.
async fn sign_in(pool: &PgPool, descope: &StandIn) -> String {
    let database = Database::from(pool.clone());
    let redis = testing::redis();
    let sign_in = testing::sign_in(testing::sessions(&database, descope, &redis), &redis);
    let identifier = Identifier::Phone(PHONE.parse::<Phone>().unwrap());
    sign_in.sessions.descope.send_code(Channel::Sms, PHONE).await.unwrap();
    let code = descope.inbox(PHONE)[0].code.clone().unwrap();
    let device = Device { user_agent: "Asha's phone".to_owned(), ip_address: "203.0.113.77".to_owned() };
    let address = shared::http::ClientAddress("203.0.113.77".to_owned());
    let (_, signed_in) = codes::prove(&sign_in, None, &identifier, &code, &address, &device).await.unwrap();
    signed_in.session_jwt
}

fn with_descope(pool: &PgPool, descope: &StandIn) -> App {
    let database = Database::from(pool.clone());
    let personnel = Personnel {
        descope: testing::sessions(&database, descope, &testing::redis()).descope,
        password_reset_url: None,
    };
    App { personnel: Some(personnel), ..app(pool) }
}

/// Every row of every table, as text.
async fn everything(pool: &PgPool) -> String {
    let tables: Vec<String> =
        sqlx::query_scalar("select relname::text from pg_stat_user_tables order by 1").fetch_all(pool).await.unwrap();
    let mut text = String::new();
    for table in tables {
        let rows = format!("select coalesce(string_agg(row::text, e'\\n'), '') from {table} as row");
        text.push_str(&sqlx::query_scalar::<_, String>(&rows).fetch_one(pool).await.unwrap());
    }
    text
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_person_is_told_everything_that_is_kept(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_descope(&pool, &descope);
    book(&pool, "completed").await;
    sign_in(&pool, &descope).await;
    let told = handle(&app, json!({ "action": "tell", "phone": "98765 43210" })).await.unwrap();
    let person = &told["person"];
    assert_eq!(person["customer"]["phone"], PHONE);
    let booking = &person["bookings"][0];
    assert_eq!(
        [&booking["name"], &booking["address"], &booking["internal_notes"], &booking["timeline"][0]["reason"]],
        ["Asha Rao", "9 Hill Road", "rude dog", "moved to Pune"]
    );
    let account = &person["accounts"][0];
    assert_eq!((&account["phone"], &account["is_phone_verified"]), (&json!(PHONE), &json!(true)));
    assert_eq!(account["sessions"][0]["device"], "Asha's phone");
    let secrets = ["sha256", "sealed", "token"];
    assert_eq!(secrets.map(|word| told.to_string().contains(word)), [false; 3], "{told}");
    let exports: i64 = sqlx::query_scalar("select count(*) from customer_exports").fetch_one(&pool).await.unwrap();
    assert_eq!(exports, 1, "the history tells that the data was handed out");

    let unknown = handle(&app, json!({ "action": "tell", "phone": "+919876500000" })).await.unwrap();
    assert_eq!(
        [&unknown["person"]["customer"], &unknown["person"]["bookings"], &unknown["person"]["accounts"]],
        [&Value::Null, &json!([]), &json!([])]
    );
    let faulty = handle(&app, json!({ "action": "tell", "phone": "12" })).await;
    assert_eq!(faulty, Err("phone: Enter a valid phone number.".to_owned()));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_person_is_forgotten_here_and_at_descope_but_for_the_books(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_descope(&pool, &descope);
    book(&pool, "completed").await;
    let token = sign_in(&pool, &descope).await;
    // Another person's account that only claims the number stays.
    let other = "insert into users (username, phone, first_name) values ('ravi@example.com', $1, 'Ravi')";
    sqlx::query(other).bind(PHONE).execute(&pool).await.unwrap();
    let books =
        "select json_agg(json_build_array(reference, appointment_date, total_paise, booking_status)) from bookings";
    let kept: Value = sqlx::query_scalar(books).fetch_one(&pool).await.unwrap();

    let event = json!({ "action": "forget", "phone": PHONE });
    let forgotten = handle(&app, event.clone()).await;
    assert_eq!(forgotten, Ok(json!({ "action": "forget", "customer_id": 1, "user_ids": [1] })));
    sqlx::query("delete from users where first_name = 'Ravi'").execute(&pool).await.unwrap();
    let text = everything(&pool).await;
    let personal = [
        "9876543210",
        "Asha",
        "asha@example.com",
        "Hill Road",
        "gate code",
        "rude dog",
        "mayor",
        "Pune",
        "203.0.113.77",
    ];
    assert_eq!(personal.map(|word| text.contains(word)), [false; 9], "{text}");
    assert_eq!(sqlx::query_scalar::<_, Value>(books).fetch_one(&pool).await.unwrap(), kept);
    assert_eq!(descope.user(PHONE), None);
    let database = Database::from(pool.clone());
    let sessions = testing::sessions(&database, &descope, &testing::redis());
    let device = Device { user_agent: String::new(), ip_address: String::new() };
    assert!(sessions.identify(&token, &device).await.is_err(), "the session is over");

    let again = handle(&app, event).await;
    assert_eq!(again, Ok(json!({ "action": "forget", "customer_id": null, "user_ids": [] })), "a repetition is safe");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_is_forgotten_while_work_or_a_role_is_open(pool: PgPool) {
    let descope = StandIn::start().await;
    let app = with_descope(&pool, &descope);
    let id = book(&pool, "pending").await;
    sign_in(&pool, &descope).await;
    let event = json!({ "action": "forget", "phone": PHONE });
    let refused = handle(&app, event.clone()).await.unwrap_err();
    let sentence =
        "the data of the person stays: Finish or cancel the open bookings and wait until all refunds are done.";
    assert_eq!(refused, sentence);
    assert!(descope.user(PHONE).is_some(), "the person can still sign in");

    sqlx::query("update bookings set booking_status = 'completed' where id = $1")
        .bind(id)
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("update users set roles = '{staff}'").execute(&pool).await.unwrap();
    let refused = handle(&app, event.clone()).await.unwrap_err();
    assert!(refused.contains("has a role of the shop"), "{refused}");
    assert!(descope.user(PHONE).is_some());
    sqlx::query("update users set roles = '{}'").execute(&pool).await.unwrap();

    descope.spoil("/v1/mgmt/user/delete", Trouble::status(500).times(5));
    assert!(handle(&app, event.clone()).await.is_err(), "Descope is away");
    let name: String = sqlx::query_scalar("select customer_name from bookings").fetch_one(&pool).await.unwrap();
    assert_eq!(name, "Asha Rao", "all of it is done again later");
    descope.clear_faults();
    assert!(handle(&app, event).await.is_ok());
}
