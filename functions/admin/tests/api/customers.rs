//! Customers: the list, the page, notes, a copy of the data.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    OWNER, World,
    browser::{Browser, input},
    visits::{Visit, between, words},
};

pub(crate) const ASHA: &str = "+919876543210";
const RAVI: &str = "+918123456789";

pub(crate) async fn id_of(world: &World, phone: &str) -> i64 {
    sqlx::query_scalar("select id from customers where phone = $1").bind(phone).fetch_one(&world.pool).await.unwrap()
}

pub(crate) async fn run(world: &World, sql: &str) {
    sqlx::raw_sql(sql).execute(&world.pool).await.unwrap();
}

/// The names in the list that an address shows.
pub(crate) async fn listed(browser: &Browser, query: &str) -> Vec<String> {
    let page = browser.get(&format!("/admin/customers/{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let cells = page.text.split("<td data-label=\"Name\">").skip(1);
    cells.map(|cell| words(cell.split("</td>").next().unwrap())).collect()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_list_finds_customers_by_name_e_mail_and_any_part_of_the_number(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    assert!(mechanic.get("/admin/customers/").await.text.contains("The first booking adds one."));
    let old = world.visit(Visit { name: "Asha", ..Visit::default() }).await;
    world.visit(Visit { day: "2026-04-01", ..Visit::default() }).await;
    world.visit(Visit { phone: RAVI, name: "Ravi <script>", status: "cancelled", ..Visit::default() }).await;
    run(&world, &format!("update bookings set customer_email = 'asha@example.com' where id = {old}")).await;
    let (asha, ravi) = ("Asha Rao".to_owned(), "Ravi &lt;script&gt;".to_owned());
    for (query, expected) in [
        ("", vec![&ravi, &asha]),
        ("?sort=name", vec![&asha, &ravi]),
        ("?sort=-visits", vec![&asha, &ravi]),
        ("?sort=visits", vec![&ravi, &asha]),
        ("?q=rao", vec![&asha]),
        ("?q=ASHA%40example", vec![&asha]),
        ("?q=987", vec![&asha]),
        ("?q=98765+43", vec![&asha]),
        ("?q=09876543210", vec![&asha]),
        ("?q=81234-56789", vec![&ravi]),
        ("?q=98", vec![]),
        ("?q=%25", vec![]),
        ("?created_to=2026-02-28", vec![]),
        ("?created_from=2026-03-01&created_to=2026-03-01", vec![&ravi, &asha]),
        ("?visited_from=2026-04-01", vec![&asha]),
        ("?visited_to=2026-03-02", vec![&asha]),
    ] {
        let expected: Vec<&str> = expected.into_iter().map(String::as_str).collect();
        assert_eq!(listed(&mechanic, query).await, expected, "{query}");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_file_of_all_customers_is_for_administrators(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    world.visit(Visit::default()).await;
    assert_eq!(mechanic.get("/admin/customers.csv").await.status, 403);
    assert!(!mechanic.get("/admin/customers/").await.text.contains("customers.csv"));
    assert!(owner.get("/admin/customers/").await.text.contains("customers.csv"));
    let file = owner.get("/admin/customers.csv").await;
    let id = id_of(&world, ASHA).await;
    let expected =
        format!("\u{feff}ID,Name,Phone,E-mail,Visits,Created\r\n{id},Asha Rao,'{ASHA},,1,2026-03-01 09:00:00\r\n");
    assert_eq!(file.text, expected);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_customer_s_page_shows_contact_visits_by_bike_and_money(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let paid = world.visit(Visit { paise: 100_050, ..Visit::default() }).await;
    world.pay_in_cash(paid, "2026-03-02 17:00").await;
    world.give_back(paid, 10_025, "2026-03-03 10:00").await;
    let due = world.visit(Visit { day: "2026-03-05", status: "confirmed", model: 8, ..Visit::default() }).await;
    let missed = world.visit(Visit { day: "2026-02-01", status: "cancelled", ..Visit::default() }).await;
    run(&world, &format!("update bookings set is_no_show = true where id = {missed}")).await;
    let id = id_of(&world, ASHA).await;
    let page = mechanic.get(&format!("/admin/customers/{id}/")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(
        page.text.contains("href=\"tel:+919876543210\"") && page.text.contains("href=\"https://wa.me/919876543210\"")
    );
    let main = words(between(&page.text, "<main", "</main>"));
    assert!(main.contains("Spent ₹900.25 Due ₹390.00 Did not come once"), "{main}");
    let visits: Vec<&str> = page.text.split("<h3>").skip(1).collect();
    assert_eq!(visits.len(), 2, "two bikes");
    let links = |table: &str| -> Vec<String> {
        table.split("/admin/bookings/").skip(1).map(|rest| rest.split('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(links(visits[0]), [due.to_string()], "the bike of the newest visit comes first");
    assert_eq!(links(visits[1]), [paid.to_string(), missed.to_string()]);
    assert!(words(visits[0]).contains("Confirmed ₹390.00 Due"), "{}", words(visits[0]));
    assert!(words(visits[1]).contains("Done ₹1,000.50 Paid") && words(visits[1]).contains("Did not come ₹390.00"));
    assert_eq!(mechanic.get("/admin/customers/99999/").await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn notes_are_saved_once_and_never_over_those_of_a_colleague(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    world.visit(Visit::default()).await;
    let id = id_of(&world, ASHA).await;
    let path = format!("/admin/customers/{id}/notes/");
    let notes = async || -> String {
        sqlx::query_scalar("select notes from customers where id = $1").bind(id).fetch_one(&world.pool).await.unwrap()
    };
    let first = [("before", ""), ("notes", "Rings first.\r\nPays <b>late</b>.")];
    for _ in 0..2 {
        let page = mechanic.submitted(&path, &first).await;
        assert!(page.text.contains("Pays &lt;b&gt;late&lt;/b&gt;."), "{}", page.text);
    }
    assert_eq!(notes().await, "Rings first.\nPays <b>late</b>.");
    let stale = owner.submit(&path, &[("before", ""), ("notes", "Owner's")]).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains("Owner's</textarea>") || stale.text.contains("Owner&#39;s"), "{}", stale.text);
    assert!(stale.text.contains("Now saved:") && stale.text.contains("Rings first."));
    assert_eq!(notes().await, "Rings first.\nPays <b>late</b>.");
    let again = input(&stale, "before");
    assert!(again.starts_with("Rings first."), "{again}");
    owner.submitted(&path, &[("before", "Rings first.\r\nPays <b>late</b>."), ("notes", "Owner's")]).await;
    assert_eq!(notes().await, "Owner's");
    let long = owner.submit(&path, &[("before", "Owner's"), ("notes", &"x".repeat(1001))]).await;
    assert!(long.status == 400 && long.text.contains("class=\"fault\""), "{}", long.text);
    assert_eq!(owner.submit("/admin/customers/99999/notes/", &first).await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_copy_of_the_data_has_all_that_is_kept_and_is_recorded(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.visit(Visit { place: "home", paise: 75_010, ..Visit::default() }).await;
    world.pay_in_cash(booking, "2026-03-02 17:00").await;
    world.give_back(booking, 1_005, "2026-03-03 10:00").await;
    world.visit(Visit { phone: RAVI, name: "Ravi", ..Visit::default() }).await;
    run(&world, "update bookings set notes = 'gate code 12', internal_notes = 'dog', customer_email = 'a@b.in'").await;
    run(&world, "update customers set notes = 'kind'").await;
    run(
        &world,
        &format!(
            "insert into booking_links (booking_id, token_sha256, scope, purpose, created_at, revoked_at)
                values ({booking}, sha256('link'), 'change', 'booking_created', '2026-03-01 10:00+05:30', '2026-03-01 11:00+05:30');
            insert into reminder_opt_outs (customer_id, created_at)
                select customer_id, '2026-03-01 12:00+05:30' from bookings where id = {booking}"
        ),
    )
    .await;
    let message =
        "insert into messages (cause, channel, recipient, kind, language, booking_id, state, due_at, worthless_at,
            created_at, sent_at)
        select 'outbox:1', 'sms', phone, 'booking_completed', 'en', 1, 'sent', at, at, at, at
        from customers, (select timestamptz '2026-03-02 12:00+05:30' as at) as moment where phone = '+919876543210'";
    run(&world, message).await;
    run(
        &world,
        "insert into blocked_recipients select 'whatsapp', phone, 'stop', '2026-03-02 12:00+05:30' from customers",
    )
    .await;
    let id = id_of(&world, ASHA).await;
    let file = owner.submit(&format!("/admin/customers/{id}/export/"), &[]).await;
    assert_eq!((file.status, file.header("content-type")), (200, "application/json"), "{}", file.text);
    assert!(file.header("content-disposition").starts_with(&format!("attachment; filename=\"customer-{id}-")));
    assert!(file.text.contains("750.10") && !file.text.contains("sha256") && !file.text.contains("Ravi"));
    let mut data: Value = serde_json::from_str(&file.text).unwrap();
    let booked = &mut data["bookings"][0];
    for key in ["created_at", "updated_at"] {
        booked[key].take();
    }
    let events: Vec<Value> =
        booked["timeline"].as_array().unwrap().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(events, ["paid", "refund_requested", "refunded"]);
    booked["timeline"].take();
    let told = json!([{
        "kind": "booking_completed", "channel": "sms", "to": ASHA, "language": "en", "state": "sent", "reason": "",
        "written_at": "2026-03-02T12:00:00", "sent_at": "2026-03-02T12:00:00", "delivered_at": null, "read_at": null
    }]);
    assert_eq!(booked.as_object_mut().unwrap().remove("messages"), Some(told));
    data["written_at"].take();
    let links = json!([{
        "scope": "change", "purpose": "booking_created", "created_at": "2026-03-01T10:00:00",
        "revoked_at": "2026-03-01T11:00:00"
    }]);
    assert_eq!(data["bookings"][0].as_object_mut().unwrap().remove("links"), Some(links));
    let blocked = json!([{ "channel": "whatsapp", "reason": "stop", "at": "2026-03-02T12:00:00" }]);
    let whole = data.as_object_mut().unwrap();
    assert_eq!(whole.remove("message_blocks"), Some(blocked));
    assert_eq!(whole.remove("message_opt_ins"), Some(json!([])));
    assert_eq!(whole["customer"].as_object_mut().unwrap().remove("language"), Some(Value::Null));
    let expected = json!({
        "written_at": null,
        "customer": { "id": id, "phone": ASHA, "notes": "kind", "created_at": "2026-03-01T09:00:00",
            "reminders_refused_at": "2026-03-01T12:00:00"
        },
        "accounts": [],
        "bookings": [{
            "id": booking, "reference": "RMB-7K3QX-00000", "name": "Asha Rao", "email": "a@b.in",
            "vehicle": booked_vehicle(&world).await, "service_location": "home", "address": "12 Hill Road",
            "appointment_date": "2026-03-02", "appointment_time": "10:00:00", "duration_minutes": 60, "total": 750.10,
            "payment_method": "cash", "payment_status": "completed", "booking_status": "completed", "is_no_show": false,
            "source": "web", "notes": "gate code 12", "internal_notes": "dog", "created_at": null, "updated_at": null,
            "services": [{ "service": service_four(&world).await, "price": 750.10 }],
            "timeline": null,
            "payments": [{
                "method": "cash", "amount": 750.10, "state": "captured", "paid_at": "2026-03-02T17:00:00",
                "taken_by": "system", "razorpay_order": null, "razorpay_payment": null, "means": null, "bank": null,
                "failure": null
            }],
            "refunds": [{
                "amount": 10.05, "state": "processed", "asked_at": "2026-03-03T10:00:00", "by": "system",
                "reason": "scratched", "by_hand": null, "razorpay_refund": null
            }]
        }]
    });
    assert_eq!(data, expected);
    let activity = owner.get("/admin/activity/?kind=customer_exports").await;
    let row = words(between(&activity.text, "<tbody>", "</tbody>"));
    assert!(row.contains(OWNER) && row.contains(&format!("Copy of data Customer {id} Added")), "{row}");
}

async fn booked_vehicle(world: &World) -> String {
    let name = "select brand.name || ' ' || model.name from vehicle_models model
        join vehicle_brands brand on brand.id = model.vehicle_brand_id where model.id = 7";
    sqlx::query_scalar(name).fetch_one(&world.pool).await.unwrap()
}

async fn service_four(world: &World) -> String {
    sqlx::query_scalar("select name from services where id = 4").fetch_one(&world.pool).await.unwrap()
}
