//! Who may what: every route, asked for by everybody.

use admin::{Access, ROUTES, Route};
use descope_stand_in::Fault;
use shared::accounts::STAFF_ROLE;
use sqlx::PgPool;
use testing::Answer;

use crate::{MECHANIC, OWNER, PASSWORD, World, browser::Browser, deployer};

/// A path of a route, with the id of a row of `local/catalogue/`, or that of the owner.
pub(crate) fn path(route: &Route, world_ids: &[(&str, &str)]) -> String {
    let mut path = route.path.to_owned();
    for (name, value) in world_ids {
        path = path.replace(name, value);
    }
    if path.starts_with("/admin/prices/") {
        return format!("{path}/?brand=3");
    }
    if path.strip_suffix(".csv").is_some() || path.starts_with("/admin/assets") { path } else { format!("{path}/") }
}

async fn ask(browser: &Browser, route: &Route) -> Answer {
    let id = if route.path.contains("vehicle-types") || route.path.contains("users") { "1" } else { "7" };
    let path = path(route, &[("{id}", id), ("{name}", "none.css")]);
    if route.method == "get" { browser.get(&path).await } else { browser.submit(&path, &[]).await }
}

/// Whether an answer shows or does anything but send the visitor to the sign-in page.
fn is_sent_to_sign_in(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location").starts_with("/admin/sign-in/?next=%2Fadmin%2F")
}

