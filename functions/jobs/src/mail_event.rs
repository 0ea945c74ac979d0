//! What SES tells of mails: delivered, bounced, complained.

use chrono::Utc;
use serde_json::Value;
use shared::{Result, carriers::MailEvent, messages::feedback};
use sqlx::PgConnection;

use crate::App;

impl App {
    /// Applies an event. What is not of a mail of ours changes nothing.
    pub(crate) async fn mail_event(&self, detail: &Value) -> Result<()> {
        let Some(event) = MailEvent::read(detail) else { return Ok(()) };
        let apply = async |connection: &mut PgConnection| feedback::mail(connection, &event, Utc::now()).await;
        self.database.transaction(apply).await
    }
}
