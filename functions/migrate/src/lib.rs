//! What a deployer does, by JSON events: migrate the schema, import the catalogue, appoint who runs the shop,
//! give keys to its staff. CloudFormation sends events of its own whenever it deploys.

mod deployment;
mod sample;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use shared::{
    catalogue::{
        self,
        import::{self, Files, Report},
    },
    database::{Database, MIGRATOR},
    redis::Redis,
    sign_in::appoint,
    staff::issued,
};
use sqlx::{
    Connection, PgConnection,
    migrate::{MigrateError, Migrator},
};

pub use deployment::{Deployment, NotTaken};
pub use shared::{
    sign_in::appoint::{Administrators, Appointment},
    staff::issued::{Added, Listed, Revoked},
};

/// Whatever the function is invoked with.
#[derive(Debug)]
pub enum Invocation {
    /// By CloudFormation, for the custom resource of the template.
    Deployment(Deployment),
    /// By a deployer.
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

/// What to do. The name of the action stands under `action`.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// `{"action": "migrate"}`: applies the migrations that have not been applied yet.
    Migrate,
    /// `{"action": "import_catalogue", "files": {"services.csv": "…", …}}`: makes the database tell what the seven
    /// files tell; each name stands for the text of its file.
    ImportCatalogue {
        /// The texts by name.
        files: Files,
    },
    /// `{"action": "create_superuser", "email": "…"}`: gives the address an account that runs the shop, and mails its
    /// owner how to set a password.
    CreateSuperuser {
        /// Whose mailbox it is; the deployer vouches for that.
        email: String,
    },
    /// `{"action": "add_staff_key", "label": "…"}`: makes a key for the staff, which only the answer tells. With
    /// `"key_sha256": "<hex>"` it adds one that was made elsewhere.
    AddStaffKey {
        /// What timelines call it.
        label: String,
        /// The hash of a key that exists.
        #[serde(default)]
        key_sha256: Option<String>,
    },
    /// `{"action": "revoke_staff_key", "label": "…"}`: ends a key.
    RevokeStaffKey {
        /// What it is called.
        label: String,
    },
    /// `{"action": "list_staff_keys"}`: tells which keys there are and were, but none of them.
    ListStaffKeys,
}

/// What was done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Outcome {
    /// The schema is up to date.
    Migrate {
        /// The versions of all migrations that the database now has.
        applied: Vec<i64>,
        /// Those of them that this event applied.
        added: Vec<i64>,
    },
    /// The catalogue is in.
    ImportCatalogue(Report),
    /// The account runs the shop.
    CreateSuperuser(Appointment),
    /// The key is valid.
    AddStaffKey(Added),
    /// The key is no longer valid.
    RevokeStaffKey(Revoked),
    /// These are all keys.
    ListStaffKeys {
        /// Oldest first.
        keys: Vec<Listed>,
    },
}

/// Why it was not done. Lambda tells the message to whoever invoked the function.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A migration failed, or the database is not one of ours.
    #[error("the schema was not migrated: {0}")]
    Migration(#[from] MigrateError),
    /// The database is away.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The files cannot be imported.
    #[error(transparent)]
    Files(#[from] import::FaultyFiles),
    /// The import failed.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// The superuser could not be made.
    #[error(transparent)]
    Superuser(#[from] appoint::Error),
    /// A key was not added or revoked.
    #[error(transparent)]
    StaffKey(#[from] issued::Error),
}

/// What the function needs.
#[derive(Clone, Debug)]
pub struct App {
    /// Whom everything is done to. Not through a proxy: migrations take a session lock.
    pub database: Database,
    /// Told when the catalogue changes.
    pub redis: Redis,
    /// Where a superuser's account is made, if Descope is configured.
    pub administrators: Option<Administrators>,
    /// How CloudFormation is answered.
    pub answers: reqwest::Client,
}

impl App {
    /// Does what the event says. Every event is safe to repeat: what was done before is not done twice.
    pub async fn handle(&self, event: Event) -> Result<Outcome, Error> {
        match event {
            Event::Migrate => self.migrate().await,
            Event::ImportCatalogue { files } => Ok(Outcome::ImportCatalogue(self.import(&files).await?)),
            Event::CreateSuperuser { email } => {
                let administrators = self.administrators.as_ref().ok_or(appoint::Error::NotConfigured)?;
                Ok(Outcome::CreateSuperuser(administrators.appoint(&self.database, &email).await?))
            }
            Event::AddStaffKey { label, key_sha256 } => {
                Ok(Outcome::AddStaffKey(issued::add(&self.database, label, key_sha256.as_deref()).await?))
            }
            Event::RevokeStaffKey { label } => {
                Ok(Outcome::RevokeStaffKey(issued::revoke(&self.database, label).await?))
            }
            Event::ListStaffKeys => Ok(Outcome::ListStaffKeys { keys: issued::list(&self.database).await? }),
        }
    }

    async fn import(&self, files: &Files) -> Result<Report, Error> {
        Ok(import::import(&import::parse(files)?, &self.database, &self.redis).await?)
    }

    async fn migrate(&self) -> Result<Outcome, Error> {
        let pool = self.database.pool();
        // A connection of its own, closed whatever happens: a migration that fails keeps the lock of all migrations as long
        // as its connection lives, and a frozen environment would keep it from the rollback.
        let mut connection = pool.acquire().await?.detach();
        let migrated = migrate(&mut connection).await;
        let closed = connection.close().await;
        let outcome = migrated?;
        closed?;
        catalogue::publish(&self.database, &self.redis).await?;
        Ok(outcome)
    }
}

async fn migrate(connection: &mut PgConnection) -> Result<Outcome, Error> {
    // Where Postgres knows it (14 and newer): what is abandoned when time is up ends there too, and lets its locks go.
    sqlx::query!(
        "select set_config(name, '1000', false) from pg_settings where name = 'client_connection_check_interval'"
    )
    .fetch_optional(&mut *connection)
    .await?;
    let before = applied(connection).await?;
    // Migrations only add. So after a rollback the code before works with the schema that the newer one left.
    let migrator = Migrator { migrations: MIGRATOR.migrations.clone(), ignore_missing: true, ..Migrator::DEFAULT };
    migrator.run(&mut *connection).await?;
    let applied = applied(connection).await?;
    let added = applied.iter().copied().filter(|version| !before.contains(version)).collect();
    Ok(Outcome::Migrate { applied, added })
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, Error> {
    use sqlx::migrate::Migrate;
    connection.ensure_migrations_table().await?;
    let applied = connection.list_applied_migrations().await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}
