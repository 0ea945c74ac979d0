//! Requests of other pages, and the headers that keep them out.

use admin::ROUTES;
use sqlx::PgPool;
use testing::ORIGIN;

use crate::{OWNER, PASSWORD, World, browser::Browser};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_form_of_another_site_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let path = "/admin/vehicle-brands/3/archive/";
    let cookie = owner.cookie().unwrap();
    let plain = world.client.with("Host", "api.example").with("Cookie", &cookie);
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Sec-Fetch-Site", "same-site")], 403),
        (vec![("Sec-Fetch-Site", "cross-site"), ("Origin", "https://api.example")], 403),
        (vec![("Origin", ORIGIN)], 403),
        (vec![("Origin", "https://api.example.evil")], 403),
        (vec![("Origin", "null")], 403),
        (vec![], 403),
        (vec![("Origin", "https://api.example")], 303),
        (vec![("Sec-Fetch-Site", "same-origin")], 303),
    ] {
        let client = headers.iter().fold(plain.clone(), |client, (name, value)| client.with(name, value));
        let answer = client.submit(path, &[]).await;
        let archived = "select archived_at is not null from vehicle_brands where id = 3";
        let is_archived: bool = sqlx::query_scalar(archived).fetch_one(&world.pool).await.unwrap();
        assert_eq!((answer.status, is_archived), (status, status == 303), "{headers:?}: {}", answer.text);
        sqlx::query("update vehicle_brands set archived_at = null where id = 3").execute(&world.pool).await.unwrap();
    }
    for route in ROUTES.iter().filter(|route| route.method == "post") {
        let path = format!("{}/", route.path.replace("{id}", "3"));
        assert_eq!(plain.submit(&path, &[]).await.status, 403, "{route:?} without a header");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn every_answer_forbids_foreign_scripts_and_frames_and_allows_no_other_origin(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await.with("Origin", ORIGIN);
    let stylesheet = owner.get("/admin/sign-in/").await;
    let stylesheet = stylesheet.text.split("href=\"/admin/assets/").nth(1).unwrap().split('"').next().unwrap();
    let stylesheet = format!("/admin/assets/{stylesheet}");
    for path in
        ["/admin/", "/admin/sign-in/", "/admin/vehicle-brands.csv", "/admin/none/", "/admin/users/99999/", &stylesheet]
    {
        let answer = owner.get(path).await;
        assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
        let cache = if path == stylesheet { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), cache, "{path}");
        let allowed: Vec<_> = answer.headers.keys().filter(|name| name.starts_with("access-control")).collect();
        assert_eq!(allowed, Vec::<&String>::new(), "{path}");
    }
    let preflight = owner.through(&world.client).with("Origin", ORIGIN).with("Access-Control-Request-Method", "POST");
    let answer = preflight.send("OPTIONS", "/admin/vehicle-brands/3/archive/").await;
    assert!(answer.headers.keys().all(|name| !name.starts_with("access-control")), "{answer:?}");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_hosts_and_only_its_hash_is_kept(pool: PgPool) {
    let world = World::new(pool).await;
    world.appoint(OWNER, "admin").await;
    let answer = Browser::new(&world.client).sign_in(OWNER, PASSWORD).await;
    let (pair, attributes) = answer.cookies[0].split_once("; ").unwrap();
    let value = pair.strip_prefix("__Host-panel=").unwrap();
    assert_eq!(attributes, "Secure; HttpOnly; SameSite=Lax; Path=/");
    assert!(value.len() > 128, "its random bytes are sealed");
    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("select cookie_sha256 from panel_sessions").fetch_all(&world.pool).await.unwrap();
    assert_eq!(kept, [shared::session::sha256(value).to_vec()]);
    let whole = "select string_agg(session::text, '') from panel_sessions session";
    let row: String = sqlx::query_scalar(whole).fetch_one(&world.pool).await.unwrap();
    assert!(!row.contains(value));
}
