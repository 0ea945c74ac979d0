//! A link opens for its holder, within its scope and time. Link scanners change nothing.

use futures::future::join;
use shared::bookings::links::Scope;
use sqlx::PgPool;

use crate::{World, input, monday, throttle};

/// A token of the right form that was never made.
const JUNK: &str = "/b/AAAAAAAAAAAAAAAAAAAAAA/";

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_link_that_is_junk_expired_or_revoked_gets_one_answer_without_personal_data(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let junk = world.client.get(JUNK).await;
    assert_eq!(junk.status, 410);
    assert!(junk.text.contains("This link does not work any more") && junk.text.contains("tel:"), "{}", junk.text);
    for personal in ["John", "98765", "RMB-", "Activa"] {
        assert!(!junk.text.contains(personal), "{personal}");
    }
    for other in ["/b/x/", "/b/%3Cscript%3E/", "/b/x/move/", &format!("{JUNK}booking.ics")] {
        let answer = world.client.get(other).await;
        assert_eq!((answer.status, &answer.text), (410, &junk.text), "{other}");
    }

    assert_eq!(world.client.get(&link).await.status, 200);
    world.run("update bookings set access_token_expires_at = now()").await;
    let expired = world.client.get(&link).await;
    assert_eq!((expired.status, &expired.text), (410, &junk.text));
    world.run("update bookings set access_token_expires_at = now() + interval '1 day'").await;
    assert_eq!(world.client.get(&link).await.status, 200);
    assert_eq!(world.revoke_all(1).await, 1);
    assert_eq!(world.revoke_all(1).await, 0);
    assert_eq!(world.events().await, serde_json::json!(["created", "links_revoked"]));
    let before = world.everything().await;
    for page in ["", "move/", "cancel/", "booking.ics"] {
        let revoked = world.client.get(&format!("{link}{page}")).await;
        assert_eq!((revoked.status, &revoked.text), (410, &junk.text), "{page}");
    }
    for page in ["move/", "cancel/", "pay/", "paid/", "code/", "code/check/", "reminders/", "language/"] {
        let fields = [("version", "1"), ("language", "hi"), ("wanted", "false"), ("code", "123456")];
        let revoked = world.client.submit(&format!("{link}{page}"), &fields).await;
        assert_eq!((revoked.status, &revoked.text), (410, &junk.text), "{page}");
    }
    assert_eq!(world.everything().await, before);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_change_that_waits_while_its_link_is_revoked_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let path = format!("{link}cancel/");
    let revoke = async {
        let mut transaction = world.pool.begin().await.unwrap();
        let lock = "select from bookings where id = 1 for update";
        sqlx::query(lock).execute(&mut *transaction).await.unwrap();
        testing::a_lock_is_waited_for(&world.pool).await;
        let revoke = "update booking_links set revoked_at = now()";
        sqlx::query(revoke).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    let ((), answer) = join(revoke, world.client.submit(&path, &[("version", "1")])).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("This link does not work any more."), "{}", answer.text);
    assert_eq!(world.events().await, serde_json::json!(["created"]));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_link_does_what_its_scope_includes_and_no_more(pool: PgPool) {
    let world = World::new(pool).await;
    let forms = ["move/", "cancel/", "code/", "code/check/", "reminders/"];
    let monday = monday().to_string();
    let fields =
        [("version", "1"), ("date", monday.as_str()), ("time", "12:00"), ("wanted", "false"), ("code", "123456")];
    for (scope, may_pay) in [(Scope::View, false), (Scope::Pay, true)] {
        let link = world.link(1, scope).await;
        let page = world.client.get(&link).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Honda Activa 6G") && page.text.contains("booking.ics"), "{}", page.text);
        assert_eq!(page.text.contains("/pay/"), may_pay);
        for form in ["move/", "cancel/", "code/", "reminders/"] {
            assert!(!page.text.contains(&format!("/{form}\"")), "{scope:?} offers {form}");
        }
        let before = world.everything().await;
        for form in forms {
            let answer = world.client.submit(&format!("{link}{form}"), &fields).await;
            assert_eq!(answer.status, 403, "{scope:?} {form}: {}", answer.text);
        }
        for page in ["move/", "cancel/"] {
            assert_eq!(world.client.get(&format!("{link}{page}")).await.status, 403, "{scope:?} {page}");
        }
        assert_eq!(world.everything().await, before);
        let paying = world.client.submit(&format!("{link}pay/"), &[]).await;
        assert_eq!(paying.status, if may_pay { 200 } else { 403 });
        // It may have been passed on to another person.
        assert!(!paying.text.contains("98765"), "{}", paying.text);
    }
    let whole = world.client.get(&world.link(1, Scope::Change).await).await;
    for part in ["/pay/", "/move/", "/cancel/", "/reminders/"] {
        assert!(whole.text.contains(part), "{part}");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn opening_every_address_of_a_link_changes_no_row(pool: PgPool) {
    let world = World::new(pool).await;
    world.book("12:00", true).await;
    for (booking, scope) in [(1, Scope::Change), (2, Scope::Change), (1, Scope::View)] {
        let link = world.link(booking, scope).await;
        let before = world.everything().await;
        for route in manage::ROUTES {
            let path = route.path.replace("/b/{token}", link.trim_end_matches('/'));
            for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
                for query in ["", "?done=paid&date=2026-12-07&time=10:00&version=1&wanted=false&language=hi"] {
                    let answer = world.client.send(method, &format!("{path}{query}"), None).await;
                    assert!(answer.status < 500, "{method} {path}: {}", answer.text);
                    assert_eq!(answer.cookies, Vec::<String>::new(), "{method} {path}");
                }
            }
        }
        assert_eq!(world.everything().await, before, "{booking} {scope:?}");
    }
    assert_eq!(world.descope.inbox(crate::PHONE).len(), 0, "no code was sent");
    assert_eq!(world.razorpay.all_calls(), Vec::<String>::new());
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_link_survives_a_move_and_lives_a_month_beyond_the_new_time(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let day = testing::next(chrono::Weekday::Fri);
    let page = world.client.get(&format!("{link}move/?date={day}")).await;
    let version = input(&page, "version");
    let fields = [("version", version.as_str()), ("date", &day.to_string()), ("time", "11:00")];
    assert_eq!(world.client.submit(&format!("{link}move/"), &fields).await.status, 303);
    assert_eq!(world.client.get(&link).await.status, 200);
    let ends = "select access_token_expires_at = access_token_expiry(appointment_date, '11:00') from bookings";
    assert!(world.value::<bool>(ends).await);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn guesses_are_limited_before_postgres_is_asked(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::View).await;
    let client = world.changed(|app| {
        app.sign_in.throttle = throttle();
        app.limits.junk_tokens = shared::throttle::Limit::new("junk-tokens", 3, std::time::Duration::from_mins(1));
    });
    for _ in 0..20 {
        assert_eq!(client.get(&link).await.status, 200, "a link that opens is not counted");
    }
    for _ in 0..3 {
        assert_eq!(client.get(JUNK).await.status, 410);
    }
    let refused = client.get(JUNK).await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (429, false));
    assert_eq!(client.get(&link).await.status, 429);
    assert_eq!(client.at("203.0.113.10").get(&link).await.status, 200);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn forms_of_other_sites_are_refused_and_silent_browsers_are_not(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let path = format!("{link}reminders/");
    let wanted = [("wanted", "false")];
    for site in ["cross-site", "same-site", "elsewhere"] {
        let foreign = world.client.with("Sec-Fetch-Site", site);
        assert_eq!(foreign.submit(&path, &wanted).await.status, 403, "{site}");
    }
    let old = shared_host(&world);
    assert_eq!(old.with("Origin", "https://evil.example").submit(&path, &wanted).await.status, 403);
    assert_eq!(world.value::<i64>("select count(*) from reminder_opt_outs").await, 0);
    for client in [old.clone(), old.with("Origin", "null"), old.with("Origin", "https://api.example")] {
        assert_eq!(client.submit(&path, &wanted).await.status, 303);
    }
    assert_eq!(world.value::<i64>("select count(*) from reminder_opt_outs").await, 1);
}

/// A browser that does not say from where its requests come.
fn shared_host(world: &World) -> testing::Client {
    world.changed(|_| ()).without("Sec-Fetch-Site")
}
