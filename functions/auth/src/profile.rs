//! One's profile.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    accounts::{self, User},
    email::Email,
    http::{ErrorBody, Fields, Json, Patch, Read, Routes, private_json, routes},
    phone::Phone,
    session::Session,
    written::Written,
};
use url::Url;
use utoipa::ToSchema;

use crate::{App, sessions};

/// The longest first or last name.
pub(crate) const LONGEST_NAME: usize = 100;
/// The longest spelling of a number.
pub(crate) const LONGEST_PHONE: usize = 100;
const LONGEST_URL: usize = 2000;

pub(crate) fn routes() -> Routes<App> {
    routes!(show, update)
}

/// A user as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct Profile {
    id: i64,
    /// The address or number that the account was made with.
    username: String,
    #[schema(required)]
    email: Option<String>,
    first_name: String,
    last_name: String,
    /// E.164.
    #[schema(required)]
    phone_number: Option<String>,
    #[schema(required)]
    profile_picture: Option<String>,
    /// Whether number or address has been proved.
    is_verified: bool,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
    is_staff: bool,
    is_superuser: bool,
}

impl From<User> for Profile {
    fn from(user: User) -> Self {
        Self {
            is_verified: user.is_phone_verified || user.is_email_verified,
            is_staff: user.is_staff(),
            is_superuser: user.is_superuser(),
            id: user.id,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            phone_number: user.phone,
            profile_picture: user.profile_picture,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl IntoResponse for Profile {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}

/// What is to be changed. A field that is not sent stays; null or an empty text empties it.
#[derive(Debug, ToSchema)]
#[schema(example = json!({
    "first_name": "Asha", "last_name": "Rao", "profile_picture": "https://example.com/asha.jpg",
    "email": "asha@example.com", "phone_number": "98765 43211"
}))]
struct ProfileChanges {
    #[schema(value_type = Option<String>)]
    first_name: Patch<String>,
    #[schema(value_type = Option<String>)]
    last_name: Patch<String>,
    /// An https URL.
    #[schema(value_type = Option<String>)]
    profile_picture: Patch<Picture>,
    /// Unverified until a one-time code proves it.
    #[schema(value_type = Option<String>)]
    email: Patch<Email>,
    /// Unverified until a one-time code proves it.
    #[schema(value_type = Option<String>)]
    phone_number: Patch<Phone>,
}

impl Read for ProfileChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let first_name = fields.patch("first_name", LONGEST_NAME);
        let last_name = fields.patch("last_name", LONGEST_NAME);
        let profile_picture = fields.patch("profile_picture", LONGEST_URL);
        let email = fields.patch("email", Email::MAX);
        let phone_number = fields.patch("phone_number", LONGEST_PHONE);
        Some(Self {
            first_name: first_name?,
            last_name: last_name?,
            profile_picture: profile_picture?,
            email: email?,
            phone_number: phone_number?,
        })
    }
}

/// A picture that a page may show: an https URL without a password.
#[derive(Debug)]
struct Picture(String);

impl Written for Picture {
    fn parse(text: &str) -> Result<Self, String> {
        match Url::parse(text) {
            Ok(url) if url.scheme() == "https" && url.username().is_empty() && url.password().is_none() => {
                Ok(Self(url.into()))
            }
            _ => Err("Enter a valid https URL.".to_owned()),
        }
    }

    fn rules() -> Value {
        json!({ "format": "uri", "pattern": "^https://" })
    }
}

/// Shows the profile of the session's user.
///
/// `is_verified` says whether the number or the address was proved.
#[utoipa::path(
    get, path = "/profile", operation_id = "show_profile", tag = "Accounts", security(("session" = [])),
    responses((status = 200, body = Profile), (status = 401, body = ErrorBody))
)]
async fn show(session: Session) -> Profile {
    session.user.into()
}

/// Changes the profile of the session's user.
///
/// A field that is left out stays; null or an empty text clears it. A new number or address is unverified until a one-time
/// code proves it.
#[utoipa::path(
    patch, path = "/profile", operation_id = "update_profile", tag = "Accounts", security(("session" = [])),
    request_body = Json<ProfileChanges>,
    responses(
        (status = 200, body = Profile),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
    )
)]
async fn update(State(app): State<App>, session: Session, Json(changes): Json<ProfileChanges>) -> Result<Profile> {
    let ProfileChanges { first_name, last_name, profile_picture, email, phone_number } = changes;
    let mut transaction = app.sessions.database.begin().await?;
    // Whoever takes an account back ends its sessions first: what has waited for them changes nothing any more.
    accounts::hold(&mut transaction, session.user.id).await?;
    if !sessions::is_active(&mut transaction, session.id).await? {
        transaction.rollback().await?;
        return Err(Error::SessionRevoked);
    }
    let user = sqlx::query_as!(
        User,
        r#"
        update users set
            first_name = case when $2 then coalesce($3, '') else first_name end,
            last_name = case when $4 then coalesce($5, '') else last_name end,
            profile_picture = case when $6 then $7 else profile_picture end,
            email = case when $8 then $9 else email end,
            is_email_verified = is_email_verified and (not $8 or email is not distinct from $9),
            phone = case when $10 then $11 else phone end,
            is_phone_verified = is_phone_verified and (not $10 or phone is not distinct from $11),
            updated_at = now()
        where id = $1
        returning id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name,
            profile_picture, created_at, updated_at, $12::text[] as "roles!"
        "#,
        session.user.id,
        first_name.is_sent(),
        first_name.value(),
        last_name.is_sent(),
        last_name.value(),
        profile_picture.is_sent(),
        profile_picture.value().map(|picture| picture.0),
        email.is_sent(),
        email.value().map(|email| email.to_string()),
        phone_number.is_sent(),
        phone_number.value().map(|phone| phone.to_string()),
        &session.user.roles
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(user.into())
}
