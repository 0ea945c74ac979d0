//! Round trips to Postgres per request, including the pool's ping of a returned connection.

use serde_json::{Value, json};
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::{Answer, Client, Network};

use super::{EMAIL, PASSWORD, PHONE, World, function, refresh_token, session_token};

/// A function behind a proxy that counts its round trips to Postgres.
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

    /// The number of round trips that a request takes, and its answer.
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

    /// Sends a code to a number, then counts the round trips of its verification.
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
async fn signing_in_by_code_takes_six_round_trips(pool: PgPool) {
    let watched = Watched::new(pool).await;
    // The first sign-ins of an environment also connect and prepare their statements.
    for _ in 0..2 {
        watched.prove(&watched.client, "+919876500001").await;
    }
    // Begin, locks, account, the same again once it is locked, session and user, commit; and a ping.
    let (for_the_first_time, _) = watched.prove(&watched.client, PHONE).await;
    let (again, _) = watched.prove(&watched.client, PHONE).await;
    assert_eq!(again, 6 + 1);
    // There is no account to lock: it is inserted, with its identity and its number.
    assert_eq!(for_the_first_time, 6 - 1 + 3 + 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn verifying_a_code_in_a_session_takes_fourteen_round_trips(pool: PgPool) {
    let watched = Watched::new(pool).await;
    let mut asked = Vec::new();
    for (email, phone) in [("first@example.com", "+919876500001"), (EMAIL, PHONE)] {
        let (register, answer) = watched.post(&watched.client, "register", super::registration(email)).await;
        let (added, _) = watched.prove(&watched.signed_in(&answer), phone).await;
        asked.push((register, added));
    }
    // Begin, lock, uniqueness, user, identity, session, commit; and a ping. Then the session of the caller and a ping;
    // whether it may add, and a ping; begin, locks, account, session still active, its last proof, messages, identity,
    // number, older numbers, tokens, user, commit; and a ping.
    assert_eq!(asked[1], (7 + 1, 1 + 1 + 1 + 1 + 12 + 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_login_and_the_requests_after_it_take_few_round_trips(pool: PgPool) {
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
    // A connection is taken once, or once before and once after Descope or the session check; each time adds a ping.
    let expected = json!({
        // The time; begin, lock, account, session and user, commit.
        "login": 1 + 1 + 5 + 1,
        // Begin, session, claim; new tokens, answer, commit.
        "refresh": 6 + 1,
        "show": 1 + 1,
        // The session; begin, lock, session still active, update, commit.
        "update": 1 + 1 + 5 + 1,
        "list": 1 + 1 + 1 + 1,
        // The session; its revocation; sessions to end at Descope; the note that they are ended.
        "logout": 4 * (1 + 1)
    });
    assert_eq!(asked[1], expected);
}
