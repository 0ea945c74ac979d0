//! Requests of account owners, strangers and impostors to the auth function, with Descope's stand-in.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod attacks;
mod blocking;
mod codes;
mod devices;
mod failing;
mod kept_tokens;
mod limits;
mod password_reset;
mod profile;
mod races;
mod registering;
mod round_trips;
mod sessions;
mod staff_login;
mod tokens;
mod ways_in;

use auth::{App, DEADLINE};
use descope_stand_in::StandIn;
use serde_json::{Value, json};
use shared::{database::Database, redis::Redis, throttle::Throttle};
use sqlx::{PgPool, postgres::PgConnectOptions};
use testing::{Answer, Client};

const EMAIL: &str = "user@example.com";
const PASSWORD: &str = "securepassword123";
const PHONE: &str = "+919876543210";

/// The function and the Descope stand-in that it calls.
struct World {
    client: Client,
    descope: StandIn,
    pool: PgPool,
    redis: Redis,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let (descope, redis) = (StandIn::start().await, testing::redis());
        let client = function(Database::from(pool.clone()), &descope.url(), &redis);
        Self { client, descope, pool, redis }
    }

    /// Clients of `count` Lambda environments, each with its own connection and memory.
    fn environments(&self, options: &PgConnectOptions, count: usize) -> Vec<Client> {
        let start = |_| function(Database::new(options.clone()), &self.descope.url(), &self.redis);
        (0..count).map(start).collect()
    }

    /// The newest code sent to a number or address.
    fn code(&self, to: &str) -> String {
        self.descope.inbox(to).into_iter().find_map(|message| message.code).unwrap()
    }

    /// The `t` parameter of the newest link sent to a number or address.
    fn link(&self, to: &str) -> String {
        self.descope.inbox(to).into_iter().find_map(|message| message.token).unwrap()
    }

    async fn register(&self, email: &str) -> Answer {
        self.client.post("/api/auth/register/", &registration(email)).await
    }

    async fn login(&self, email: &str, password: &str) -> Answer {
        self.client.post("/api/auth/login/", &json!({ "email": email, "password": password })).await
    }

    /// Requests and verifies a code as `client`, with its session if it has one.
    async fn prove(&self, client: &Client, identifier: &str) -> Answer {
        let sent = client.post("/api/auth/otp/request/", &json!({ "identifier": identifier })).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        let proof = json!({ "identifier": identifier, "otp_code": self.code(identifier) });
        client.post("/api/auth/otp/verify/", &proof).await
    }

    /// A caller who has just registered.
    async fn user(&self, email: &str) -> Client {
        self.signed_in(&self.register(email).await)
    }

    /// A caller with the session of an answer.
    fn signed_in(&self, answer: &Answer) -> Client {
        self.client.with("Authorization", &format!("Bearer {}", session_token(answer)))
    }

    /// A caller with this session token.
    fn bearing(&self, token: &str) -> Client {
        self.client.with("Authorization", &format!("Bearer {token}"))
    }

    /// Deletes a user, here and at Descope.
    async fn forget_user(&self, descope_user_id: &str) {
        let sessions = testing::sessions(&Database::from(self.pool.clone()), &self.descope, &self.redis);
        sessions.descope.delete_user(descope_user_id).await.unwrap();
        let user: i64 = sqlx::query_scalar("delete from user_identities where descope_user_id = $1 returning user_id")
            .bind(descope_user_id)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        sqlx::query("delete from user_sessions where user_id = $1").bind(user).execute(&self.pool).await.unwrap();
        sqlx::query("delete from users where id = $1").bind(user).execute(&self.pool).await.unwrap();
    }

    /// The Redis key of a value kept about Descope.
    fn key(&self, name: &str) -> String {
        self.redis.key(["descope:", &self.descope.url(), "/", self.descope.project_id(), ":", name])
    }

    async fn count(&self, table: &str) -> i64 {
        sqlx::query_scalar(&format!("select count(*) from {table}")).fetch_one(&self.pool).await.unwrap()
    }
}

fn function(database: Database, descope_url: &str, redis: &Redis) -> Client {
    let app = app(&database, descope_url, redis, testing::no_throttle(redis));
    Client::within(auth::router(app), database, DEADLINE)
}

fn app(database: &Database, descope_url: &str, redis: &Redis, throttle: Throttle) -> App {
    App { throttle, ..testing::sign_in(testing::sessions_at(descope_url, database, redis), redis) }
}

fn registration(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "first_name": "John", "last_name": "Doe" })
}

fn session_token(answer: &Answer) -> String {
    answer.body["session_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn refresh_token(answer: &Answer) -> String {
    answer.body["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

/// Status and code of a failure; checks that its body has the contract's form.
fn failure(answer: &Answer) -> (u16, &str) {
    let body = &answer.body;
    assert_eq!(body["error"], body["message"], "{}", answer.text);
    assert_eq!(body["status_code"], answer.status);
    assert_eq!(body["message"], body["detail"]);
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, if answer.status == 401 { "Bearer" } else { "" });
    assert_eq!(answer.header("cache-control"), "no-store");
    (answer.status, body["code"].as_str().unwrap())
}

/// The body of a success, with placeholders for tokens and timestamps.
fn told(answer: &Answer) -> Value {
    let mut body = testing::timeless(answer.body.clone());
    for name in ["session_token", "refresh_token"] {
        if let Some(token) = body.get_mut(name) {
            assert_eq!(token.as_str().unwrap().split('.').count(), 3, "{name}");
            *token = json!("<token>");
        }
    }
    body
}
