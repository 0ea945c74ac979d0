//! The system under test: databases of several sizes, catalogue, Redis keys and stand-ins for what the functions call, all
//! removed at the end.

mod environment;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use chrono::{Datelike, Days, FixedOffset, NaiveDate, Utc, Weekday};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use url::Url;

use crate::{
    Result,
    cores::Core,
    instance::{Answer, Instance},
    request::Request,
};

/// Inserts bookings `$1` + 1 to `$2` of a shop with thirty a day. The first is a month ahead, later ones go back.
const BOOKINGS: &str = include_str!("bookings.sql");

/// The system under test.
#[derive(Debug)]
pub struct Shop {
    /// The folder of the built functions.
    pub binaries: PathBuf,
    /// The folder of another build, which is then measured in turns with this one.
    pub beside: Option<PathBuf>,
    /// The folder of logs and results.
    pub directory: PathBuf,
    pub descope: descope_stand_in::StandIn,
    pub(crate) razorpay: razorpay_stand_in::StandIn,
    pub(crate) messages: messages_stand_in::StandIn,
    /// The numbers of bookings in the databases, smallest first.
    pub sizes: Vec<u32>,
    /// Phone numbers given out so far. It also chooses the hour of a booking.
    counter: u32,
    /// Addresses given out so far.
    addresses: u32,
    /// Turns taken so far by what alternates.
    turns: usize,
    server: Url,
    redis_url: Url,
    redis: MultiplexedConnection,
    /// The functions that do what a measured request needs beforehand, by name.
    helpers: HashMap<&'static str, Instance>,
    /// The prefix of the databases' names and of the keys in Redis.
    prefix: String,
}

impl Shop {
    /// Drops what a killed run has left, creates the databases and starts the stand-ins.
    pub async fn open(
        (database_url, redis_url): (&str, &str),
        sizes: &[u32],
        (binaries, beside): (&Path, Option<&Path>),
        directory: &Path,
    ) -> Result<Self> {
        let (server, redis_url) = (Url::parse(database_url)?, Url::parse(redis_url)?);
        let prefix = format!("{}_bench", server.path().trim_start_matches('/'));
        fs::create_dir_all(directory)?;
        let redis = redis::Client::open(redis_url.as_str())?.get_multiplexed_async_connection().await?;
        let mut shop = Self {
            binaries: found(binaries)?,
            beside: beside.map(found).transpose()?,
            directory: fs::canonicalize(directory)?,
            descope: descope_stand_in::StandIn::start().await,
            razorpay: razorpay_stand_in::StandIn::start().await,
            messages: messages_stand_in::StandIn::start().await,
            sizes: sizes.to_vec(),
            counter: 0,
            addresses: 0,
            turns: 0,
            server,
            redis_url,
            redis,
            helpers: HashMap::new(),
            prefix,
        };
        shop.close().await?;
        shop.build().await?;
        Ok(shop)
    }

    async fn build(&mut self) -> Result<()> {
        let mut template = None;
        for size in self.sizes.clone() {
            let name = self.database(size);
            let from = template.as_ref().map(|(name, _)| format!(" template {name}")).unwrap_or_default();
            self.administer(&format!("create database {name}{from}")).await?;
            // A copy of a database has not its settings: this one is of the migrations.
            self.administer(&format!("alter database {name} set jit = off")).await?;
            let is_first = template.is_none();
            if is_first {
                self.stock(size).await?;
            }
            let mut connection = self.connect(size).await?;
            let before = template.map_or(0, |(_, size)| size);
            let rows = BOOKINGS.replace("$1", &before.to_string()).replace("$2", &size.to_string());
            sqlx::raw_sql(&rows).execute(&mut connection).await?;
            if is_first {
                sqlx::query(BUSY).bind(BUSY_DAY).execute(&mut connection).await?;
                sqlx::query(LINKED).bind(LINK).execute(&mut connection).await?;
            }
            // Autovacuum would do this later.
            sqlx::raw_sql("vacuum analyze").execute(&mut connection).await?;
            connection.close().await?;
            template = Some((name, size));
        }
        Ok(())
    }

