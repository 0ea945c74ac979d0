//! Blocked users: no way of signing in opens a session, and none of before counts.

use std::time::Duration;

use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    history::{Author, Source},
    ids::UserId,
    sign_in::personnel::access,
};
use sqlx::PgPool;

use super::{
    Answer, EMAIL, PASSWORD, PHONE, World, app,
    attacks::{PROFILE, at_descope, reset, text},
    failure, refresh_token,
};

/// The first user of a new database.
const USER: UserId = UserId(1);

impl World {
    fn app(&self) -> auth::App {
        let database = Database::from(self.pool.clone());
        app(&database, &self.descope.url(), &self.redis, testing::no_throttle(&self.redis))
    }

    async fn block(&self) -> bool {
        access::block(&self.app(), USER, &Author::system(Source::Panel)).await.unwrap()
    }

    async fn unblock(&self) -> bool {
        access::unblock(&self.app(), USER, &Author::system(Source::Panel)).await.unwrap()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.client.post("/api/auth/token/refresh/", &json!({ "refresh_token": token })).await
    }
}

fn is_refused(answer: &Answer) {
    assert_eq!(failure(answer), (403, "PERMISSION_DENIED"), "{}", answer.text);
    assert_eq!(answer.body["message"], "This account is blocked. Please call the shop.");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_blocked_user_is_out_at_the_next_request_and_gets_no_session(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let user = world.signed_in(&registered);
    assert_eq!(world.prove(&user, EMAIL).await.status, 200);
    assert_eq!(world.prove(&user, PHONE).await.status, 200);
    let later = world.login(EMAIL, PASSWORD).await;
    world.client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await;
    let link = world.link(EMAIL);

    assert_eq!((world.block().await, world.block().await), (true, false));
    for answer in [&registered, &later] {
        assert_eq!(failure(&world.signed_in(answer).get(PROFILE).await), (401, "SESSION_REVOKED"));
        assert_eq!(failure(&world.refresh(&refresh_token(answer)).await), (401, "SESSION_REVOKED"));
    }
    let sessions = world.count("user_sessions").await;
    is_refused(&world.login(EMAIL, PASSWORD).await);
    is_refused(&world.prove(&world.client, EMAIL).await);
    is_refused(&world.prove(&world.client, PHONE).await);
    is_refused(&reset(&world, &link).await);
    assert_eq!(failure(&world.login(EMAIL, "wrong password").await), (401, "INVALID_CREDENTIALS"), "tells nothing");
    assert_eq!(world.count("user_sessions").await, sessions);

    assert_eq!((world.unblock().await, world.unblock().await), (true, false));
    assert_eq!(failure(&world.signed_in(&later).get(PROFILE).await), (401, "SESSION_REVOKED"), "it stays ended");
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn tokens_that_a_blocked_user_fetches_from_descope_count_for_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    world.block().await;
    // Tokens say the second of their issue.
    world.descope.advance(Duration::from_secs(2));
    let body = json!({ "loginId": EMAIL, "password": PASSWORD });
    let tokens = at_descope(&world, "/v1/auth/password/signin", None, body).await;
    is_refused(&world.bearing(&text(&tokens, "sessionJwt")).get(PROFILE).await);
    is_refused(&world.refresh(&text(&tokens, "refreshJwt")).await);
    assert_eq!(world.count("user_sessions").await, 1, "that from before");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_sign_in_overtaken_by_a_block_opens_no_session(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let mut blocking = world.pool.begin().await.unwrap();
    shared::accounts::block(&mut blocking, USER).await.unwrap();
    let token = refresh_token(&registered);
    let late = async { futures::join!(world.login(EMAIL, PASSWORD), world.refresh(&token)) };
    let block = async {
        testing::a_lock_is_waited_for(&world.pool).await;
        blocking.commit().await.unwrap();
    };
    let ((signed_in, refreshed), ()) = futures::join!(late, block);
    is_refused(&signed_in);
    assert_eq!(failure(&refreshed), (401, "SESSION_REVOKED"));
    assert_eq!(world.count("user_sessions where revoked_at is null").await, 0);
}
