//! Staff of the shop: callers with a staff key, or users with a staff role.

mod configured;
pub mod issued;
mod keys;
mod label;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use lambda_http::http::request::Parts;

use crate::{
    Error, Result,
    accounts::User,
    bookings::Actor,
    logging::name_actor,
    session::{Session, Sessions},
};

pub use configured::{ConfiguredKeys, NotKeys};
pub use keys::{StaffKey, StaffKeys};
pub use label::sha256;

/// A staff member. The extractor answers 403 without a staff key and without the session of a user with a staff role.
/// Every credential that is sent must be valid; if both are sent, the timeline names the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The label of the key, or `user-<id>`.
    pub label: String,
}

impl Staff {
    /// The staff member whose credentials were sent, if they are a staff member's.
    pub fn of(key: Option<&StaffKey>, user: Option<&User>) -> Option<Self> {
        let of_user = || user.filter(|user| user.is_staff()).map(|user| format!("user-{}", user.id));
        key.map(|key| key.label.clone()).or_else(of_user).map(|label| Self { label })
    }

    /// The actor in a booking's timeline.
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.label.clone())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff
where
    StaffKeys: FromRef<S>,
    Sessions: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let key = <StaffKey as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let session = <Session as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let user = session.as_ref().map(|session| &session.user);
        let refusal = if user.is_some() { Error::PermissionDenied } else { Error::ApiKeyInvalid };
        let staff = Self::of(key.as_ref(), user).ok_or(refusal)?;
        name_actor(staff.actor());
        Ok(staff)
    }
}