fn guarded() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.access != Access::Anyone)
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_cookie_that_was_made_up_is_refused_without_postgres(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query("alter table panel_sessions rename to gone").execute(&world.pool).await.unwrap();
    for value in ["", "x", "a1", &"a1".repeat(32), &"a1".repeat(120)] {
        let forger = Browser::with_cookie(&world.client, &format!("__Host-panel={value}"));
        let answer = forger.get("/admin/bookings/").await;
        assert!(is_sent_to_sign_in(&answer), "{value}: {} {}", answer.status, answer.text);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_stranger_reaches_the_sign_in_pages_and_nothing_else(pool: PgPool) {
    let world = World::new(pool).await;
    let stranger = Browser::new(&world.client);
    let forger = Browser::with_cookie(&world.client, &format!("__Host-panel={}", "a1".repeat(32)));
    for route in guarded() {
        for visitor in [&stranger, &forger] {
            let answer = ask(visitor, route).await;
            assert!(is_sent_to_sign_in(&answer), "{route:?}: {} {}", answer.status, answer.text);
            assert_eq!(answer.text, "");
        }
    }
    let open: Vec<&str> =
        ROUTES.iter().filter(|route| route.access == Access::Anyone).map(|route| route.path).collect();
    assert_eq!(
        open,
        [
            "/admin/assets/{name}",
            "/admin/sign-in",
            "/admin/sign-in",
            "/admin/sign-in/code",
            "/admin/sign-in/code",
            "/admin/sign-in/code/check",
            "/admin/password",
            "/admin/password",
            "/admin/password/mail",
            "/admin/sign-out",
        ]
    );
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn staff_open_their_pages_and_are_refused_every_other(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    for route in guarded().filter(|route| !route.path.contains("sign-out")) {
        let answer = ask(&mechanic, route).await;
        let is_open = matches!(answer.status, 200 | 303 | 400 | 404);
        assert_eq!(is_open, route.access == Access::Staff, "{route:?}: {} {}", answer.status, answer.text);
        assert!(is_open || answer.status == 403, "{route:?}: {}", answer.status);
    }
}

#[test]
fn the_acts_of_staff_and_those_that_need_a_fresh_proof_are_these() {
    let paths = |access: Access, method: &str| -> Vec<&str> {
        let these = ROUTES.iter().filter(|route| route.access == access && route.method == method);
        these.map(|route| route.path.trim_start_matches("/admin/")).collect()
    };
    assert_eq!(
        paths(Access::Staff, "post"),
        [
            "sign-out/everywhere",
            "language",
            "bookings/bulk",
            "bookings/bulk/act",
            "bookings/new",
            "bookings/{id}/status",
            "bookings/{id}/no-show",
            "bookings/{id}/move",
            "bookings/{id}/services",
            "bookings/{id}/notes",
            "bookings/{id}/cash",
            "bookings/{id}/links",
            "bookings/{id}/links/revoke",
            "bookings/{id}/messages",
            "customers/{id}/notes",
        ]
    );
    // Files that staff may have name no customer.
    let files = paths(Access::Staff, "get").into_iter().filter(|path| path.contains(".csv"));
    assert_eq!(
        files.collect::<Vec<_>>(),
        [
            "prices.csv",
            "prices/list.csv",
            "vehicle-types.csv",
            "vehicle-brands.csv",
            "vehicle-models.csv",
            "service-categories.csv",
            "services.csv",
            "reports.csv",
        ]
    );
    assert_eq!(
        paths(Access::ProvedAdmin, "post"),
        [
            "payments/settle/again",
            "payments/settle/by-hand",
            "bookings/{id}/refund",
            "customers/{id}/export",
            "customers/{id}/erase",
            "users/{id}/give-role",
            "users/{id}/take-role",
            "staff-keys",
            "staff-keys/{id}/end",
        ]
    );
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn administrators_open_every_page(pool: PgPool) {
    let world = World::new(pool).await;
    world.seven().await;
    let owner = world.owner().await;
    for route in guarded().filter(|route| !route.path.contains("sign-out") && route.method == "get") {
        let answer = ask(&owner, route).await;
        assert_eq!(answer.status, 200, "{route:?}: {}", answer.text);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn an_ended_session_is_out_at_the_next_request(pool: PgPool) {
    let world = World::new(pool).await;
    let end_all = "update user_sessions set revoked_at = now()";
    let too_old = "update panel_sessions set created_at = now() - interval '12 hours 1 second'";
    let idle = "update panel_sessions set last_seen_at = now() - interval '2 hours 1 second'";
    world.appoint(OWNER, "admin").await;
    for end in [end_all, too_old, idle] {
        let owner = Browser::new(&world.client);
        assert_eq!(owner.sign_in(OWNER, PASSWORD).await.status, 303);
        assert_eq!(owner.get("/admin/").await.status, 200);
        sqlx::query(end).execute(&world.pool).await.unwrap();
        for route in guarded() {
            assert!(is_sent_to_sign_in(&ask(&owner, route).await), "{end}: {route:?}");
        }
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_password_reset_ends_the_panel_s_sessions(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let visitor = Browser::new(&world.client);
    assert_eq!(visitor.submit("/admin/password/mail/", &[("email", OWNER)]).await.status, 200);
    let token = world.descope.inbox(OWNER)[0].token.clone().unwrap();
    let answer = visitor.submit("/admin/password/", &[("token", &token), ("new_password", "another battery")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(is_sent_to_sign_in(&owner.get("/admin/").await));
    assert_eq!(visitor.sign_in(OWNER, PASSWORD).await.status, 400);
    assert_eq!(visitor.sign_in(OWNER, "another battery").await.status, 303);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_role_that_is_taken_away_is_gone_at_the_next_request(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    assert_eq!(mechanic.get("/admin/services/").await.status, 200);
    world.personnel().dismiss(&world.database(), MECHANIC, &deployer()).await.unwrap();
    for route in guarded().filter(|route| !route.path.contains("sign-out")) {
        assert_eq!(ask(&mechanic, route).await.status, 403, "{route:?}");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_role_that_is_taken_away_at_descope_is_gone_after_ten_minutes_and_known_ones_hold_an_hour_without_it(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let age = async |minutes: i32| {
        sqlx::query("update panel_sessions set roles_asked_at = now() - make_interval(mins => $1)")
            .bind(minutes)
            .execute(&world.pool)
            .await
            .unwrap();
    };
    age(11).await;
    world.descope.spoil("/v1/auth/refresh", Fault::status(503).times(9));
    assert_eq!(mechanic.get("/admin/services/").await.status, 200, "Descope is away");
    age(61).await;
    assert_eq!(mechanic.get("/admin/services/").await.status, 502, "Descope is away for too long");
    world.descope.clear_faults();
    world.descope.set_roles(MECHANIC, &[]);
    age(5).await;
    assert_eq!(mechanic.get("/admin/services/").await.status, 200, "roles were asked for lately");
    age(11).await;
    assert_eq!(mechanic.get("/admin/services/").await.status, 403);
    world.descope.set_roles(MECHANIC, &[STAFF_ROLE]);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn an_account_without_a_role_gets_no_session(pool: PgPool) {
    let world = World::new(pool).await;
    world.appoint(MECHANIC, STAFF_ROLE).await;
    world.personnel().dismiss(&world.database(), MECHANIC, &deployer()).await.unwrap();
    let browser = Browser::new(&world.client);
    let before: i64 = sqlx::query_scalar("select count(*) from user_sessions").fetch_one(&world.pool).await.unwrap();
    let answer = browser.sign_in(MECHANIC, PASSWORD).await;
    assert_eq!((answer.status, browser.cookie()), (400, None));
    assert!(answer.text.contains("does not work at the shop"), "{}", answer.text);
    let after: i64 = sqlx::query_scalar("select count(*) from user_sessions").fetch_one(&world.pool).await.unwrap();
    assert_eq!(after, before);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn roles_and_keys_need_a_fresh_proof(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let age = "update panel_sessions set created_at = now() - interval '15 minutes 1 second'";
    sqlx::query(age).execute(&world.pool).await.unwrap();
    for route in ROUTES.iter().filter(|route| route.access == Access::ProvedAdmin) {
        let answer = ask(&owner.with("Referer", "https://api.example/admin/users/7/?done=role"), route).await;
        let expected = if route.method == "post" {
            "/admin/sign-in/?next=%2Fadmin%2Fusers%2F7%2F%3Fdone%3Drole&again=true".to_owned()
        } else {
            answer.header("location").to_owned()
        };
        assert_eq!((answer.status, answer.header("location")), (303, expected.as_str()), "{route:?}");
        assert!(answer.header("location").ends_with("&again=true"));
    }
    let old = owner.cookie();
    let fields = [("email", OWNER), ("password", PASSWORD), ("next", "/admin/users/"), ("again", "true")];
    assert_eq!(owner.submit("/admin/sign-in/", &fields).await.header("location"), "/admin/users/");
    assert_ne!(owner.cookie(), old);
    let thief = Browser::with_cookie(&world.client, &old.unwrap());
    assert!(is_sent_to_sign_in(&thief.get("/admin/").await), "the session before is over");
    assert_eq!(owner.submit("/admin/users/99999/give-role/", &[("role", "staff")]).await.status, 404);
}
