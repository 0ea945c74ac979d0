//! Bookings made at the counter.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{World, browser::input};

const PATH: &str = "/admin/bookings/new/";

/// Opens the shop all day, so that "now" is within its hours.
async fn open_all_day(world: &World) {
    for statement in [
        "delete from holidays",
        "insert into opening_hours (shop_id, weekday, opens_at, closes_at)
        select shop_id(), weekday, '00:00', '24:00' from generate_series(1, 7) as weekday
        on conflict (shop_id, weekday) do update set opens_at = '00:00', closes_at = '24:00'",
    ] {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
}

async fn model(world: &World) -> String {
    sqlx::query_scalar(
        "select brand.name || ' ' || model.name from vehicle_models model
        join vehicle_brands brand on brand.id = model.vehicle_brand_id where model.id = 7",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

async fn stored(world: &World) -> Vec<Value> {
    sqlx::query_scalar(
        "select json_build_object('name', customer_name, 'status', booking_status, 'source', source,
            'today', appointment_date = shop_clock(now())::date, 'total', total_paise, 'actor', (
                select min(actor) from booking_events where booking_id = bookings.id
            )) from bookings order by id",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_walk_in_is_booked_for_now_and_confirmed_once_however_often_it_is_sent(pool: PgPool) {
    let world = World::new(pool).await;
    open_all_day(&world).await;
    let mechanic = world.mechanic().await;
    let model = model(&world).await;
    let page = mechanic.get(&format!("{PATH}?model={}", model.replace(' ', "+"))).await;
    assert!(page.text.contains("name=\"service-4\""), "{}", page.text);
    let key = input(&page, "form_key");
    let fields = [
        ("form_key", &*key),
        ("customer_phone", "98765 43210"),
        ("customer_name", "Asha Rao"),
        ("model", &model),
        ("service-4", "yes"),
        ("when", "now"),
        ("location", "shop"),
        ("source", "phone"),
        ("anyway", "yes"),
    ];
    let (one, two) = tokio::join!(mechanic.submit(PATH, &fields), mechanic.submit(PATH, &fields));
    let three = mechanic.submit(PATH, &fields).await;
    assert_eq!((one.status, two.status, three.status), (303, 303, 303), "{}", one.text);
    assert_eq!((one.header("location"), two.header("location")), (three.header("location"), three.header("location")));
    let stored = stored(&world).await;
    let actor = stored[0]["actor"].clone();
    assert!(actor.as_str().unwrap().starts_with("staff:user-"));
    let price: i64 =
        sqlx::query_scalar("select price_paise from service_prices where service_id = 4 and vehicle_model_id = 7")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    let booked = json!({ "name": "Asha Rao", "status": "confirmed", "source": "phone", "today": true, "total": price, "actor": actor });
    assert_eq!(stored, [booked]);
    // The number is known from now on.
    let known = mechanic.get(&format!("{PATH}?customer_phone=9876543210")).await;
    assert!(known.text.contains("Known customer: Asha Rao"), "{}", known.text);
    assert_eq!((input(&known, "customer_name"), input(&known, "model")), ("Asha Rao".to_owned(), model));
    assert!(known.text.contains("name=\"service-4\""), "the services of the only bike are there at once");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn faults_stand_beside_their_fields_and_what_was_entered_stays(pool: PgPool) {
    let world = World::new(pool).await;
    open_all_day(&world).await;
    let mechanic = world.mechanic().await;
    let key = input(&mechanic.get(PATH).await, "form_key");
    let fields = [
        ("form_key", &*key),
        ("customer_phone", "12"),
        ("customer_name", "<script>alert(1)</script>"),
        ("customer_email", "no mail"),
        ("model", "Honda Nothing"),
        ("location", "home"),
        ("when", "later"),
        ("appointment_date", "2020-01-01"),
        ("appointment_time", "10:00"),
    ];
    let answer = mechanic.submit(PATH, &fields).await;
    assert_eq!(answer.status, 400);
    for fault in [
        "Enter a valid phone number.",
        "Enter a valid email address.",
        "Choose a model from the list.",
        "Tick at least one service.",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ] {
        assert!(answer.text.contains(fault), "{fault}: {}", answer.text);
    }
    assert!(!answer.text.contains("<script>alert"));
    let without_key = mechanic.submit(PATH, &fields[1..]).await;
    assert_eq!(without_key.status, 400);
    assert_eq!(stored(&world).await, Vec::<Value>::new());
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_full_time_is_booked_only_with_the_tick_which_the_timeline_remembers(pool: PgPool) {
    let world = World::new(pool).await;
    open_all_day(&world).await;
    sqlx::query("update shops set shop_capacity = 0").execute(&world.pool).await.unwrap();
    let mechanic = world.mechanic().await;
    let model = model(&world).await;
    let key = input(&mechanic.get(PATH).await, "form_key");
    let tomorrow = (chrono::Utc::now().date_naive() + chrono::Days::new(2)).to_string();
    let mut fields = vec![
        ("form_key", &*key),
        ("customer_phone", "9876543210"),
        ("customer_name", "Asha Rao"),
        ("model", &model),
        ("service-4", "yes"),
        ("when", "later"),
        ("appointment_date", &tomorrow),
        ("appointment_time", "10:07"),
    ];
    let full = mechanic.submit(PATH, &fields).await;
    assert_eq!(full.status, 409, "{}", full.text);
    assert!(full.text.contains("This time is full."));
    assert_eq!(stored(&world).await, Vec::<Value>::new());
    fields.push(("anyway", "yes"));
    assert_eq!(mechanic.submit(PATH, &fields).await.status, 303);
    let events: Vec<String> =
        sqlx::query_scalar("select event from booking_events order by id").fetch_all(&world.pool).await.unwrap();
    assert_eq!(events, ["created", "overbooked", "confirmed"]);
}
