//! The panel as a browser uses it, with real Postgres, Redis and the stand-in of Descope.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "test code")]

mod browser;
mod entering;
mod price_file;
mod prices;

use std::time::Duration;

use admin::App;
use descope_stand_in::StandIn;
use shared::{
    accounts::{ADMIN_ROLE, STAFF_ROLE},
    config::Settings,
    database::Database,
    redis::Redis,
    sign_in::{Admits, Limits, Messages, Seals, SignIn, personnel::Personnel},
};
use sqlx::PgPool;
use testing::Client;

pub(crate) use browser::Browser;

const OWNER: &str = "owner@example.com";
const MECHANIC: &str = "mechanic@example.com";
const PASSWORD: &str = "correct horse battery";
const PAGE: &str = "https://api.example/admin/password/";

/// The shop of `local/catalogue/`, its panel, and the Descope stand-in where its people sign in.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) descope: StandIn,
    pub(crate) pool: PgPool,
    pub(crate) redis: Redis,
}

impl World {
    pub(crate) async fn new(pool: PgPool) -> Self {
        let world = Self::empty(pool).await;
        testing::import_catalogue(&world.pool, &world.redis).await;
        world
    }

    /// A deployment without a catalogue.
    pub(crate) async fn empty(pool: PgPool) -> Self {
        let (descope, redis) = (StandIn::start().await, testing::redis());
        let client = panel(&pool, &descope.url(), &redis, &redis);
        Self { client, descope, pool, redis }
    }

    pub(crate) fn database(&self) -> Database {
        Database::from(self.pool.clone())
    }

    /// A browser in which an administrator has signed in.
    pub(crate) async fn owner(&self) -> Browser {
        self.person(OWNER, ADMIN_ROLE).await
    }

    /// A browser in which a mechanic has signed in.
    pub(crate) async fn mechanic(&self) -> Browser {
        self.person(MECHANIC, STAFF_ROLE).await
    }

    /// Appoints a person, sets the password by the mailed link, and signs in.
    pub(crate) async fn person(&self, email: &str, role: &str) -> Browser {
        self.appoint(email, role).await;
        let browser = Browser::new(&self.client);
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// Appoints a person as the event of `migrate` does, and sets the password on the panel's own page.
    pub(crate) async fn appoint(&self, email: &str, role: &str) {
        let descope = testing::sessions(&self.database(), &self.descope, &self.redis).descope;
        let personnel = Personnel { descope, password_reset_url: PAGE.to_owned() };
        personnel.appoint(&self.database(), email, role).await.unwrap();
        let token = self.descope.inbox(email)[0].token.clone().expect("a mail with a link");
        let browser = Browser::new(&self.client);
        let answer = browser.submit("/admin/password/", &[("token", &token), ("new_password", PASSWORD)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// A panel with Descope and Redis at these places.
pub(crate) fn panel(pool: &PgPool, descope_url: &str, redis: &Redis, catalogue_redis: &Redis) -> Client {
    let database = Database::from(pool.clone());
    let sign_in = SignIn {
        sessions: testing::sessions_at(descope_url, &database, redis),
        seals: Seals::parse("test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap(),
        throttle: testing::no_throttle(redis),
        limits: Limits::from_env().unwrap(),
        messages: Messages { password_reset_url: PAGE.to_owned(), code_lifetime: Duration::from_mins(3) },
        admits: Admits::Personnel,
    };
    let router = admin::router(App { sign_in, redis: catalogue_redis.clone() });
    Client::behind(router, admin::edge(Settings::default(), database))
}
