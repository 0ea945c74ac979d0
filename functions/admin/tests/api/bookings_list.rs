//! The list of bookings, and acts on several of them.

use sqlx::PgPool;

use crate::{World, bookings::monday};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn several_bookings_change_at_once_with_a_result_for_each(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    for time in ["10:00", "11:00", "12:00"] {
        world.page_of(time).await;
    }
    sqlx::query("update bookings set booking_status = 'completed' where id = 3").execute(&world.pool).await.unwrap();
    let fields =
        [("which", "ticked"), ("count", "3"), ("to", "confirmed"), ("row", "1:1"), ("row", "2:1"), ("row", "3:1")];
    let named = mechanic.submit("/admin/bookings/bulk/", &fields).await;
    assert_eq!(named.status, 200, "{}", named.text);
    assert!(named.text.contains("Confirm booking: 3"), "{}", named.text);
    let none: i64 = sqlx::query_scalar("select count(*) from booking_events").fetch_one(&world.pool).await.unwrap();
    assert_eq!(none, 0, "nothing is done before it is confirmed");
    sqlx::query("update bookings set version = 2 where id = 2").execute(&world.pool).await.unwrap();
    let fields = [("to", "confirmed"), ("row", "1:1"), ("row", "2:1"), ("row", "3:1")];
    let done = mechanic.submit("/admin/bookings/bulk/act/", &fields).await;
    for word in ["1 of 3", "Saved.", "Changed meanwhile", "Not possible: Done"] {
        assert!(done.text.contains(word), "{word}: {}", done.text);
    }
    let again = mechanic.submit("/admin/bookings/bulk/act/", &fields).await;
    assert!(again.text.contains("Was so already"), "{}", again.text);
    assert_eq!(world.events().await.len(), 1, "nothing twice");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn all_that_match_means_the_bookings_that_were_counted(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    for time in ["10:00", "11:00"] {
        world.page_of(time).await;
    }
    let fields = |count| [("which", "all"), ("query", "status=pending"), ("count", count), ("to", "cancelled")];
    let changed = mechanic.submit("/admin/bookings/bulk/", &fields("1")).await;
    assert_eq!(changed.status, 409);
    assert!(changed.text.contains("2 bookings match now, and 1 did when you opened the list."), "{}", changed.text);
    let same = mechanic.submit("/admin/bookings/bulk/", &fields("2")).await;
    assert_eq!((same.status, same.text.matches("name=\"row\"").count()), (200, 2));
    let nothing = mechanic.submit("/admin/bookings/bulk/", &[("which", "ticked"), ("count", "2"), ("to", "cancelled")]);
    assert_eq!(nothing.await.status, 409);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_list_is_filtered_sorted_and_found_by_any_spelling(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let reference = world.book(monday(), "10:00").await;
    world.book(monday(), "12:00").await;
    sqlx::query("update bookings set booking_status = 'confirmed', total_paise = total_paise where id = 2")
        .execute(&world.pool)
        .await
        .unwrap();
    let bare = reference.replace("RMB-", "").replace('-', "").to_lowercase();
    for (query, found) in [
        ("", 2),
        ("?scope=to_confirm", 1),
        ("?scope=upcoming", 2),
        ("?scope=unpaid", 2),
        ("?scope=done", 0),
        ("?scope=late", 0),
        ("?status=bogus", 0),
        ("?paid=maybe", 0),
        ("?place=moon", 0),
        ("?status=confirmed", 1),
        ("?paid=yes", 0),
        ("?method=cash", 2),
        ("?place=home", 0),
        ("?source=web", 2),
        ("?service=4", 2),
        ("?service=5", 0),
        ("?model=%237", 2),
        ("?q=98765", 2),
        ("?q=john", 2),
        ("?q=%25", 0),
        ("?date_from=2020-01-01&date_to=2020-12-31", 0),
    ] {
        let page = owner.get(&format!("/admin/bookings/{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        assert_eq!(page.text.matches("name=\"row\"").count(), found, "{query}");
    }
    let by_reference = owner.get(&format!("/admin/bookings/?q={bare}")).await;
    assert_eq!(by_reference.text.matches("name=\"row\"").count(), 1);
    for sort in ["id", "reference", "customer", "model", "place", "date", "total", "paid", "status", "created"] {
        for sort in [sort.to_owned(), format!("-{sort}")] {
            let page = owner.get(&format!("/admin/bookings/?sort={sort}")).await;
            assert_eq!((page.status, page.text.matches("name=\"row\"").count()), (200, 2), "{sort}");
        }
    }
    let file = owner.get("/admin/bookings.csv?status=confirmed").await;
    assert_eq!(file.text.lines().count(), 2, "{}", file.text);
    assert!(file.text.contains("Confirmed"), "{}", file.text);
}
