//! The database roles of the functions. The owner of the database, as which `migrate` connects, makes them: one for the
//! application, which reads and writes rows, and one that only reads the catalogue. A hole in a function then opens the
//! rows that the function needs, and no function can change the schema.

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use shared::config::{self, Live, Settings, Values};
use sqlx::{Connection, PgConnection};

use crate::Error;

/// What a role that only reads the catalogue may read.
const CATALOGUE: [&str; 10] = [
    "catalogue_versions",
    "holidays",
    "opening_hours",
    "service_categories",
    "service_prices",
    "services",
    "shops",
    "vehicle_brands",
    "vehicle_models",
    "vehicle_types",
];

/// Postgres's own defences, for every session of a role. A statement ends soon after its connection was given up, and
/// connections of environments that no longer exist end by themselves.
const DEFENCES: [(&str, &str); 3] = [
    ("client_connection_check_interval", "500ms"),
    ("idle_session_timeout", "10min"),
    ("idle_in_transaction_session_timeout", "15s"),
];
/// The longest statement: below the deadline of a request of the panel, 25 s, and of a catalogue read, 4.5 s.
const APPLICATION_TIMEOUT: (&str, &str) = ("statement_timeout", "20s");
const READERS_TIMEOUT: (&str, &str) = ("statement_timeout", "4s");

/// Iterations of SCRAM-SHA-256, as Postgres itself makes them.
const ITERATIONS: u32 = 4096;

/// The logins of the roles, as far as they are configured.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    pub application: Option<Login>,
    pub readers: Option<Login>,
}

/// A role and its password.
#[derive(Clone, Debug)]
pub struct Login {
    pub name: String,
    pub password: SecretString,
}

impl Roles {
    /// Reads the secrets that `APPLICATION_SECRET_ID` and `READERS_SECRET_ID` name, or `APPLICATION_LOGIN` and
    /// `READERS_LOGIN`.
    pub fn from_settings(settings: &Settings) -> Result<Live<Self>, config::Error> {
        settings.live(|values| {
            Ok(Self {
                application: login(values, config::APPLICATION_LOGIN, config::APPLICATION_SECRET_ID)?,
                readers: login(values, config::READERS_LOGIN, config::READERS_SECRET_ID)?,
            })
        })
    }

    /// Makes the roles, or brings them up to date, and grants them what exists. Safe to repeat.
    pub(crate) async fn apply(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let mut transaction = connection.begin().await?;
        if let Some(login) = &self.application {
            login.make(&mut transaction, APPLICATION_TIMEOUT).await?;
            let name = quoted(&login.name);
            run(
                &mut transaction,
                &format!(
                    "grant usage on schema public to {name};
                    grant select, insert, update, delete on all tables in schema public to {name};
                    grant usage, select, update on all sequences in schema public to {name};
                    revoke insert, update, delete on _sqlx_migrations from {name};
                    alter default privileges in schema public grant select, insert, update, delete on tables to {name};
                    alter default privileges in schema public grant usage, select, update on sequences to {name}"
                ),
            )
            .await?;
        }
        if let Some(login) = &self.readers {
            login.make(&mut transaction, READERS_TIMEOUT).await?;
            let (name, tables) = (quoted(&login.name), CATALOGUE.join(", "));
            run(
                &mut transaction,
                &format!(
                    "grant usage on schema public to {name};
                    grant select on {tables} to {name};
                    alter role {name} set default_transaction_read_only = on"
                ),
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

impl Login {
    /// Makes the role unless it exists, and sets its password and defences.
    async fn make(&self, connection: &mut PgConnection, timeout: (&str, &str)) -> Result<(), Error> {
        let name = quoted(&self.name);
        let is_new = sqlx::query_scalar!(
            r#"select not exists (select from pg_roles where rolname = $1) as "is_new!""#,
            self.name
        )
        .fetch_one(&mut *connection)
        .await?;
        if is_new {
            run(connection, &format!("create role {name}")).await?;
        }
        // As a SCRAM verifier, because Postgres logs statements that fail or are slow.
        let verifier = scram(self.password.expose_secret(), &salt()?);
        run(connection, &format!("alter role {name} login password '{verifier}'")).await?;
        let known =
            sqlx::query_scalar!(r#"select name as "name!" from pg_settings"#).fetch_all(&mut *connection).await?;
        for (setting, value) in DEFENCES.into_iter().chain([timeout]) {
            // Postgres before 14 lacks some.
            if known.iter().any(|name| name == setting) {
                run(connection, &format!("alter role {name} set {setting} = '{value}'")).await?;
            }
        }
        Ok(())
    }
}

fn login(
    values: &Values,
    variable: config::Variable,
    secret: config::Variable,
) -> Result<Option<Login>, config::Error> {
    let (name, password) = (values.secret(secret, "username")?, values.secret(secret, "password")?);
    if let (Some(name), Some(password)) = (name, password) {
        return Ok(Some(Login { name: name.expose_secret().to_owned(), password }));
    }
    let Some(text) = values.optional(variable)? else { return Ok(None) };
    let (name, password) = text.split_once(':').ok_or(variable.invalid())?;
    Ok(Some(Login { name: name.to_owned(), password: password.into() }))
}

async fn run(connection: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statements).execute(connection).await.map(drop)
}

/// A name as an identifier of SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn salt() -> Result<[u8; 16], sqlx::Error> {
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| sqlx::Error::Protocol("no random numbers".to_owned()))?;
    Ok(salt)
}

/// What Postgres stores of a password (RFC 5803). The passwords are ASCII, so none is prepared as `SASLprep` would.
fn scram(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    let iterations = std::num::NonZeroU32::new(ITERATIONS).unwrap_or(std::num::NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    let [salt, stored, server] = [salt, stored.as_ref(), server.as_ref()].map(|bytes| STANDARD.encode(bytes));
    format!("SCRAM-SHA-256${iterations}:{salt}${stored}:{server}")
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::scram;

    #[test]
    fn a_verifier_is_that_of_the_example_of_rfc_7677() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            scram("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
