//! Search for bookings and customers.

use sqlx::PgPool;

use crate::{World, browser::Browser, visits::Visit};

/// Group and address of what is found.
async fn found(browser: &Browser, text: &str) -> Vec<(String, String)> {
    let query = text.replace(' ', "+").replace('&', "%26");
    let answer = browser.get(&format!("/admin/search/suggestions/?q={query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let hits = answer.body.as_array().unwrap().iter();
    hits.map(|hit| (hit["group"].as_str().unwrap().to_owned(), hit["href"].as_str().unwrap().to_owned())).collect()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_is_found_by_its_reference_in_any_spelling(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let id = world.visit(Visit::default()).await;
    world.visit(Visit { phone: "+918123456789", name: "Ravi", ..Visit::default() }).await;
    sqlx::query("update bookings set reference = 'RMB-0K3Q1-9ZD2A' where id = $1")
        .bind(id)
        .execute(&world.pool)
        .await
        .unwrap();
    let booking = ("Bookings".to_owned(), format!("/admin/bookings/{id}/"));
    for text in
        ["RMB-0K3Q1-9ZD2A", "rmb-0k3q1-9zd2a", "0k3q19zd2a", "RMBOK3QI9ZD2A", "ok3ql 9zd2a", " RMB 0K3Q1 9ZD2A "]
    {
        assert_eq!(found(&mechanic, text).await, std::slice::from_ref(&booking), "{text}");
    }
    assert_eq!(found(&mechanic, "0K3Q1-9ZD2B").await, []);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn bookings_and_customers_are_found_by_name_number_and_id(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, owner) = (world.mechanic().await, world.owner().await);
    let id = world.visit(Visit::default()).await;
    let customer: i64 = sqlx::query_scalar("select id from customers").fetch_one(&world.pool).await.unwrap();
    let booking = ("Bookings".to_owned(), format!("/admin/bookings/{id}/"));
    let both = [booking.clone(), ("Customers".to_owned(), format!("/admin/customers/{customer}/"))];
    for text in ["asha rao", "ASHA R", "98765 43210", "+91 98765", "765-43", "0 98765 43210", "+91 98765 4321"] {
        assert_eq!(found(&mechanic, text).await, both, "{text}");
        assert_eq!(found(&owner, text).await, both, "{text}");
    }
    assert_eq!(found(&mechanic, &id.to_string()).await[0], booking);
    assert_eq!(found(&mechanic, "Nobody of this name").await, []);
    let page = mechanic.get("/admin/search/?q=asha").await;
    assert!(page.text.contains("RMB-7K3QX-00000 · Asha Rao · 2 Mar 2026"), "{}", page.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_search_finds_no_number_of_an_erased_customer(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    world.visit(Visit::default()).await;
    sqlx::query("update customers set phone = '+000000000000001', erased_at = now()")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(found(&mechanic, "0000").await, []);
}
