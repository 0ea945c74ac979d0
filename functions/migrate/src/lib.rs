//! Tasks of a deployer, as JSON events: migrate the schema, import the catalogue, create a superuser, manage staff
//! keys. CloudFormation sends its own events on every deployment.

mod deployment;
mod roles;
mod sample;
mod schema;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value, json, value::RawValue};
use shared::{
    accounts::{ADMIN_ROLE, STAFF_ROLE},
    bookings::{
        actor::Actor,
        bulk::{Cancellation, Cancelled},
    },
    catalogue::{
        self,
        import::{self, Files, Mode, Report},
    },
    config::{self, Live},
    customers,
    database::Database,
    history::{self, Author, Source},
    http::{Fields, Read},
    phone::{NotAPhone, Phone},
    redis::Redis,
    sign_in::personnel,
    staff::issued,
};
use sqlx::{Connection, PgConnection, migrate::MigrateError};

use schema::Migrated;

pub use deployment::{Deployment, NotTaken};
pub use roles::{Login, Roles};
pub use shared::{
    customers::Forgotten,
    sign_in::personnel::{Appointment, Dismissal, EndedSessions, Personnel},
    staff::issued::{Added, IssuedKey, Revoked},
};

/// The payload of an invocation.
#[derive(Debug)]
pub enum Invocation {
    /// From CloudFormation, for the template's custom resource.
    Deployment(Deployment),
    /// From a deployer.
    Event(Event),
}

impl<'de> Deserialize<'de> for Invocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Value::deserialize(deserializer)?;
        let is_deployment = payload.get("RequestType").is_some() && payload.get("ResponseURL").is_some();
        if is_deployment {
            serde_json::from_value(payload).map(Self::Deployment).map_err(de::Error::custom)
        } else {
            serde_json::from_value(payload).map(Self::Event).map_err(de::Error::custom)
        }
    }
}

/// The task to run, named by `action`.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// `{"action": "migrate"}`: applies pending migrations.
    Migrate,
    /// `{"action": "import_catalogue", "files": {"services.csv": "…", …}}`: makes the catalogue match the seven files,
    /// given as name and text.
    /// `"mode": "if_empty"` imports only into an empty catalogue; `"mode": "preview"` writes nothing and reports what an
    /// import would do.
    ImportCatalogue {
        files: Files,
        #[serde(default)]
        mode: Mode,
    },
    /// `{"action": "create_superuser", "email": "…"}`: creates an administrator account for the address, and mails its
    /// owner how to set a password.
    CreateSuperuser {
        /// The deployer vouches for the owner of the mailbox.
        email: String,
        /// The page that the mail links to, if not that of `PASSWORD_RESET_URL`.
        #[serde(default)]
        password_reset_url: Option<String>,
    },
    /// `{"action": "appoint_staff", "email": "…"}`: the same with the role `staff`.
    AppointStaff {
        /// As above.
        email: String,
        /// As above.
        #[serde(default)]
        password_reset_url: Option<String>,
    },
    /// `{"action": "dismiss_staff", "identifier": "…"}`: takes the roles `staff` and `admin` from the account with this
    /// address or number, from the next request on.
    DismissStaff { identifier: String },
    /// `{"action": "end_sessions", "identifier": "…"}`: ends all sessions of the account with this address or number.
    EndSessions { identifier: String },
    /// `{"action": "tell", "phone": "…"}`: everything that is kept about the person with this number, as JSON.
    Tell { phone: String },
    /// `{"action": "forget", "phone": "…"}`: erases the person with this number but for the books, and the account that
    /// signs in with it, also at Descope.
    Forget { phone: String },
    /// `{"action": "cancel_bookings", "filter": {"status": "pending", "date": "…"}, "count": 12, "reason": "…"}`: cancels all
    /// bookings that the filter of the staff's list finds, if they are `count`.
    CancelBookings {
        filter: Map<String, Value>,
        count: i64,
        /// For the timelines.
        reason: String,
    },
    /// `{"action": "add_staff_key", "label": "…"}`: creates a staff key, which only the answer contains. With
    /// `"key_sha256": "<hex>"` it adds a key that was created elsewhere.
    AddStaffKey {
        /// The name of the key in timelines.
        label: String,
        #[serde(default)]
        key_sha256: Option<String>,
    },
    /// `{"action": "revoke_staff_key", "label": "…"}`: revokes a key.
    RevokeStaffKey { label: String },
    /// `{"action": "list_staff_keys"}`: lists valid and revoked keys by label, without their secrets.
    ListStaffKeys,
}

