//! The answer to a sign-in.

use axum::response::{IntoResponse, Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    accounts::User,
    descope::{Channel, SignedIn},
    http::private_json,
};
use utoipa::ToSchema;

use crate::profile::Profile;

/// The answer to a sign-in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(crate) struct Welcome {
    #[schema(example = "Login successful")]
    pub(crate) message: &'static str,
    pub(crate) user: Profile,
    /// Send it as `Authorization: Bearer …` or `X-Session-Token`. Descope's, short-lived.
    pub(crate) session_token: String,
    /// Exchange it at `token/refresh/`. Descope's.
    pub(crate) refresh_token: String,
    /// What was proved, at `otp/verify/` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identifier: Option<String>,
    /// How it was proved, at `otp/verify/` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<Channel>,
}

impl Welcome {
    pub(crate) fn new(message: &'static str, user: User, signed_in: SignedIn) -> Self {
        Self {
            message,
            user: user.into(),
            session_token: signed_in.session_jwt,
            refresh_token: signed_in.refresh_jwt,
            identifier: None,
            method: None,
        }
    }
}

impl IntoResponse for Welcome {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}
