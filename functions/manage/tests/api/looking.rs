//! The first page: what it shows, in which language, how large it is, and what its headers keep others from.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use shared::bookings::links::Scope;
use sqlx::PgPool;

use crate::{World, monday};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_page_tells_what_when_where_and_for_how_much(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let page = world.client.get(&link).await;
    assert_eq!(page.status, 200);
    let when = format!("{}, 10:00", monday().format("%a %-d %b"));
    for part in ["Honda Activa 6G", &when, "₹390.00", "to be paid", "Waits for the shop", "Pay ₹390.00 online"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("<script") && !page.text.contains("John"), "{}", page.text);

    world.run("update bookings set booking_status = 'confirmed', payment_status = 'completed'").await;
    let page = world.client.get(&format!("{link}?done=paid")).await;
    assert!(page.text.contains("Confirmed") && page.text.contains("The payment has arrived"), "{}", page.text);
    assert!(!page.text.contains("/pay/\""));
    world.run("update bookings set booking_status = 'cancelled', payment_status = 'pending'").await;
    let page = world.client.get(&format!("{link}?done=moved")).await;
    assert!(page.text.contains("Cancelled") && !page.text.contains("was moved"), "{}", page.text);
    for form in ["/move/", "/cancel/", "/pay/", "booking.ics", "/reminders/"] {
        assert!(!page.text.contains(form), "{form}");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_page_speaks_the_browser_s_language_or_the_one_chosen(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let hindi = world.client.with("Accept-Language", "hi-IN,hi;q=0.9,en;q=0.8");
    let page = hindi.get(&link).await;
    assert!(page.text.contains("<html lang=\"hi\">") && page.text.contains("दूसरा समय चुनें"), "{}", page.text);
    let english = hindi.submit(&format!("{link}language/"), &[("language", "en")]).await;
    assert_eq!((english.status, english.header("location")), (303, link.as_str()));
    let kept = "booking-language=en; Secure; HttpOnly; SameSite=Lax; Path=/b; Max-Age=31536000";
    assert_eq!(english.cookies, [kept]);
    let page = hindi.with("Cookie", "booking-language=en").get(&link).await;
    assert!(page.text.contains("<html lang=\"en\">"));
    assert_eq!(hindi.submit(&format!("{link}language/"), &[("language", "fr")]).await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_language_that_the_customer_chooses_is_that_of_the_messages(pool: PgPool) {
    let world = World::new(pool).await;
    let kept = "select coalesce(language, '') from customers";
    for (scope, language, expected) in [
        (Scope::View, "hi", ""),
        (Scope::Pay, "hi", ""),
        (Scope::Change, "hi", "hi"),
        (Scope::Pay, "en", "hi"),
        (Scope::Change, "en", "en"),
    ] {
        let link = world.link(1, scope).await;
        let chosen = world.client.submit(&format!("{link}language/"), &[("language", language)]).await;
        assert_eq!((chosen.status, chosen.cookies.len()), (303, 1), "{scope:?}");
        assert_eq!(world.value::<String>(kept).await, expected, "{scope:?}");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_home_address_is_shown_only_to_the_holder_of_a_link_that_changes(pool: PgPool) {
    let world = World::new(pool).await;
    world.run("update bookings set service_location = 'home', address = '14 Lake View, Indore 452001'").await;
    for (scope, is_shown) in [(Scope::View, false), (Scope::Pay, false), (Scope::Change, true)] {
        let link = world.link(1, scope).await;
        let page = world.client.get(&link).await;
        assert!(page.text.contains("At your place"), "{}", page.text);
        let file = world.client.get(&format!("{link}booking.ics")).await;
        for answer in [page, file] {
            assert_eq!((answer.status, answer.text.contains("Lake View")), (200, is_shown), "{scope:?}");
        }
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn every_page_is_small_loads_nothing_and_keeps_its_address_to_itself(pool: PgPool) {
    let world = World::new(pool).await;
    world.book("12:00", true).await;
    let link = world.link(2, Scope::Change).await;
    let hindi = world.client.with("Accept-Language", "hi");
    for client in [&world.client, &hindi] {
        let mut pages = Vec::new();
        for page in ["", "move/", "cancel/", "unknown/"] {
            pages.push(client.get(&format!("{link}{page}")).await);
        }
        for form in ["pay/", "code/"] {
            pages.push(client.submit(&format!("{link}{form}"), &[]).await);
        }
        pages.push(client.get("/b/junk/").await);
        for page in pages {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&page.bytes).unwrap();
            let size = encoder.finish().unwrap().len();
            assert!(size < 20 * 1024, "{size} bytes");
            assert!(!page.text.contains("<script") && !page.text.contains("src=") && !page.text.contains("onclick"));
            assert!(!page.text.contains("style=\""), "{}", page.text);
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("referrer-policy"), "no-referrer");
            assert_eq!(page.header("x-robots-tag"), "noindex, nofollow, noarchive");
            let policy = page.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        }
    }
    let packed = world.client.with("Accept-Encoding", "gzip").get(&link).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() < 20 * 1024, "{} bytes", packed.bytes.len());
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn reminders_are_refused_and_wanted_again(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let count = "select count(*) from reminder_opt_outs join bookings using (customer_id) where bookings.id = 1";
    for (wanted, kept, said) in [
        ("false", 1, "You get no reminders."),
        ("false", 1, "You get no reminders."),
        ("true", 0, "You get reminders before"),
    ] {
        let answer = world.client.submit(&format!("{link}reminders/"), &[("wanted", wanted)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!(world.value::<i64>(count).await, kept);
        let page = world.client.get(answer.header("location")).await;
        assert!(page.text.contains(said), "{}", page.text);
    }
}
