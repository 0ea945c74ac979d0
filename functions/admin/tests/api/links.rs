//! The links that manage a booking, on its page.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{World, browser::input};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn staff_make_links_see_which_live_and_revoke_one_or_all(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let id = world.booked("10:00").await;
    let run = async |sql: &str| {
        sqlx::raw_sql(sql).execute(&world.pool).await.unwrap();
    };
    run("update bookings set access_token_expires_at = now() + interval '30 days'").await;
    let path = format!("/admin/bookings/{id}/");
    assert!(mechanic.get(&path).await.text.contains("No link opens this booking."));

    let page = mechanic.submit(&format!("{path}links/"), &[("scope", "change")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token = page.text.split("http://api.example/b/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert_eq!(token.len(), 22, "{token}");
    let stored =
        "select count(*) from booking_links where token_sha256 = sha256(convert_to($1, 'utf8')) and scope = 'change'";
    assert_eq!(sqlx::query_scalar::<_, i64>(stored).bind(&token).fetch_one(&world.pool).await.unwrap(), 1);
    for scope in ["view", "pay"] {
        assert_eq!(mechanic.submit(&format!("{path}links/"), &[("scope", scope)]).await.status, 200);
    }
    for scope in ["", "all"] {
        assert_eq!(mechanic.submit(&format!("{path}links/"), &[("scope", scope)]).await.status, 400, "{scope}");
    }
    run("insert into booking_links (booking_id, token_sha256, scope, purpose)
        select max(id), sha256('x'), 'change', 'booking_confirmed' from bookings")
    .await;
    let page = mechanic.get(&path).await;
    for part in ["to see · made here", "to see and pay · made here", "to see, pay, move and cancel · booking confirmed"]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains(&token), "it is shown once");

    let live = async || -> i64 {
        sqlx::query_scalar("select count(*) from live_booking_links").fetch_one(&world.pool).await.unwrap()
    };
    assert_eq!(live().await, 4);
    let one = input(&page, "link");
    for _ in 0..2 {
        let answer = mechanic.submit(&format!("{path}links/revoke/"), &[("link", &one)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    assert_eq!(live().await, 3);
    let other = world.booked("12:00").await;
    run("update bookings set access_token_expires_at = now() + interval '30 days'").await;
    assert_eq!(mechanic.submit(&format!("/admin/bookings/{other}/links/"), &[("scope", "view")]).await.status, 200);
    let foreign: i64 = sqlx::query_scalar("select max(id) from booking_links").fetch_one(&world.pool).await.unwrap();
    for link in [foreign.to_string(), "99999".to_owned()] {
        mechanic.submit(&format!("{path}links/revoke/"), &[("link", &link)]).await;
    }
    assert_eq!(live().await, 4, "another booking's link is not revoked here");
    assert_eq!(mechanic.submit(&format!("{path}links/revoke/"), &[("link", "x")]).await.status, 400);
    assert_eq!(mechanic.submit(&format!("{path}links/revoke/"), &[("link", "all")]).await.status, 303);
    assert_eq!(live().await, 1);
    let events = "select json_agg(json_build_array(event, actor ~ '^staff:user-') order by id) from booking_events
        where booking_id = $1";
    let events: Value = sqlx::query_scalar(events).bind(id).fetch_one(&world.pool).await.unwrap();
    assert_eq!(events, json!([["links_revoked", true], ["links_revoked", true]]));
    assert!(mechanic.get(&path).await.text.contains("Links were revoked"));
}
