//! The holder of a link: the token in the path, which is the only credential here.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use lambda_http::http::request::Parts;
use shared::{
    Error, Result,
    bookings::{
        access_token::AccessToken,
        links::{self, Link, Scope},
    },
    http::ClientAddress,
};

use crate::{
    App,
    frame::{Shop, ended},
    words::Words,
};

/// Length of a token: 128 bits in base64url.
const LENGTH: usize = 22;

/// The holder of a link that has not ended.
pub(crate) struct Holder {
    pub(crate) link: Link,
    pub(crate) token: AccessToken,
    pub(crate) words: Words,
    pub(crate) address: ClientAddress,
}

impl Holder {
    /// The path of a page of this link, such as `move/`; empty for the first one.
    pub(crate) fn path(&self, page: &str) -> String {
        format!("/b/{}/{page}", self.token.reveal())
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.link.scope >= scope
    }

    /// 403 if the link is not for this.
    pub(crate) fn require(&self, scope: Scope) -> Result<()> {
        if self.may(scope) { Ok(()) } else { Err(Error::PermissionDenied) }
    }
}

impl FromRequestParts<App> for Holder {
    /// One page for links that have ended and for tokens that never were any: a guess learns nothing.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let address = ClientAddress::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let words = Words::of(&parts.headers);
        let token = AccessToken::sent(parts.uri.path().split('/').nth(2).unwrap_or_default());
        match find(app, &address, &token).await {
            Ok(Some(link)) => Ok(Self { link, token, words, address }),
            Ok(None) => Err(match Shop::load(app.database()).await {
                Ok(shop) => ended(words, &shop),
                Err(error) => error.into_response(),
            }),
            Err(error) => Err(error.into_response()),
        }
    }
}

/// Finds the link of a token, within the limit of tokens that open nothing, which refuses before Postgres is asked.
async fn find(app: &App, address: &ClientAddress, token: &AccessToken) -> Result<Option<Link>> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let can_be_one = token.reveal().len() == LENGTH && token.reveal().bytes().all(is_token);
    let find = async { if can_be_one { Ok(links::find(app.database(), token).await?) } else { Ok(None) } };
    app.throttle().guess(app.limits.junk_tokens.on(&address.0), token.reveal(), find, Option::is_some).await
}
