//! Staff keys of the panel.

use sqlx::PgPool;

use crate::{OWNER, World};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_key_is_shown_once_works_at_once_and_ends_at_the_next_request(pool: PgPool) {
    let world = World::empty(pool).await;
    let owner = world.owner().await;
    let page = owner.submit("/admin/staff-keys/", &[("label", "front desk")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let key = page.text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(key.len(), 64);
    let kept = "select encode(key_sha256, 'hex') = encode(sha256($1::bytea), 'hex') from staff_keys";
    assert!(sqlx::query_scalar::<_, bool>(kept).bind(&key).fetch_one(&world.pool).await.unwrap());

    let list = owner.get("/admin/staff-keys/").await;
    assert!(list.text.contains("front desk") && list.text.contains(OWNER), "{}", list.text);
    assert!(!list.text.contains(&key));
    let again = owner.submit("/admin/staff-keys/", &[("label", "front desk")]).await;
    assert!(again.status == 400 && again.text.contains("a key with this label is in use"), "{}", again.text);
    let count: i64 = sqlx::query_scalar("select count(*) from staff_keys").fetch_one(&world.pool).await.unwrap();
    assert_eq!(count, 1);

    let id: i64 = sqlx::query_scalar("select id from staff_keys").fetch_one(&world.pool).await.unwrap();
    let page = owner.submitted(&format!("/admin/staff-keys/{id}/end/"), &[]).await;
    assert!(page.text.contains("Ended. Requests with this key are refused from now on."), "{}", page.text);
    assert_eq!(owner.submit("/admin/staff-keys/99999/end/", &[]).await.status, 404);
    let activity = owner.get("/admin/activity/?kind=staff_keys").await;
    assert!(activity.text.contains("front desk") && activity.text.contains("no → yes"), "{}", activity.text);
    assert!(!activity.text.contains("sha256") && !activity.text.contains(&key));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_key_needs_a_label(pool: PgPool) {
    let world = World::empty(pool).await;
    let owner = world.owner().await;
    for label in ["", "user-7", "a/b", &"x".repeat(51)] {
        let answer = owner.submit("/admin/staff-keys/", &[("label", label)]).await;
        assert_eq!(answer.status, 400, "{label}: {}", answer.text);
        assert!(answer.text.contains("class=\"fault\""), "{}", answer.text);
    }
}
