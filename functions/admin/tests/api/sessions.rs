//! The list of sessions.

use sqlx::PgPool;

use crate::{
    MECHANIC, OWNER, World,
    visits::{between, words},
};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn sessions_are_listed_filtered_and_ended_and_no_token_is_shown(pool: PgPool) {
    let world = World::empty(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    let rows = async |query: &str| {
        let page = owner.get(&format!("/admin/sessions/{query}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        if page.text.contains("<tbody>") { words(between(&page.text, "<tbody>", "</tbody>")) } else { String::new() }
    };
    let all = rows("").await;
    assert!(all.contains(OWNER) && all.contains(MECHANIC) && all.contains("Active"), "{all}");
    let theirs = rows("?q=mechanic&active=yes").await;
    assert!(theirs.contains(MECHANIC) && !theirs.contains(OWNER), "{theirs}");
    assert_eq!(rows("?created_to=2020-01-01").await, "");
    assert_eq!(rows("?expires_to=2020-01-01").await, "");

    let page = owner.get("/admin/sessions/?q=mechanic").await;
    let path = between(&page.text, "<form method=\"post\" action=\"/admin/users/", "\"");
    let session = between(&page.text, "name=\"session\" value=\"", "\"");
    owner.submitted(&format!("/admin/users/{path}"), &[("session", session)]).await;
    assert_eq!(mechanic.get("/admin/").await.status, 303);
    assert!(rows("?q=mechanic&active=no").await.contains("Ended"));
    assert_eq!(rows("?q=mechanic&active=yes").await, "");

    let file = owner.get("/admin/sessions.csv?sort=user").await;
    let heading = "\u{feff}ID,User,Device,Address,State,Expires,Last seen,Created";
    assert_eq!((file.text.lines().next().unwrap(), file.text.lines().count()), (heading, 3));
    let hashes: Vec<String> = sqlx::query_scalar("select encode(token_sha256, 'hex') from session_tokens")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert!(hashes.iter().all(|hash| !page.text.contains(hash) && !file.text.contains(hash)) && !hashes.is_empty());
}
