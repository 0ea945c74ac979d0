//! The template's custom resource: CloudFormation requests the schema that new code needs, and waits for the answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::{catalogue::import::Mode, staff::sha256};
use sqlx::migrate::MigrateError;
use tracing::{error, info, warn};

use crate::{App, Error, sample};

/// Reserved for the answer out of the function's time: each attempt may take 5 s.
const TIME_TO_ANSWER: Duration = Duration::from_secs(30);
/// Pauses after failed attempts to answer.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(2)];
/// In characters. CloudFormation reads at most 4 KB of the whole answer.
const LONGEST_REASON: usize = 600;
/// Must never change: with a new id CloudFormation deletes the resource with the old one.
const PHYSICAL_ID: &str = "schema";

/// A request from CloudFormation. No other event has a `ResponseURL`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deployment {
    /// `Create`, `Update` or `Delete`.
    request_type: String,
    /// A signed URL to `PUT` the answer to, valid for two hours.
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    /// Missing in a `Create`.
    physical_resource_id: Option<String>,
    /// The properties in the template; every scalar is a string.
    #[serde(default)]
    resource_properties: Map<String, Value>,
}

/// The answer never reached CloudFormation. Lambda then retries the event, which repeats the whole deployment.
#[derive(Debug, thiserror::Error)]
#[error("CloudFormation did not take the answer")]
pub struct NotTaken;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    status: &'static str,
    reason: String,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    data: Value,
}

impl App {
    /// Carries out a request from CloudFormation and reports success or failure. `time_left` is the function's.
    pub async fn deploy(&self, deployment: &Deployment, time_left: Duration) -> Result<(), NotTaken> {
        let limit = time_left.saturating_sub(TIME_TO_ANSWER);
        // Boxed, because the compiler refuses a future type nested this deep.
        let work = Box::pin(self.fulfil(deployment));
        let done = if let Ok(done) = tokio::time::timeout(limit, work).await {
            done.map_err(|error| {
                // Only the log has the details: the stack's events have more readers.
                error!(%error, "the deployment fails");
                reason(&error)
            })
        } else {
            error!(limit = limit.as_secs(), "the deployment fails: out of time");
            // A retry of the event must not wait for this connection.
            self.database.renew();
            Err(format!("not done within {} s", limit.as_secs()))
        };
        let (status, reason) = match done {
            Ok(()) => ("SUCCESS", String::new()),
            Err(reason) => ("FAILED", format!("{reason}; the log of the migrate function tells more")),
        };
        let answer = Answer {
            status,
            reason,
            physical_resource_id: deployment.physical_resource_id.as_deref().unwrap_or(PHYSICAL_ID),
            stack_id: &deployment.stack_id,
            request_id: &deployment.request_id,
            logical_resource_id: &deployment.logical_resource_id,
            data: json!({ "Revision": deployment.revision() }),
        };
        self.answer(&deployment.response_url, &answer).await
    }

    async fn fulfil(&self, deployment: &Deployment) -> Result<(), Error> {
        if deployment.request_type == "Delete" {
            // The schema and its data outlive the stack.
            return Ok(());
        }
        let outcome = match self.migrate().await {
            // The database password was rotated after this environment started.
            Err(Error::Migration(MigrateError::Execute(error)) | Error::Database(error))
                if self.database.may_now_let_in(&error).await =>
            {
                self.migrate().await?
            }
            outcome => outcome?,
        };
        info!(?outcome, "migrated for a deployment");
        if deployment.wants_catalogue() {
            self.import(sample::files(), Mode::IfEmpty).await?;
        }
        Ok(())
    }

    async fn answer(&self, url: &str, answer: &Answer<'_>) -> Result<(), NotTaken> {
        for pause in PAUSES.map(Some).into_iter().chain([None]) {
            // No content type: S3 refuses one that is not part of the signature.
            let body = serde_json::to_vec(answer).map_err(|_| NotTaken)?;
            match self.answers.put(url).body(body).send().await.and_then(reqwest::Response::error_for_status) {
                Ok(_) => return Ok(()),
                // The URL is a credential.
                Err(error) => warn!(error = %error.without_url(), "CloudFormation did not take the answer"),
            }
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
        }
        error!(answer.status, "CloudFormation did not take the answer and will wait until its time is up");
        Err(NotTaken)
    }
}

impl Deployment {
    fn wants_catalogue(&self) -> bool {
        self.resource_properties.get("ImportCatalogue").is_some_and(|wanted| wanted == "true")
    }

    /// Changes whenever the code or a setting changes. Functions have it in their description, so that CloudFormation
    /// publishes new versions of them.
    fn revision(&self) -> String {
        let properties = Value::Object(self.resource_properties.clone()).to_string();
        hex::encode(&sha256(&properties)[..8])
    }
}

/// Describes a failure, without values of rows or settings.
fn reason(error: &Error) -> String {
    let reason = match error {
        Error::Migration(MigrateError::ExecuteMigration(source, version)) => {
            format!("migration {version} failed ({})", kind(source))
        }
        Error::Migration(MigrateError::Execute(source)) | Error::Database(source) => {
            format!("the database failed ({})", kind(source))
        }
        // These mention only versions of migrations, and positions in the files that are part of the code.
        Error::Migration(_) | Error::Unset(_) | Error::Files(_) | Error::Import(_) => error.to_string(),
        Error::Personnel(_)
        | Error::StaffKey(_)
        | Error::Phone(_)
        | Error::Person(_)
        | Error::Bookings(_)
        | Error::Filter(_) => "not part of a deployment".to_owned(),
    };
    reason.chars().take(LONGEST_REASON).collect()
}

fn kind(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) => "it does not answer".to_owned(),
        sqlx::Error::Tls(_) => "TLS".to_owned(),
        _ => "see there".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_and_quotes_no_row_values() {
        let error = Error::Migration(MigrateError::ExecuteMigration(sqlx::Error::Protocol("9876543210".to_owned()), 7));
        assert_eq!(reason(&error), "migration 7 failed (see there)");
        let long = Error::Migration(MigrateError::Source("x".repeat(5000).into()));
        assert_eq!(reason(&long).len(), LONGEST_REASON);
    }
}
