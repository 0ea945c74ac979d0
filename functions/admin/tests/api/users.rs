//! Users: roles, blocks, sessions.

use sqlx::PgPool;

use crate::{MECHANIC, OWNER, PASSWORD, World, browser::Browser};

async fn id_of(world: &World, email: &str) -> i64 {
    sqlx::query_scalar("select id from users where email = $1").bind(email).fetch_one(&world.pool).await.unwrap()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_role_is_given_and_taken_at_descope_and_counts_at_the_next_request(pool: PgPool) {
    let world = World::empty(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    let id = id_of(&world, MECHANIC).await;
    let path = format!("/admin/users/{id}");
    assert_eq!(mechanic.get("/admin/users/").await.status, 403);
    let page = owner.submitted(&format!("{path}/give-role/"), &[("role", "admin")]).await;
    assert!(
        page.text.contains("Take role “Administrator”") && page.text.contains("Take role “Staff”"),
        "{}",
        page.text
    );
    assert_eq!(world.roles_at_descope(MECHANIC).await, ["admin", "staff"], "the other role stays");
    let page = owner.submitted(&format!("{path}/take-role/"), &[("role", "staff")]).await;
    assert!(page.text.contains("Give role “Staff”"), "{}", page.text);
    assert_eq!(world.roles_at_descope(MECHANIC).await, ["admin"]);
    owner.submitted(&format!("{path}/take-role/"), &[("role", "admin")]).await;
    assert_eq!(mechanic.get("/admin/services/").await.status, 403);
    let history = owner.get(&format!("{path}/history/")).await;
    assert!(history.text.contains("staff → admin, staff"), "{}", history.text);
    assert_eq!(owner.submit(&format!("{path}/give-role/"), &[("role", "owner")]).await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_last_administrator_stays_one_and_is_not_blocked(pool: PgPool) {
    let world = World::empty(pool).await;
    let owner = world.owner().await;
    let path = format!("/admin/users/{}", id_of(&world, OWNER).await);
    for (act, fields) in [("take-role", vec![("role", "admin")]), ("block", vec![])] {
        let answer = owner.submit(&format!("{path}/{act}/"), &fields).await;
        assert_eq!(answer.status, 409, "{act}: {}", answer.text);
        assert!(answer.text.contains("administrator"), "{}", answer.text);
    }
    assert_eq!(owner.get("/admin/users/").await.status, 200);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_blocked_user_is_out_at_the_next_request_and_cannot_sign_in(pool: PgPool) {
    let world = World::empty(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    let path = format!("/admin/users/{}", id_of(&world, MECHANIC).await);
    let page = owner.submitted(&format!("{path}/block/"), &[]).await;
    assert!(page.text.contains("Blocked. All sessions are over."), "{}", page.text);
    for page in ["/admin/", "/admin/services/", "/admin/search/?q=a"] {
        let answer = mechanic.get(page).await;
        assert!(answer.status == 303 && answer.header("location").starts_with("/admin/sign-in/"), "{}", answer.text);
    }
    let again = Browser::new(&world.client);
    assert_eq!((again.sign_in(MECHANIC, PASSWORD).await.status, again.cookie()), (400, None));
    owner.submitted(&format!("{path}/unblock/"), &[]).await;
    assert_eq!(again.sign_in(MECHANIC, PASSWORD).await.status, 303);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn sessions_of_a_user_are_listed_and_ended_one_by_one_or_all(pool: PgPool) {
    let world = World::empty(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    let phone = Browser::new(&world.client)
        .with("User-Agent", "Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36");
    assert_eq!(phone.sign_in(MECHANIC, PASSWORD).await.status, 303);
    let path = format!("/admin/users/{}", id_of(&world, MECHANIC).await);
    let page = owner.get(&format!("{path}/")).await;
    assert!(page.text.contains("Chrome on Android"), "{}", page.text);
    let newest: i64 = sqlx::query_scalar("select max(id) from user_sessions").fetch_one(&world.pool).await.unwrap();
    owner.submitted(&format!("{path}/end-session/"), &[("session", &newest.to_string())]).await;
    assert_eq!((phone.get("/admin/").await.status, mechanic.get("/admin/").await.status), (303, 200));
    owner.submitted(&format!("{path}/end-sessions/"), &[]).await;
    assert_eq!(mechanic.get("/admin/").await.status, 303);
    let answer = owner.submit(&format!("{path}/end-session/"), &[("session", "99999")]).await;
    assert_eq!(answer.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_list_shows_filters_and_exports_users(pool: PgPool) {
    let world = World::empty(pool).await;
    let owner = world.owner().await;
    world.mechanic().await;
    let page = owner.get("/admin/users/?staff=yes&admin=no").await;
    assert!(page.text.contains(MECHANIC) && !page.text.contains(&format!(">{OWNER}</td>")), "{}", page.text);
    let file = owner.get("/admin/users.csv?sort=username").await;
    assert_eq!(file.text.lines().count(), 3, "{}", file.text);
    assert!(!page.text.contains("token") && !file.text.contains("sha256"));
}
