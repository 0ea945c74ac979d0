//! Roles, blocking and ended sessions: changed by an administrator, at Descope and in every function here.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::time::Duration;

use descope_stand_in::{Fault, StandIn};
use serde_json::{Value, json};
use shared::{
    Error, Result,
    accounts::{ADMIN_ROLE, STAFF_ROLE},
    database::{Database, MIGRATOR},
    history::{self, Author, Filter, Source},
    http::Device,
    ids::{SessionId, UserId},
    session::Session,
    sign_in::{
        SignIn,
        personnel::{access, roles},
    },
};
use sqlx::PgPool;

const SET_ROLES: &str = "/v1/mgmt/user/update/role/set";
const LOG_OUT: &str = "/v1/mgmt/user/logout";

/// Where an administrator changes users, and another function, which users call.
struct World {
    panel: SignIn,
    elsewhere: SignIn,
    descope: StandIn,
    pool: PgPool,
}

/// A user with a session.
struct Person {
    id: UserId,
    email: &'static str,
    token: String,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let descope = StandIn::start().await;
        let function = || {
            let (database, redis) = (Database::new((*pool.connect_options()).clone()), testing::redis());
            testing::sign_in(testing::sessions(&database, &descope, &redis), &redis)
        };
        Self { panel: function(), elsewhere: function(), descope, pool }
    }

    /// A user with a proved address and these roles, signed in.
    async fn person(&self, email: &'static str, roles: &[&str]) -> Person {
        let client = &self.panel.sessions.descope;
        client.create_user(&email.parse().unwrap(), roles).await.unwrap().unwrap();
        self.sign_in(email).await;
        testing::prove_identities(&self.pool).await;
        // Only now do the roles count.
        self.sign_in(email).await
    }

    async fn sign_in(&self, email: &'static str) -> Person {
        let token = self.panel.sessions.descope.sign_in_as(email).await.unwrap().session_jwt;
        let session = self.elsewhere.sessions.identify(&token, &device()).await.unwrap();
        Person { id: session.user.id, email, token }
    }

    /// The next request of a user, in another function.
    async fn asks(&self, person: &Person) -> Result<Session> {
        self.elsewhere.sessions.identify(&person.token, &device()).await
    }

    /// Roles by the next request, at Descope and in our row.
    async fn roles(&self, person: &Person) -> [Value; 3] {
        let session = self.asks(person).await.unwrap();
        let kept: Vec<String> = self.read("select roles from users where id = $1", person).await;
        let mut at_descope = self.descope.user(person.email).unwrap()["roleNames"].clone();
        at_descope.as_array_mut().unwrap().sort_by_key(Value::to_string);
        [json!(session.user.roles), at_descope, json!(kept)]
    }

    /// A value of a user's row or sessions.
    async fn read<T>(&self, query: &str, person: &Person) -> T
    where
        T: Send + Unpin,
        (T,): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        sqlx::query_scalar(query).bind(person.id.0).fetch_one(&self.pool).await.unwrap()
    }

    async fn set(&self, person: &Person, role: &str, is_given: bool) -> Result<bool> {
        roles::set(&self.panel, person.id, role, is_given, &author()).await
    }

    /// Actor, source, record, and what changed, oldest first.
    async fn recorded(&self) -> Vec<Value> {
        let filter = Filter::default();
        let entries = history::list(&self.panel.sessions.database, &filter, 100).await.unwrap();
        let entry = |entry: &history::Entry| json!([entry.actor, entry.source, entry.record_id, entry.changes]);
        entries.iter().rev().map(entry).collect()
    }
}

fn device() -> Device {
    Device { user_agent: "Firefox".to_owned(), ip_address: "192.0.2.1".to_owned() }
}

fn author() -> Author {
    Author::user(UserId(7), Source::Panel, None)
}

fn sentence(outcome: Result<bool>) -> String {
    assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}");
    outcome.unwrap_err().to_string()
}