    /// Creates the schema and imports the catalogue with the `migrate` function, as a deployment does.
    async fn stock(&self, size: u32) -> Result<()> {
        let mut migrate = self.start("migrate", &self.environment(size)).await?;
        for event in [json!({"action": "migrate"}), json!({"action": "import_catalogue", "files": catalogue()?})] {
            migrate.invoke(event.to_string()).await?;
        }
        let mut connection = self.connect(size).await?;
        sqlx::query(ADMINISTRATOR).bind(PANEL_COOKIE.rsplit('=').next()).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Drops the databases, and deletes the keys and the user of Redis.
    pub async fn close(&mut self) -> Result<()> {
        self.helpers.clear();
        for size in self.sizes.clone() {
            self.administer(&format!("drop database if exists {} with (force)", self.database(size))).await?;
        }
        self.unlink("*").await?;
        let _: () = redis::cmd("ACL").arg("DELUSER").arg(&self.prefix).query_async(&mut self.redis).await?;
        Ok(())
    }

    async fn administer(&self, statement: &str) -> Result<()> {
        let mut connection = PgConnectOptions::from_url(&self.server)?.connect().await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Starts a function, deployed or bare.
    pub async fn start(&self, binary: &str, environment: &[(String, String)]) -> Result<Instance> {
        self.start_from(&self.binaries, binary, environment).await
    }

    /// Starts a function from this directory.
    pub async fn start_from(
        &self,
        binaries: &Path,
        binary: &str,
        environment: &[(String, String)],
    ) -> Result<Instance> {
        let log = self.directory.join(format!("{binary}.log"));
        Instance::start(&binaries.join(binary), environment, &log).await
    }

    /// Starts a function on one core, with the biggest database.
    pub(crate) async fn start_on(&self, core: &Core, binary: &str) -> Result<Instance> {
        let log = self.directory.join(format!("{binary}.log"));
        let environment = self.environment(self.biggest());
        Instance::start_on(Some(core), &self.binaries.join(binary), &environment, &log).await
    }

    /// Has a function do what a measured request needs beforehand.
    pub(crate) async fn ask(&mut self, function: &'static str, request: &Request) -> Result<Answer> {
        let mut helper = match self.helpers.remove(function) {
            Some(helper) => helper,
            None => self.start(function, &self.environment(self.biggest())).await?,
        };
        let answer = request.send_to(&mut helper).await?;
        self.helpers.insert(function, helper);
        Ok(answer)
    }

    /// The URL of the database with this many bookings.
    pub fn database_url(&self, size: u32) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.database(size));
        url
    }

    fn database(&self, size: u32) -> String {
        format!("{}_{size}", self.prefix)
    }

    pub fn redis_url(&self) -> &Url {
        &self.redis_url
    }

    /// Connects to the database with this many bookings.
    pub async fn connect(&self, size: u32) -> Result<PgConnection> {
        Ok(PgConnectOptions::from_url(&self.database_url(size))?.disable_statement_logging().connect().await?)
    }

    /// The number of bookings in the biggest database.
    pub fn biggest(&self) -> u32 {
        self.sizes.last().copied().unwrap_or_default()
    }

    /// Makes a user of Redis, as a Redis on AWS has one; returns its name and password.
    pub(crate) async fn redis_user(&mut self) -> Result<(String, String)> {
        let (name, password) = (self.prefix.clone(), "bench-password".to_owned());
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg(&name).arg("on").arg(format!(">{password}")).arg("~*").arg("&*").arg("+@all");
        let _: () = command.query_async(&mut self.redis).await?;
        Ok((name, password))
    }

    /// Stores the value that the bare function reads from Redis.
    pub(crate) async fn give_to_bare_function(&mut self, text: &str) -> Result<()> {
        Ok(self.redis.set(self.key_of_bare_function(), text).await?)
    }

    fn key_of_bare_function(&self) -> String {
        format!("{}:bare", self.prefix)
    }

    /// Deletes what the functions keep in the cache.
    pub async fn forget_cached(&mut self) -> Result<()> {
        self.unlink("*entry*").await
    }

    /// Deletes the bench's keys of a pattern.
    async fn unlink(&mut self, pattern: &str) -> Result<()> {
        let keys: Vec<String> = self.redis.keys(format!("{}:{pattern}", self.prefix)).await?;
        // Redis takes no command without keys.
        if keys.is_empty() { Ok(()) } else { Ok(self.redis.unlink(keys).await?) }
    }

