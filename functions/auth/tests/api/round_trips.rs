//! How often Postgres is asked for one answer, the pool's ping of a connection that it gets back included.

use serde_json::{Value, json};
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::{Answer, Client, Network};

use super::{EMAIL, PASSWORD, PHONE, World, function, refresh_token, session_token};

/// A function whose way to Postgres is watched.
struct Watched {
    world: World,
    network: Network,
    database: Database,
    client: Client,
}

impl Watched {
    async fn new(pool: PgPool) -> Self {
        let options = (*pool.connect_options()).clone();
        let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
        let database = Database::new(options.host("127.0.0.1").port(network.port()));
        let world = World::new(pool).await;
        let client = function(database.clone(), &world.descope.url(), &world.redis);
        Self { world, network, database, client }
    }

    /// The answer to a request, and how often Postgres was asked for it.
    async fn asked<F: Future<Output = Answer>>(&self, request: F) -> (usize, Answer) {
        let before = self.network.requests();
        let answer = request.await;
        assert!(answer.status < 300, "{}", answer.text);
        let pool = self.database.pool();
        testing::eventually("the connection is back", async || pool.num_idle() == 1).await;
        (self.network.requests() - before, answer)
    }

    async fn post(&self, client: &Client, path: &str, body: Value) -> (usize, Answer) {
        self.asked(client.post(&format!("/api/auth/{path}/"), &body)).await
    }

    /// Somebody shows the newest code that went to a number.
    async fn prove(&self, client: &Client, phone: &str) -> (usize, Answer) {
        self.client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": phone })).await;
        let shown = json!({ "phone_number": phone, "otp_code": self.world.code(phone) });
        self.post(client, "phone/verify-otp", shown).await
    }

    /// A caller with the session of an answer.
    fn signed_in(&self, answer: &Answer) -> Client {
        self.client.with("Authorization", &format!("Bearer {}", session_token(answer)))
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn signing_in_by_a_code_asks_postgres_six_times(pool: PgPool) {
    let watched = Watched::new(pool).await;
    // The first sign-ins of an environment also connect and prepare their statements.
    for _ in 0..2 {
        watched.prove(&watched.client, "+919876500001").await;
    }
    // Begin, locks, whose account, the same while it is held, session and user, commit; and a ping.
    let (for_the_first_time, _) = watched.prove(&watched.client, PHONE).await;
    let (again, _) = watched.prove(&watched.client, PHONE).await;
    assert_eq!(again, 6 + 1);
    // Nobody's account can be held: it is made, with its identity and its number.
    assert_eq!(for_the_first_time, 6 - 1 + 3 + 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_shown_in_a_session_asks_postgres_eleven_times(pool: PgPool) {
    let watched = Watched::new(pool).await;
    let mut asked = Vec::new();
    for (email, phone) in [("first@example.com", "+919876500001"), (EMAIL, PHONE)] {
        let (register, answer) = watched.post(&watched.client, "register", super::registration(email)).await;
        let (added, _) = watched.prove(&watched.signed_in(&answer), phone).await;
        asked.push((register, added));
    }
    // Begin, lock, is it taken, user, identity, session, commit; and a ping. Then the session of the caller and a ping;
    // begin, locks, whose account, is the session active, identity, number, older numbers, tokens, user, commit; a ping.
    assert_eq!(asked[1], (7 + 1, 1 + 1 + 10 + 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_login_and_what_follows_it_ask_postgres_as_little(pool: PgPool) {
    let watched = Watched::new(pool).await;
    let (client, profile) = (&watched.client, "/api/auth/profile/");
    watched.post(client, "register", super::registration(EMAIL)).await;
    let mut asked = Vec::new();
    for _ in 0..2 {
        let (login, answer) = watched.post(client, "login", json!({ "email": EMAIL, "password": PASSWORD })).await;
        let token = json!({ "refresh_token": refresh_token(&answer) });
        let (refresh, answer) = watched.post(client, "token/refresh", token).await;
        let user = watched.signed_in(&answer);
        let (show, _) = watched.asked(user.get(profile)).await;
        let (update, _) = watched.asked(user.patch(profile, &json!({ "first_name": "Jane" }))).await;
        let (list, _) = watched.asked(user.get("/api/auth/sessions/")).await;
        let (logout, _) = watched.post(&user, "logout", json!({})).await;
        asked.push(json!({
            "login": login, "refresh": refresh, "show": show, "update": update, "list": list, "logout": logout
        }));
    }
    // A connection is taken once, or once before and once after Descope or the check of the session; each time a ping.
    let expected = json!({
        // The time; begin, lock, whose account, session and user, commit.
        "login": 1 + 1 + 5 + 1,
        // Begin, session, claim; new tokens, answer, commit.
        "refresh": 6 + 1,
        "show": 1 + 1,
        // The session; begin, hold, is the session active, update, commit.
        "update": 1 + 1 + 5 + 1,
        "list": 1 + 1 + 1 + 1,
        // The session, its end, what Descope has to end, that it has.
        "logout": 4 * (1 + 1)
    });
    assert_eq!(asked[1], expected);
}
