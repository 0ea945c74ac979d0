//! Signing in and out.

use sqlx::PgPool;

use crate::{OWNER, PASSWORD, World, browser::Browser};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn an_appointed_owner_sets_a_password_on_the_panel_s_own_page_and_signs_in(pool: PgPool) {
    let world = World::empty(pool).await;
    let owner = world.owner().await;
    let page = owner.get("/admin/").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("<h1>Today"), "{}", page.text);
    assert!(page.text.contains(OWNER));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn without_a_session_a_page_leads_to_the_sign_in_page_and_from_there_back(pool: PgPool) {
    let world = World::empty(pool).await;
    world.owner().await;
    let visitor = Browser::new(&world.client);
    let answer = visitor.get("/admin/vehicle-brands/?q=honda").await;
    assert_eq!(answer.status, 303);
    let page = answer.header("location");
    assert_eq!(page, "/admin/sign-in/?next=%2Fadmin%2Fvehicle-brands%2F%3Fq%3Dhonda");
    assert!(visitor.get(page).await.text.contains(r#"value="/admin/vehicle-brands/?q=honda""#));
    let fields = [("email", OWNER), ("password", PASSWORD), ("next", "/admin/vehicle-brands/?q=honda")];
    let answer = visitor.submit("/admin/sign-in/", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/vehicle-brands/?q=honda"));
}
