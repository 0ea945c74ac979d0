//! The profile of the session's user.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Result,
    accounts::{ProfileChange, User},
    email::Email,
    http::{Fields, FlatErrorBody as ErrorBody, Json, Patch, Read, Routes, private_json, routes},
    ids::UserId,
    phone::Phone,
    session::Session,
    sign_in::ways_in,
    written::Written,
};
use url::Url;
use utoipa::ToSchema;

use crate::App;

/// Maximum length of a first or last name, in characters.
pub(crate) const LONGEST_NAME: usize = 100;
/// Maximum length of any spelling of a phone number, in characters.
const LONGEST_PHONE: usize = 100;
const LONGEST_URL: usize = 2000;

pub(crate) fn routes() -> Routes<App> {
    routes!(show, update)
}

/// A user as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct Profile {
    #[schema(value_type = i64)]
    id: UserId,
    /// The address that the account was made with; `user_` and the id for one that was made with a number.
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
            username: user.public_name(),
            id: user.id,
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

/// What is to be changed. A field that is not sent stays; an empty text empties it.
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

/// The URL of a profile picture, safe to show on a page: https, without user name or password.
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
/// A field that is left out stays; an empty text clears it. A new number or address is unverified until a one-time
/// code proves it, and the verified one that it replaces opens the account no longer.
#[utoipa::path(
    patch, path = "/profile", operation_id = "update_profile", tag = "Accounts", security(("session" = [])),
    request_body = Json<ProfileChanges>,
    responses(
        (status = 200, body = Profile),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 409, description = "The number or address is the only way to sign in.", body = ErrorBody),
    )
)]
async fn update(State(app): State<App>, session: Session, Json(changes): Json<ProfileChanges>) -> Result<Profile> {
    let change = ProfileChange {
        first_name: changes.first_name,
        last_name: changes.last_name,
        profile_picture: changes.profile_picture.map(|picture| picture.0),
        email: changes.email,
        phone: changes.phone_number,
    };
    Ok(ways_in::change_profile(&app.sessions.database, &session, change).await?.into())
}