const LAST: &str = "This is the last administrator. Make someone else one first.";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_role_counts_from_the_next_request_on_and_the_others_stay(pool: PgPool) {
    let world = World::new(pool).await;
    world.descope.change(|settings| settings.roles.push("editor".to_owned()));
    let person = world.person("asha@example.com", &["editor"]).await;
    let everywhere = |roles: &[&str]| [json!(roles), json!(roles), json!(roles)];
    for (role, is_given, roles) in [
        (STAFF_ROLE, true, &["editor", "staff"][..]),
        (STAFF_ROLE, true, &["editor", "staff"]),
        (STAFF_ROLE, false, &["editor"]),
        (STAFF_ROLE, false, &["editor"]),
    ] {
        let differs = world.roles(&person).await != everywhere(roles);
        assert_eq!(world.set(&person, role, is_given).await.unwrap(), differs);
        // The token is the one of before.
        assert_eq!(world.roles(&person).await, everywhere(roles));
    }
    let id = person.id.to_string();
    assert_eq!(
        world.recorded().await,
        [
            json!(["descope", "api", id, { "roles": [[], ["editor"]] }]),
            json!(["user:7", "panel", id, { "roles": [["editor"], ["editor", "staff"]] }]),
            json!(["user:7", "panel", id, { "roles": [["editor", "staff"], ["editor"]] }]),
        ]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_descope_refuses_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let person = world.person("asha@example.com", &["staff"]).await;
    let other = world.person("ravi@example.com", &["admin"]).await;
    let before = (world.roles(&person).await, world.recorded().await);
    for path in [SET_ROLES, "/v1/mgmt/user"] {
        world.descope.spoil(path, Fault::status(500).times(9));
        for (role, is_given) in [(STAFF_ROLE, false), (ADMIN_ROLE, true)] {
            let refused = world.set(&person, role, is_given).await;
            assert!(matches!(refused, Err(Error::Upstream { .. })), "{path}: {refused:?}");
        }
        let refused = world.set(&other, ADMIN_ROLE, false).await;
        assert_eq!(sentence(refused), LAST, "that is refused before Descope is asked");
        world.descope.clear_faults();
        assert_eq!((world.roles(&person).await, world.recorded().await), before, "{path}");
    }
    assert!(world.set(&person, ADMIN_ROLE, true).await.unwrap(), "no claim is left");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_administrators_who_take_each_other_s_role_leave_one(pool: PgPool) {
    let world = World::new(pool).await;
    let (first, second) =
        (world.person("a@example.com", &["admin"]).await, world.person("b@example.com", &["admin"]).await);
    world.descope.spoil(SET_ROLES, Fault::delay(Duration::from_millis(300)).times(2));
    let by = |function: &SignIn, person: &Person| {
        let (function, id) = (function.clone(), person.id);
        async move { roles::set(&function, id, ADMIN_ROLE, false, &author()).await }
    };
    let outcomes = futures::join!(by(&world.panel, &second), by(&world.elsewhere, &first));
    let (done, refused) = match outcomes {
        (Ok(done), refused) | (refused, Ok(done)) => (done, refused),
        outcomes => panic!("{outcomes:?}"),
    };
    assert_eq!((done, sentence(refused).as_str()), (true, LAST));
    let left: i64 = sqlx::query_scalar("select count(*) from users where 'admin' = any(roles)")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(left, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_role_and_a_block_that_cross_leave_an_administrator(pool: PgPool) {
    let world = World::new(pool).await;
    let (first, second) =
        (world.person("a@example.com", &["admin"]).await, world.person("b@example.com", &["admin"]).await);
    world.descope.spoil(SET_ROLES, Fault::delay(Duration::from_secs(1)));
    let demotion = world.set(&second, ADMIN_ROLE, false);
    let block = async {
        testing::eventually("Descope is asked", async || world.descope.calls(SET_ROLES) > 0).await;
        access::block(&world.elsewhere, first.id, &author()).await
    };
    let (demoted, blocked) = futures::join!(demotion, block);
    assert_eq!((demoted.unwrap(), sentence(blocked).as_str()), (true, LAST));
    assert!(world.asks(&first).await.unwrap().user.is_superuser());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn changes_of_one_user_do_not_overlap(pool: PgPool) {
    let world = World::new(pool).await;
    world.person("boss@example.com", &["admin"]).await;
    let person = world.person("asha@example.com", &[]).await;
    world.descope.spoil(SET_ROLES, Fault::delay(Duration::from_secs(1)));
    let first = world.set(&person, STAFF_ROLE, true);
    let second = async {
        testing::eventually("Descope is asked", async || world.descope.calls(SET_ROLES) > 0).await;
        roles::set(&world.elsewhere, person.id, ADMIN_ROLE, true, &author()).await
    };
    let (first, second) = futures::join!(first, second);
    assert!(first.unwrap());
    assert_eq!(sentence(second), "Someone else is changing this user's roles. Please try again.");
    assert_eq!(world.roles(&person).await, [json!(["staff"]), json!(["staff"]), json!(["staff"])]);
    // A claim of a function that was killed.
    sqlx::query(
        "insert into role_claims (user_id, takes_admin, expires_at) values ($1, true, now() - interval '1 second')",
    )
    .bind(person.id.0)
    .execute(&world.pool)
    .await
    .unwrap();
    assert!(world.set(&person, ADMIN_ROLE, true).await.unwrap());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_last_administrator_keeps_the_role_and_stays_in(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.person("owner@example.com", &["admin"]).await;
    let other = world.person("asha@example.com", &["staff"]).await;
    assert_eq!(sentence(world.set(&owner, ADMIN_ROLE, false).await), LAST);
    assert_eq!(sentence(access::block(&world.panel, owner.id, &author()).await), LAST);
    assert!(world.set(&other, ADMIN_ROLE, true).await.unwrap());
    // One who is blocked is none.
    assert!(access::block(&world.panel, other.id, &author()).await.unwrap());
    assert_eq!(sentence(world.set(&owner, ADMIN_ROLE, false).await), LAST);
    assert!(access::unblock(&world.panel, other.id, &author()).await.unwrap());
    assert!(world.set(&owner, ADMIN_ROLE, false).await.unwrap());
    assert!(!world.asks(&owner).await.unwrap().user.is_staff());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_role_is_for_users_who_have_proved_an_address_or_number(pool: PgPool) {
    let world = World::new(pool).await;
    let client = &world.panel.sessions.descope;
    client.create_user(&"who@example.com".parse().unwrap(), &["admin"]).await.unwrap().unwrap();
    let stranger = world.sign_in("who@example.com").await;
    assert_eq!(
        sentence(world.set(&stranger, STAFF_ROLE, true).await),
        "This user has not proved an address or number yet."
    );
    let nothing = json!([]);
    assert_eq!(world.roles(&stranger).await, [nothing.clone(), json!(["admin"]), nothing.clone()]);
    let nobody = roles::set(&world.panel, UserId(999), STAFF_ROLE, true, &author()).await;
    assert!(matches!(nobody, Err(Error::NotFound("User"))), "{nobody:?}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_account_that_proved_nothing_is_taken_over_for_the_owner_of_its_address(pool: PgPool) {
    let world = World::new(pool).await;
    let client = &world.panel.sessions.descope;
    client.create_user(&"who@example.com".parse().unwrap(), &[]).await.unwrap().unwrap();
    let stranger = world.sign_in("who@example.com").await;
    let page = "http://localhost:3000/reset-password";
    assert!(roles::give(&world.panel, stranger.id, STAFF_ROLE, page, &author()).await.unwrap());
    assert!(world.asks(&stranger).await.is_err(), "the session of before is over");
    assert!(world.descope.inbox("who@example.com").iter().any(|message| message.token.is_some()));
    // A token of the second of the take-over may be one of before.
    world.descope.advance(Duration::from_secs(2));
    let owner = world.sign_in("who@example.com").await;
    assert_eq!(owner.id, stranger.id);
    assert_eq!(world.roles(&owner).await, [json!(["staff"]), json!(["staff"]), json!(["staff"])]);
    let unknown = roles::give(&world.panel, UserId(999), STAFF_ROLE, page, &author()).await;
    assert!(matches!(unknown, Err(Error::NotFound("User"))), "{unknown:?}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn roles_of_the_console_are_learnt_from_the_next_token(pool: PgPool) {
    let world = World::new(pool).await;
    let person = world.person("asha@example.com", &["staff"]).await;
    world.descope.set_roles(person.email, &["admin"]);
    let person = world.sign_in(person.email).await;
    assert_eq!(world.roles(&person).await, [json!(["admin"]), json!(["admin"]), json!(["admin"])]);
    let id = person.id.to_string();
    assert_eq!(
        world.recorded().await,
        [
            json!(["descope", "api", id, { "roles": [[], ["staff"]] }]),
            json!(["descope", "api", id, { "roles": [["staff"], ["admin"]] }]),
        ]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_is_blocked_and_let_in_again_while_descope_is_away(pool: PgPool) {
    let world = World::new(pool).await;
    let person = world.person("asha@example.com", &[]).await;
    world.descope.spoil(LOG_OUT, Fault::status(500).times(9));
    assert!(access::block(&world.panel, person.id, &author()).await.unwrap());
    let refused = world.asks(&person).await;
    assert!(matches!(refused, Err(Error::SessionRevoked)), "{refused:?}");
    assert!(world.read::<bool>("select blocked_at is not null from users where id = $1", &person).await);
    assert!(access::unblock(&world.panel, person.id, &author()).await.unwrap());
    let refused = world.asks(&person).await;
    assert!(matches!(refused, Err(Error::SessionRevoked)), "{refused:?}");
    let entries = world.recorded().await;
    let moment = &entries[0][3]["blocked_at"][1];
    let id = person.id.to_string();
    assert!(moment.is_string());
    assert_eq!(
        entries,
        [
            json!(["user:7", "panel", id, { "blocked_at": [null, moment] }]),
            json!(["user:7", "panel", id, { "blocked_at": [moment, null] }]),
        ]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_session_or_all_of_a_user_are_ended(pool: PgPool) {
    let world = World::new(pool).await;
    let first = world.person("asha@example.com", &[]).await;
    // Another second, so another token.
    world.descope.advance(Duration::from_secs(2));
    let second = world.sign_in(first.email).await;
    let newest = "select id, ip_address, user_agent, revoked_at is null from user_sessions order by id desc limit 1";
    let (one, address, agent, is_open): (i64, String, String, bool) =
        sqlx::query_as(newest).fetch_one(&world.pool).await.unwrap();
    assert_eq!((address.as_str(), agent.as_str(), is_open), ("192.0.2.1", "Firefox", true));

    let one = SessionId(one);
    for _ in 0..2 {
        access::end_session(&world.panel, first.id, one, &author()).await.unwrap();
    }
    assert!(matches!(world.asks(&second).await, Err(Error::SessionRevoked)));
    assert!(world.asks(&first).await.is_ok());
    let others = access::end_session(&world.panel, UserId(999), one, &author()).await;
    assert!(matches!(others, Err(Error::NotFound("Session"))), "{others:?}");
    access::end_sessions(&world.panel, first.id, &author()).await.unwrap();
    assert!(matches!(world.asks(&first).await, Err(Error::SessionRevoked)));
    let nobody = access::end_sessions(&world.panel, UserId(999), &author()).await;
    assert!(matches!(nobody, Err(Error::NotFound("User"))), "{nobody:?}");

    let are_ended = "select bool_and(revoked_at is not null) from user_sessions where user_id = $1";
    assert!(world.read::<bool>(are_ended, &first).await);
    let entries = world.recorded().await;
    let (id, moments) = (first.id, [&entries[0][3]["revoked_at"][1], &entries[1][3]["sessions_revoked_at"][1]]);
    assert!(moments.iter().all(|moment| moment.is_string()));
    assert_eq!(
        entries,
        [
            json!(["user:7", "panel", format!("{id}/{one}"), { "revoked_at": [null, moments[0]] }]),
            json!(["user:7", "panel", id.to_string(), { "sessions_revoked_at": [null, moments[1]] }]),
        ]
    );
}
