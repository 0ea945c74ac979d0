//! Whether the customer gets reminders.

use axum::{extract::State, response::Response};
use shared::{
    Result,
    bookings::links::{self, Scope},
    customers::reminders,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use crate::{App, form::Form, holder::Holder, page::redirect};

pub(crate) struct Choice {
    wanted: bool,
}

impl Read for Choice {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.flag("wanted").map(|wanted| Self { wanted })
    }
}

/// Keeps the choice for all bookings of the customer.
pub(crate) async fn choose(
    State(app): State<App>,
    holder: Holder,
    Form(Choice { wanted }): Form<Choice>,
) -> Result<Response> {
    holder.require(Scope::Change)?;
    let choose = async |connection: &mut PgConnection| -> Result<()> {
        let booking = links::lock(&mut *connection, &holder.token, Scope::Change).await?;
        let customer = booking.customer.id;
        if wanted {
            reminders::accept(connection, customer).await?;
        } else {
            reminders::refuse(connection, customer).await?;
        }
        Ok(())
    };
    app.database().transaction(choose).await?;
    Ok(redirect(&holder.path("?done=saved")))
}