/// The result of a task.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Outcome {
    Migrate {
        /// The versions of all migrations in the database.
        applied: Vec<i64>,
        /// The versions that this event applied.
        added: Vec<i64>,
    },
    ImportCatalogue(Box<Report>),
    CreateSuperuser(Appointment),
    AppointStaff(Appointment),
    DismissStaff(Dismissal),
    EndSessions(EndedSessions),
    Tell {
        person: Copy,
    },
    Forget(Forgotten),
    CancelBookings {
        results: Vec<Cancelled>,
    },
    AddStaffKey(Added),
    RevokeStaffKey(Revoked),
    ListStaffKeys {
        /// Oldest first.
        keys: Vec<IssuedKey>,
    },
}

/// A copy of a person's data: JSON that is passed on as it is, because amounts that are read and written again lose
/// decimals.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Copy(Box<RawValue>);

impl PartialEq for Copy {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Copy {}

/// Why a task failed. Lambda returns the message to the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A migration failed, or the database is not one of ours.
    #[error("the schema was not migrated: {0}")]
    Migration(#[from] MigrateError),
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the secrets could not be read: {0}")]
    Unset(#[from] config::Error),
    #[error(transparent)]
    Files(#[from] import::FaultyFiles),
    #[error(transparent)]
    Import(#[from] import::Error),
    #[error(transparent)]
    Personnel(#[from] personnel::Error),
    #[error(transparent)]
    StaffKey(#[from] issued::Error),
    #[error("phone: {0}")]
    Phone(#[from] NotAPhone),
    #[error("the data of the person stays: {0}")]
    Person(shared::Error),
    #[error("bookings are not cancelled: {0}")]
    Bookings(shared::Error),
    #[error("the filter does not fit: {0}")]
    Filter(String),
}

/// What the function needs.
#[derive(Clone, Debug)]
pub struct App {
    /// Not through a proxy: migrations take a session lock.
    pub database: Database,
    /// The roles of the functions.
    pub roles: Live<Roles>,
    /// Notified when the catalogue changes.
    pub redis: Redis,
    /// Creates superusers; set if Descope is configured.
    pub personnel: Option<Personnel>,
    /// The client for answers to CloudFormation.
    pub answers: reqwest::Client,
}

impl App {
    /// Runs the task. Every event is idempotent.
    pub async fn handle(&self, event: Event) -> Result<Outcome, Error> {
        let author = Author::system(Source::Migrate);
        match event {
            Event::Migrate => self.migrate().await,
            Event::ImportCatalogue { files, mode } => {
                Ok(Outcome::ImportCatalogue(Box::new(self.import(files, mode).await?)))
            }
            Event::CreateSuperuser { email, password_reset_url } => Ok(Outcome::CreateSuperuser(
                self.appoint(&email, ADMIN_ROLE, password_reset_url.as_deref(), &author).await?,
            )),
            Event::AppointStaff { email, password_reset_url } => Ok(Outcome::AppointStaff(
                self.appoint(&email, STAFF_ROLE, password_reset_url.as_deref(), &author).await?,
            )),
            Event::DismissStaff { identifier } => {
                Ok(Outcome::DismissStaff(self.personnel()?.dismiss(&self.database, &identifier, &author).await?))
            }
            Event::EndSessions { identifier } => {
                Ok(Outcome::EndSessions(self.personnel()?.end_sessions(&self.database, &identifier, &author).await?))
            }
            Event::Tell { phone } => self.tell(&phone.parse()?, &author).await,
            Event::Forget { phone } => self.forget(&phone.parse()?, &author).await,
            Event::CancelBookings { filter, count, reason } => self.cancel_bookings(filter, count, reason).await,
            Event::AddStaffKey { label, key_sha256 } => {
                Ok(Outcome::AddStaffKey(issued::add(&self.database, label, key_sha256.as_deref(), &author).await?))
            }
            Event::RevokeStaffKey { label } => {
                Ok(Outcome::RevokeStaffKey(issued::revoke(&self.database, label, &author).await?))
            }
            Event::ListStaffKeys => Ok(Outcome::ListStaffKeys { keys: issued::list(&self.database).await? }),
        }
    }

    async fn appoint(
        &self,
        email: &str,
        role: &str,
        page: Option<&str>,
        author: &Author,
    ) -> Result<Appointment, personnel::Error> {
        self.personnel()?.appoint(&self.database, email, role, page, author).await
    }

    fn personnel(&self) -> Result<&Personnel, personnel::Error> {
        self.personnel.as_ref().ok_or(personnel::Error::NotConfigured)
    }

    async fn tell(&self, phone: &Phone, author: &Author) -> Result<Outcome, Error> {
        let tell = async |connection: &mut PgConnection| {
            history::sign(connection, author).await?;
            customers::tell(connection, phone.as_str()).await
        };
        let text = self.database.transaction(tell).await.map_err(Error::Person)?;
        let person = RawValue::from_string(text).map_err(|error| Error::Person(shared::Error::internal(error)))?;
        Ok(Outcome::Tell { person: Copy(person) })
    }

    async fn forget(&self, phone: &Phone, author: &Author) -> Result<Outcome, Error> {
        if let Some(personnel) = &self.personnel {
            let closed = customers::close_sign_in(&self.database, &personnel.descope, phone.as_str()).await;
            closed.map_err(Error::Person)?;
        }
        let forget = async |connection: &mut PgConnection| {
            history::sign(connection, author).await?;
            customers::forget(connection, phone.as_str()).await
        };
        self.database.transaction(forget).await.map(Outcome::Forget).map_err(Error::Person)
    }

    async fn cancel_bookings(
        &self,
        mut filter: Map<String, Value>,
        count: i64,
        reason: String,
    ) -> Result<Outcome, Error> {
        filter.insert("count".to_owned(), count.into());
        filter.insert("reason".to_owned(), reason.into());
        let mut fields = Fields::new(filter);
        let Some(cancellation) = Cancellation::read(&mut fields).filter(|_| fields.faults.is_empty()) else {
            return Err(Error::Filter(json!(fields.faults).to_string()));
        };
        let results = cancellation.run(&self.database, &Actor::System).await.map_err(Error::Bookings)?;
        Ok(Outcome::CancelBookings { results })
    }

    async fn import(&self, files: Files, mode: Mode) -> Result<Report, Error> {
        let author = Author::system(Source::Import);
        let catalogue = import::parse(&files)?;
        drop(files);
        Ok(import::import(&catalogue, &self.database, &self.redis, mode, &author).await?)
    }

    async fn migrate(&self) -> Result<Outcome, Error> {
        let pool = self.database.pool();
        // A separate connection, closed in any case: a failed migration keeps the migration lock as long as its
        // connection lives, and a frozen environment would block the rollback.
        let mut connection = pool.acquire().await?.detach();
        let roles = self.roles.get()?;
        let migrated = schema::migrate(&mut connection, &roles).await;
        let closed = connection.close().await;
        let Migrated { applied, added } = migrated?;
        closed?;
        catalogue::publish(&self.database, &self.redis).await?;
        Ok(Outcome::Migrate { applied, added })
    }
}
