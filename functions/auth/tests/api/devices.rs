//! Devices that an account is signed in to on, and who hears of a new one.

use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{EMAIL, PHONE, World};

const PIXEL: &str = "Mozilla/5.0 (Linux; Android 16; Pixel 9) Chrome/150.0.7204.63 Mobile";
const PIXEL_LATER: &str = "Mozilla/5.0 (Linux; Android 17; Pixel 9) Chrome/151.0.7300.1 Mobile";
const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/152.0";

/// Who is told of a new device.
async fn told(world: &World) -> Vec<String> {
    sqlx::query_scalar("select payload ->> 'to' from outbox where kind = 'new_device' order by id")
        .fetch_all(&world.pool)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_sign_in_on_a_new_device_is_told_to_the_verified_number_and_address(pool: PgPool) {
    let world = World::new(pool).await;
    let on = |device| world.client.with("User-Agent", device);
    let first = world.prove(&on(PIXEL), PHONE).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(told(&world).await, Vec::<String>::new(), "the first device of an account is no news");
    let added = world.prove(&world.signed_in(&first).with("User-Agent", PIXEL), EMAIL).await;
    assert_eq!(added.status, 200, "{}", added.text);
    for known in [PIXEL, PIXEL_LATER] {
        assert_eq!(world.prove(&on(known), PHONE).await.status, 200);
        assert_eq!(told(&world).await, Vec::<String>::new(), "{known}");
    }
    assert_eq!(world.prove(&on(DESKTOP), EMAIL).await.status, 200);
    assert_eq!(told(&world).await, [PHONE, EMAIL]);
    assert_eq!(world.prove(&on(DESKTOP), PHONE).await.status, 200);
    assert_eq!(told(&world).await, [PHONE, EMAIL], "it is known by now");
}
