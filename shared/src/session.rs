//! Authentication by session token: verifies Descope's token and checks that its session is not revoked here.

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use lambda_http::http::{HeaderMap, HeaderName, header, request::Parts};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::{
    Error, Result,
    accounts::{self, NewSession, User, user_in},
    database::Database,
    descope::{self, Claims, Descope, Keys, Kind},
    http::Device,
    ids::{SessionId, UserId},
    logging::name_actor,
};

const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

/// Dependencies of the session check.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub database: Database,
    /// Called only for a user without a row here.
    pub descope: Descope,
    /// Verification keys of tokens.
    pub keys: Keys,
}

/// A valid session. The extractor answers 401 without one; as `Option` it is `None` without a session token, and
/// answers 401 to an invalid one.
#[derive(Clone)]
pub struct Session {
    /// Our id; Descope has no session ids.
    pub id: SessionId,
    pub user: User,
    /// The session token of the request.
    pub token: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("id", &self.id).field("user", &self.user).finish_non_exhaustive()
    }
}

/// The session token that a request carries, not verified.
#[derive(Clone)]
pub struct SentToken(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for SentToken {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(token_in(&parts.headers)?.map(str::to_owned)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session
where
    Sessions: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let session: Option<Self> = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        session.ok_or(Error::NotAuthenticated)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session
where
    Sessions: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>> {
        let Some(token) = token_in(&parts.headers)? else { return Ok(None) };
        let device = Device::of(parts);
        Sessions::from_ref(state).identify(token, &device).await.map(Some)
    }
}

impl Sessions {
    /// Verifies a session token and returns its session.
    pub async fn identify(&self, token: &str, device: &Device) -> Result<Session> {
        let claims = self.keys.verify(token, Kind::Session).await?;
        let token_sha256 = sha256(token);
        let (id, user) = match find(&self.database, &token_sha256, &claims).await? {
            Some(SessionOfToken { is_revoked: true, .. }) => return Err(Error::SessionRevoked),
            Some(found) => (found.session_id, found.user),
            None => self.adopt(&claims, token_sha256, device).await?,
        };
        name_actor(format_args!("user:{}", user.id));
        Ok(Session { id, user, token: token.to_owned() })
    }

    /// Adds a token that Descope issued without us to its session, or opens a session for it.
    async fn adopt(&self, claims: &Claims, token_sha256: [u8; 32], device: &Device) -> Result<(SessionId, User)> {
        if let Some(adopted) = self.adopt_as(claims, None, token_sha256, device).await? {
            return Ok(adopted);
        }
        let stranger = self.descope.user(claims.user_id()).await?.ok_or(Error::TokenInvalid)?;
        self.adopt_as(claims, Some(&stranger), token_sha256, device).await?.ok_or(Error::TokenInvalid)
    }

    /// [`Self::adopt`] for a linked user, or for `stranger`; `None` if no user is linked.
    async fn adopt_as(
        &self,
        claims: &Claims,
        stranger: Option<&descope::User>,
        token_sha256: [u8; 32],
        device: &Device,
    ) -> Result<Option<(SessionId, User)>> {
        let adopt = async |connection: &mut PgConnection| {
            accounts::lock(connection, &[claims.user_id()]).await?;
            let Some(user_id) = accounts::adopt(connection, claims.user_id(), stranger).await? else { return Ok(None) };
            if let Some(id) = session_of(connection, claims).await? {
                if add_token(connection, id, &token_sha256, claims).await? {
                    accounts::learn_roles(connection, claims).await?;
                }
                return Ok(Some((id, accounts::load(&mut *connection, user_id, claims).await?)));
            }
            let (user_agent, ip_address) = (&device.user_agent, &device.ip_address);
            let new = NewSession {
                user_id,
                claims,
                token_sha256,
                refresh_token: None,
                is_proof: false,
                user_agent,
                ip_address,
            };
            Ok(Some(accounts::open_session(connection, new).await?))
        };
        self.database.transaction(adopt).await
    }
}

/// The session that a token belongs to, ended or not; `None` for a token that is not kept here. What kind of token it is, the
/// caller has verified.
pub async fn session_by_token(database: &Database, token: &str) -> sqlx::Result<Option<(SessionId, UserId)>> {
    let token_sha256 = sha256(token);
    let find = |pool| async move {
        sqlx::query!(
            "
            select session.id, session.user_id
            from session_tokens token join user_sessions session on session.id = token.session_id
            where token.token_sha256 = $1
            ",
            &token_sha256
        )
        .fetch_optional(&pool)
        .await
    };
    let found = database.read(find).await?;
    Ok(found.map(|session| (SessionId(session.id), UserId(session.user_id))))
}

struct SessionOfToken {
    session_id: SessionId,
    is_revoked: bool,
    user: User,
}

/// The stored hash of a token.
pub fn sha256(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The session of a token that was issued without us; `None` if the session has no row. Descope has no session ids, but
/// all tokens of one session have the same end. The token is refused if that session was revoked, or all of the user's
/// sessions since the token was issued, and of a blocked user.
pub async fn session_of(connection: &mut PgConnection, claims: &Claims) -> Result<Option<SessionId>> {
    // Must be its own statement: a concurrent revocation waits for this lock, or the next statement reads its writes.
    sqlx::query!(
        "
        select users.id from users join user_identities identity on identity.user_id = users.id
        where identity.descope_user_id = $1
        for share of users
        ",
        claims.user_id()
    )
    .fetch_optional(&mut *connection)
    .await?;
    let found = sqlx::query!(
        r#"
        select
            users.sessions_revoked_at >= $3 as "is_outlived!", users.blocked_at is not null as "is_blocked!",
            session.id as "id?", coalesce(session.revoked_at is not null, false) as "is_revoked!"
        from user_identities identity
        join users on users.id = identity.user_id
        left join user_sessions session
            on session.descope_user_id = identity.descope_user_id and session.expires_at = $2
            -- A session that continues in the account this Descope user belonged to before stays that account's.
            and (session.user_id = identity.user_id or session.revoked_at is not null)
        where identity.descope_user_id = $1
        order by session.revoked_at is not null desc, session.id
        limit 1
        "#,
        claims.user_id(),
        claims.session_ends_at(),
        claims.issued_at()
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::TokenInvalid)?;
    if found.is_revoked || (found.id.is_none() && found.is_outlived) {
        Err(Error::SessionRevoked)
    } else if found.is_blocked {
        Err(Error::Blocked)
    } else {
        Ok(found.id.map(SessionId))
    }
}

/// Writes another session token of a session; whether it tells of roles that are not known here.
async fn add_token(
    connection: &mut PgConnection,
    session_id: SessionId,
    token_sha256: &[u8; 32],
    claims: &Claims,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with token as (
            insert into session_tokens (token_sha256, kind, session_id, expires_at) values ($1, 'session', $2, $3)
            on conflict (token_sha256) do nothing
        )
        select roles_are_news($4, $5, $6) as "are_news!"
        "#,
        token_sha256,
        session_id.0,
        claims.expires_at(),
        claims.user_id(),
        claims.issued_at(),
        claims.roles()
    )
    .fetch_one(connection)
    .await
}

/// Finds the session of a token, revoked or not; those of a blocked user count as revoked. Updates `last_seen_at` at most once a minute.
async fn find(database: &Database, token_sha256: &[u8; 32], claims: &Claims) -> Result<Option<SessionOfToken>> {
    let session = |pool| async move {
        sqlx::query!(
            r#"
        with seen as (
            update user_sessions session set last_seen_at = now()
            from session_tokens token
            where token.token_sha256 = $1 and token.kind = 'session' and session.id = token.session_id
                and session.revoked_at is null and session.last_seen_at < now() - interval '1 minute'
        )
        select session.id as session_id, session.revoked_at is not null or users.blocked_at is not null as "is_revoked!",
            users.id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name, profile_picture,
            users.created_at, users.updated_at,
            roles_that_count(session.descope_user_id, session.user_id, $2, $3::text[]) as "roles!"
        from session_tokens token
        join user_sessions session on session.id = token.session_id
        join users on users.id = session.user_id
        where token.token_sha256 = $1 and token.kind = 'session'
        "#,
            token_sha256,
            claims.issued_at(),
            claims.roles()
        )
        .fetch_optional(&pool)
        .await
    };
    let found = database.read(session).await?;
    Ok(found.map(|row| SessionOfToken {
        session_id: SessionId(row.session_id),
        is_revoked: row.is_revoked,
        user: user_in!(row, row.roles),
    }))
}

/// The session token of a request. Two different ones are an error.
fn token_in(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut tokens = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Error::TokenInvalid)?.trim();
        let (scheme, token) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            tokens.push(token.trim());
        }
    }
    for value in headers.get_all(SESSION_TOKEN) {
        let token = value.to_str().map_err(|_| Error::TokenInvalid)?.trim();
        // Clients without a token may send an empty header.
        if !token.is_empty() {
            tokens.push(token);
        }
    }
    match tokens.as_slice() {
        [] => Ok(None),
        [token, others @ ..] if others.iter().all(|other| other == token) => Ok(Some(token)),
        _ => Err(Error::TokenInvalid),
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};

    use super::token_in;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_token_comes_in_either_header() {
        for pairs in [
            &[("authorization", "Bearer t")][..],
            &[("authorization", "bearer   t ")],
            &[("x-session-token", " t ")],
            &[("authorization", "Bearer t"), ("x-session-token", "t")],
            &[("authorization", "Basic dTpw"), ("x-session-token", "t")],
        ] {
            assert_eq!(token_in(&headers(pairs)).unwrap(), Some("t"), "{pairs:?}");
        }
    }

    #[test]
    fn a_missing_token_is_none_and_two_different_tokens_are_refused() {
        for pairs in [&[][..], &[("x-session-token", "")], &[("authorization", "Basic dTpw")]] {
            assert_eq!(token_in(&headers(pairs)).unwrap(), None, "{pairs:?}");
        }
        assert!(token_in(&headers(&[("authorization", "Bearer a"), ("x-session-token", "b")])).is_err());
        assert_eq!(token_in(&headers(&[("authorization", "Bearer")])).unwrap(), Some(""));
    }
}