    /// A phone number without bookings.
    pub fn new_phone(&mut self) -> String {
        self.counter += 1;
        format!("+9180{:08}", self.counter)
    }

    /// An address, which repeats after 4096 calls.
    pub(crate) fn new_address(&mut self) -> String {
        self.addresses = self.addresses.wrapping_add(1);
        format!("198.18.{}.{}", self.addresses / 256 % 16, self.addresses % 256)
    }

    /// The next of so many turns, from 0 on.
    pub(crate) fn takes_turns(&mut self, of: usize) -> usize {
        self.turns = self.turns.wrapping_add(1);
        self.turns % of
    }

    /// A booking at the shop for this phone number.
    pub fn booking(&self, phone: &str) -> Request {
        self.booking_of(phone, &json!({ "service_location": "shop" }))
    }

    /// A home visit for this phone number.
    pub fn home_visit(&self, phone: &str) -> Request {
        self.booking_of(phone, &json!({ "service_location": "home", "address": "123 Main St" }))
    }

    fn booking_of(&self, phone: &str, place: &Value) -> Request {
        let hour = 9 + self.counter % 8;
        let mut body = json!({
            "customer_name": "John Doe", "customer_phone": phone, "customer_email": "john@example.com",
            "vehicle_model_id": 7, "service_ids": [4, 6], "appointment_date": next_monday(),
            "appointment_time": format!("{hour:02}:00"), "payment_method": "cash", "notes": "",
        });
        if let (Value::Object(body), Value::Object(place)) = (&mut body, place) {
            body.extend(place.clone());
        }
        Request::post("/api/bookings/", &body).answered_with(201)
    }
}

/// A day with 200 jobs.
pub(crate) const BUSY_DAY: &str = "2031-01-06";
const BUSY: &str = "
    update bookings set appointment_date = $1::text::date
    where id in (select id from bookings where booking_status <> 'cancelled' order by id limit 200)
";

/// The cookie of an administrator of the panel, sealed by the key in [`Shop::environment`]. A constant nonce is safe for one
/// text.
pub(crate) const PANEL_COOKIE: &str =
    "__Host-panel=0562656e636800000000000000000000000033f37bc4b11259514d4ae65c14d7b674ceb18cc5392dd071cb767f46f0";

/// Signs that administrator in. Descope was last asked for the roles in the future, so it is not asked again.
const ADMINISTRATOR: &str = "
    with owner as (
        insert into users (username, email, is_email_verified) values ('owner@example.com', 'owner@example.com', true)
        returning id
    ), identity as (
        insert into user_identities (descope_user_id, user_id, is_proven) select 'bench', id, true from owner
    ), session as (
        insert into user_sessions (user_id, descope_user_id, expires_at)
        select id, 'bench', now() + interval '1 year' from owner
        returning id
    )
    insert into panel_sessions (cookie_sha256, session_id, roles, roles_asked_at)
    select sha256($1::bytea), id, '{admin}', now() + interval '1 year' from session
";

/// The token of a link to the latest booking, at which its customer sees and changes it.
pub(crate) const LINK: &str = "bench-link-of-22-bytes";
const LINKED: &str = "
    insert into booking_links (booking_id, token_sha256, scope, purpose)
    select id, sha256($1::bytea), 'change', 'bench' from bookings
    where booking_status = 'confirmed' order by appointment_date desc, id limit 1
";

/// The files of the catalogue, by name.
pub(crate) fn catalogue() -> Result<HashMap<String, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/catalogue");
    let mut files = HashMap::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "csv" || extension == "json") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

fn found(directory: &Path) -> Result<PathBuf> {
    Ok(fs::canonicalize(directory).map_err(|error| format!("{}: {error}", directory.display()))?)
}

/// The next Monday that is at least two days ahead; the shop is open on Mondays.
pub(crate) fn next_monday() -> NaiveDate {
    let india = FixedOffset::east_opt(19_800).unwrap_or(FixedOffset::east_opt(0).unwrap_or_else(|| unreachable!()));
    let today = Utc::now().with_timezone(&india).date_naive();
    let ahead = (2..9).map(|days| today + Days::new(days));
    ahead.into_iter().find(|day| day.weekday() == Weekday::Mon).unwrap_or(today)
}
